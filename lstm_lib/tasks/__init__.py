"""Synthetic tasks with exact targets, and beside each the score of doing nothing.

A task is a pure function of a random generator: the same generator state gives the same batch.
Axes as everywhere: x is (T, B, D), T steps of B sequences with D inputs.

`do_nothing` is the expected score of the best answer that ignores x (it may know the step t), in
closed form: cross-entropy in nats where y is an integer, mean squared error where it is a float.
A network that scores this has learnt nothing from its input; only below it does memory begin.

These are the tasks of the chapters. `tasks.published` holds those of 1997 to 2002 as they were
published, with their criteria of success.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.tasks._arguments import at_least, floating, generator


class Batch(NamedTuple):
    """Sequences, their targets, and the score to beat.

    y holds a class (int) or a value (float) for each sequence, or for each step when it has a time
    axis.
    """

    x: NDArray[np.floating]  #: (T, B, D)
    y: NDArray[Any]  #: (B,), (B, 1), (T, B) or (T, B, 1), as the task says
    do_nothing: float  #: nats or mean squared error, see the module


def recall_first(
    rng: np.random.Generator,
    T: int,
    B: int,
    *,
    symbols: int = 4,
    distractors: int = 4,
    dtype: DTypeLike = np.float32,
) -> Batch:
    """Name the first symbol after T − 1 distractors have passed.

    Step 1 shows one of `symbols`, each later step one of `distractors` (another alphabet), all
    one-hot with equal chances: D = symbols + distractors. y (B,) is the symbol, 0 … symbols − 1.
    do_nothing = ln(symbols) nats; the accuracy of guessing is 1/symbols.

    Raises ValueError if T < 1, B < 1, symbols < 2 or distractors < 1.
    """
    T, B = at_least("T", T, 1), at_least("B", B, 1)
    symbols = at_least("symbols", symbols, 2)
    distractors = at_least("distractors", distractors, 1)
    rng = generator(rng)
    shown = rng.integers(symbols, symbols + distractors, (T, B))
    shown[0] = rng.integers(symbols, size=B)
    x = _one_hot(shown, symbols + distractors, dtype)
    return Batch(x, shown[0].copy(), math.log(symbols))


def adding(rng: np.random.Generator, T: int, B: int, *, dtype: DTypeLike = np.float32) -> Batch:
    """Add the two marked numbers of a sequence of T.

    D = 2: a value from U(0, 1) and a marker that is 1 at two steps and else 0: one step in the
    first half (the first T // 2 steps), one in the second. y (B, 1) is the sum of the two marked
    values, in [0, 2]. do_nothing = Var(U + U) = 2/12 = 1/6 (mean squared error of answering 1).
    The form of Le, Jaitly & Hinton (2015) of a task of Hochreiter & Schmidhuber (1997, 5.4).

    Raises ValueError if T < 2 or B < 1.
    """
    T, B = at_least("T", T, 2), at_least("B", B, 1)
    rng, dtype = generator(rng), floating(dtype)
    value, marker = rng.random((T, B)), np.zeros((T, B))
    sequence = np.arange(B)
    marker[rng.integers(0, T // 2, B), sequence] = 1
    marker[rng.integers(T // 2, T, B), sequence] = 1
    x = np.stack([value, marker], axis=-1).astype(dtype)
    # From the rounded inputs, so that y is the sum of what the network is shown.
    y = (x[..., 0] * x[..., 1]).sum(axis=0)[:, None]
    return Batch(x, y, 1 / 6)


def copy(
    rng: np.random.Generator,
    T: int,
    B: int,
    *,
    symbols: int = 8,
    length: int = 10,
    dtype: DTypeLike = np.float32,
) -> Batch:
    """Repeat `length` symbols after a wait of T steps.

    x (T + 2·length, B, symbols + 2) one-hot: `length` random symbols 0 … symbols − 1, then T − 1
    blanks (class `symbols`), a cue (class symbols + 1), and `length` blanks. y (T + 2·length, B):
    blank for T + length steps, then the symbols in their order; the cue is never an answer.
    do_nothing = length · ln(symbols) / (T + 2·length) nats a step: sure of every blank, and
    guessing the symbols. As in Arjovsky, Shah & Bengio (2016, 4.1).

    Raises ValueError if T < 1, B < 1, symbols < 2 or length < 1.
    """
    T, B = at_least("T", T, 1), at_least("B", B, 1)
    symbols, length = at_least("symbols", symbols, 2), at_least("length", length, 1)
    rng = generator(rng)
    blank, cue = symbols, symbols + 1
    shown = np.full((T + 2 * length, B), blank)
    y = shown.copy()
    shown[:length] = y[-length:] = rng.integers(symbols, size=(length, B))
    shown[length + T - 1] = cue
    x = _one_hot(shown, symbols + 2, dtype)
    return Batch(x, y, length * math.log(symbols) / (T + 2 * length))


def latch(
    rng: np.random.Generator,
    T: int,
    B: int,
    *,
    pulse: float = 0.1,
    dtype: DTypeLike = np.float32,
) -> Batch:
    """Hold one bit, as a set–reset latch does.

    D = 2, (set, reset): a step carries a pulse with probability `pulse`, on one of the two lines
    with equal chances, never on both. y (T, B, 1) is the bit after step t: 1 after a set, 0 after
    a reset, unchanged without a pulse; it starts at 0. With q = 1 − pulse the bit is 1 with
    probability p_t = (1 − q^t)/2, so that knowing only t leaves p_t (1 − p_t) = (1 − q^2t)/4, and

        do_nothing = (1/T) Σ_t (1 − q^2t)/4   (mean squared error).

    Raises ValueError if T < 1, B < 1 or pulse is not in (0, 1].
    """
    T, B = at_least("T", T, 1), at_least("B", B, 1)
    if not 0 < pulse <= 1:
        raise ValueError(f"pulse must be a probability in (0, 1], got {pulse}")
    rng, dtype = generator(rng), floating(dtype)
    arrives, is_set = rng.random((T, B)) < pulse, rng.random((T, B)) < 0.5
    x = np.stack([arrives & is_set, arrives & ~is_set], axis=-1).astype(dtype)
    # The bit at t is what the latest pulse up to t said; latest = −1 where none has come yet.
    latest = np.maximum.accumulate(np.where(arrives, np.arange(T)[:, None], -1), axis=0)
    bit = np.take_along_axis(is_set, np.maximum(latest, 0), axis=0) & (latest >= 0)
    still_unset = (1 - pulse) ** (2 * np.arange(1, T + 1))
    return Batch(x, bit[..., None].astype(dtype), float(np.mean((1 - still_unset) / 4)))


def _one_hot(classes: NDArray[np.integer], D: int, dtype: DTypeLike) -> NDArray[np.floating]:
    """(T, B) classes below D as (T, B, D) with a single 1 each."""
    x = np.zeros((*classes.shape, D), floating(dtype))
    np.put_along_axis(x, classes[..., None], 1, axis=-1)
    return x
