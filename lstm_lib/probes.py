"""What a state still holds, where a gradient goes, what a gate does, how long a memory lasts.

The probes take arrays and the traces of `numpy_cells`, and change nothing. Decoding is linear: it
finds what a linear readout could use, so a low score does not prove that nothing is there.
"""

import warnings
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Array = NDArray[np.floating]
ROWS = 2**14
"""Sequences a batch of one-step derivatives may have: bounds the memory, not the result."""


class Decoded(NamedTuple):
    """A held-out score, and what an answer that ignores the state scores there."""

    score: float  #: accuracy, or R² for float labels
    chance: float  #: what ignoring the state scores


class DecodedOverTime(NamedTuple):
    """A held-out score for each step t in `steps`, and the one chance level."""

    steps: NDArray[np.int64]  #: 1, 1 + every, …
    score: NDArray[np.float64]  #: one for each of them
    chance: float  #: what ignoring the state scores


class JacobianNorms(NamedTuple):
    """Spectral norms by k = 0 … T; c is None for a cell without a cell state."""

    h: NDArray[np.float64]  #: (T+1,)  ‖∂h_T/∂h_k‖
    c: NDArray[np.float64] | None  #: (T+1,)  ‖∂c_T/∂c_k‖


class GateStatistics(NamedTuple):
    """A gate's values over all steps, sequences and units, and the share near 0 and near 1."""

    mean: float  #: in [0, 1]
    std: float  #: over steps, sequences and units together
    closed: float  #: share below 0.1
    open: float  #: share above 0.9


