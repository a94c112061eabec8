"""When a task counts as solved: rules over the errors of many sequences.

The rules of 1997 have one form (Hochreiter & Schmidhuber, 1997, tables 10 and 11): so many
sequences, an error that makes one of them wrong, how few may be wrong, and a bound on the mean
error. Some look at the most recent training sequences, some at a test set.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstm_lib.tasks._arguments import at_least


class Error(NamedTuple):
    """What a net got wrong in one sequence."""

    largest: float  #: over all judged steps and outputs; decides whether the sequence is right
    mean: float  #: over the same steps and outputs


@dataclass(frozen=True)
class Rule:
    """Solved if few enough of `count` sequences are wrong, and their mean error is small enough.

    A sequence is right if its largest error is below `tolerance`; one that is NaN is wrong.

    Raises ValueError if on is neither "training" nor "test", count < 1 or fewer_wrong_than < 1.
    """

    on: Literal["training", "test"]  #: the most recent training sequences, or newly drawn ones
    count: int
    tolerance: float
    fewer_wrong_than: int = 1
    mean_below: float = math.inf

    def __post_init__(self) -> None:
        if self.on not in ("training", "test"):
            raise ValueError(f"on must be 'training' or 'test', got {self.on!r}")
        at_least("count", self.count, 1)
        at_least("fewer_wrong_than", self.fewer_wrong_than, 1)

    def met(self, errors: ArrayLike) -> bool:
        """Whether these errors meet the rule.

        errors: `count` of `Error`, or an array (count, 2). Raises ValueError for another shape.
        """
        errors = np.asarray(errors)
        if errors.shape != (self.count, 2):
            raise ValueError(f"errors must be (count={self.count}, 2), got {errors.shape}")
        wrong = self.count - np.count_nonzero(errors[:, 0] < self.tolerance)
        if wrong >= self.fewer_wrong_than:
            return False
        return math.isinf(self.mean_below) or bool(errors[:, 1].mean() < self.mean_below)


class Window:
    """A rule on the most recent training sequences, asked after each of them::

        window = Window(task.rules["stop"])
        while not window.add(error_of_the_next_sequence): ...

    The paper does not say over which sequences its "average training error" is taken: here over
    the same ones.

    Raises ValueError if the rule is one on a test set.
    """

    def __init__(self, rule: Rule) -> None:
        if rule.on != "training":
            raise ValueError(f"rule must be one on training sequences, got {rule}")
        self.rule = rule
        self.seen = 0  #: how many sequences were added
        self._errors = np.full((rule.count, 2), np.nan)  # a ring: the oldest is overwritten
        self._wrong = rule.count

    def add(self, error: Error) -> bool:
        """Take the error of one more sequence; whether the rule is met now."""
        rule, place = self.rule, self.seen % self.rule.count
        self._wrong += bool(self._errors[place, 0] < rule.tolerance)
        self._wrong -= bool(error.largest < rule.tolerance)
        self._errors[place] = error
        self.seen += 1
        if self.seen < rule.count or self._wrong >= rule.fewer_wrong_than:
            return False  # most often so, and much quicker to say than by the rule
        return rule.met(self._errors)
