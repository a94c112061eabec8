"""The variants under test: each change alone, every two together, and weights for them."""

from dataclasses import asdict, replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from lstm_lib.family import FAMILY, Design
from lstm_lib.numpy_cells import variant

D, H, T, B = 2, 3, 3, 2
CHANGES: dict[str, Any] = {**FAMILY, "projection": Design(projection=2)}
every_design = pytest.mark.parametrize("design", CHANGES.values(), ids=CHANGES)


def changed(design: Design) -> dict[str, Any]:
    """The parts in which a design differs from the default."""
    return {name: part for name, part in asdict(design).items() if part != asdict(Design())[name]}


def pairs() -> dict[str, Design]:
    """Every two changes together, but for coupled gates where one of them is missing."""
    found = {}
    for (a, one), (b, other) in combinations(list(CHANGES.items())[1:], 2):
        if {a, b} not in ({"CIFG", "NIG"}, {"CIFG", "NFG"}):
            found[f"{a} + {b}"] = replace(one, **changed(other))
    found["all additions"] = Design(
        peepholes=True, gate_recurrence=True, layer_norm=True, projection=2
    )
    found["no gates"] = Design(
        input_gate=False, forget_gate=False, output_gate=False, peepholes=True, gate_recurrence=True
    )
    return found


def draw(
    design: Design, *, D: int = D, H: int = H, T: int = T, B: int = B, dtype: Any = float
) -> tuple[variant.Params, variant.State, np.ndarray, np.ndarray]:
    """Weights, a start, an input and dh of which every entry is random."""
    rng = np.random.default_rng(0)
    shapes = design.shapes(D, H)
    params = variant.Params(**{k: rng.normal(0, 0.5, shape) for k, shape in shapes.items()})
    R = design.projection or H
    state = variant.State(*(rng.normal(size=(B, width)) for width in (R, H, len(params.W_q))))
    x, dh = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, R))
    params = variant.Params(*(array.astype(dtype) for array in params))
    state = variant.State(*(array.astype(dtype) for array in state))
    return params, state, x.astype(dtype), dh.astype(dtype)


def columns(array: np.ndarray, gates: str) -> dict[str, np.ndarray]:
    return dict(zip(gates, np.split(array, len(gates), axis=-1), strict=True))