def decode(states: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> Decoded:
    """How well a linear readout recovers `labels` (N,) from `states` (N, H).

    Fitted on two thirds of the rows, scored on the other third, drawn with `seed`. Integer labels:
    logistic regression, score = accuracy, chance = accuracy of always giving the most frequent
    class. Float labels: ridge regression, score = R² (below 0 where worse than the mean), chance
    0. The units are standardised first, so that a small but distinct trace counts.

    Raises ValueError for shapes that don't fit, NaN or infinity, fewer than four rows, labels
    that are all the same, or a class with fewer than three rows; TypeError for another dtype.
    """
    states, labels = _check_decoding(np.asarray(states), np.asarray(labels))
    classes = labels.dtype.kind != "f"
    seen, held_out, seen_y, held_out_y = train_test_split(
        states, labels, test_size=1 / 3, random_state=seed, stratify=labels if classes else None
    )
    # Newton's method: in a few iterations at the optimum, so the score is the same on any machine.
    reader = LogisticRegression(solver="newton-cholesky") if classes else Ridge()
    model = make_pipeline(StandardScaler(), reader)
    with warnings.catch_warnings():
        # A fit that stops early or takes another solver still has a fair held-out score.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy's LinAlgWarning is one
        model.fit(seen, seen_y)
    chance = 0.0
    if classes:
        chance = DummyClassifier().fit(seen, seen_y).score(held_out, held_out_y)
    return Decoded(float(model.score(held_out, held_out_y)), float(chance))


def decode_over_time(
    states: ArrayLike, labels: ArrayLike, *, every: int = 1, seed: int = 0
) -> DecodedOverTime:
    """`decode` the labels (B,) from the states at steps 1, 1 + every, … of states (T+1, B, H).

    Row 0, the start, is left out: it has seen nothing. The sequences are split the same way at
    each step, so the steps compare.
    """
    states = np.asarray(states)
    if states.ndim != 3 or len(states) < 2:
        raise ValueError(f"states must be (T+1, B, H) with T ≥ 1, got {states.shape}")
    if not isinstance(every, int | np.integer) or every < 1:
        raise ValueError(f"every must be a positive integer, got {every}")
    steps = np.arange(1, len(states), every)
    decoded = [decode(states[t], labels, seed=seed) for t in steps]
    return DecodedOverTime(steps, np.array([d.score for d in decoded]), decoded[0].chance)


def step_jacobians(cell: ModuleType, params: Any, x: Array, state: Any = None) -> Array:
    """The exact Jacobian ∂s_t/∂s_{t−1} of each step of one sequence, (T, S, S), t = 1 … T.

    x: (T, 1, D); state as for cell.forward. Entry [t−1, a, b] is the derivative of unit a after
    step t by unit b before it, with x_t and all other units before it held fixed. s_t is h_t, S =
    H, for RNN and GRU; for the LSTM s_t = [h_t, c_t], S = 2H, with the blocks

        [:H, :H] ∂h_t/∂h_{t−1}    [:H, H:] ∂h_t/∂c_{t−1}
        [H:, :H] ∂c_t/∂h_{t−1}    [H:, H:] ∂c_t/∂c_{t−1} = diag(f_t)   (h_{t−1} held fixed)

    Each row is cell.backward of a single step with a 1 at one unit.
    """
    x = np.asarray(x)
    if x.ndim != 3 or x.shape[1] != 1:
        raise ValueError(f"x must be (T, B=1, D): one sequence, got {x.shape}")
    trace = cell.forward(params, x, state)
    has_c = "c" in trace._fields
    before = np.concatenate([trace.h, trace.c], -1) if has_c else trace.h
    before = before[:-1, 0]  # (T, S)
    T, S = before.shape
    steps_at_once = max(1, ROWS // S)
    blocks = [
        _jacobians(cell, params, x[t : t + steps_at_once, 0], before[t : t + steps_at_once], has_c)
        for t in range(0, T, steps_at_once)
    ]
    return np.concatenate(blocks)


def jacobian_norms(cell: ModuleType, params: Any, x: Array, state: Any = None) -> JacobianNorms:
    """How strongly the last state depends on each earlier one: ‖∂h_T/∂h_k‖ and ‖∂c_T/∂c_k‖.

    x: (T, 1, D). Index k runs from 0 to T; the norm at k = T is 1. The spectral norm: the most
    that a small change at step k can grow by step T (Pascanu et al. 2013). The inputs are held
    fixed. For the LSTM they are the diagonal blocks of ∂s_T/∂s_k = J_T ⋯ J_{k+1}, s = [h, c]:
    by h_k with c_k held fixed, and by c_k with h_k held fixed; every path in between counts,
    through gates, candidate and hidden states too. The path along the cell state alone is the
    product of the forget gates, `trace.f[k+1:].prod(0)`, and is not this norm.
    """
    J = step_jacobians(cell, params, x, state).astype(np.float64)
    T, S, _ = J.shape
    product = np.empty((T + 1, S, S))  # product[k] = ∂s_T/∂s_k
    product[T] = np.eye(S)
    for k in range(T, 0, -1):
        product[k - 1] = product[k] @ J[k - 1]
    has_c = "c" in cell.Trace._fields
    H = S // 2 if has_c else S
    h = _spectral_norms(product[:, :H, :H])
    c = _spectral_norms(product[:, H:, H:]) if has_c else None
    return JacobianNorms(h, c)


def gate_statistics(trace: Any) -> dict[str, GateStatistics]:
    """Mean, spread and share closed and open of each gate of an LSTM (i, f, o) or GRU (r, z).

    trace: of the cell, fields (T+1, B, H), arrays or detached tensors; row 0, before step 1, is
    left out. The candidates are not gates. Raises ValueError for a trace without gates.
    """
    names = "ifo" if hasattr(trace, "c") else "rz"
    if not all(hasattr(trace, name) for name in names):
        came = getattr(trace, "_fields", type(trace).__name__)
        raise ValueError(f"trace must have the gates of an LSTM or a GRU, got {came}")
    statistics = {}
    for name in names:
        gate = np.asarray(getattr(trace, name))[1:]
        closed, open_ = float(np.mean(gate < 0.1)), float(np.mean(gate > 0.9))
        # In float64: a sum of squares overflows float16.
        mean, std = gate.mean(dtype=np.float64), gate.std(dtype=np.float64)
        statistics[name] = GateStatistics(float(mean), float(std), closed, open_)
    return statistics


def half_life(f: ArrayLike) -> Any:
    """Steps until a memory that is multiplied by f at each step has halved: ln ½ / ln f.

    f: a number or array in [0, 1]; 0 gives 0 and 1 gives infinity. ValueError outside.
    """
    f = np.asarray(f, dtype=np.float64)
    if not np.all((f >= 0) & (f <= 1)):
        raise ValueError(f"f must lie in [0, 1], got {f}")
    with np.errstate(divide="ignore"):
        steps = np.log(0.5) / np.log(f)
    return np.abs(steps)[()]  # f = 1 gives ln ½ / 0 = −∞; [()] makes a number of a 0-d array


def measured_half_life(c: ArrayLike) -> float:
    """Steps until ``|c_t|`` has fallen to half of ``|c_0|``, infinity if it never does.

    c: (T+1,), row 0 the start. Between two steps ``ln |c|`` is taken as straight, so a pure decay
    by f gives ln ½ / ln f whether or not that is a whole number. ValueError for another rank, NaN,
    infinity or c_0 = 0.
    """
    c = np.asarray(c, dtype=np.float64)
    if c.ndim != 1 or not c.size or not np.isfinite(c).all() or c[0] == 0:
        raise ValueError(f"c must be (T+1,), finite and with c[0] ≠ 0, got {c}")
    with np.errstate(divide="ignore"):  # ln 0 = −∞ is a fall like any other
        left = np.log(np.abs(c / c[0])) - np.log(0.5)  # how far above half, in ln
    below = np.flatnonzero(left <= 0)
    if not below.size:
        return np.inf
    t = below[0]
    return float(t - 1 + left[t - 1] / (left[t - 1] - left[t]))


def _spectral_norms(matrices: Array) -> NDArray[np.float64]:
    """The norm of each of n matrices; NaN or infinity of a matrix that holds it."""
    norms = np.abs(matrices).max(axis=(1, 2))
    finite = np.isfinite(norms)
    norms[finite] = np.linalg.norm(matrices[finite], 2, axis=(1, 2))  # the SVD takes no NaN
    return norms


def _check_decoding(states: NDArray[Any], labels: NDArray[Any]) -> tuple[Array, NDArray[Any]]:
    if states.ndim != 2 or not states.shape[1] or labels.shape != states.shape[:1]:
        raise ValueError(
            f"states must be (N, H ≥ 1) and labels (N,), got {states.shape} and {labels.shape}"
        )
    for name, array in {"states": states, "labels": labels}.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name} must be integers or floats, got {array.dtype}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
    if len(labels) < 4:  # R² of a single held-out row has no meaning
        raise ValueError(f"states must have at least 4 rows to hold two out, got {len(labels)}")
    values, counts = np.unique(labels, return_counts=True)
    if len(values) < 2:
        raise ValueError(f"labels must differ, got {values[0]} only")
    if labels.dtype.kind != "f" and counts.min() < 3:
        rare = values[counts.argmin()]
        raise ValueError(f"labels must have each class 3 times, got {rare} {counts.min()} times")
    if labels.dtype.kind == "f":
        labels = _scaled(labels)
    return _scaled(states.astype(np.float64)), labels


def _scaled(values: Array) -> Array:
    """Each column times the power of 2 that makes its largest entry about 1.

    Exact, and changes no score; squares of 1e200 and 1e-200 would leave float64.
    """
    return np.ldexp(values, -np.frexp(np.abs(values).max(axis=0))[1])


def _jacobians(cell: ModuleType, params: Any, x: Array, before: Array, has_c: bool) -> Array:
    """The Jacobians of n single steps, x (n, D) and before (n, S), as one batch of n·S."""
    (n, S), H = before.shape, before.shape[1] // (2 if has_c else 1)
    x, before = (np.repeat(array, S, axis=0) for array in (x, before))
    seeds = np.tile(np.eye(S, dtype=before.dtype), (n, 1))  # row a of each S asks for ∂s_a

    def state(s: Array) -> Any:
        return (s[:, :H], s[:, H:]) if has_c else s

    trace = cell.forward(params, x[None], state(before))
    no_dh = np.zeros_like(trace.h[1:])
    start = cell.backward(params, x[None], trace, no_dh, state(seeds)).state
    return (np.concatenate(start, -1) if has_c else start).reshape(n, S, S)
