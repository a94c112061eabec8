"""Moving dicts of arrays between any two frameworks of `CONVENTIONS`.

A layout says where the blocks of every layer lie, so that one reader and one writer do for all:
read the source's blocks, correct for what the two frameworks compute differently, write the
target's arrays.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_lib.convert.conventions import CONVENTIONS, Cell, Layout, Stored, check_cell

Array = NDArray[np.floating]
Blocks = dict[tuple[str, str], Array]  # (block, layer): each W (D, H) or (H, H), b (1, H)


def convert_weights(
    weights: Mapping[str, Array], source: str, target: str, *, cell: Cell = "lstm"
) -> dict[str, Array]:
    """Return the arrays with which `target` computes what `source` computes with `weights`.

    weights: the arrays of one layer by name, as in `CONVENTIONS[source].layouts[cell]`.
    source, target: names in `CONVENTIONS`. cell: "lstm", "gru" or "rnn".
    The dtype is kept, nothing is shared. Two biases stay apart where the target has two, and are
    summed where it has one; of one bias, the target's second is zero.
    Raises ValueError for an unknown framework, one without this cell, a GRU that resets in another
    place, wrong names or shapes; TypeError for anything but float arrays of one dtype.
    """
    layout, wanted = _layout("source", source, cell), _layout("target", target, cell)
    if layout.reset != wanted.reset:
        raise ValueError(
            f"no exact map from the GRU of {source!r} to that of {target!r}: the reset gate acts "
            f"{layout.reset} the product with W_hn there, {wanted.reset} it here"
        )
    D, H, dtype = _check(weights, layout)
    blocks = _read(weights, layout, D, H, dtype)
    if layout.forget_offset != wanted.forget_offset:
        blocks["b_x", "f"] += dtype.type(layout.forget_offset - wanted.forget_offset)
    if layout.z_keeps != wanted.z_keeps:  # σ(−a) = 1 − σ(a)
        blocks |= {key: -block for key, block in blocks.items() if key[1] == "z"}
    return _write(blocks, wanted, D, H)


def _layout(argument: str, framework: str, cell: Cell) -> Layout:
    if framework not in CONVENTIONS:
        raise ValueError(f"{argument} must be one of {list(CONVENTIONS)}, got {framework!r}")
    check_cell(cell)
    convention = CONVENTIONS[framework]
    if cell not in convention.layouts:
        raise ValueError(f"{framework!r} has no {cell} to convert: {convention.missing[cell]}")
    return convention.layouts[cell]


def _check(weights: Mapping[str, Any], layout: Layout) -> tuple[int, int, np.dtype]:
    """Return D, H and the dtype, or raise naming the array that does not fit."""
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights must be a dict of arrays, got {type(weights).__name__}")
    names = [stored.name for stored in layout.arrays]
    missing = [name for name in names if name not in weights]
    extra = [name for name in weights if name not in names]
    if missing or extra:
        raise ValueError(f"weights must have the keys {names}: missing {missing}, extra {extra}")
    dtype = getattr(weights[names[0]], "dtype", None)
    for stored in layout.arrays:
        array, axes = weights[stored.name], stored.shape.split(", ")
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.dtype != dtype:
            is_array = isinstance(array, np.ndarray)
            came = array.dtype if is_array else type(array).__name__
            wanted = f"a NumPy array of {dtype}, as {names[0]}"
            if stored.name == names[0]:
                wanted = "a NumPy array of floats"
            raise TypeError(f"{stored.name} must be {wanted}, got {came}")
        if array.ndim != len(axes):
            raise ValueError(f"{stored.name} must be ({stored.shape}), got {array.shape}")
    D, H = _sizes(weights, layout)
    for stored in layout.arrays:
        shape, came = _shape(stored, D, H), weights[stored.name].shape
        if came != shape:
            raise ValueError(f"{stored.name} must be ({stored.shape}) = {shape}, got {came}")
    return D, H, np.dtype(dtype)


def _sizes(weights: Mapping[str, Array], layout: Layout) -> tuple[int, int]:
    """Return D and H as the kernels of the first layer have them."""
    for_x, for_h = (next(s for s in layout.arrays if block in s.rows) for block in ("W_x", "W_h"))
    H = weights[for_h.name].shape[-2 if for_h.transposed else -1] // len(for_h.gates)
    rows = weights[for_x.name].shape[-1 if for_x.transposed else -2]
    D = rows - H if for_x is for_h else rows
    if min(D, H) < 1:
        wanted = f"{for_x.name} ({for_x.shape}) and {for_h.name} ({for_h.shape})"
        came = f"{weights[for_x.name].shape} and {weights[for_h.name].shape}"
        raise ValueError(f"{wanted} must have D ≥ 1 and H ≥ 1, got {came}")
    return D, H


def _shape(stored: Stored, D: int, H: int) -> tuple[int, ...]:
    """Turn axes such as "D+H, 4H" into numbers."""
    sizes = {"D": D, "H": H}
    return tuple(
        sum(int(term.rstrip("DH") or 1) * sizes.get(term[-1], 1) for term in axis.split("+"))
        for axis in stored.shape.split(", ")
    )


def _read(weights: Mapping[str, Array], layout: Layout, D: int, H: int, dtype: np.dtype) -> Blocks:
    """Take the arrays apart; a bias that the framework does not have is zero."""
    gates = {gate for stored in layout.arrays for gate in stored.gates}
    blocks: Blocks = {
        (bias, gate): np.zeros((1, H), dtype) for bias in ("b_x", "b_h") for gate in gates
    }
    heights = {"W_x": D, "W_h": H, "b_x": 1, "b_h": 1}
    for stored in layout.arrays:
        array, names = weights[stored.name], stored.rows.split()
        grid = array.reshape(array.shape[-2:]).T if stored.transposed else array
        grid = grid.reshape(-1, len(stored.gates) * H)
        ends = np.cumsum([heights[name] for name in names])[:-1]
        for name, row in zip(names, np.split(grid, ends), strict=True):
            columns = np.split(row, len(stored.gates), axis=1)
            blocks |= {(name, g): c.copy() for g, c in zip(stored.gates, columns, strict=True)}
    return blocks


def _write(blocks: Blocks, layout: Layout, D: int, H: int) -> dict[str, Array]:
    """Put the blocks where the layout has them; a b_h without a place is added to b_x."""
    places = {(row, gate) for s in layout.arrays for row in s.rows.split() for gate in s.gates}
    for block, gate in list(blocks):
        if block == "b_h" and (block, gate) not in places:
            blocks["b_x", gate] += blocks["b_h", gate]
    arrays = {}
    for stored in layout.arrays:
        grid = np.block([[blocks[row, g] for g in stored.gates] for row in stored.rows.split()])
        grid = grid.T if stored.transposed else grid
        arrays[stored.name] = np.ascontiguousarray(grid.reshape(_shape(stored, D, H)))
    return arrays
