"""The sLSTM: an exponential input gate, and what makes it usable (Beck et al. 2024, section 2.2)::

    i_t = exp(x_t W_xi + h_{t-1} W_hi + b_i)            input gate, unbounded
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)              forget gate, or with exp in place of σ
    g_t = tanh(x_t W_xg + h_{t-1} W_hg + b_g)           candidate
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)              output gate
    C_t = f_t ⊙ C_{t-1} + i_t ⊙ g_t                     what was written, weighted
    N_t = f_t ⊙ N_{t-1} + i_t                           the sum of the weights
    h_t = o_t ⊙ C_t / N_t                               hidden state: o times a mean of g

A large i_t outweighs all that is stored, so a late input can replace it. C and N overflow; kept are
c_t = C_t exp(−m_t) and n_t = N_t exp(−m_t), which have the same quotient::

    m_t = max(ln f_t + m_{t-1}, ln i_t)                 stabiliser
    i'_t = exp(ln i_t − m_t)                            of the two gates, one is 1
    f'_t = exp(ln f_t + m_{t-1} − m_t)                  and the other at most 1
    c_t = f'_t ⊙ c_{t-1} + i'_t ⊙ g_t
    n_t = f'_t ⊙ n_{t-1} + i'_t
    h_t = o_t ⊙ c_t / n_t

The start is c = n = 0 at m = −∞, the scale of nothing: then n_t ≥ 1 from the first step on. Axes:
T steps, B sequences, D inputs, H units. The four layers lie side by side in the order i, f, g, o.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]
Forget = Literal["sigmoid", "exp"]


class Params(NamedTuple):
    """The weights, all of one dtype, their columns in the order i, f, g, o."""

    W_x: Array  #: (D, 4H)
    W_h: Array  #: (H, 4H)
    b: Array  #: (4H,)


class State(NamedTuple):
    """What a step hands to the next one, each (B, H)."""

    h: Array  #: hidden state
    c: Array  #: cell state
    n: Array  #: normaliser
    m: Array  #: stabiliser


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of the gates is zero."""

    h: Array  #: hidden state
    c: Array  #: cell state, C exp(−m)
    n: Array  #: normaliser, N exp(−m)
    m: Array  #: stabiliser
    i: Array  #: input gate as it is used, i'
    f: Array  #: forget gate as it is used, f'
    g: Array  #: candidate
    o: Array  #: output gate


class Gradients(NamedTuple):
    """The derivatives of L by all that went in, each shaped as the thing itself."""

    params: Params  #: by the weights
    x: Array  #: (T, B, D)
    state: State  #: by the start


