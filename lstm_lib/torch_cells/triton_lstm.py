"""The recurrence of the LSTM as one Triton kernel a direction, for H ≤ 128::

    i_t = σ(u_i + h_{t-1} W_i)    f_t = σ(u_f + h_{t-1} W_f)          u_t = x_t W_x + b
    g_t = tanh(u_g + h_{t-1} W_g)    o_t = σ(u_o + h_{t-1} W_o)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)

One program owns BB sequences and walks over all T steps. It loads W_h = [W_i W_f W_g W_o] once,
before the first step; h and c never leave its registers. What does not wait for the step before is
not in here: u before the loop, the weight gradients after it, each as one matmul for all steps.
Where the weights do not fit on one processor of the GPU, `triton_lstm_split` takes over.

Interface of both: u (T, B, 4H), gates side by side in the order i, f, g, o; W_h (H, 4H); all
tensors contiguous and on one device. live: None or (B,) int32, the number of steps after which a
sequence's state stays as it is.

Not yet measured on a GPU. By counting, a step of H = 128 in 16 bits takes an H100 about 2000
cycles, 1.1 µs: 800 for the matmul (2^20 products with the empty half of the tensor cores' 16 rows),
640 for 5 · 8 · 128 σ and tanh (two special-function operations each, 16 a cycle), the rest to move
h_t and the gates between the layouts of the matmul and of memory.
"""

import torch
from torch import Tensor

from lstm_lib.torch_cells import triton_lstm_split as split
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
    u, W_h, h, c, gates, live, T, B, H: tl.constexpr, HP: tl.constexpr, BB: tl.constexpr,
    PRECISION: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0) * BB + tl.arange(0, BB)[:, None]  # (BB, 1) the program's sequences
    j = tl.arange(0, HP)[None, :]  # (1, HP) units, H of them real, HP a power of two
    k = tl.arange(0, HP)[:, None]  # (HP, 1) units of h_{t-1}
    real = (b < B) & (j < H)  # what is masked is loaded as 0, stays 0 in h, and isn't stored
    W, W_real = W_h + k * 4 * H + j, (k < H) & (j < H)
    W_i, W_f, W_g, W_o = load_four(W, H, W_real)
    state = b * H + j  # where in a row of h and c
    gate = b * 4 * H + j  # where in a row of u and gates, plus 0, H, 2H, 3H
    h_t, c_t = tl.load(h + state, real, 0.0), tl.load(c + state, real, 0.0)
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    for t in tl.range(T, num_stages=3):  # u of the next steps is fetched while this one computes
        row = tl.cast(t, tl.int64) * B  # 64 bits: T·B·4H can be over 2^31
        u_i, u_f, u_g, u_o = load_four(u + row * 4 * H + gate, H, real)
        i = sigmoid(u_i + dot(h_t, W_i, PRECISION))
        f = sigmoid(u_f + dot(h_t, W_f, PRECISION))
        g = tanh(u_g + dot(h_t, W_g, PRECISION))
        o = sigmoid(u_o + dot(h_t, W_o, PRECISION))
        c_new = f * c_t + i * g
        h_new = tl.where(j < H, o * tanh(c_new), 0.0).to(h_t.dtype)  # else ∞ · 0 of W spreads NaN
        if live is not None:
            c_new, h_new = tl.where(t < steps, c_new, c_t), tl.where(t < steps, h_new, h_t)
        c_t, h_t = c_new, h_new
        tl.store(c + (row + B) * H + state, c_t, real)
        tl.store(h + (row + B) * H + state, h_t, real)
        store_four(gates + row * 4 * H + gate, H, real, i, f, g, o)


