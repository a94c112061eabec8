"""The recurrence of the GRU as one Triton kernel a direction, for H ≤ 128::

    r_t = σ(u_r + h_{t-1} W_r)        z_t = σ(u_z + h_{t-1} W_z)        u_t = x_t W_x + b
    m_t = h_{t-1} W_n + b_hn
    n_t = tanh(u_n + r_t ⊙ m_t)
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}

Built as `triton_lstm`, which explains it: one program owns BB sequences and walks over all T steps
with W_h = [W_r W_z W_n] on chip. h stays in float32 from step to step, so that a z_t near 1 does
not lose what is added a little at a time; the matmul and memory get it in the dtype of u. For
larger H `triton_gru_split` takes over.

Interface of both: u (T, B, 3H) in the order r, z, n; W_h (H, 3H); b_hn (H,); all tensors
contiguous and on one device. live: None or (B,) int32, the number of steps after which a
sequence's state stays as it is. Not yet measured on a GPU.
"""

import torch
from torch import Tensor

from lstm_lib.torch_cells import triton_gru_split as split
from lstm_lib.torch_cells._triton import (
    check_can_run,
    dot,
    fits,
    launch,
    load_four,
    options,
    sigmoid,
    state_dtype,
    store_four,
    tanh,
    tl,
    triton,
    why_not,
)

__all__ = ["backward", "forward", "why_not"]


@triton.jit
def forward_kernel(
    u, W_h, b_hn, h_0, h, gates, live, T, B, H: tl.constexpr, HP: tl.constexpr, BB: tl.constexpr,
    PRECISION: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0) * BB + tl.arange(0, BB)[:, None]  # (BB, 1) the program's sequences
    j = tl.arange(0, HP)[None, :]  # (1, HP) units, H of them real, HP a power of two
    k = tl.arange(0, HP)[:, None]  # (HP, 1) units of h_{t-1}
    real = (b < B) & (j < H)  # what is masked is loaded as 0, stays 0 in h, and isn't stored
    W, W_real = W_h + k * 3 * H + j, (k < H) & (j < H)
    W_r, W_z = tl.load(W, W_real, 0.0), tl.load(W + H, W_real, 0.0)
    W_n = tl.load(W + 2 * H, W_real, 0.0)
    bias = tl.load(b_hn + j, j < H, 0.0)
    state = b * H + j  # where in a row of h
    h_t = tl.load(h_0 + state, real, 0.0)
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    for t in tl.range(T, num_stages=3):  # u of the next steps is fetched while this one computes
        row = tl.cast(t, tl.int64) * B  # 64 bits: T·B·4H can be over 2^31
        a = u + row * 3 * H + b * 3 * H + j
        h_before = h_t.to(W_r.dtype)
        r = sigmoid(tl.load(a, real, 0.0) + dot(h_before, W_r, PRECISION))
        z = sigmoid(tl.load(a + H, real, 0.0) + dot(h_before, W_z, PRECISION))
        m = bias + dot(h_before, W_n, PRECISION)
        n = tanh(tl.load(a + 2 * H, real, 0.0) + r * m)
        h_new = tl.where(j < H, (1 - z) * n + z * h_t, 0.0)  # as in triton_lstm
        if live is not None:
            h_new = tl.where(t < steps, h_new, h_t)
        h_t = h_new
        tl.store(h + (row + B) * H + state, h_t, real)
        store_four(gates + row * 4 * H + b * 4 * H + j, H, real, r, z, n, m)


