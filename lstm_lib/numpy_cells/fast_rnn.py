"""The simple recurrent network of `rnn`, the same to rounding, with a sequence a column::

    h_t = tanh([W_h; W_x; b]ᵀ [h_{t-1}; x_t; 1])

See `fast_lstm` and `_feature_major`: one product and one tanh a step, both written in place.
"""

import numpy as np

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import rnn
from lstm_lib.numpy_cells._feature_major import (
    add_products,
    behind,
    carve,
    new_columns,
    product,
    products,
    room,
    steps_a_chunk,
    to_columns,
    to_rows,
)
from lstm_lib.numpy_cells.rnn import Array, Gradients, Params, init_params

__all__ = ["Gradients", "Params", "Trace", "backward", "forward", "init_params"]


class Trace(rnn.Trace):
    """A `rnn.Trace` whose array is a view of a feature-major one, which `backward` reads."""

    columns: Array  #: (T+1, H+D+1, B): row t holds h_t, x_{t+1} and 1


def forward(
    params: Params,
    x: Array,
    state: Array | None = None,
    *,
    out: Trace | None = None,
    blocked: bool | None = None,
) -> Trace:
    """Run the cell over x and keep every hidden state.

    x: (T, B, D), T ≥ 1. state: h_0 (B, H), zero where None. out, blocked: as in `fast_lstm`.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 1)
    T, B = check.check_input(x, D, dtype)
    h_0 = check.check_state("state", state, B, H, dtype)
    (columns,) = room(out, Trace, dtype, columns=(T + 1, H + D + 1, B))
    new_columns(h_0, x, columns)
    W = np.concatenate([params.W_h, params.W_x, params.b[None]])
    multiply, W_cut, shape = product(W.T, B, blocked)
    h = columns[1:].reshape(T, -1)[:, : H * B]
    for z, sums, h_t in zip(columns, h.reshape(T, *shape), h, strict=False):
        multiply(W_cut, z, sums)
        np.tanh(h_t, h_t)
    trace = Trace(to_rows(columns[:, :H]))
    trace.columns = columns
    return trace


def backward(
    params: Params,
    x: Array,
    trace: Trace,
    dh: Array,
    dstate: Array | None = None,
    *,
    blocked: bool | None = None,
) -> Gradients:
    """Backpropagate through time: what `rnn.backward` gives.

    params, x: as in `forward`, which returned `trace`. dh: (T, B, H), the derivative of L by each
    h_t where L uses it directly. dstate: (B, H), what arrives at h_T besides. What is read of
    the trace: as in `fast_lstm`.
    """
    D, H, dtype = check.check_params(params, Params, 1)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    behind("trace", trace, dtype, columns=(T + 1, H + D + 1, B))
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t = check.check_state("dstate", dstate, B, H, dtype).T.copy()
    W_h, W_x = (np.ascontiguousarray(W) for W in (params.W_h, params.W_x))
    multiply, W_cut, shape = product(W_h, B, blocked)
    K, n = H + D + 1, steps_a_chunk(T, B)
    shapes = ((n, H, B), (n, H, B), (H, n * B), (K, n * B), (H, K))
    da, dy, *memory = carve(dtype, *shapes)
    dx, dW = np.empty((T, D, B), dtype), np.zeros((H, K), dtype)
    for end in range(T, 0, -n):
        now = slice(max(0, end - n), end)
        m = now.stop - now.start
        h = trace.columns[1:, :H][now]
        np.multiply(h, h, da[:m])
        np.subtract(1, da[:m], da[:m])  # the slopes of tanh; times dh_t they are da_t
        to_columns(dh[now], dy[:m])
        for t in range(m - 1, -1, -1):
            np.add(dh_t, dy[t], dh_t)
            np.multiply(da[t], dh_t, da[t])
            multiply(W_cut, da[t], dh_t.reshape(shape))
        add_products(da[:m], trace.columns[now], dW, memory, blocked)
        products(W_x, da[:m], dx[now], blocked)
    return Gradients(Params(dW[:, H:-1].T, dW[:, :H].T, dW[:, -1]), to_rows(dx), dh_t.T)
