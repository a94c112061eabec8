"""The gated recurrent unit in PyTorch's form (Cho et al. 2014, with the reset after the matmul)::

    r_t = σ(x_t W_xr + h_{t-1} W_hr + b_r)                      reset gate
    z_t = σ(x_t W_xz + h_{t-1} W_hz + b_z)                      update gate
    n_t = tanh(x_t W_xn + b_n + r_t ⊙ (h_{t-1} W_hn + b_hn))    candidate
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}                       hidden state

Here z_t = 1 keeps the old state; Chung et al. (2014) write the opposite. Axes: T steps,
B sequences, D inputs, H units. The three layers lie side by side in the order r, z, n; the
candidate has a bias of its own inside the reset, b_hn.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]


class Params(NamedTuple):
    """The weights, all of one dtype, their columns in the order r, z, n."""

    W_x: Array  #: (D, 3H)
    W_h: Array  #: (H, 3H)
    b: Array  #: (3H,)
    b_hn: Array  #: (H,)


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of the gates is zero."""

    h: Array  #: hidden state
    r: Array  #: reset gate
    z: Array  #: update gate
    n: Array  #: candidate


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
    W_x, W_h = rng.uniform(-bound, bound, (D, 3 * H)), rng.uniform(-bound, bound, (H, 3 * H))
    return Params(W_x.astype(dtype), W_h.astype(dtype), np.zeros(3 * H, dtype), np.zeros(H, dtype))


def forward(params: Params, x: Array, state: Array | None = None) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: h_0 (B, H), zero where None.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 3)
    T, B = check.check_input(x, D, dtype)
    h = np.empty((T + 1, B, H), dtype)
    h[0] = check.check_state("state", state, B, H, dtype)
    a = np.zeros((T + 1, B, 3 * H), dtype)
    a[1:] = x @ params.W_x + params.b  # every x_t at once: it waits for no h
    r, z, n = np.split(a, 3, axis=-1)  # views: writing a gate writes `a`
    for t in range(1, T + 1):
        from_r, from_z, from_n = np.split(h[t - 1] @ params.W_h, 3, axis=-1)
        r[t], z[t] = sigmoid(r[t] + from_r), sigmoid(z[t] + from_z)
        n[t] = np.tanh(n[t] + r[t] * (from_n + params.b_hn))
        h[t] = (1 - z[t]) * n[t] + z[t] * h[t - 1]
    return Trace(h, r, z, n)


def backward(
    params: Params, x: Array, trace: Trace, dh: Array, dstate: Array | None = None
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly.
    dstate: (B, H), what arrives at h_T besides, as from a next stretch of the sequence.
    """
    D, H, dtype = check.check_params(params, Params, 3)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t = check.check_state("dstate", dstate, B, H, dtype)
    h, r, z, n = trace
    m = h[:-1] @ params.W_h[:, 2 * H :] + params.b_hn  # what r_t multiplies; m[t-1] is step t's
    da = np.empty((T, B, 3 * H), dtype)  # by the sums inside σ and tanh
    da_r, da_z, da_n = np.split(da, 3, axis=-1)
    du = np.empty_like(da)  # the same, by what h_{t-1} W_h adds: r_t stands before its last third
    for t in range(T, 0, -1):
        dh_t = dh_t + dh[t - 1]
        da_n[t - 1] = dh_t * (1 - z[t]) * (1 - n[t] ** 2)
        da_z[t - 1] = dh_t * (h[t - 1] - n[t]) * z[t] * (1 - z[t])
        da_r[t - 1] = da_n[t - 1] * m[t - 1] * r[t] * (1 - r[t])
        du[t - 1] = da[t - 1]
        du[t - 1, :, 2 * H :] *= r[t]
        dh_t = dh_t * z[t] + du[t - 1] @ params.W_h.T
    flat, flat_u = da.reshape(T * B, 3 * H), du.reshape(T * B, 3 * H)
    dW_x = x.reshape(T * B, D).T @ flat
    dW_h = h[:-1].reshape(T * B, H).T @ flat_u
    dparams = Params(dW_x, dW_h, flat.sum(0), flat_u[:, 2 * H :].sum(0))
    return Gradients(dparams, da @ params.W_x.T, dh_t)
