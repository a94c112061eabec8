"""The LSTM with a forget gate (Hochreiter & Schmidhuber 1997; Gers et al. 2000, section 3)::

    i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i)         input gate
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)         forget gate
    g_t = tanh(x_t W_xg + h_{t-1} W_hg + b_g)      candidate
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)         output gate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t                cell state
    h_t = o_t ⊙ tanh(c_t)                          hidden state

Axes: T steps, B sequences, D inputs, H units. Row t of `h`, `c` and the gates is time t; row 0
is the start. The four layers lie side by side in the order i, f, g, o, so that a step needs one
matmul with W_h = [W_hi W_hf W_hg W_ho].
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]
State = tuple[Array, Array]


class Params(NamedTuple):
    """The weights, all of one dtype, their columns in the order i, f, g, o."""

    W_x: Array  #: (D, 4H)
    W_h: Array  #: (H, 4H)
    b: Array  #: (4H,)


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of the gates is zero."""

    h: Array  #: hidden state
    c: Array  #: cell state
    i: Array  #: input gate
    f: Array  #: forget gate
    g: Array  #: candidate
    o: Array  #: output gate


class Gradients(NamedTuple):
    """The derivatives of L by all that went in, each shaped as the thing itself."""

    params: Params  #: by the weights
    x: Array  #: (T, B, D)
    state: State  #: (B, H) each, by h_0 and c_0


def init_params(
    rng: np.random.Generator,
    D: int,
    H: int,
    *,
    dtype: DTypeLike = np.float64,
    forget_bias: float = 1.0,
) -> Params:
    """Draw weights from U(−1/√H, 1/√H), the biases zero but for the forget gate's.

    forget_bias: b_f at the start; 1 lets an untrained cell keep more (Jozefowicz et al. 2015).
    Raises ValueError for sizes below 1, TypeError for a dtype other than float32 and float64.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    bound = H**-0.5
    W_x, W_h = rng.uniform(-bound, bound, (D, 4 * H)), rng.uniform(-bound, bound, (H, 4 * H))
    b = np.zeros(4 * H, dtype)
    b[H : 2 * H] = float(forget_bias)  # NumPy alone would take None for NaN
    return Params(W_x.astype(dtype), W_h.astype(dtype), b)


def forward(params: Params, x: Array, state: State | None = None) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: (h_0, c_0), each (B, H), zero where None.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    h, c = np.empty((T + 1, B, H), dtype), np.empty((T + 1, B, H), dtype)
    h[0], c[0] = check.check_pair("state", state, B, H, dtype)
    a = np.zeros((T + 1, B, 4 * H), dtype)
    a[1:] = x @ params.W_x + params.b  # every x_t at once: it waits for no h
    i, f, g, o = np.split(a, 4, axis=-1)  # views: writing a gate writes `a`
    for t in range(1, T + 1):
        a[t] += h[t - 1] @ params.W_h
        i[t], f[t], g[t], o[t] = sigmoid(i[t]), sigmoid(f[t]), np.tanh(g[t]), sigmoid(o[t])
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        h[t] = o[t] * np.tanh(c[t])
    return Trace(h, c, i, f, g, o)


def backward(
    params: Params, x: Array, trace: Trace, dh: Array, dstate: State | None = None
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly.
    dstate: (dh_T, dc_T), each (B, H), what arrives at the last state besides.
    """
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t, dc_t = check.check_pair("dstate", dstate, B, H, dtype)
    h, c, i, f, g, o = trace
    tanh_c = np.tanh(c)
    da = np.zeros((T + 1, B, 4 * H), dtype)  # by the sums inside σ and tanh
    di, df, dg, do = np.split(da, 4, axis=-1)
    for t in range(T, 0, -1):
        dh_t = dh_t + dh[t - 1]
        dc_t = dc_t + dh_t * o[t] * (1 - tanh_c[t] ** 2)
        di[t] = dc_t * g[t] * i[t] * (1 - i[t])
        df[t] = dc_t * c[t - 1] * f[t] * (1 - f[t])
        dg[t] = dc_t * i[t] * (1 - g[t] ** 2)
        do[t] = dh_t * tanh_c[t] * o[t] * (1 - o[t])
        dc_t = dc_t * f[t]  # the carousel: the direct path to c_{t-1} is one product with f_t
        dh_t = da[t] @ params.W_h.T
    flat = da[1:].reshape(T * B, 4 * H)  # one matmul a matrix, after the loop
    dW_x = x.reshape(T * B, D).T @ flat
    dW_h = h[:-1].reshape(T * B, H).T @ flat
    return Gradients(Params(dW_x, dW_h, flat.sum(0)), da[1:] @ params.W_x.T, (dh_t, dc_t))