def init_params(
    rng: np.random.Generator,
    D: int,
    H: int,
    *,
    dtype: DTypeLike = np.float64,
    forget_bias: float = 1.0,
) -> Params:
    """Draw weights from U(−1/√H, 1/√H), the biases zero but for the forget gate's, b_f.

    Raises ValueError for sizes below 1, TypeError for a dtype other than float32 and float64.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    bound = H**-0.5
    W_x, W_h = rng.uniform(-bound, bound, (D, 4 * H)), rng.uniform(-bound, bound, (H, 4 * H))
    b = np.zeros(4 * H, dtype)
    b[H : 2 * H] = float(forget_bias)
    return Params(W_x.astype(dtype), W_h.astype(dtype), b)


def forward(
    params: Params, x: Array, state: State | None = None, *, forget: Forget = "sigmoid"
) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: the start; None is zero at m = −∞. forget: what f_t is.
    Raises TypeError for a dtype and ValueError for a shape or a name that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    _check_forget(forget)
    h, c, n, m, i, f, g, o = np.zeros((8, T + 1, B, H), dtype)
    h[0], c[0], n[0], m[0] = _check_state("state", state, B, H, dtype, -np.inf)
    a = x @ params.W_x + params.b  # every x_t at once: it waits for no h
    for t in range(1, T + 1):
        log_i, a_f, a_g, a_o = np.split(a[t - 1] + h[t - 1] @ params.W_h, 4, axis=-1)
        log_f = a_f if forget == "exp" else -np.logaddexp(0, -a_f)  # ln σ(a), also far out
        g[t], o[t] = np.tanh(a_g), sigmoid(a_o)
        m[t] = np.maximum(log_f + m[t - 1], log_i)
        i[t], f[t] = np.exp(log_i - m[t]), np.exp(log_f + m[t - 1] - m[t])
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        n[t] = f[t] * n[t - 1] + i[t]
        h[t] = o[t] * c[t] / n[t]
    return Trace(h, c, n, m, i, f, g, o)


def backward(
    params: Params,
    x: Array,
    trace: Trace,
    dh: Array,
    dstate: State | None = None,
    *,
    forget: Forget = "sigmoid",
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly.
    dstate: what arrives at the last state besides. forget: as in `forward`.
    """
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    _check_forget(forget)
    dh_t, dc_t, dn_t, dm_t = _check_state("dstate", dstate, B, H, dtype, 0.0)
    h, c, n, _, i, f, g, o = trace
    a_f = np.split(x @ params.W_x + params.b + h[:-1] @ params.W_h, 4, axis=-1)[1]
    slope = np.ones_like(a_f) if forget == "exp" else 1 - sigmoid(a_f)  # of ln f_t
    da = np.empty((T, B, 4 * H), dtype)  # by the sums inside exp, σ and tanh
    dlog_i, da_f, da_g, da_o = np.split(da, 4, axis=-1)
    for t in range(T, 0, -1):
        dh_t = dh_t + dh[t - 1]
        dc_t = dc_t + dh_t * o[t] / n[t]
        dn_t = dn_t - dh_t * h[t] / n[t]
        da_o[t - 1] = dh_t * c[t] / n[t] * o[t] * (1 - o[t])
        da_g[t - 1] = dc_t * i[t] * (1 - g[t] ** 2)
        by_i = (dc_t * g[t] + dn_t) * i[t]  # by ln i_t − m_t
        by_f = (dc_t * c[t - 1] + dn_t * n[t - 1]) * f[t]  # by ln f_t + m_{t-1} − m_t
        dm_t = dm_t - by_i - by_f  # zero but for rounding if L knows h alone: h does not tell m
        dlog_i[t - 1] = by_i + np.where(i[t] == 1, dm_t, 0)  # i' is 1 where ln i is the larger
        dm_t = by_f + np.where(i[t] == 1, 0, dm_t)
        da_f[t - 1] = dm_t * slope[t - 1]
        dc_t, dn_t = dc_t * f[t], dn_t * f[t]
        dh_t = da[t - 1] @ params.W_h.T
    flat = da.reshape(T * B, 4 * H)  # one matmul a matrix, after the loop
    dW_x = x.reshape(T * B, D).T @ flat
    dW_h = h[:-1].reshape(T * B, H).T @ flat
    state = State(dh_t, dc_t, dn_t, dm_t)
    return Gradients(Params(dW_x, dW_h, flat.sum(0)), da @ params.W_x.T, state)


def _check_forget(forget: str) -> None:
    if forget not in ("sigmoid", "exp"):
        raise ValueError(f"forget must be 'sigmoid' or 'exp', got {forget!r}")


def _check_state(
    name: str, state: State | None, B: int, H: int, dtype: np.dtype, m: float
) -> State:
    """Return the state, or where it is None one of zeros and this m."""
    if state is None:
        h, c, n = np.zeros((3, B, H), dtype)
        return State(h, c, n, np.full((B, H), m, dtype))
    if not isinstance(state, State):
        raise TypeError(f"{name} must be slstm.State, got {check.title(type(state))}")
    for field in State._fields:
        check.check_state(f"{name}.{field}", getattr(state, field), B, H, dtype)
    return state
