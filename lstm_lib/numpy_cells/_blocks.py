"""Memory blocks: how their arrays fit together, and what a gate is to the cells of its block."""

from typing import Any, NamedTuple

import numpy as np

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells._arguments import Array

FIRST = "params.W_xi"  # all arrays must have its dtype


class Sizes(NamedTuple):
    """What the shapes of a block's weights say."""

    D: int  # inputs
    N: int  # blocks, and so input gates
    H: int  # cells
    O: int  # output gates: N or 0
    R: int  # units of the step before that are seen
    dtype: np.dtype


def sizes(params: Any, kind: Any) -> Sizes:
    """Check all shapes and dtypes of `params`, a `kind`, and return its sizes."""
    dtype = check.check_kind(params, kind)
    matrix: check.Shape = (("rows", None), ("columns", None))
    for name in ("W_xi", "W_xg", "W_xo", "W_ui"):
        check.check_array(f"params.{name}", getattr(params, name), matrix, dtype, FIRST)
    D, N = params.W_xi.shape
    H, O, R = params.W_xg.shape[1], params.W_xo.shape[1], params.W_ui.shape[0]
    if not (N and H and H % N == 0 and O in (0, N) and R in (0, H, H + N + O)):
        raise ValueError(
            "params must have N input gates, H = S·N cells, N or 0 output gates and R = 0, H or "
            f"H + gates recurrent units, got N={N}, H={H}, {O} output gates, R={R}"
        )
    for gate, width in (("i", N), ("g", H), ("o", O)):
        for seen, axis, rows in (("x", "D", D), ("u", "R", R)):
            name, wanted = f"W_{seen}{gate}", ((axis, rows), ("columns", width))
            check.check_array(f"params.{name}", getattr(params, name), wanted, dtype, FIRST)
        bias = getattr(params, f"b_{gate}")
        width = 0 if np.shape(bias) == (0,) else width
        check.check_array(f"params.b_{gate}", bias, (("units", width),), dtype, FIRST)
    return Sizes(D, N, H, O, R, dtype)


def check_state(name: str, state: Any, kind: Any, B: int, size: Sizes) -> Any:
    """Return the state, a `kind` of h, c, i and o, or one of zeros where it is None."""
    widths = (size.H, size.H, size.N, size.O)
    if state is None:
        return kind(*(np.zeros((B, width), size.dtype) for width in widths))
    if not isinstance(state, kind):
        raise TypeError(f"{name} must be {check.title(kind)}, got {check.title(type(state))}")
    for field, letter, width in zip(kind._fields, "HHNO", widths, strict=True):
        wanted = (("B", B), (letter, width))
        check.check_array(f"{name}.{field}", getattr(state, field), wanted, size.dtype, FIRST)
    return state


def check_trace(trace: Any, kind: Any, T: int, B: int, size: Sizes) -> None:
    """Raise unless `trace`, a `kind`, fits T steps of B sequences."""
    if not isinstance(trace, kind):
        raise TypeError(f"trace must be {check.title(kind)}, got {check.title(type(trace))}")
    widths = {"i": ("N", size.N), "o": ("O", size.O)}
    for field in kind._fields:
        wanted = (("T+1", T + 1), ("B", B), widths.get(field, ("H", size.H)))
        check.check_array(f"trace.{field}", getattr(trace, field), wanted, size.dtype, FIRST)


def one_of(name: str, choice: str, choices: dict[str, Any]) -> Any:
    """The choice of this name."""
    if choice not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, got {choice!r}")
    return choices[choice]


def set_biases(name: str, at: Array, values: Any, N: int) -> None:
    """Write a number a block into the biases `at`, unless there are none to write."""
    if values is None:
        return
    if np.shape(values) != (N,) or at.shape != (N,):
        raise ValueError(
            f"{name} must be N={N} numbers, for gates that are there and have biases, got shape "
            f"{np.shape(values)} for biases {at.shape}"
        )
    at[:] = values


def per_cell(gate: Array, H: int) -> Array:
    """A gate's value for each cell of its block; 1 where cells have no such gate."""
    N = gate.shape[-1]
    return np.repeat(gate, H // N, axis=-1) if N else np.ones(H, gate.dtype)


def per_block(values: Array, N: int) -> Array:
    """The sum over the cells of each of N blocks."""
    B, H = values.shape
    return values.reshape(B, N, H // N).sum(-1) if N else values[:, :0]
