"""Gradients followed through time, and checked: tools for a backward pass written by hand.

`state_gradients` looks at every step of the backward pass of a cell of `numpy_cells`;
`check_gradients` compares any gradient with central differences.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class StateGradients(NamedTuple):
    """The derivative of L by the states, row k = 0 … T; c is None for a cell without c."""

    h: Array  #: (T+1, B, H)  ∂L/∂h_k, c_k held fixed
    c: Array | None  #: (T+1, B, H)  ∂L/∂c_k, through h_k too for k ≥ 1


class Check(NamedTuple):
    """The verdict on a gradient, with the entry that is furthest off; `print` says it in a line."""

    ok: bool  #: whether no entry is off by more than the tolerance
    worst: str  #: the entry, such as W_h[2, 5]
    given: float  #: what was given for it
    measured: float  #: what central differences say
    error: float  #: how far these are apart, in units of the largest measured by that array

    def __str__(self) -> str:
        if self.ok:
            return f"right: no entry is off by more than {self.error:.0e} (worst: {self.worst})"
        return f"wrong: {self.worst} is given as {self.given:.6f}, measured {self.measured:.6f}"


def state_gradients(
    cell: ModuleType, params: Any, x: Array, dh: Array, dstate: Any = None, *, state: Any = None
) -> StateGradients:
    """The derivatives of L by the hidden and cell state after each step, by all paths.

    cell: `numpy_cells.rnn`, `.lstm` or `.gru`. x (T, B, D) and state as for cell.forward, dh
    (T, B, H) and dstate as for cell.backward. Row k is by a nudge of the state after step k, with
    row 0 the start: by h_k with c_k held fixed; by c_k before h_k = o_k ⊙ tanh(c_k) is read from
    it, so that the way c_k → h_k counts. Each step is one call of cell.backward.
    """
    trace = cell.forward(params, x, state)
    has_c, zero = "c" in trace._fields, np.zeros_like(trace.h[0])
    by_h, by_c = np.empty_like(trace.h), np.empty_like(trace.h)
    if dstate is None:
        dstate = (zero, zero) if has_c else zero
    for k in range(len(x), -1, -1):
        dh_k, by_c[k] = dstate if has_c else (dstate, zero)
        by_h[k] = dh_k + dh[k - 1] if k else dh_k
        if has_c:  # nothing to add for c_0: row 0 of o is zero
            by_c[k] += by_h[k] * trace.o[k] * (1 - np.tanh(trace.c[k]) ** 2)
        if k:
            step = type(trace)(*(field[k - 1 : k + 1] for field in trace))
            dstate = cell.backward(params, x[k - 1 : k], step, dh[k - 1 : k], dstate).state
    return StateGradients(by_h, by_c if has_c else None)


def check_gradients(
    loss: Callable[[Any], float],
    arrays: Any,
    gradients: Any,
    *,
    tolerance: float = 1e-6,
    step: float = 1e-5,
    entries: int | None = None,
    seed: int = 0,
) -> Check:
    """Compare gradients with central differences, (L(w + ε) − L(w − ε)) / 2ε, entry by entry.

    loss: takes arrays of the same form and returns L. arrays: what L is differentiated by, as
    a named tuple (such as the Params of a cell) or a dict, float64; they are not changed.
    gradients: the derivatives to check, of the same names and shapes. tolerance: how far an entry
    may be off, in units of the largest measured for the same array, beyond what rounding does
    to the difference. step: ε. entries: how many of each array to check, drawn with `seed`; None
    is all. Two calls of `loss` an entry.

    Raises TypeError for float32, whose 7 digits are gone in the difference, and ValueError for
    names or shapes that don't fit, or a loss that is NaN or infinite.
    """
    given, nudged = _by_name("gradients", gradients), _copy(arrays)
    named = _by_name("arrays", nudged)
    _check_pairs(named, given)
    at_start = float(loss(nudged))
    if not np.isfinite(at_start):
        raise ValueError(f"loss must be finite, got {at_start}")
    noise = 10 * np.finfo(float).eps * abs(at_start) / step
    rng, checks = np.random.default_rng(seed), []
    for name, array in named.items():
        places = rng.permutation(array.size)[: array.size if entries is None else entries]
        measured = np.array([_central(lambda: loss(nudged), array, n, step) for n in places])
        stated = np.ravel(given[name])[places]
        scale = np.abs(measured).max() or 1.0
        error = np.abs(stated - measured)
        error = np.where(error <= noise, 0, error / scale)
        k = int(np.nan_to_num(error, nan=np.inf).argmax())
        entry = ", ".join(str(axis) for axis in np.unravel_index(places[k], array.shape))
        values = float(stated[k]), float(measured[k]), float(error[k])
        checks.append(Check(values[2] <= tolerance, f"{name}[{entry}]", *values))
    # A NaN is worse than any number.
    return max(checks, key=lambda check: np.nan_to_num(check.error, nan=np.inf))


def _central(loss: Callable[[], float], array: Array, n: int, step: float) -> float:
    """The central difference of `loss` by entry n of `array`, which is as it was afterwards."""
    before, losses = array.flat[n], []
    for nudge in (step, -step):
        array.flat[n] = before + nudge
        losses.append(float(loss()))
    array.flat[n] = before
    return (losses[0] - losses[1]) / (2 * step)


def _copy(arrays: Any) -> Any:
    """The same form, a named tuple or a dict, with copies of the arrays."""
    copies = {name: np.array(array) for name, array in _by_name("arrays", arrays).items()}
    return type(arrays)(**copies)


def _by_name(argument: str, arrays: Any) -> Mapping[str, Array]:
    named = arrays._asdict() if hasattr(arrays, "_asdict") else arrays
    if not isinstance(named, dict) or not named:
        raise TypeError(
            f"{argument} must be a named tuple or a dict of arrays, got {type(arrays).__name__}"
        )
    return named


def _check_pairs(arrays: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
    if arrays.keys() != gradients.keys():
        names = ", ".join(arrays)
        raise ValueError(f"gradients must have the names {names}, got {', '.join(gradients)}")
    for name, array in arrays.items():
        if array.dtype != np.float64:
            raise TypeError(f"{name} must be float64 to be checked, got {array.dtype}")
        if not array.size:
            raise ValueError(f"{name} must have at least one entry, got shape {array.shape}")
        if np.shape(gradients[name]) != array.shape:
            came = np.shape(gradients[name])
            raise ValueError(f"the gradient of {name} must be {array.shape}, got {came}")
