"""The minimal gated unit: a GRU whose two gates are one (Zhou et al. 2016)::

    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)             the only gate
    g_t = tanh(x_t W_xg + (f_t ⊙ h_{t-1}) W_hg + b_g)  candidate, which sees the state through f_t
    h_t = (1 − f_t) ⊙ h_{t-1} + f_t ⊙ g_t              hidden state

f_t = 1 takes the candidate and lets it see all of the old state, f_t = 0 keeps the old state: the
opposite of the LSTM's f, and one minus the z of our `gru`. Axes: T steps, B sequences, D inputs,
H units. The two layers lie side by side in the order f, g.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]


class Params(NamedTuple):
    """The weights, all of one dtype, their columns in the order f, g."""

    W_x: Array  #: (D, 2H)
    W_h: Array  #: (H, 2H)
    b: Array  #: (2H,)


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of f and g is zero."""

    h: Array  #: hidden state
    f: Array  #: the gate
    g: Array  #: candidate


class Gradients(NamedTuple):
    """The derivatives of L by all that went in, each shaped as the thing itself."""

    params: Params  #: by the weights
    x: Array  #: (T, B, D)
    state: Array  #: (B, H), by h_0


def init_params(
    rng: np.random.Generator, D: int, H: int, *, dtype: DTypeLike = np.float64
) -> Params:
    """Draw weights from U(−1/√H, 1/√H), the biases zero.

    Raises ValueError for sizes below 1, TypeError for a dtype other than float32 and float64.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    bound = H**-0.5
    W_x, W_h = rng.uniform(-bound, bound, (D, 2 * H)), rng.uniform(-bound, bound, (H, 2 * H))
    return Params(W_x.astype(dtype), W_h.astype(dtype), np.zeros(2 * H, dtype))


def forward(params: Params, x: Array, state: Array | None = None) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: h_0 (B, H), zero where None.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 2)
    T, B = check.check_input(x, D, dtype)
    h = np.empty((T + 1, B, H), dtype)
    h[0] = check.check_state("state", state, B, H, dtype)
    a = np.zeros((T + 1, B, 2 * H), dtype)
    a[1:] = x @ params.W_x + params.b  # every x_t at once: it waits for no h
    f, g = np.split(a, 2, axis=-1)  # views: writing a gate writes `a`
    W_hf, W_hg = np.split(params.W_h, 2, axis=-1)
    for t in range(1, T + 1):
        f[t] = sigmoid(f[t] + h[t - 1] @ W_hf)
        g[t] = np.tanh(g[t] + (f[t] * h[t - 1]) @ W_hg)
        h[t] = (1 - f[t]) * h[t - 1] + f[t] * g[t]
    return Trace(h, f, g)


def backward(
    params: Params, x: Array, trace: Trace, dh: Array, dstate: Array | None = None
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly.
    dstate: (B, H), what arrives at h_T besides, as from a next stretch of the sequence.
    """
    D, H, dtype = check.check_params(params, Params, 2)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t = check.check_state("dstate", dstate, B, H, dtype)
    h, f, g = trace
    W_hf, W_hg = np.split(params.W_h, 2, axis=-1)
    da = np.empty((T, B, 2 * H), dtype)  # by the sums inside σ and tanh
    da_f, da_g = np.split(da, 2, axis=-1)
    for t in range(T, 0, -1):
        dh_t = dh_t + dh[t - 1]
        da_g[t - 1] = dh_t * f[t] * (1 - g[t] ** 2)
        dseen = da_g[t - 1] @ W_hg.T  # by f_t ⊙ h_{t-1}, what the candidate sees
        df = dh_t * (g[t] - h[t - 1]) + dseen * h[t - 1]
        da_f[t - 1] = df * f[t] * (1 - f[t])
        dh_t = dh_t * (1 - f[t]) + dseen * f[t] + da_f[t - 1] @ W_hf.T
    flat = da.reshape(T * B, 2 * H)  # one matmul a matrix, after the loop
    dW_x = x.reshape(T * B, D).T @ flat
    dW_hf = h[:-1].reshape(T * B, H).T @ flat[:, :H]
    dW_hg = (f[1:] * h[:-1]).reshape(T * B, H).T @ flat[:, H:]
    dparams = Params(dW_x, np.hstack([dW_hf, dW_hg]), flat.sum(0))
    return Gradients(dparams, da @ params.W_x.T, dh_t)
