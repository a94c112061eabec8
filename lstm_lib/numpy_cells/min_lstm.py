"""The minLSTM: gates and candidate that see the input only (Feng et al. 2024, section 3.2)::

    ĩ_t = σ(x_t W_xi + b_i)                input gate
    f̃_t = σ(x_t W_xf + b_f)                forget gate
    g_t = x_t W_xg + b_g                   candidate
    i_t = ĩ_t / (ĩ_t + f̃_t)                the two normalised, the paper's i'_t and f'_t:
    f_t = f̃_t / (ĩ_t + f̃_t)                i_t + f_t = 1
    h_t = f_t ⊙ h_{t-1} + i_t ⊙ g_t        hidden state, the only one

No W_h: all gates are known before the first step. What is left is h_t = f_t ⊙ h_{t-1} + u_t. Two
such steps are one of the same form, h_t = (f_t ⊙ f_{t-1}) ⊙ h_{t-2} + (f_t ⊙ u_{t-1} + u_t), so T
steps can be put together in pairs, pairs of pairs …: log₂ T rounds in place of T (`scan`).

Axes: T steps, B sequences, D inputs, H units. The three layers lie side by side in the order
i, f, g. f_t is computed as σ(ln f̃_t − ln ĩ_t), which stays right where both gates are near zero.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]


class Params(NamedTuple):
    """The weights, both of one dtype, their columns in the order i, f, g."""

    W_x: Array  #: (D, 3H)
    b: Array  #: (3H,)


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of the gates is zero."""

    h: Array  #: hidden state
    i: Array  #: input gate, normalised
    f: Array  #: forget gate, normalised: 1 − i
    g: Array  #: candidate


class Gradients(NamedTuple):
    """The derivatives of L by all that went in, each shaped as the thing itself."""

    params: Params  #: by the weights
    x: Array  #: (T, B, D)
    state: Array  #: (B, H), by h_0


def init_params(
    rng: np.random.Generator,
    D: int,
    H: int,
    *,
    dtype: DTypeLike = np.float64,
    forget_bias: float = 1.0,
) -> Params:
    """Draw weights from U(−1/√H, 1/√H), the biases zero but for the forget gate's.

    forget_bias: b_f at the start.
    Raises ValueError for sizes below 1, TypeError for a dtype other than float32 and float64.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    bound = H**-0.5
    W_x, b = rng.uniform(-bound, bound, (D, 3 * H)), np.zeros(3 * H, dtype)
    b[H : 2 * H] = float(forget_bias)
    return Params(W_x.astype(dtype), b)


def forward(params: Params, x: Array, state: Array | None = None) -> Trace:
    """Run the cell over x, step by step, and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: h_0 (B, H), zero where None.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    trace = _gates(params, x, state)
    h, i, f, g = trace
    for t in range(1, len(h)):
        h[t] = f[t] * h[t - 1] + i[t] * g[t]
    return trace


def forward_by_scan(params: Params, x: Array, state: Array | None = None) -> Trace:
    """The same as `forward`, up to rounding, with the states of all steps by `scan`."""
    trace = _gates(params, x, state)
    h, i, f, g = trace
    h[1:] = scan(f[1:], i[1:] * g[1:], h[0])
    return trace


def scan(f: Array, u: Array, start: Array) -> Array:
    """h_t = f_t ⊙ h_{t-1} + u_t for all t, in ⌈log₂ T⌉ rounds (Hillis & Steele 1986).

    f, u: (T, …). start: h_0, (…). After the round with stride s, row t holds the product of f and
    the sum u of the 2s steps up to t, or of all from the first.
    """
    f, u = f.copy(), u.copy()
    u[0] += f[0] * start
    stride = 1
    while stride < len(f):
        u[stride:] = f[stride:] * u[:-stride] + u[stride:]
        f[stride:] = f[stride:] * f[:-stride]
        stride *= 2
    return u


def backward(
    params: Params, x: Array, trace: Trace, dh: Array, dstate: Array | None = None
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly.
    dstate: (B, H), what arrives at h_T besides, as from a next stretch of the sequence.
    """
    D, H, dtype = _check_params(params)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t = check.check_state("dstate", dstate, B, H, dtype)
    h, i, f, g = trace
    all_dh = np.empty_like(dh)
    for t in range(T, 0, -1):
        all_dh[t - 1] = dh_t + dh[t - 1]
        dh_t = all_dh[t - 1] * f[t]
    # f_t = σ(ln f̃ − ln ĩ), and ln σ(a) has the slope 1 − σ(a)
    dratio = all_dh * (h[:-1] - g[1:]) * f[1:] * i[1:]
    raw_i, raw_f, _ = np.split(sigmoid(x @ params.W_x + params.b), 3, axis=-1)
    da = np.concatenate([-dratio * (1 - raw_i), dratio * (1 - raw_f), all_dh * i[1:]], axis=-1)
    flat = da.reshape(T * B, 3 * H)
    dparams = Params(x.reshape(T * B, D).T @ flat, flat.sum(0))
    return Gradients(dparams, da @ params.W_x.T, dh_t)


def _gates(params: Params, x: Array, state: Array | None) -> Trace:
    """The trace with all gates, h_0, and no other states yet."""
    D, H, dtype = _check_params(params)
    T, B = check.check_input(x, D, dtype)
    h, i, f, g = np.zeros((4, T + 1, B, H), dtype)
    h[0] = check.check_state("state", state, B, H, dtype)
    a_i, a_f, g[1:] = np.split(x @ params.W_x + params.b, 3, axis=-1)
    ratio = np.logaddexp(0, -a_i) - np.logaddexp(0, -a_f)  # ln f̃ − ln ĩ
    i[1:], f[1:] = sigmoid(-ratio), sigmoid(ratio)
    return Trace(h, i, f, g)


def _check_params(params: Params) -> tuple[int, int, np.dtype]:
    """Return D, H and the dtype of the weights."""
    dtype = check.check_kind(params, Params)
    check.check_array("params.W_x", params.W_x, (("D", None), ("3H", None)), dtype)
    D, wide = params.W_x.shape
    if wide % 3 or not wide:
        raise ValueError(f"params.W_x must be (D, 3H), got {(D, wide)}")
    check.check_array("params.b", params.b, (("3H", wide),), dtype)
    return D, wide // 3, dtype