@triton.jit
def backward_kernel(
    dh, dh_T, W_h, h, gates, live, da, dm, dh_0, T, B, H: tl.constexpr, HP: tl.constexpr,
    BB: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0) * BB + tl.arange(0, BB)[:, None]
    j = tl.arange(0, HP)[None, :]
    k = tl.arange(0, HP)[:, None]
    real = (b < B) & (j < H)
    W, W_real = W_h + j * 3 * H + k, (k < H) & (j < H)  # transposed: element (k, j) is W[j, k]
    W_r, W_z = tl.load(W, W_real, 0.0), tl.load(W + H, W_real, 0.0)
    W_n = tl.load(W + 2 * H, W_real, 0.0)
    state = b * H + j
    dh_t = tl.load(dh_T + state, real, 0.0)  # what arrives from step t+1
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    for s in tl.range(T, num_stages=2):
        t = T - 1 - s
        row = tl.cast(t, tl.int64) * B
        r, z, n, m = load_four(gates + row * 4 * H + b * 4 * H + j, H, real)
        r, z, n, m = r.to(dh_t.dtype), z.to(dh_t.dtype), n.to(dh_t.dtype), m.to(dh_t.dtype)
        h_before = tl.load(h + row * H + state, real, 0.0).to(dh_t.dtype)
        dh_t += tl.load(dh + row * H + state, real, 0.0).to(dh_t.dtype)
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
        da_r, da_z = da_r.to(W_r.dtype), da_z.to(W_r.dtype)
        da_n, dm_t = da_n.to(W_r.dtype), dm_t.to(W_r.dtype)
        to = da + row * 3 * H + b * 3 * H + j
        tl.store(to, da_r, real)
        tl.store(to + H, da_z, real)
        tl.store(to + 2 * H, da_n, real)
        tl.store(dm + row * H + state, dm_t, real)
        dh_t = dh_before + dot(da_r, W_r, PRECISION)
        dh_t += dot(da_z, W_z, PRECISION) + dot(dm_t, W_n, PRECISION)
        dh_t = tl.where(j < H, dh_t, 0.0)
    tl.store(dh_0 + state, dh_t, real)


def forward(
    u: Tensor, W_h: Tensor, b_hn: Tensor, h_0: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over u and keep what the backward pass needs.

    u: (T, B, 3H). W_h: (H, 3H), b_hn: (H,), h_0: (B, H).
    Returns h (T+1, B, H), its row 0 the start, and r, z, n, m side by side (T, B, 4H), both in u's
    dtype; r, z, n, m of a frozen step have no meaning.
    Raises RuntimeError where the kernels can't run.
    """
    T, B, H = len(u), *h_0.shape
    check_can_run(u, H)
    if not fits(H, u):
        return split.forward(u, W_h, b_hn, h_0, live)
    h = torch.empty(T + 1, B, H, dtype=u.dtype, device=u.device)
    gates = torch.empty(T, B, 4 * H, dtype=u.dtype, device=u.device)
    h[0] = h_0
    grid, sizes, warps = options(B, H, u)
    tensors = (u, W_h, b_hn, h_0.to(state_dtype(u.dtype)), h, gates, live)
    launch(forward_kernel, grid, *tensors, T, B, H, *sizes, num_warps=warps)
    return h, gates


def backward(
    dh: Tensor, dh_T: Tensor, W_h: Tensor, h: Tensor, gates: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Backpropagate through the recurrence.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly. dh_T: (B, H), what
    arrives at the last state besides. h, gates: from `forward`.
    Returns da (T, B, 3H), by the sums inside σ and tanh, and dm (T, B, H), by m, in the dtype of
    the gates and zero where frozen, and the derivative by h_0 (B, H), in float32 or float64.
    Raises RuntimeError where the kernels can't run.
    """
    T, B, H = dh.shape
    check_can_run(gates, H)
    if not fits(H, gates):
        return split.backward(dh, dh_T, W_h, h, gates, live)
    state = state_dtype(gates.dtype)
    da = torch.empty(T, B, 3 * H, dtype=gates.dtype, device=gates.device)
    dm = torch.empty(T, B, H, dtype=gates.dtype, device=gates.device)
    dh_0 = torch.empty(B, H, dtype=state, device=gates.device)
    grid, sizes, warps = options(B, H, gates)
    tensors = (dh, dh_T.to(state), W_h, h, gates, live, da, dm, dh_0)
    launch(backward_kernel, grid, *tensors, T, B, H, *sizes, num_warps=warps)
    return da, dm, dh_0
