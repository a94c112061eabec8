"""What the loops of a net work on: its form, its weights, and what goes from step to step."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Form(NamedTuple):
    """Sizes, and what the net has."""

    D: int
    N: int
    S: int
    R: int  # units of the step before that are seen
    output_gate: bool
    forget_gate: bool
    peepholes: bool
    direct: bool
    centred: bool
    squashed: bool


class Weights(NamedTuple):
    """Sources in the rows, units in the columns; free is 1 where there is a weight, else 0."""

    W: Array  # rows: D inputs, R units, bias, H peepholes; columns: gates i, f, cells g, gates o
    V: Array  # rows: D inputs where direct, H cells, bias; columns: K outputs
    free_W: Array
    free_V: Array


class Memory(NamedTuple):
    """What goes from step to step."""

    c: Array  # (H,)
    u: Array  # (H + gates,): h, i, f, o
    a: Array  # (columns of W,): the sums inside σ, and then gates and candidates
    by: Array  # (3, rows of W, H): ∂c/∂w of i, f, g
    rows: Integers  # (rows of W,): those from which something came, the first `reached` of it
    reached: Integers  # (1,): how many
    touched: NDArray[np.bool_]  # (rows of W,): whether a row is among them
