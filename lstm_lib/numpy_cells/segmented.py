"""The LSTM over long sequences in little memory: keep a state every few steps, recompute the rest.

`lstm.forward` keeps six arrays of every step, since `lstm.backward` asks for them. Here `forward`
keeps the hidden states, which are the output anyway, and c at the start of each segment of about
√T / 4 steps. `backward` takes the segments from the last to the first, runs each forward once more
to get its trace back, and lets the trace go when it is done with it: memory that grows as √T in
place of T, for one more forward pass (Chen et al. 2016, section 4).
"""

from math import isqrt
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import fast_lstm, lstm
from lstm_lib.numpy_cells.lstm import Array, Gradients, Params, State


class Kept(NamedTuple):
    """What is kept of T steps: all hidden states, and c where a segment starts."""

    h: Array  #: (T+1, B, H), row 0 the start; h[1:] is the output
    c: Array  #: (⌈T/every⌉, B, H), row n is c at step n · every
    c_T: Array  #: (B, H), c after the last step
    every: int  #: steps a segment


def forward(
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    every: int | None = None,
    cell: ModuleType = lstm,
) -> Kept:
    """Run the LSTM over x and keep its output, and c every few steps.

    x: (T, B, D), T ≥ 1. state: (h_0, c_0), each (B, H), zero where None.
    every: steps a segment; None is about √T / 4, which needs the least memory. cell: `lstm` or
    `fast_lstm`, whose `forward` and `backward` run the segments.
    Raises TypeError for a dtype and ValueError for a shape, an `every` or a `cell` that does not
    fit.
    """
    _check_cell(cell)
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    # While a segment is at work, each of its steps takes about 16 arrays (B, H), a kept c one:
    # T / every + 16 every is least at √T / 4.
    every = max(1, isqrt(T) // 4) if every is None else check.check_size("every", every)
    h_t, c_t = check.check_pair("state", state, B, H, dtype)
    h, c = np.empty((T + 1, B, H), dtype), np.empty((-(-T // every), B, H), dtype)
    h[0] = h_t
    for n, start in enumerate(range(0, T, every)):
        c[n] = c_t
        trace = cell.forward(params, x[start : start + every], (h_t, c_t))
        h[start + 1 : start + every + 1] = trace.h[1:]
        h_t, c_t = trace.h[-1], trace.c[-1]
    return Kept(h, c, c_t.copy(), every)  # a view would keep its segment's trace


def backward(
    params: Params,
    x: Array,
    kept: Kept,
    dh: Array,
    dstate: State | None = None,
    *,
    cell: ModuleType = lstm,
) -> Gradients:
    """Backpropagate through time, a segment at a time: what `lstm.backward` gives.

    params, x, cell: as in `forward`. dh: (T, B, H), the derivative of L by each h_t where L uses it
    directly. dstate: (dh_T, dc_T), each (B, H), what arrives at the last state besides. The
    gradients differ from those of `lstm.backward` by rounding only.
    """
    _check_cell(cell)
    D, H, dtype = check.check_params(params, Params, 4)
    T, B = check.check_input(x, D, dtype)
    if not isinstance(kept, Kept):
        raise TypeError(f"kept must be {check.title(Kept)}, got {check.title(type(kept))}")
    check.check_array("kept.h", kept.h, (("T+1", T + 1), ("B", B), ("H", H)), dtype)
    segments = -(-T // check.check_size("kept.every", kept.every))
    check.check_array("kept.c", kept.c, (("⌈T/every⌉", segments), ("B", B), ("H", H)), dtype)
    check.check_array("dh", dh, (("T", T), ("B", B), ("H", H)), dtype)
    dstate = check.check_pair("dstate", dstate, B, H, dtype)
    dparams, dx = Params(*(np.zeros_like(weights) for weights in params)), np.empty_like(x)
    for n in reversed(range(len(kept.c))):
        steps = slice(n * kept.every, (n + 1) * kept.every)
        trace = cell.forward(params, x[steps], (kept.h[steps.start], kept.c[n]))
        part = cell.backward(params, x[steps], trace, dh[steps], dstate)
        dx[steps], dstate = part.x, part.state  # the state's gradient goes on to the segment before
        for total, of_segment in zip(dparams, part.params, strict=True):
            total += of_segment
        del trace, part, of_segment, total  # else they are there while the next segment runs
    return Gradients(dparams, dx, dstate)


def _check_cell(cell: Any) -> None:
    if cell is not lstm and cell is not fast_lstm:
        came = getattr(cell, "__name__", repr(cell))
        raise ValueError(f"cell must be the module lstm or fast_lstm, got {came}")
