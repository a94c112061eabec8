"""The LSTM of 1997: memory blocks without a forget gate (Hochreiter & Schmidhuber, section 4)::

    i_t = σ(x_t W_xi + u_{t-1} W_ui + b_i)            input gate, one a block
    g_t = 4 σ(x_t W_xg + u_{t-1} W_ug + b_g) − 2      candidate, one a cell
    o_t = σ(x_t W_xo + u_{t-1} W_uo + b_o)            output gate, one a block
    c_t = c_{t-1} + i_t ⊙ g_t                         cell state
    h_t = o_t ⊙ (2 σ(c_t) − 1)                        cell output
    u_t = [h_t i_t o_t]                               what the next step sees

Axes: T steps, B sequences, D inputs, H cells in N blocks of S = H / N. A block is S cells side by
side that share their gates: in i_t ⊙ g_t each gate multiplies its S cells. The gates see cells *and
gates* of the step before, in most of the paper's nets; in others u_t is h_t alone, or nothing.

What a net lacks has no entries: arrays have 0 rows where nothing recurs, 0 columns where there is
no output gate (then o_t = 1), and a bias that is not there is (0,). So all sizes added up are the
number of weights.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import _blocks as blocks
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]


class Params(NamedTuple):
    """The weights, all of one dtype; R, the width of u, is H + N + O, or H, or 0."""

    W_xi: Array  #: (D, N)
    W_xg: Array  #: (D, H)
    W_xo: Array  #: (D, O), where O is N, or 0 without output gates
    W_ui: Array  #: (R, N)
    W_ug: Array  #: (R, H)
    W_uo: Array  #: (R, O)
    b_i: Array  #: (N,) or (0,)
    b_g: Array  #: (H,) or (0,)
    b_o: Array  #: (O,) or (0,)


class State(NamedTuple):
    """What a step hands to the next one."""

    h: Array  #: (B, H)
    c: Array  #: (B, H)
    i: Array  #: (B, N)
    o: Array  #: (B, O)


class Trace(NamedTuple):
    """Everything that the cell computed; row 0 is the start, also of the gates: they are seen."""

    h: Array  #: (T+1, B, H)  cell output
    c: Array  #: (T+1, B, H)  cell state
    i: Array  #: (T+1, B, N)  input gate
    g: Array  #: (T+1, B, H)  candidate, row 0 zero
    o: Array  #: (T+1, B, O)  output gate


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
    N: int | None = None,
    dtype: DTypeLike = np.float64,
    bound: float = 0.1,
    recurrent: Literal["all", "cells", "none"] = "all",
    biased: Literal["all", "gates", "none"] = "all",
    output_gate: bool = True,
    input_biases: ArrayLike | None = None,
    output_biases: ArrayLike | None = None,
) -> Params:
    """Draw weights and biases from U(−bound, bound), as the paper does.

    N: blocks, a divisor of H; one a cell where None. recurrent: which units of the step before are
    seen, cells and gates ("all"), cells or none. biased: which units have a bias at all.
    input_biases, output_biases: a number a block for b_i, b_o, such as −1, −2, … in the paper, so
    that the blocks come into use one after another.
    Raises ValueError for sizes, names and biases that do not fit, TypeError for a strange dtype.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    N = H if N is None else check.check_size("N", N)
    if H % N:
        raise ValueError(f"N must divide H={H}: blocks have equally many cells, got {N}")
    O = N if output_gate else 0
    if not 0 < bound < np.inf:
        raise ValueError(f"bound must be a positive number, got {bound}")
    R = blocks.one_of("recurrent", recurrent, {"all": H + N + O, "cells": H, "none": 0})
    by_kind = blocks.one_of(
        "biased", biased, {"all": (N, H, O), "gates": (N, 0, O), "none": (0, 0, 0)}
    )
    shapes = [(rows, columns) for rows in (D, R) for columns in (N, H, O)]
    arrays = [rng.uniform(-bound, bound, shape).astype(dtype) for shape in (*shapes, *by_kind)]
    params = Params(*arrays)
    blocks.set_biases("input_biases", params.b_i, input_biases, N)
    blocks.set_biases("output_biases", params.b_o, output_biases, N)
    return params


