"""The GRU over whole sequences without autograd: forward, and backward by hand.

As `fused_lstm`: one matmul a step, and all that waits for no h_{t-1} for many steps at once. With
m_t = h_{t-1} W_hn + b_hn, which r_t multiplies inside the candidate::

    a_t = h_{t-1} W_h                             da_t, dm_t = dh_t ⊙ slopes_t
    r_t, z_t = σ(u_t + a_t)                       dh_{t-1} = dh_t ⊙ z_t
    n_t = tanh(u_n + r_t ⊙ m_t)                              + [da_r da_z dm]_t W_hᵀ
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}

A sequence that is over keeps its state, and the gradient by it passes unchanged.
In float16 and bfloat16 h and dh go from step to step in float32, so that a long sum keeps its
small terms.
"""

import torch
from torch import Tensor

from lstm_lib.torch_cells._cell import by_step, padding


def forward(
    u: Tensor, W_h: Tensor, b_hn: Tensor, h_0: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return h (T+1, B, H), row 0 the start, and r, z, n, m side by side (T, B, 4H).

    u: x W_x + b, (T, B, 3H). W_h: (H, 3H). b_hn: (H,). h_0: (B, H). live: lengths (B,) int32,
    None where all are T.
    """
    T, B, H = len(u), u.shape[1], len(W_h)
    h = u.new_empty(T + 1, B, H)
    h[0] = h_0
    wide = torch.promote_types(u.dtype, torch.float32)
    carried = h_0.to(wide)
    gates, a = u.new_empty(T, B, 4 * H), torch.empty_like(u[0])
    a_rz, a_n = a.split([2 * H, H], dim=-1)
    over = None if live is None else padding(live, T)
    u_rz, u_n = u.split([2 * H, H], dim=-1)
    steps = by_step(u_rz, u_n, gates[..., : 2 * H], *gates.chunk(4, dim=-1), h, h[1:], over)
    for u_rz_t, u_n_t, rz_t, r_t, z_t, n_t, m_t, h_before, h_t, over_t in steps:
        torch.mm(h_before, W_h, out=a)
        torch.add(u_rz_t, a_rz, out=rz_t).sigmoid_()
        torch.add(a_n, b_hn, out=m_t)
        torch.addcmul(u_n_t, r_t, m_t, out=n_t).tanh_()
        after = torch.lerp(n_t.to(wide), carried, z_t.to(wide))
        carried = after if over_t is None else torch.where(over_t, carried, after)
        h_t.copy_(carried)
    return h, gates


def backward(
    dh: Tensor, dh_T: Tensor, W_h: Tensor, h: Tensor, gates: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return da (T, B, 3H), by the sums inside σ and tanh, dm (T, B, H), and dh_0 (B, H).

    dh: what L adds at each h_t, (T, B, H). dh_T: what arrives at h_T besides, (B, H). W_h, h,
    gates, live: as `forward` took and returned them.
    """
    T, B, H = dh.shape
    d = torch.empty_like(
        gates
    )  # m, r, z, n: what W_h multiplies and what is da both lie in one piece
    W_hT = torch.cat([W_h[:, 2 * H :], W_h[:, : 2 * H]], dim=1).T.contiguous()
    dh_t = dh_T.to(torch.promote_types(dh.dtype, torch.float32))
    over = None if live is None else padding(live, T)
    stretch = max(1, 2**16 // (B * H or 1)) if dh.device.type == "cpu" else T  # as in fused_lstm
    for end in range(T, 0, -stretch):
        part = slice(max(0, end - stretch), end)
        over_then = None if over is None else over[part]
        keep = _slopes(gates[part], h[part], over_then, out=d[part])
        by_h = d[part].unflatten(-1, (4, H))
        for dh_now, keep_t, by_h_t, d_t in reversed(
            by_step(dh[part], keep, by_h, d[part][..., : 3 * H])
        ):
            dh_t = dh_t + dh_now
            by_h_t.mul_(dh_t[:, None])
            dh_t = torch.addcmul(d_t @ W_hT, dh_t, keep_t)
    return d[..., H:], d[..., :H], dh_t


def _slopes(gates: Tensor, h_before: Tensor, over: Tensor | None, out: Tensor) -> Tensor:
    """Write ∂h_t/∂m_t and ∂h_t/∂a_t of r, z, n; return ∂h_t/∂h_{t-1} but for the matmul."""
    r, z, n, m = gates.chunk(4, dim=-1)
    by_m, by_r, by_z, by_n = out.chunk(4, dim=-1)
    torch.mul(1 - z, 1 - n * n, out=by_n)
    torch.mul((h_before - n) * z, 1 - z, out=by_z)
    torch.mul(by_n, r, out=by_m)
    torch.mul(by_m * m, 1 - r, out=by_r)
    if over is None:
        return z
    out.masked_fill_(over, 0)
    return z.masked_fill(over, 1)
