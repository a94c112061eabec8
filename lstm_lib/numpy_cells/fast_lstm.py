"""The LSTM of `lstm`, the same to rounding, in less time (`make bench` measures how much).

`lstm` stays the truth. Here a step is these lines, with a sequence a column (`_feature_major`)::

    [o i f g]_t = tanh([W_h; W_x; b]ᵀ [h_{t-1}; x_t; 1])    the columns of o, i, f halved before
    [o i f]_t   = ½ + ½ [o i f]_t                           since σ(a) = ½ + ½ tanh(a/2)
    c_t         = sum of both halves of [i f]_t ⊙ [g c]_t   where c_{t-1} stands below g_t
    h_t         = o_t ⊙ tanh(c_t)

all written in place. `backward` takes the steps in chunks: the local derivatives of a whole chunk,
then the loop, then one product for the weights and one call for x.

A gate is rounded to a multiple of about ε/4 (3e-8 in float32, 6e-17 in float64), so its relative
error grows as σ shrinks. The rounding of the products depends on how they are cut into pieces; give
`blocked` for the same bits in each process.
"""

import numpy as np

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import lstm
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
from lstm_lib.numpy_cells.lstm import Array, Gradients, Params, State, init_params

__all__ = ["Gradients", "Params", "Trace", "backward", "forward", "init_params"]


class Trace(lstm.Trace):
    """A `lstm.Trace` whose arrays are views of two feature-major ones, which `backward` reads."""

    rows: Array  #: (T+2, 5, H, B): row t holds o_t i_t f_t g_t and, below them, c_{t-1}
    columns: Array  #: (T+1, H+D+1, B): row t holds h_t, x_{t+1} and 1


def forward(
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    out: Trace | None = None,
    blocked: bool | None = None,
) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: (h_0, c_0), each (B, H), zero where None. out: the trace of an
    earlier call with the same sizes, which is written over, and with it all that `backward` reads
    of that call: that spares the system fetching memory. x and state may be views of it.
    blocked: cut the products into pieces; None does what was faster when first tried here.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    h_0, c_0 = check.check_pair("state", state, B, H, dtype)
    shapes = {"columns": (T + 1, H + D + 1, B), "rows": (T + 2, 5, H, B)}
    columns, rows = room(out, Trace, dtype, **shapes)
    c_start = c_0.T.copy()  # c_0 may be a view of columns
    new_columns(h_0, x, columns)
    rows[0] = 0  # there is no gate before the first step
    rows[1, 4] = c_start
    _run(_halved(params), columns, rows, blocked)
    o, i, f, g = (to_rows(rows[:-1, k]) for k in range(4))
    trace = Trace(to_rows(columns[:, :H]), to_rows(rows[1:, 4]), i, f, g, o)
    trace.rows, trace.columns = rows, columns
    return trace


def _halved(params: Params) -> Array:
    """[W_h; W_x; b] (H+D+1, 4H) with the gates in the order o, i, f, g, and o, i, f halved."""
    H = len(params.W_h)
    W = np.empty((H + len(params.W_x) + 1, 4 * H), params.b.dtype)
    parts = ((params.W_h, W[:H]), (params.W_x, W[H:-1]), (params.b, W[-1]))
    for part, place in parts:
        np.multiply(part[..., 3 * H :], 0.5, place[..., :H])
        np.multiply(part[..., : 2 * H], 0.5, place[..., H : 3 * H])
        place[..., 3 * H :] = part[..., 2 * H : 3 * H]
    return W


def _run(W: Array, columns: Array, rows: Array, blocked: bool | None) -> None:
    """Fill in the states and gates of all steps."""
    T, _, H, B = rows[1:-1].shape
    n = H * B  # the numbers in one gate
    multiply, W_cut, shape = product(W.T, B, blocked)
    flat, half = rows.reshape(T + 2, 5 * n), np.array(0.5, W.dtype)  # a float costs a conversion
    now = flat[1:-1]
    added, tanh_c = np.empty(2 * n, W.dtype), np.empty(n, W.dtype)
    from_g, from_c = added[:n], added[n:]
    steps = zip(
        columns,
        now[:, : 4 * n].reshape(T, *shape),
        now[:, : 4 * n],
        now[:, : 3 * n],
        now[:, n : 3 * n],
        now[:, 3 * n :],
        now[:, :n],
        flat[2:, 4 * n :],
        columns[1:].reshape(T, -1)[:, :n],
        strict=False,  # there is one column more than steps
    )
    add, mul, tanh = np.add, np.multiply, np.tanh  # looked up once, not at every step
    for z, sums, gates, o_i_f, i_f, g_c, o, c, h in steps:
        multiply(W_cut, z, sums)
        tanh(gates, gates)
        mul(o_i_f, half, o_i_f)
        add(o_i_f, half, o_i_f)
        mul(i_f, g_c, added)
        add(from_g, from_c, c)
        tanh(c, tanh_c)
        mul(o, tanh_c, h)


