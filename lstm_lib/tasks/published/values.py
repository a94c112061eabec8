"""Experiments 3, 4 and 5 of 1997, and spikes of 2002: numbers that must be kept or measured.

Hochreiter & Schmidhuber (1997), sections 5.3 to 5.5; Gers, Schraudolph & Schmidhuber (2002).
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from lstm_lib.tasks._arguments import at_least, generator
from lstm_lib.tasks.published.rules import Rule
from lstm_lib.tasks.published.task import Sequence, Task, asked_at_the_end


def _length(rng: np.random.Generator, T: int) -> int:
    """T … T + T/10, all with equal chances."""
    return int(rng.integers(T, T + T // 10 + 1))


@dataclass(frozen=True)
class TwoSequences(Task):
    """Tasks 3a, 3b and 3c: which of two classes did the first N numbers show?

    One input line and T … T + T/10 steps. The first N numbers are 1 (class 1) or −1 (class 2), with
    equal chances; all later ones are Gaussian, mean 0 and variance .2. A net is asked once, at the
    last step.

    - "a": the answer is 1 for class 1 and 0 for class 2.
    - "b": as "a", with the same Gaussian noise added to the first N numbers too.
    - "c": as "a", but the answer is .2 for class 1 and .8 for class 2, taught with Gaussian noise,
      mean 0 and variance .1; `Sequence.ideal` is without it.

    Published criteria, each on 256 test sequences. In "a", "ST1": no error of .2 or more; "ST2":
    moreover a mean error below .01. In "b", "ST1": fewer than 6 errors of .2 or more; "ST2":
    moreover a mean below .04. In "c", "stop": no error of .1 or more, and a mean below .015.

    Raises ValueError if N < 1, T < N or variant is none of these.
    """

    T: int = 100
    N: int = 3
    variant: Literal["a", "b", "c"] = "a"

    D: ClassVar[int] = 1
    K: ClassVar[int] = 1

    def __post_init__(self) -> None:
        at_least("N", self.N, 1)
        at_least("T", self.T, self.N)
        if self.variant not in ("a", "b", "c"):
            raise ValueError(f"variant must be 'a', 'b' or 'c', got {self.variant!r}")

    @property
    def do_nothing(self) -> float:
        """A quarter of the squared distance of the two answers, .25, and .09 in 3c."""
        return 0.6**2 / 4 if self.variant == "c" else 1 / 4

    @property
    def rules(self) -> Mapping[str, Rule]:
        if self.variant == "c":
            return {"stop": Rule("test", 256, 0.1, mean_below=0.015)}
        few, mean = (1, 0.01) if self.variant == "a" else (6, 0.04)
        return {
            "ST1": Rule("test", 256, 0.2, few),
            "ST2": Rule("test", 256, 0.2, few, mean_below=mean),
        }

    def draw(self, rng: np.random.Generator) -> Sequence:
        rng = generator(rng)
        L = _length(rng, self.T)
        first_class = bool(rng.integers(2))
        value = rng.normal(0, math.sqrt(0.2), (L, 1))
        if self.variant != "b":
            value[: self.N] = 0
        value[: self.N] += 1 if first_class else -1
        ideal = float(first_class)
        answer = ideal
        if self.variant == "c":
            ideal = 0.2 if first_class else 0.8
            answer = ideal + rng.normal(0, math.sqrt(0.1))
        return asked_at_the_end(np.zeros((L, 1), int), value, 1, answer, ideal)


class _TwoMarked(Task):
    """Pairs of a value and a marker, of which two are marked: see `Adding`."""

    T: int
    D: ClassVar[int] = 2
    K: ClassVar[int] = 1
    LOWEST: ClassVar[float]  # of the values; the highest is 1
    NEUTRAL: ClassVar[float]  # the value of the first pair, where that one is marked

    def __post_init__(self) -> None:
        # So that the first ten pairs are among the first T/2 − 1.
        at_least("T", self.T, 22)

    @staticmethod
    @abstractmethod
    def _answer(X1: float, X2: float) -> float: ...

    @property
    def _first_is_marked(self) -> float:
        """The probability that one of the two marks falls on the first pair."""
        return 1 / 10 + (9 / 10) / (self.T // 2 - 2)

    def draw(self, rng: np.random.Generator) -> Sequence:
        rng = generator(rng)
        L = _length(rng, self.T)
        value, index = np.zeros((L, 2)), np.zeros((L, 2), int)
        value[:, 0], index[:, 1] = rng.uniform(self.LOWEST, 1, L), 1
        value[0, 1] = value[-1, 1] = -1
        one = int(rng.integers(10))
        two = int(rng.integers(self.T // 2 - 2))
        two += two >= one  # all of the first T/2 − 1 but the marked one
        value[one, 1] = value[two, 1] = 1
        if 0 in (one, two):
            # In the input, not only in the answer: else the net could not know what it was.
            value[0, 0] = self.NEUTRAL
        return asked_at_the_end(index, value, 2, self._answer(value[one, 0], value[two, 0]))


@dataclass(frozen=True)
class Adding(_TwoMarked):
    """Experiment 4: add the two marked numbers of T … T + T/10 pairs.

    A pair is a value from U(−1, 1) and a marker. The marker is −1 in the first and the last pair,
    and 1 in two: one of the first ten pairs, then one of the first T/2 − 1 that is not marked yet;
    else it is 0. If the first pair is marked, its marker is 1 and its value 0, in the input
    as well. A net is asked once, at the last step, for .5 + (X1 + X2)/4. D = 2, K = 1.

    Published criterion, "stop": mean error below .01, and no error of .04 or more in the last 2,000
    training sequences.

    Raises ValueError if T < 22.
    """

    T: int = 100

    LOWEST: ClassVar[float] = -1
    NEUTRAL: ClassVar[float] = 0
    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType(
        {"stop": Rule("training", 2000, 0.04, mean_below=0.01)}
    )

    @staticmethod
    def _answer(X1: float, X2: float) -> float:
        return 0.5 + (X1 + X2) / 4

    @property
    def do_nothing(self) -> float:
        """(2 − P)/48, where P = 1/10 + (9/10)/(T/2 − 2) is how often the first pair is marked.

        .0392 for T = 100. Without that rule, P = 0, it is Var(X1 + X2)/16 = 1/24 = .0417.
        """
        return (2 - self._first_is_marked) / 48


@dataclass(frozen=True)
class Multiplication(_TwoMarked):
    """Experiment 5: multiply the two marked numbers. As `Adding`, with values from U(0, 1).

    If the first pair is marked, its value is 1. A net is asked for X1 · X2.

    Published criteria: fewer than 140 ("140"), and later fewer than 13 ("13"), of the last 2,000
    training sequences have an error of .04 or more.

    Raises ValueError if T < 22.
    """

    T: int = 100

    LOWEST: ClassVar[float] = 0
    NEUTRAL: ClassVar[float] = 1
    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType(
        {str(n): Rule("training", 2000, 0.04, fewer_wrong_than=n) for n in (140, 13)}
    )

    @staticmethod
    def _answer(X1: float, X2: float) -> float:
        return X1 * X2

    @property
    def do_nothing(self) -> float:
        """(1 + 2P)/9 − ((1 + P)/4)², with the P of `Adding`.

        .0593 for T = 100: where the first pair is marked, the answer is the other number alone.
        Without that rule, P = 0, it is 1/9 − 1/16 = 7/144 = .0486.
        """
        P = self._first_is_marked
        return (1 + 2 * P) / 9 - ((1 + P) / 4) ** 2


@dataclass(frozen=True)
class SpikeDelays(Task):
    """Measure how long a spike kept one waiting (Gers, Schraudolph & Schmidhuber, 2002).

    One input line: 1 at a spike, else 0. Spike n comes F + I(n) steps after the one before, the
    first so long after the start, where I(n) is one of `delays`, with equal chances; the sequence
    ends with the last of `spikes`. A net is asked at each spike for I(n). With F = 49 and delays
    0 and 1 it has to tell 49 steps from 50. D = K = 1.

    Published criterion, "test": no error of .49 or more in 1,000 spikes (here: in as many sequences
    as have 1,000 spikes). The paper trains on streams that end at the first such error, or after
    100 spikes.

    Raises ValueError if F < 1, spikes < 1, or delays are not different integers ≥ 0, two or more.
    """

    F: int = 49
    delays: tuple[int, ...] = (0, 1)
    spikes: int = 1

    D: ClassVar[int] = 1
    K: ClassVar[int] = 1

    def __post_init__(self) -> None:
        at_least("F", self.F, 1)
        at_least("spikes", self.spikes, 1)
        for delay in self.delays:
            at_least("each of delays", delay, 0)
        if len(set(self.delays)) < max(2, len(self.delays)):
            raise ValueError(f"delays must be two or more, all different, got {self.delays}")

    @property
    def do_nothing(self) -> float:
        """The variance of `delays`, for the best constant (the step would give the delay away)."""
        return float(np.var(self.delays))

    @property
    def rules(self) -> Mapping[str, Rule]:
        return {"test": Rule("test", math.ceil(1000 / self.spikes), 0.49)}

    def draw(self, rng: np.random.Generator) -> Sequence:
        delay = generator(rng).choice(self.delays, self.spikes)
        after = np.cumsum(self.F + delay)  # steps up to and with each spike
        value = np.zeros((after[-1], 1))
        value[after - 1] = 1
        y = np.zeros_like(value)
        y[after - 1, 0] = delay
        asked = value[:, 0] == 1
        return Sequence(np.zeros_like(value, dtype=int), value, 1, y, asked, y, asked)
