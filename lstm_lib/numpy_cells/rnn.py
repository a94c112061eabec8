"""The simple recurrent network: one tanh layer, repeated (Elman 1990)::

    h_t = tanh(x_t W_x + h_{t-1} W_h + b)

Axes: T steps, B sequences, D inputs, H units. `h[t]` is h_t; `h[0]` is the start.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check

Array = NDArray[np.floating]


class Params(NamedTuple):
    """The weights, all of one dtype."""

    W_x: Array  #: (D, H)
    W_h: Array  #: (H, H)
    b: Array  #: (H,)


class Trace(NamedTuple):
    """The hidden state at every step."""

    h: Array  #: (T+1, B, H)


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
    spectral_radius: float | None = None,
) -> Params:
    """Draw weights from U(−1/√H, 1/√H), the bias zero.

    spectral_radius: where given, W_h is scaled so that its eigenvalues reach this modulus.
    Raises ValueError for sizes below 1 or a radius below 0, TypeError for a dtype other than
    float32 and float64.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    bound = H**-0.5
    W_x, W_h = rng.uniform(-bound, bound, (D, H)), rng.uniform(-bound, bound, (H, H))
    if spectral_radius is not None:
        if not 0 <= spectral_radius < np.inf:
            raise ValueError(f"spectral_radius must be finite and ≥ 0, got {spectral_radius}")
        W_h *= spectral_radius / np.abs(np.linalg.eigvals(W_h)).max()
    return Params(W_x.astype(dtype), W_h.astype(dtype), np.zeros(H, dtype))


def forward(params: Params, x: Array, state: Array | None = None) -> Trace:
    """Run the cell over x and keep every hidden state.

    x: (T, B, D), T ≥ 1. state: h_0 (B, H), zero where None. Returns h (T+1, B, H).
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 1)
    T, B = check.check_input(x, D, dtype)
    h = np.empty((T + 1, B, H), dtype)
    h[0] = check.check_state("state", state, B, H, dtype)
    h[1:] = x @ params.W_x + params.b  # every x_t at once: it waits for no h
    for t in range(1, T + 1):
        h[t] = np.tanh(h[t] + h[t - 1] @ params.W_h)
    return Trace(h)


def backward(
    params: Params, x: Array, trace: Trace, dh: Array, dstate: Array | None = None
) -> Gradients:
    """Backpropagate through time (Werbos 1990).

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly.
    dstate: (B, H), what arrives at h_T besides, as from a next stretch of the sequence.
    """
    D, H, dtype = check.check_params(params, Params, 1)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t = check.check_state("dstate", dstate, B, H, dtype)
    h = trace.h
    da = np.empty((T, B, H), dtype)  # by the sum inside tanh; da[t-1] belongs to step t
    for t in range(T, 0, -1):
        dh_t = dh_t + dh[t - 1]
        da[t - 1] = dh_t * (1 - h[t] ** 2)
        dh_t = da[t - 1] @ params.W_h.T
    flat = da.reshape(T * B, H)  # one matmul a matrix, after the loop
    dW_x = x.reshape(T * B, D).T @ flat
    dW_h = h[:-1].reshape(T * B, H).T @ flat
    return Gradients(Params(dW_x, dW_h, flat.sum(0)), da @ params.W_x.T, dh_t)
