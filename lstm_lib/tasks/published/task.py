"""A sequence, several side by side, and what every published task can do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lstm_lib.tasks._arguments import at_least, floating
from lstm_lib.tasks.published.rules import Error, Rule


@dataclass(frozen=True)
class Sequence:
    """One sequence of L steps: what a net is shown, what it is taught, by what it is judged.

    Nearly all inputs are zero, so a step lists those that may differ: `value[t, j]` is on the line
    `index[t, j]`. A net that reads (index, value) needs no products with zeros; `x` has them all.
    """

    index: NDArray[np.integer]  #: (L, k), each below D, different within a step
    value: NDArray[np.floating]  #: (L, k)
    D: int  #: how many lines there are
    y: NDArray[np.floating]  #: (L, K), zero where nothing is asked
    asked: NDArray[np.bool_]  #: (L,), whether there is an error signal at the step
    ideal: NDArray[np.floating]  #: (L, K), y without noise; for grammars all that may come next
    judged: NDArray[np.bool_]  #: (L,), whether the step decides if the sequence is right

    def __len__(self) -> int:
        return len(self.index)

    @property
    def x(self) -> NDArray[np.floating]:
        """(L, D), the inputs with all their zeros."""
        x = np.zeros((len(self), self.D))
        np.put_along_axis(x, self.index, self.value, axis=1)
        return x


class PaddedBatch(NamedTuple):
    """B sequences side by side, zeros and no questions where one is over."""

    x: NDArray[np.floating]  #: (T, B, D), T the length of the longest
    y: NDArray[np.floating]  #: (T, B, K)
    asked: NDArray[np.bool_]  #: (T, B)
    lengths: NDArray[np.int64]  #: (B,)
    sequences: tuple[Sequence, ...]  #: the same one by one, as `Task.error` takes them


def pad(sequences: Iterable[Sequence], *, dtype: DTypeLike = np.float32) -> PaddedBatch:
    """Put sequences of the same task side by side.

    Raises ValueError if there is none, or if they differ in their numbers of lines or outputs.
    """
    sequences, dtype = tuple(sequences), floating(dtype)
    if not sequences:
        raise ValueError("sequences must hold at least one sequence, got none")
    sizes = {(one.D, one.y.shape[1]) for one in sequences}
    if len(sizes) > 1:
        raise ValueError(f"sequences must have the same (D, K), got {sorted(sizes)}")
    ((D, K),) = sizes
    lengths = np.array([len(one) for one in sequences])
    T, B = lengths.max(), len(sequences)
    x, y = np.zeros((T, B, D), dtype), np.zeros((T, B, K), dtype)
    asked = np.zeros((T, B), bool)
    for b, one in enumerate(sequences):
        x[: len(one), b], y[: len(one), b], asked[: len(one), b] = one.x, one.y, one.asked
    return PaddedBatch(x, y, asked, lengths, sequences)


class Task(ABC):
    """What a published task can do. A task is a description, and holds nothing random itself."""

    @property
    @abstractmethod
    def D(self) -> int:
        """Inputs a step."""

    @property
    @abstractmethod
    def K(self) -> int:
        """Outputs."""

    @property
    @abstractmethod
    def do_nothing(self) -> float | None:
        """Mean squared error, over judged steps and outputs, of the best answer that ignores x.

        Measured against `Sequence.ideal`. It may know the step. None: there is no closed form.
        """

    @property
    @abstractmethod
    def rules(self) -> Mapping[str, Rule]:
        """The published criteria, by name."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Sequence:
        """One sequence. The same state of the generator gives the same sequence."""

    def batch(
        self, rng: np.random.Generator, B: int, *, dtype: DTypeLike = np.float32
    ) -> PaddedBatch:
        """B sequences, drawn one after another. Raises ValueError if B < 1."""
        return pad([self.draw(rng) for _ in range(at_least("B", B, 1))], dtype=dtype)

    def error(self, sequence: Sequence, outputs: ArrayLike) -> Error:
        """How far off the outputs are: absolute differences from `ideal` at the judged steps.

        outputs: (L, K), one row a step. Raises ValueError for another shape.
        """
        outputs = checked_outputs(sequence, outputs)
        judged = sequence.judged
        off = np.abs(outputs[judged] - sequence.ideal[judged])
        return Error(float(off.max()), float(off.sum() / off.size))


def checked_outputs(sequence: Sequence, outputs: ArrayLike) -> NDArray[np.floating]:
    """The outputs as an array; ValueError if they are not (L, K) of this sequence."""
    outputs = np.asarray(outputs)
    if outputs.shape != sequence.y.shape:
        L, K = sequence.y.shape
        raise ValueError(f"outputs must be (L={L}, K={K}), got {outputs.shape}")
    return outputs


def symbols_shown(
    shown: NDArray[np.integer],
    D: int,
    y: NDArray[np.floating],
    *,
    ideal: NDArray[np.floating] | None = None,
    judged: NDArray[np.bool_] | None = None,
) -> Sequence:
    """A sequence of symbols, one line each, with a target y (L, K) at every step."""
    asked = np.ones(len(shown), bool)
    return Sequence(
        index=shown[:, None],
        value=np.ones((len(shown), 1)),
        D=D,
        y=y,
        asked=asked,
        ideal=y if ideal is None else ideal,
        judged=asked if judged is None else judged,
    )


def asked_at_the_end(
    index: NDArray[np.integer],
    value: NDArray[np.floating],
    D: int,
    answer: ArrayLike,
    ideal: ArrayLike | None = None,
) -> Sequence:
    """A sequence with one target (K,), at its last step; `ideal` where that is without noise."""
    end = np.zeros(len(index), bool)
    end[-1] = True
    y, without_noise = np.zeros((2, len(index), np.size(answer)))
    y[-1], without_noise[-1] = answer, answer if ideal is None else ideal
    return Sequence(index, value, D, y, end, without_noise, end)