def backward(
    params: Params,
    x: Array,
    trace: Trace,
    dh: Array,
    dstate: State | None = None,
    *,
    blocked: bool | None = None,
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    params, x: as in `forward`, which returned `trace`. dh: (T, B, H), the derivative of L by each
    h_t where L uses it directly. dstate: (dh_T, dc_T), each (B, H), what arrives at the last state
    besides. blocked: as in `forward`.
    All is read from trace.rows and trace.columns, where x is too: not from x, nor from the fields.
    Where another `forward` wrote over the trace, the gradient is that of its input.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    behind("trace", trace, dtype, columns=(T + 1, H + D + 1, B), rows=(T + 2, 5, H, B))
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t, dc_t = (a.T.copy() for a in check.check_pair("dstate", dstate, B, H, dtype))
    K, n = H + D + 1, steps_a_chunk(T, B)
    shapes = ((n, 5, H, B), (n, H, B), (4 * H, n * B), (K, n * B), (4 * H, K))
    local, dy, *memory = carve(dtype, *shapes)
    dx, dW = np.empty((T, D, B), dtype), np.zeros((4 * H, K), dtype)
    W_h, W_x = (np.ascontiguousarray(W) for W in (params.W_h, params.W_x))
    for end in range(T, 0, -n):
        now = slice(max(0, end - n), end)
        m = now.stop - now.start
        _local_derivatives(trace, now, local[:m])
        to_columns(dh[now], dy[:m])
        _run_back(W_h, trace.rows[1:-1][now], local[:m], dy[:m], dh_t, dc_t, blocked)
        da = local[:m, :4].reshape(m, 4 * H, B)
        add_products(da, trace.columns[now], dW, memory, blocked)
        products(W_x, da, dx[now], blocked)
    dparams = Params(dW[:, H:-1].T, dW[:, :H].T, dW[:, -1])
    return Gradients(dparams, to_rows(dx), (dh_t.T, dc_t.T))


def _local_derivatives(trace: Trace, steps: slice, out: Array) -> None:
    """Write what dc_t and dh_t of some steps will be multiplied with.

    out: (n, 5, H, B): di/dc, df/dc, dg/dc, then do/dh, and last the part of dc that is dh's. Each
    is the formula of `lstm.backward`, multiplied out so that fewer sweeps are needed.
    """
    o, i, f, g, c_before = (trace.rows[1:-1, k][steps] for k in range(5))
    h = trace.columns[1:, : o.shape[1]][steps]
    to_i, to_f, to_g, to_o, to_c = (out[:, k] for k in range(5))
    np.multiply(i, g, to_g)
    np.subtract(1, i, to_i)
    np.multiply(to_i, to_g, to_i)  # (1 − i) (i g)
    np.multiply(to_g, g, to_g)
    np.subtract(i, to_g, to_g)  # i − (i g) g
    np.subtract(1, f, to_f)
    np.multiply(to_f, f, to_f)
    np.multiply(to_f, c_before, to_f)  # (1 − f) f c
    np.subtract(1, o, to_o)
    np.multiply(to_o, h, to_o)  # (1 − o) h, where h = o tanh c
    np.tanh(trace.rows[2:, 4][steps], to_c)
    np.multiply(to_c, h, to_c)
    np.subtract(o, to_c, to_c)  # o − h tanh c


def _run_back(
    W_h: Array, rows: Array, local: Array, dy: Array, dh: Array, dc: Array, blocked: bool | None
) -> None:
    """Turn the local derivatives into da_t, step by step; dh and dc (H, B) go on in place."""
    steps, _, H, B = local.shape
    multiply, W_cut, shape = product(W_h, B, blocked)
    dh_flat, dc_flat, dh_cut = dh.reshape(-1), dc.reshape(-1), dh.reshape(shape)
    flat = local.reshape(steps, 5, H * B)
    da = local[:, :4].reshape(steps, 4 * H, B)
    backwards = zip(
        dy.reshape(steps, -1)[::-1],
        flat[::-1, 3:],
        flat[::-1, 4],
        flat[::-1, :3],
        rows.reshape(steps, 5, H * B)[::-1, 2],
        da[::-1],
        strict=True,
    )
    add, mul = np.add, np.multiply
    for dy_t, by_dh, dc_from_h, by_dc, f, da_t in backwards:
        add(dh_flat, dy_t, dh_flat)
        mul(by_dh, dh_flat, by_dh)
        add(dc_flat, dc_from_h, dc_flat)
        mul(by_dc, dc_flat, by_dc)
        mul(dc_flat, f, dc_flat)
        multiply(W_cut, da_t, dh_cut)
