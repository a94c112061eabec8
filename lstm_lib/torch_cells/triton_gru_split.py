"""The recurrence of the GRU with its units split over programs, for 128 < H ≤ 1024.

The equations, arguments and results are those of `triton_gru`; the units are split as in
`triton_lstm_split`, which explains it. Not yet measured on a GPU.
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
    u, W_h, b_hn, h_state, h, gates, live, arrived, tile_0, t_0, t_1, B, H: tl.constexpr,
    HB: tl.constexpr, KS: tl.constexpr, BK: tl.constexpr, BB: tl.constexpr,
    PRECISION: tl.constexpr, TOGETHER: tl.constexpr,
):  # fmt: skip
    tile = tile_0 + tl.program_id(1)
    b = tile * BB + tl.arange(0, BB)[:, None]  # (BB, 1) sequences of the tile
    j = tl.program_id(0) * HB + tl.arange(0, HB)[None, :]  # (1, HB) units of this program
    part = tl.arange(0, KS)[:, None, None] * BK  # (KS, 1, 1)
    k = part + tl.arange(0, BK)[None, :, None]  # (KS, BK, 1) units of h_{t-1}, as rows of W_h
    k_h = part + tl.arange(0, BK)[None, None, :]  # (KS, 1, BK) the same, as columns of h
    real, h_real = (b < B) & (j < H), (b[None] < B) & (k_h < H)
    W, W_real = W_h + k * 3 * H + j[None], (k < H) & (j[None] < H)  # (KS, BK, HB)
    W_r, W_z = tl.load(W, W_real, 0.0), tl.load(W + H, W_real, 0.0)
    W_n = tl.load(W + 2 * H, W_real, 0.0)
    bias = tl.load(b_hn + j, j < H, 0.0)
    state, counter = b * H + j, arrived + tile
    h_own = tl.load(h_state + state, real, 0.0)  # this program's units of h, in float32
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    row = tl.cast(t_0, tl.int64) * B  # 64 bits: T·B·4H can be over 2^31
    a = u + row * 3 * H + b * 3 * H + j
    u_r, u_z = tl.load(a, real, 0.0), tl.load(a + H, real, 0.0)
    u_n = tl.load(a + 2 * H, real, 0.0)
    for t in range(t_0, t_1):
        if TOGETHER:
            wait(counter, (t - t_0) * tl.num_programs(0))
        h_t = tl.load(h + row * H + b[None] * H + k_h, h_real, 0.0, cache_modifier=".cg")
        r = sigmoid(u_r + tl.sum(dot(h_t, W_r, PRECISION), 0))
        z = sigmoid(u_z + tl.sum(dot(h_t, W_z, PRECISION), 0))
        m = bias + tl.sum(dot(h_t, W_n, PRECISION), 0)
        n = tanh(u_n + r * m)
        h_new = (1 - z) * n + z * h_own
        if live is not None:
            h_new = tl.where(t < steps, h_new, h_own)
        h_own = h_new
        tl.store(h + (row + B) * H + state, h_own, real)
        if TOGETHER:
            arrive(counter)
        store_four(gates + row * 4 * H + b * 4 * H + j, H, real, r, z, n, m)
        row += B
        a, more = u + row * 3 * H + b * 3 * H + j, real & (t + 1 < t_1)
        u_r, u_z = tl.load(a, more, 0.0), tl.load(a + H, more, 0.0)
        u_n = tl.load(a + 2 * H, more, 0.0)
    tl.store(h_state + state, h_own, real)


@triton.jit
def backward_kernel(
    dh, W_h, h, gates, live, da, dm, dh_state, arrived, tile_0, t_0, t_1, B, H: tl.constexpr,
    HB: tl.constexpr, KS: tl.constexpr, BK: tl.constexpr, BB: tl.constexpr,
    PRECISION: tl.constexpr, TOGETHER: tl.constexpr,
):  # fmt: skip
    tile = tile_0 + tl.program_id(1)
    b = tile * BB + tl.arange(0, BB)[:, None]
    j = tl.program_id(0) * HB + tl.arange(0, HB)[None, :]
    part = tl.arange(0, KS)[:, None, None] * BK
    k = part + tl.arange(0, BK)[None, :, None]
    k_a = part + tl.arange(0, BK)[None, None, :]
    real, a_real = (b < B) & (j < H), (b[None] < B) & (k_a < H)
    W, W_real = W_h + j[None] * 3 * H + k, (k < H) & (j[None] < H)  # transposed
    W_r, W_z = tl.load(W, W_real, 0.0), tl.load(W + H, W_real, 0.0)
    W_n = tl.load(W + 2 * H, W_real, 0.0)
    state, counter = b * H + j, arrived + tile
    dh_t = tl.load(dh_state + state, real, 0.0)  # what arrives from step t+1 beside its matmul
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    row = tl.cast(t_1, tl.int64) * B
    for s in range(t_1 - t_0):
        t = t_1 - 1 - s
        after, row = row, row - B
        r, z, n, m = load_four(gates + row * 4 * H + b * 4 * H + j, H, real)
        r, z, n, m = r.to(dh_t.dtype), z.to(dh_t.dtype), n.to(dh_t.dtype), m.to(dh_t.dtype)
        h_before = tl.load(h + row * H + state, real, 0.0).to(dh_t.dtype)
        dh_t += tl.load(dh + row * H + state, real, 0.0).to(dh_t.dtype)
        if TOGETHER:
            wait(counter, s * tl.num_programs(0))
        a = da + after * 3 * H + b[None] * 3 * H + k_a  # of step t+1, by all programs
        parts = dot(tl.load(a, a_real, 0.0, cache_modifier=".cg"), W_r, PRECISION)
        parts += dot(tl.load(a + H, a_real, 0.0, cache_modifier=".cg"), W_z, PRECISION)
        dm_next = tl.load(dm + after * H + b[None] * H + k_a, a_real, 0.0, cache_modifier=".cg")
        dh_t += tl.sum(parts + dot(dm_next, W_n, PRECISION), 0)
        da_n = dh_t * (1 - z) * (1 - n * n)
        da_z = dh_t * (h_before - n) * z * (1 - z)
        dm_t = da_n * r
        da_r = dm_t * m * (1 - r)
        dh_before = dh_t * z
        if live is not None:  # a frozen step passes the gradient on as it is
            alive = t < steps
            da_r, da_z = tl.where(alive, da_r, 0.0), tl.where(alive, da_z, 0.0)
            da_n, dm_t = tl.where(alive, da_n, 0.0), tl.where(alive, dm_t, 0.0)
            dh_before = tl.where(alive, dh_before, dh_t)
        to = da + row * 3 * H + b * 3 * H + j
        tl.store(to, da_r, real)
        tl.store(to + H, da_z, real)
        tl.store(dm + row * H + state, dm_t, real)
        if TOGETHER:
            arrive(counter)
        tl.store(to + 2 * H, da_n, real)
        dh_t = dh_before
    tl.store(dh_state + state, dh_t, real)


def forward(
    u: Tensor, W_h: Tensor, b_hn: Tensor, h_0: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return h (T+1, B, H) and r, z, n, m (T, B, 4H), as `triton_gru.forward`."""
    T, B, H = len(u), *h_0.shape
    h = torch.empty(T + 1, B, H, dtype=u.dtype, device=u.device)
    gates = torch.empty(T, B, 4 * H, dtype=u.dtype, device=u.device)
    h[0] = h_0
    h_state = h_0.to(state_dtype(u.dtype), copy=True)
    run(forward_kernel, (u, W_h, b_hn, h_state, h, gates, live), B, H, range(T))
    return h, gates


def backward(
    dh: Tensor, dh_T: Tensor, W_h: Tensor, h: Tensor, gates: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return da (T, B, 3H), dm (T, B, H) and the gradient by h_0, as `triton_gru.backward`."""
    T, B, H = dh.shape
    da = torch.empty(T + 1, B, 3 * H, dtype=gates.dtype, device=gates.device)
    dm = torch.empty(T + 1, B, H, dtype=gates.dtype, device=gates.device)
    da[T], dm[T] = 0, 0  # step T-1 has no step after it
    dh_0 = dh_T.to(state_dtype(gates.dtype), copy=True)
    run(backward_kernel, (dh, W_h, h, gates, live, da, dm, dh_0), B, H, range(T)[::-1])
    by_h = torch.cat([da[0, :, : 2 * H], dm[0]], dim=1)
    dh_0 += by_h.to(dh_0) @ W_h.T.to(dh_0)  # no step before the first does this matmul
    return da[:T], dm[:T], dh_0
