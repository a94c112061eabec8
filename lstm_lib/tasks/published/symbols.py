"""Experiments 2 and 6 of 1997: a symbol that must be kept while others pass.

Hochreiter & Schmidhuber (1997), sections 5.2 and 5.6. Symbols are one-hot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from lstm_lib.tasks._arguments import at_least, generator
from lstm_lib.tasks.published.rules import Rule
from lstm_lib.tasks.published.task import Sequence, Task, asked_at_the_end, symbols_shown


@dataclass(frozen=True)
class LongLag(Task):
    """Tasks 2a and 2b: predict every next symbol; the last is the first once more.

    The symbols are a_1 … a_(p−1), x and y, in this order. The sequence is (x, a_1, …, a_(p−1), x)
    or (y, a_1, …, a_(p−1), y), with equal chances; with `random_middle` (2b) the p − 1 symbols in
    the middle are drawn uniformly from a_1 … a_(p−1). A net is shown the first p symbols and asked
    at each of them for the next, or with `at_end` at the last alone. It is judged wherever it is
    asked; with `random_middle`, where only the last symbol can be known, at the last.
    D = K = p + 1.

    With `random_middle` and without `at_end` the answer to the last step is 0 at every other step,
    and nothing but their number tells a net that the steps are over.

    Published criterion: no error of .25 or more in 10,000 sequences.

    Raises ValueError if p < 2, TypeError if the others are not True or False.
    """

    p: int = 100
    random_middle: bool = False
    at_end: bool = False

    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType({"test": Rule("test", 10_000, 0.25)})

    def __post_init__(self) -> None:
        at_least("p", self.p, 2)
        for name in ("random_middle", "at_end"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")

    @property
    def D(self) -> int:
        return self.p + 1

    @property
    def K(self) -> int:
        return self.p + 1

    @property
    def do_nothing(self) -> float:
        """1/(2 (p + 1)) at the last step, where two outputs, x and y, have the variance 1/4.

        In 2a the other p − 1 steps can be answered without looking, so it is 1/(2p (p + 1)).
        """
        at_the_end = 1 / (2 * (self.p + 1))
        return at_the_end if self.random_middle or self.at_end else at_the_end / self.p

    def draw(self, rng: np.random.Generator) -> Sequence:
        p, rng = self.p, generator(rng)
        kept = p - 1 + rng.integers(2)
        middle = rng.integers(p - 1, size=p - 1) if self.random_middle else np.arange(p - 1)
        symbols = np.concatenate([[kept], middle, [kept]])
        if self.at_end:
            shown = symbols[:-1, None]
            return asked_at_the_end(shown, np.ones((p, 1)), self.D, np.eye(self.K)[kept])
        y = np.zeros((p, self.K))
        y[np.arange(p), symbols[1:]] = 1
        judged = np.full(p, not self.random_middle)
        judged[-1] = True
        return symbols_shown(symbols[:-1], self.D, y, judged=judged)


@dataclass(frozen=True)
class NoisyLag(Task):
    """Task 2c: keep x or y over q + k distractors, until a trigger.

    The symbols are a_1 … a_p, e, b, x and y, in this order. A net is shown b, then x or y with
    equal chances, then q + k symbols drawn uniformly from a_1 … a_p, then e, and is asked once, at
    e, for the second symbol: (1, 0) for x, (0, 1) for y. After each of the distractors from the
    q-th on, e comes with probability 1/10, so P(k) = (1/10) (9/10)^k and k is 9 on average (the
    paper's "expected length q + 14" counts one too many). D = p + 4, K = 2.

    Published criterion: no error of .2 or more in 10,000 sequences.

    Raises ValueError if q < 1 or p < 1.
    """

    q: int = 50
    p: int = 50

    K: ClassVar[int] = 2
    do_nothing: ClassVar[float] = 1 / 4
    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType({"test": Rule("test", 10_000, 0.2)})

    def __post_init__(self) -> None:
        at_least("q", self.q, 1)
        at_least("p", self.p, 1)

    @property
    def D(self) -> int:
        return self.p + 4

    def draw(self, rng: np.random.Generator) -> Sequence:
        p, rng = self.p, generator(rng)
        e, b, x = p, p + 1, p + 2
        kept = rng.integers(2)
        k = rng.geometric(1 / 10) - 1  # NumPy counts the draw that ends it
        distractors = rng.integers(p, size=self.q + k)
        shown = np.concatenate([[b, x + kept], distractors, [e]])
        return asked_at_the_end(shown[:, None], np.ones((len(shown), 1)), self.D, np.eye(2)[kept])


@dataclass(frozen=True)
class TemporalOrder(Task):
    """Tasks 6a and 6b: in which order did the Xs and Ys come?

    The symbols are E B a b c d X Y, in this order. A sequence of 100 … 110 symbols starts with E
    and ends with B; X or Y, with equal chances, stand at `relevant` places, and symbols drawn
    uniformly from a … d at all others. The places, counted from 1, are drawn uniformly from
    10 … 20 and 50 … 60 (two of them, 6a) or 10 … 20, 33 … 43 and 66 … 76 (three, 6b). A net is
    asked once, at B, for the class, one-hot: XX, XY, YX, YY, or XXX, XXY, …, YYY, in this order.
    D = 8, K = 4 or 8. Guessing names the right class once in K times.

    Published criterion: mean error below .1, and no error of .3 or more in the last 2,000
    training sequences.

    Raises ValueError if relevant is neither 2 nor 3.
    """

    relevant: int = 2

    D: ClassVar[int] = 8
    SYMBOLS: ClassVar[str] = "EBabcdXY"
    PLACES: ClassVar[Mapping[int, tuple[tuple[int, int], ...]]] = MappingProxyType(
        {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}
    )
    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType(
        {"stop": Rule("training", 2000, 0.3, mean_below=0.1)}
    )

    def __post_init__(self) -> None:
        if self.relevant not in self.PLACES:
            raise ValueError(f"relevant must be 2 (task 6a) or 3 (6b), got {self.relevant!r}")

    @property
    def K(self) -> int:
        return int(2**self.relevant)

    @property
    def do_nothing(self) -> float:
        """(1/K) (1 − 1/K), the variance of each output, which is 3/16 in 6a and 7/64 in 6b."""
        return (1 / self.K) * (1 - 1 / self.K)

    def draw(self, rng: np.random.Generator) -> Sequence:
        rng = generator(rng)
        shown = rng.integers(2, 6, rng.integers(100, 111))
        shown[0], shown[-1] = 0, 1
        which = 0
        for first, last in self.PLACES[self.relevant]:
            is_Y = int(rng.integers(2))
            shown[rng.integers(first - 1, last)] = 6 + is_Y
            which = 2 * which + is_Y
        answer = np.zeros(self.K)
        answer[which] = 1
        return asked_at_the_end(shown[:, None], np.ones((len(shown), 1)), self.D, answer)