@triton.jit
def backward_kernel(
    dh, dh_T, dc_T, W_h, c, gates, live, da, dh_0, dc_0, T, B, H: tl.constexpr, HP: tl.constexpr,
    BB: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0) * BB + tl.arange(0, BB)[:, None]
    j = tl.arange(0, HP)[None, :]
    k = tl.arange(0, HP)[:, None]
    real = (b < B) & (j < H)
    W, W_real = W_h + j * 4 * H + k, (k < H) & (j < H)  # transposed: element (k, j) is W[j, k]
    W_i, W_f, W_g, W_o = load_four(W, H, W_real)
    state, gate = b * H + j, b * 4 * H + j
    c_t = tl.load(c + tl.cast(T, tl.int64) * B * H + state, real, 0.0)
    dh_t = tl.load(dh_T + state, real, 0.0).to(c_t.dtype)  # what arrives from step t+1
    dc_t = tl.load(dc_T + state, real, 0.0).to(c_t.dtype)
    if live is not None:
        steps = tl.load(live + b, b < B, 0)
    for n in tl.range(T, num_stages=2):
        t = T - 1 - n
        row = tl.cast(t, tl.int64) * B
        i, f, g, o = load_four(gates + row * 4 * H + gate, H, real)
        i, f, g, o = i.to(c_t.dtype), f.to(c_t.dtype), g.to(c_t.dtype), o.to(c_t.dtype)
        c_before = tl.load(c + row * H + state, real, 0.0)
        dh_t += tl.load(dh + row * H + state, real, 0.0).to(c_t.dtype)
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
        da_i, da_f = da_i.to(da.dtype.element_ty), da_f.to(da.dtype.element_ty)
        da_g, da_o = da_g.to(da.dtype.element_ty), da_o.to(da.dtype.element_ty)
        store_four(da + row * 4 * H + gate, H, real, da_i, da_f, da_g, da_o)
        dh_t = dh_before + dot(da_i, W_i, PRECISION) + dot(da_f, W_f, PRECISION)
        dh_t += dot(da_g, W_g, PRECISION) + dot(da_o, W_o, PRECISION)
        dh_t = tl.where(j < H, dh_t, 0.0)
        dc_t, c_t = dc, c_before
    tl.store(dh_0 + state, dh_t, real)
    tl.store(dc_0 + state, dc_t, real)


def forward(
    u: Tensor, W_h: Tensor, h_0: Tensor, c_0: Tensor, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the recurrence over u and keep what the backward pass needs.

    u: (T, B, 4H). W_h: (H, 4H), of its dtype. h_0, c_0: (B, H).
    Returns h (T+1, B, H) in u's dtype and c (T+1, B, H) in float32 (float64 for float64), their row
    0 the start, and gates (T, B, 4H) in u's dtype; those of a frozen step have no meaning.
    Raises RuntimeError where the kernels can't run.
    """
    T, B, H = len(u), *h_0.shape
    check_can_run(u, H)
    if not fits(H, u):
        return split.forward(u, W_h, h_0, c_0, live)
    h = torch.empty(T + 1, B, H, dtype=u.dtype, device=u.device)
    c = torch.empty(T + 1, B, H, dtype=state_dtype(u.dtype), device=u.device)
    gates = torch.empty(u.shape, dtype=u.dtype, device=u.device)
    h[0], c[0] = h_0, c_0
    grid, sizes, warps = options(B, H, u)
    launch(forward_kernel, grid, u, W_h, h, c, gates, live, T, B, H, *sizes, num_warps=warps)
    return h, c, gates


def backward(
    dh: Tensor, dh_T: Tensor, dc_T: Tensor, W_h: Tensor, c: Tensor, gates: Tensor,
    live: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Backpropagate through the recurrence.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly. dh_T, dc_T: (B, H),
    what arrives at the last state besides. c, gates: from `forward`.
    Returns da (T, B, 4H), by the sums inside σ and tanh, in the dtype of the gates and zero where
    frozen, and the derivatives by h_0 and c_0 (B, H) in the dtype of c.
    Raises RuntimeError where the kernels can't run.
    """
    T, B, H = dh.shape
    check_can_run(gates, H)
    if not fits(H, gates):
        return split.backward(dh, dh_T, dc_T, W_h, c, gates, live)
    da = torch.empty(gates.shape, dtype=gates.dtype, device=gates.device)
    dh_0, dc_0 = (torch.empty(B, H, dtype=c.dtype, device=c.device) for _ in range(2))
    grid, sizes, warps = options(B, H, gates)
    tensors = (dh, dh_T, dc_T, W_h, c, gates, live, da, dh_0, dc_0)
    launch(backward_kernel, grid, *tensors, T, B, H, *sizes, num_warps=warps)
    return da, dh_0, dc_0
