"""The LSTM over whole sequences without autograd: forward, and backward by hand.

What waits for no h_{t-1} is done for many steps at once: u = x W_x + b before the loop and dW_h
after it (both in `sequence`), and here the slopes, which are all that a step of the backward pass
multiplies with its dh_t and dc_t. A step is left with one matmul and a few products, written into
arrays that are there already::

    a_t = u_t + h_{t-1} W_h                       dc_t += dh_t ⊙ o_t ⊙ (1 − tanh² c_t)
    i_t, f_t, g_t, o_t = σ, σ, tanh, σ of a_t     da_t = [dc_t dc_t dc_t dh_t] ⊙ slopes_t
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t               dc_{t-1} = dc_t ⊙ f_t
    h_t = o_t ⊙ tanh(c_t)                         dh_{t-1} = da_t W_hᵀ

A sequence that is over keeps its state, and the gradient by it passes unchanged.
In float16 and bfloat16 c and dc are float32, so that a long sum keeps its small terms.
"""

import torch
from torch import Tensor

from lstm_lib.torch_cells._cell import by_step, padding


def forward(
    u: Tensor, W_h: Tensor, h_0: Tensor, c_0: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return h and c (T+1, B, H), row 0 the start, and the gates (T, B, 4H).

    u: x W_x + b, (T, B, 4H). W_h: (H, 4H). h_0, c_0: (B, H). live: lengths (B,) int32, None where
    all are T. c is float32 where u is float16 or bfloat16.
    """
    T, B, H = len(u), u.shape[1], len(W_h)
    h = u.new_empty(T + 1, B, H)
    c = torch.empty_like(h, dtype=torch.promote_types(u.dtype, torch.float32))
    h[0], c[0] = h_0, c_0
    gates, tanh_c = torch.empty_like(u), torch.empty_like(c[0])
    over = None if live is None else padding(live, T)
    steps = by_step(
        u, gates, gates[..., : 2 * H], *gates.chunk(4, dim=-1), h, c, h[1:], c[1:], over
    )
    for u_t, a_t, if_t, i_t, f_t, g_t, o_t, h_before, c_before, h_t, c_t, over_t in steps:
        torch.addmm(u_t, h_before, W_h, out=a_t)
        if_t.sigmoid_()
        g_t.tanh_()
        o_t.sigmoid_()
        torch.mul(f_t, c_before, out=c_t).addcmul_(i_t, g_t)
        torch.mul(o_t, torch.tanh(c_t, out=tanh_c), out=h_t)
        if over_t is not None:
            torch.where(over_t, c_before, c_t, out=c_t)
            torch.where(over_t, h_before, h_t, out=h_t)
    return h, c, gates


def backward(
    dh: Tensor,
    dh_T: Tensor,
    dc_T: Tensor,
    W_h: Tensor,
    c: Tensor,
    gates: Tensor,
    live: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return da (T, B, 4H), by the sums inside σ and tanh, and dh_0, dc_0 (B, H).

    dh: what L adds at each h_t, (T, B, H). dh_T, dc_T: what arrives at the last state besides,
    (B, H). W_h, c, gates, live: as `forward` took and returned them.
    """
    T, B, H = dh.shape
    da, W_hT = torch.empty_like(gates), W_h.T.contiguous()
    dh_t, dc_t = dh_T, dc_T.to(c.dtype, copy=True)
    over = None if live is None else padding(live, T)
    # On a CPU the slopes of a few steps are still in its cache when the steps read them.
    stretch = max(1, 2**16 // (B * H or 1)) if dh.device.type == "cpu" else T
    for end in range(T, 0, -stretch):
        part = slice(max(0, end - stretch), end)
        over_then = None if over is None else over[part]
        by_c, keep = _slopes(gates[part], c[part.start : end + 1], over_then, out=da[part])
        from_c, from_h = da[part].unflatten(-1, (4, H)).split([3, 1], dim=2)  # i f g; o
        steps = by_step(dh[part], by_c, keep, da[part], from_c, from_h.squeeze(2), over_then)
        for dh_now, by_c_t, keep_t, da_t, from_c_t, from_h_t, over_t in reversed(steps):
            dh_t = dh_t + dh_now
            dc_t.addcmul_(dh_t, by_c_t)
            from_c_t.mul_(dc_t[:, None])
            from_h_t.mul_(dh_t)
            dc_t.mul_(keep_t)
            dh_before = da_t @ W_hT
            dh_t = dh_before if over_t is None else torch.where(over_t, dh_t, dh_before)
    return da, dh_t, dc_t


def _slopes(gates: Tensor, c: Tensor, over: Tensor | None, out: Tensor) -> tuple[Tensor, Tensor]:
    """Write ∂c_t/∂a_t of i, f, g and ∂h_t/∂a_t of o; return ∂h_t/∂c_t and ∂c_t/∂c_{t-1}."""
    i, f, g, o = gates.chunk(4, dim=-1)
    by_i, by_f, by_g, by_o = out.chunk(4, dim=-1)
    tanh_c = c[1:].tanh()
    torch.mul(i * g, 1 - i, out=by_i)
    torch.mul(f * c[:-1], 1 - f, out=by_f)
    torch.mul(i, 1 - g * g, out=by_g)
    torch.mul(o * tanh_c, 1 - o, out=by_o)
    by_c = o * (1 - tanh_c * tanh_c)
    if over is None:
        return by_c, f
    out.masked_fill_(over, 0)
    return by_c.masked_fill(over, 0), f.masked_fill(over, 1)