def forward(
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    centred: bool = True,
    squashed: bool = True,
) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: the start, zero where None. centred: g = 4σ − 2, else σ; squashed:
    h = o ⊙ (2σ(c) − 1), else o ⊙ c. Experiment 2a has neither.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    size = blocks.sizes(params, Params)
    D, N, H, O, R, dtype = size
    T, B = check.check_input(x, D, dtype, blocks.FIRST)
    W_x, W_u, b = _side_by_side(params)
    u = np.zeros((T + 1, B, H + N + O), dtype)
    h, i, o = np.split(u, [H, H + N], axis=-1)  # views: writing a gate writes u
    c, g = np.zeros((T + 1, B, H), dtype), np.zeros((T + 1, B, H), dtype)
    h[0], c[0], i[0], o[0] = blocks.check_state("state", state, State, B, size)
    a = x @ W_x + b  # every x_t at once: it waits for no u
    for t in range(1, T + 1):
        a_i, a_g, a_o = np.split(a[t - 1] + u[t - 1, :, :R] @ W_u, [N, N + H], axis=-1)
        i[t], o[t] = sigmoid(a_i), sigmoid(a_o)
        g[t] = 4 * sigmoid(a_g) - 2 if centred else sigmoid(a_g)
        c[t] = c[t - 1] + blocks.per_cell(i[t], H) * g[t]
        h[t] = blocks.per_cell(o[t], H) * (2 * sigmoid(c[t]) - 1 if squashed else c[t])
    return Trace(h, c, i, g, o)


def backward(
    params: Params,
    x: Array,
    trace: Trace,
    dh: Array,
    dstate: State | None = None,
    *,
    truncated: bool = False,
    centred: bool = True,
    squashed: bool = True,
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, H), the derivative of L by each h_t where L uses it directly. dstate: what arrives at
    the last state besides. centred, squashed: as in `forward`.
    truncated: the paper's gradient (appendix A.1). What has arrived at the sum inside a gate or a
    candidate changes the weights and goes no further back, to no unit of the step before; c alone
    carries derivatives through time. That is the derivative of no L any more, but can be computed
    forwards, with a number a cell for each weight to it and to its input gate: see `online`.
    """
    size = blocks.sizes(params, Params)
    D, N, H, O, R, dtype = size
    T, B = check.check_input(x, D, dtype, blocks.FIRST)
    blocks.check_trace(trace, Trace, T, B, size)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype, blocks.FIRST)
    dh_t, dc_t, di_t, do_t = blocks.check_state("dstate", dstate, State, B, size)
    W_x, W_u, _ = _side_by_side(params)
    h, c, i, g, o = trace
    da = np.zeros((T, B, N + H + O), dtype)  # by the sums inside σ
    for t in range(T, 0, -1):
        dh_t = dh_t + dh[t - 1]
        s = 2 * sigmoid(c[t]) - 1 if squashed else c[t]
        dc_t = dc_t + dh_t * blocks.per_cell(o[t], H) * ((1 - s**2) / 2 if squashed else 1)
        di_t = di_t + blocks.per_block(dc_t * g[t], N)
        do_t = do_t + blocks.per_block(dh_t * s, O)
        slope = 1 - g[t] ** 2 / 4 if centred else g[t] * (1 - g[t])
        a_i, a_g, a_o = np.split(da[t - 1], [N, N + H], axis=-1)  # views
        a_i[:], a_o[:] = di_t * i[t] * (1 - i[t]), do_t * o[t] * (1 - o[t])
        a_g[:] = dc_t * blocks.per_cell(i[t], H) * slope
        du = np.zeros((B, H + N + O), dtype)
        if not truncated:
            du[:, :R] = da[t - 1] @ W_u.T
        dh_t, di_t, do_t = np.split(du, [H, H + N], axis=-1)  # dc_t stays: c_{t-1} counts once
    u = np.concatenate([h, i, o], axis=-1)[:-1, :, :R]
    by_weights = _by_weights(params, x.reshape(T * B, D), u.reshape(T * B, R), da)
    return Gradients(by_weights, da @ W_x.T, State(dh_t, dc_t, di_t, do_t))


def _by_weights(params: Params, x: Array, u: Array, da: Array) -> Params:
    """The derivatives by the weights: one matmul a matrix, after the loop."""
    N, H = params.W_xi.shape[1], params.W_xg.shape[1]
    flat = da.reshape(len(x), da.shape[-1])
    rows = (np.split(each, [N, N + H], axis=-1) for each in (x.T @ flat, u.T @ flat, flat.sum(0)))
    W_x, W_u, b = rows
    present = (db[: len(bias)] for db, bias in zip(b, params[6:], strict=True))
    return Params(*W_x, *W_u, *present)


def _side_by_side(params: Params) -> tuple[Array, Array, Array]:
    """[W_xi W_xg W_xo], [W_ui W_ug W_uo] and [b_i b_g b_o], zero for a bias that is not there."""
    widths = [W.shape[1] for W in params[:3]]
    b = [
        bias if bias.size else np.zeros(width, bias.dtype)
        for bias, width in zip(params[6:], widths, strict=True)
    ]
    return np.hstack(params[:3]), np.hstack(params[3:6]), np.concatenate(b)
