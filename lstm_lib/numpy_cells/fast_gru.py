"""The GRU of `gru`, the same to rounding, with a sequence a column (see `fast_lstm`)::

    [m r z n]_t = [b_hn, W_xᵀ x_t + b] + [[W_hn W_hr W_hz]ᵀ h_{t-1}, 0]    r and z halved before
    [r z]_t     = ½ + ½ tanh([r z]_t)
    n_t         = tanh(n_t + r_t ⊙ m_t)
    h_t         = n_t + z_t ⊙ (h_{t-1} − n_t)

m_t = h_{t-1} W_hn + b_hn is what the reset gate multiplies. The candidate keeps its two sums apart,
so the part of x is added by itself, for all steps before the loop.
"""

import numpy as np

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import gru
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
from lstm_lib.numpy_cells.gru import Array, Gradients, Params, init_params

__all__ = ["Gradients", "Params", "Trace", "backward", "forward", "init_params"]


class Trace(gru.Trace):
    """A `gru.Trace` whose arrays are views of two feature-major ones, which `backward` reads."""

    rows: Array  #: (T+1, 4, H, B): row t holds m_t r_t z_t n_t
    columns: Array  #: (T+1, H+D+1, B): row t holds h_t, x_{t+1} and 1


def forward(
    params: Params,
    x: Array,
    state: Array | None = None,
    *,
    out: Trace | None = None,
    blocked: bool | None = None,
) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: h_0 (B, H), zero where None. out, blocked: as in `fast_lstm`.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = check.check_params(params, Params, 3)
    T, B = check.check_input(x, D, dtype)
    h_0 = check.check_state("state", state, B, H, dtype)
    shapes = {"columns": (T + 1, H + D + 1, B), "rows": (T + 1, 4, H, B)}
    columns, rows = room(out, Trace, dtype, **shapes)
    new_columns(h_0, x, columns)
    rows[0], rows[1:, 0] = 0, params.b_hn[:, None]
    half = np.repeat(np.array([0.5, 0.5, 1], dtype), H)  # σ(a) = ½ + ½ tanh(a/2)
    from_x = rows[1:, 1:].reshape(T, 3 * H, B)
    np.matmul((params.W_x * half).T, columns[:T, H:-1], from_x)
    from_x += (params.b * half)[:, None]
    _run(np.roll(params.W_h * half, H, axis=1), columns, rows, blocked)
    trace = Trace(to_rows(columns[:, :H]), *(to_rows(rows[:, k]) for k in (1, 2, 3)))
    trace.rows, trace.columns = rows, columns
    return trace


def _run(W_h: Array, columns: Array, rows: Array, blocked: bool | None) -> None:
    """Fill in the states and gates of all steps."""
    T, _, H, B = rows[1:].shape
    n = H * B  # the numbers in one gate
    multiply, W_cut, shape = product(W_h.T, B, blocked)
    from_h, half = np.empty(shape, W_h.dtype), np.array(0.5, W_h.dtype)
    now, h = rows[1:].reshape(T, 4 * n), columns.reshape(T + 1, -1)[:, :n]
    steps = zip(
        columns[:, :H],
        now[:, : 3 * n],
        now[:, :n],
        now[:, n : 2 * n],
        now[:, 2 * n : 3 * n],
        now[:, n : 3 * n],
        now[:, 3 * n :],
        h,
        h[1:],
        strict=False,  # there is one column more than steps
    )
    add, mul, added = np.add, np.multiply, from_h.reshape(-1)
    for h_cut, m_r_z, m, r, z, r_z, n_t, h_before, h_t in steps:
        multiply(W_cut, h_cut, from_h)
        add(m_r_z, added, m_r_z)
        np.tanh(r_z, r_z)
        mul(r_z, half, r_z)
        add(r_z, half, r_z)
        mul(r, m, h_t)
        add(n_t, h_t, n_t)
        np.tanh(n_t, n_t)
        np.subtract(h_before, n_t, h_t)
        mul(h_t, z, h_t)
        add(h_t, n_t, h_t)


def backward(
    params: Params,
    x: Array,
    trace: Trace,
    dh: Array,
    dstate: Array | None = None,
    *,
    blocked: bool | None = None,
) -> Gradients:
    """Backpropagate through time: what `gru.backward` gives.

    params, x: as in `forward`, which returned `trace`. dh: (T, B, H), the derivative of L by each
    h_t where L uses it directly. dstate: (B, H), what arrives at h_T besides. What is read of
    the trace: as in `fast_lstm`.
    """
    D, H, dtype = check.check_params(params, Params, 3)
    T, B = check.check_input(x, D, dtype)
    check.check_trace(trace, Trace, T, B, H, dtype)
    behind("trace", trace, dtype, columns=(T + 1, H + D + 1, B), rows=(T + 1, 4, H, B))
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dh_t = check.check_state("dstate", dstate, B, H, dtype).T.copy()
    by_h = np.roll(params.W_h, H, axis=1)  # m, r, z
    W_x = np.ascontiguousarray(params.W_x)
    K, n = H + D + 1, steps_a_chunk(T, B)
    shapes = ((n, 4, H, B), (n, H, B), (4 * H, n * B), (K, n * B), (4 * H, K))
    local, dy, *memory = carve(dtype, *shapes)
    dx, dW = np.empty((T, D, B), dtype), np.zeros((4 * H, K), dtype)
    for end in range(T, 0, -n):
        now = slice(max(0, end - n), end)
        m = now.stop - now.start
        rows = trace.rows[1:][now]
        _local_derivatives(rows, trace.columns[now, :H], local[:m])
        to_columns(dh[now], dy[:m])
        _run_back(by_h, rows[:, 2], local[:m], dy[:m], dh_t, blocked)
        da = local[:m].reshape(m, 4 * H, B)
        add_products(da, trace.columns[now], dW, memory, blocked)
        products(W_x, da[:, H:], dx[now], blocked)
    dW_h = np.roll(dW[: 3 * H, :H], -H, axis=0).T
    return Gradients(Params(dW[H:, H:-1].T, dW_h, dW[H:, -1], dW[:H, -1]), to_rows(dx), dh_t.T)


def _local_derivatives(rows: Array, h_before: Array, out: Array) -> None:
    """Write what dh_t of some steps will be multiplied with: dm, dr, dz, dn by dh, (n, 4, H, B)."""
    m, r, z, n = (rows[:, k] for k in range(4))
    to_m, to_r, to_z, to_n = (out[:, k] for k in range(4))
    to_n[...] = (1 - z) * (1 - n * n)
    to_z[...] = (h_before - n) * z * (1 - z)
    np.multiply(to_n, r, to_m)
    to_r[...] = to_m * m * (1 - r)


def _run_back(
    by_h: Array, z: Array, local: Array, dy: Array, dh: Array, blocked: bool | None
) -> None:
    """Turn the local derivatives into da_t, step by step; dh (H, B) goes on in place."""
    steps, _, H, B = local.shape
    multiply, W_cut, shape = product(by_h, B, blocked)
    dh_cut, kept = dh.reshape(shape), np.empty_like(dh)
    m_r_z = local[:, :3].reshape(steps, 3 * H, B)
    for t in range(steps - 1, -1, -1):
        np.add(dh, dy[t], dh)
        np.multiply(local[t], dh, local[t])
        np.multiply(dh, z[t], kept)
        multiply(W_cut, m_r_z[t], dh_cut)
        np.add(dh, kept, dh)
