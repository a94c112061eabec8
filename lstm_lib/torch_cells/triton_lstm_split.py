"""The recurrence of the LSTM with its units split over programs, for 128 < H ≤ 1024.

The equations, arguments and results are those of `triton_lstm`. W_h no longer fits on one
processor of the GPU, so each program owns HB of the H units, all four gates of them, keeps those
columns of W_h on chip, and meets the others once a step, as `_triton_split` says.

A program's matmul is narrow, (BB, H) by (H, HB) a gate, and would keep few warps busy. So its sum
over the H units is cut into KS parts (axis 0 below), a warp each, and the parts are added.
Not yet measured on a GPU.
"""

import torch
from torch import Tensor

from lstm_lib.torch_cells._triton import (
    dot,
    load_four,
    sigmoid,
    state_dtype,
    store_four,
    tanh,
    tl,
    triton,
)
from lstm_lib.torch_cells._triton_split import arrive, run, wait


@triton.jit
def forward_kernel(
    u, W_h, h, c, gates, live, arrived, tile_0, t_0, t_1, B, H: tl.constexpr,
    HB: tl.constexpr, KS: tl.constexpr, BK: tl.constexpr, BB: tl.constexpr, PRECISION: tl.constexpr,
    TOGETHER: tl.constexpr,
):  # fmt: skip
    tile = tile_0 + tl.program_id(1)
    b = tile * BB + tl.arange(0, BB)[:, None]  # (BB, 1) sequences of the tile
    j = tl.program_id(0) * HB + tl.arange(0, HB)[None, :]  # (1, HB) units of this program
    part = tl.arange(0, KS)[:, None, None] * BK  # (KS, 1, 1)
    k = part + tl.arange(0, BK)[None, :, None]  # (KS, BK, 1) units of h_{t-1}, as rows of W_h
    k_h = part + tl.arange(0, BK)[None, None, :]  # (KS, 1, BK) the same, as columns of h
    real, h_real = (b < B) & (j < H), (b[None] < B) & (k_h < H)
    W, W_real = W_h + k * 4 * H + j[None], (k < H) & (j[None] < H)  # (KS, BK, HB)
    W_i, W_f, W_g, W_o = load_four(W, H, W_real)
    state, gate, counter = b * H + j, b * 4 * H + j, arrived + tile
    row = tl.cast(t_0, tl.int64) * B  # 64 bits: T·B·4H can be over 2^31
    h_own = tl.load(h + row * H + state, real, 0.0)
    c_t = tl.load(c + row * H + state, real, 0.0)
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    u_i, u_f, u_g, u_o = load_four(u + row * 4 * H + gate, H, real)
    for t in range(t_0, t_1):
        if TOGETHER:
            wait(counter, (t - t_0) * tl.num_programs(0))
        # ".cg" reads past the L1 cache, which knows nothing of what other processors stored
        h_t = tl.load(h + row * H + b[None] * H + k_h, h_real, 0.0, cache_modifier=".cg")
        i = sigmoid(u_i + tl.sum(dot(h_t, W_i, PRECISION), 0))
        f = sigmoid(u_f + tl.sum(dot(h_t, W_f, PRECISION), 0))
        g = tanh(u_g + tl.sum(dot(h_t, W_g, PRECISION), 0))
        o = sigmoid(u_o + tl.sum(dot(h_t, W_o, PRECISION), 0))
        c_new = f * c_t + i * g
        h_new = (o * tanh(c_new)).to(h_own.dtype)
        if live is not None:
            c_new, h_new = tl.where(t < steps, c_new, c_t), tl.where(t < steps, h_new, h_own)
        c_t, h_own = c_new, h_new
        tl.store(h + (row + B) * H + state, h_own, real)
        if TOGETHER:
            arrive(counter)  # before the stores that nobody waits for
        store_four(gates + row * 4 * H + gate, H, real, i, f, g, o)
        row += B
        tl.store(c + row * H + state, c_t, real)
        # Fetch the next u while the others finish h_t. Not before the matmuls: Triton (3.6, 3.7)
        # then lays out what follows as the sums are, each element in all KS warps, and all of them
        # compute its σ; loaded after them, u gives it the layout of memory, one thread an element.
        more = real & (t + 1 < t_1)
        u_i, u_f, u_g, u_o = load_four(u + row * 4 * H + gate, H, more)


@triton.jit
def backward_kernel(
    dh, W_h, c, gates, live, da, dh_state, dc_state, arrived, tile_0, t_0, t_1, B,
    H: tl.constexpr, HB: tl.constexpr, KS: tl.constexpr, BK: tl.constexpr, BB: tl.constexpr,
    PRECISION: tl.constexpr, TOGETHER: tl.constexpr,
):  # fmt: skip
    tile = tile_0 + tl.program_id(1)
    b = tile * BB + tl.arange(0, BB)[:, None]
    j = tl.program_id(0) * HB + tl.arange(0, HB)[None, :]
    part = tl.arange(0, KS)[:, None, None] * BK
    k = part + tl.arange(0, BK)[None, :, None]
    k_a = part + tl.arange(0, BK)[None, None, :]
    real, a_real = (b < B) & (j < H), (b[None] < B) & (k_a < H)
    W, W_real = W_h + j[None] * 4 * H + k, (k < H) & (j[None] < H)  # transposed
    W_i, W_f, W_g, W_o = load_four(W, H, W_real)
    state, gate, counter = b * H + j, b * 4 * H + j, arrived + tile
    row = tl.cast(t_1, tl.int64) * B
    c_t = tl.load(c + row * H + state, real, 0.0)
    dh_t = tl.load(dh_state + state, real, 0.0)  # what arrives from step t+1 beside its matmul
    dc_t = tl.load(dc_state + state, real, 0.0)
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    for n in range(t_1 - t_0):
        t = t_1 - 1 - n
        after, row = row, row - B
        i, f, g, o = load_four(gates + row * 4 * H + gate, H, real)
        i, f, g, o = i.to(c_t.dtype), f.to(c_t.dtype), g.to(c_t.dtype), o.to(c_t.dtype)
        c_before = tl.load(c + row * H + state, real, 0.0)
        dh_t += tl.load(dh + row * H + state, real, 0.0).to(c_t.dtype)
        if TOGETHER:
            wait(counter, n * tl.num_programs(0))
        a = da + after * 4 * H + b[None] * 4 * H + k_a  # of step t+1, by all programs
        parts = dot(tl.load(a, a_real, 0.0, cache_modifier=".cg"), W_i, PRECISION)
        parts += dot(tl.load(a + H, a_real, 0.0, cache_modifier=".cg"), W_f, PRECISION)
        parts += dot(tl.load(a + 2 * H, a_real, 0.0, cache_modifier=".cg"), W_g, PRECISION)
        parts += dot(tl.load(a + 3 * H, a_real, 0.0, cache_modifier=".cg"), W_o, PRECISION)
        dh_t += tl.sum(parts, 0)
        tanh_c = tanh(c_t)
        dc = dc_t + dh_t * o * (1 - tanh_c * tanh_c)
        da_i = dc * g * i * (1 - i)
        da_f = dc * c_before * f * (1 - f)
        da_g = dc * i * (1 - g * g)
        da_o = dh_t * tanh_c * o * (1 - o)
        dc, dh_before = dc * f, tl.zeros_like(dh_t)
        if live is not None:  # a frozen step passes both gradients on as they are
            alive = t < steps
            da_i, da_f = tl.where(alive, da_i, 0.0), tl.where(alive, da_f, 0.0)
            da_g, da_o = tl.where(alive, da_g, 0.0), tl.where(alive, da_o, 0.0)
            dc, dh_before = tl.where(alive, dc, dc_t), tl.where(alive, 0.0, dh_t)
        store_four(da + row * 4 * H + gate, H, real, da_i, da_f, da_g, da_o)
        if TOGETHER:
            arrive(counter)
        dh_t, dc_t, c_t = dh_before, dc, c_before
    tl.store(dh_state + state, dh_t, real)
    tl.store(dc_state + state, dc_t, real)


def forward(
    u: Tensor, W_h: Tensor, h_0: Tensor, c_0: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return h and c (T+1, B, H) and the gates (T, B, 4H), as `triton_lstm.forward`."""
    T, B, H = len(u), *h_0.shape
    h = torch.empty(T + 1, B, H, dtype=u.dtype, device=u.device)
    c = torch.empty(T + 1, B, H, dtype=state_dtype(u.dtype), device=u.device)
    gates = torch.empty(u.shape, dtype=u.dtype, device=u.device)
    h[0], c[0] = h_0, c_0
    run(forward_kernel, (u, W_h, h, c, gates, live), B, H, range(T))
    return h, c, gates


def backward(
    dh: Tensor, dh_T: Tensor, dc_T: Tensor, W_h: Tensor, c: Tensor, gates: Tensor,
    live: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Return da (T, B, 4H) and the gradients by h_0 and c_0 (B, H), as `triton_lstm.backward`."""
    T, B, H = dh.shape
    da = torch.empty(T + 1, B, 4 * H, dtype=gates.dtype, device=gates.device)
    da[T] = 0  # step T-1 has no step after it
    dh_0, dc_0 = dh_T.to(c.dtype, copy=True), dc_T.to(c.dtype, copy=True)
    run(backward_kernel, (dh, W_h, c, gates, live, da, dh_0, dc_0), B, H, range(T)[::-1])
    dh_0 += da[0].to(c.dtype) @ W_h.T.to(c.dtype)  # no step before the first does this matmul
    return da[:T], dh_0, dc_0
