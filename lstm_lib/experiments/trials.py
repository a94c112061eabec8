"""A net that learns on-line until the published criterion is met: one trial a seed."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import tee
from typing import Any, ClassVar

import numpy as np

from lstm_lib.experiments.runner import Experiment, Row
from lstm_lib.online import Net, Wiring
from lstm_lib.tasks.published import Error, Reber, Rule, Task, Window
from lstm_lib.tasks.published import Sequence as Shown

TESTED = 2560  # sequences after training, as published


@dataclass(frozen=True, kw_only=True)
class Trials(Experiment):
    """A published task, the net for it, and how that is trained and judged.

    A trial ends when all rules of the task have been met, each at its time, or after `limit`
    sequences. A rule on training sequences is asked after each of them; one on test sequences,
    drawn anew each time, after `every` of them, which is the resolution of the result.
    """

    task: Task
    net: Wiring
    rate: float
    limit: int
    every: int = 1000
    readings: Mapping[str, Rule] = field(default_factory=dict)  #: other rules, noted when met
    published: Mapping[str, float] = field(default_factory=dict, repr=False)  #: sequences, by rule
    success: float = field(default=100, repr=False)  #: published, in percent
    note: str = field(default="", repr=False)  #: how the setting differs from the published one

    summed: ClassVar[bool] = False  #: whether a sequence's changes are made at its end, added up

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        return [self.trial(seed) for seed in seeds]

    def trial(self, seed: int) -> Row:
        """Train one net.

        "met": by rule; "sequences": trained on; "wrong" and "mean": of `TESTED` new sequences
        after that; "curve": (n, mean error of training since the point before).
        """
        net, draw, exam, tests = self.begin(seed)
        n = before = self.prepare(net, draw)
        rules = {**self.task.rules, **self.readings}
        met: dict[str, int | None] = dict.fromkeys(rules)
        windows = {name: Window(rule) for name, rule in rules.items() if rule.on == "training"}
        curve = _Curve(before)
        for n in range(before + 1, self.limit + 1):
            error = self.learn(net, draw())
            curve.add(error.mean)
            for name, window in windows.items():
                if met[name] is None and window.add(error):
                    met[name] = n
            if n % self.every == 0:  # one exam for all rules: what meets the stricter meets both
                left = [name for name in rules if name not in windows and met[name] is None]
                for name, same in zip(left, tee(exam(), len(left)), strict=True):
                    if self._passes(net, rules[name], same):
                        met[name] = n
            if all(met[name] is not None for name in self.task.rules):
                break
        errors = np.array([self.test(net, self.task.draw(tests)) for _ in range(TESTED)])
        tolerance = min(rule.tolerance for rule in self.task.rules.values())
        return {
            "seed": seed,
            "met": met,
            "sequences": n,
            "wrong": int(TESTED - np.count_nonzero(errors[:, 0] < tolerance)),
            "mean": round(float(errors[:, 1].mean()), 5),
            "curve": curve.points(),
        }

    def begin(
        self, seed: int
    ) -> tuple[Net, Callable[[], Shown], Callable[[], Iterable[Shown]], np.random.Generator]:
        """The untrained net, what draws a training sequence and an exam, and what draws tests."""
        weights, shown, tests = (np.random.default_rng(s) for s in _streams(seed))
        net = Net(self.net, weights, rate=self.rate)
        return net, *self._material(seed, shown, tests), tests

    def prepare(self, net: Net, draw: Callable[[], Shown]) -> int:
        """What comes before the training that is watched; after how many sequences it ended."""
        return 0

    def learn(self, net: Net, one: Shown) -> Error:
        """Train on one sequence; the error is that of the answers before the change."""
        at = np.flatnonzero(one.asked)
        answers = net.learn(one.index, one.value, at, one.y[at], summed=self.summed)
        return self._error(one, at, answers)

    def test(self, net: Net, one: Shown) -> Error:
        """The same, without learning."""
        at = np.flatnonzero(one.asked)
        return self._error(one, at, net.predict(one.index, one.value, at))

    def about(self) -> dict[str, Any]:
        rules = {**self.task.rules, **self.readings}
        return {
            "weights": Net(self.net, np.random.default_rng(0), rate=self.rate).weights,
            "rate": self.rate,
            "limit": self.limit,
            "criteria": {name: in_words(rule) for name, rule in rules.items()},
            "published": dict(self.published),
            "published_success": self.success if self.published else None,
            "note": self.note,
        }

    def _error(self, one: Shown, at: Any, answers: Any) -> Error:
        outputs = np.zeros(one.y.shape)
        outputs[at] = answers
        return self.task.error(one, outputs)

    def _passes(self, net: Net, rule: Rule, exam: Iterable[Shown]) -> bool:
        """Whether the rule is met; the exam ends with the first mistake too many."""
        errors: list[Error] = []
        wrong = 0
        for one in exam:
            errors.append(self.test(net, one))
            wrong += not errors[-1].largest < rule.tolerance
            if wrong >= rule.fewer_wrong_than:
                return False
        return rule.met(errors)

    def _material(
        self, seed: int, shown: np.random.Generator, tests: np.random.Generator
    ) -> tuple[Callable[[], Shown], Callable[[], Iterable[Shown]]]:
        """What draws a training sequence, and what draws an exam."""
        task = self.task
        if isinstance(task, Reber):  # seeds 0 … 9 share the first pair of sets, and so on
            train, test = task.sets(np.random.default_rng([1997, seed // 10]))
            return lambda: train[shown.integers(len(train))], lambda: train + test
        count = max(rule.count for rule in task.rules.values())

        def exam() -> Iterator[Shown]:
            return (task.draw(tests) for _ in range(count))

        return lambda: task.draw(shown), exam


class AddedUp(Trials):
    """Trials that change the weights at the end of a sequence, by the sum over its steps."""

    summed: ClassVar[bool] = True


class _Curve:
    """The mean error between points that lie half as far again from the start, each."""

    def __init__(self, start: int) -> None:
        self._n, self._last, self._next, self._sum = start, start, start + 100, 0.0
        self._points: list[tuple[int, float]] = []

    def add(self, error: float) -> None:
        self._n += 1
        self._sum += error
        if self._n == self._next:
            self._end()

    def points(self) -> list[tuple[int, float]]:
        """(n, mean error since the point before)."""
        if self._n > self._last:
            self._end()
        return self._points

    def _end(self) -> None:
        self._points.append((self._n, round(self._sum / (self._n - self._last), 5)))
        self._last, self._next, self._sum = self._n, self._n * 3 // 2, 0.0


def in_words(rule: Rule) -> str:
    """A rule as the tables say it, such as "0 of 256 tests off by .2, mean < .01"."""
    wrong = "0" if rule.fewer_wrong_than == 1 else f"< {rule.fewer_wrong_than}"
    which = "tests" if rule.on == "test" else "last"
    parts = []
    if rule.tolerance < math.inf:
        off = f"off by {rule.tolerance:g}" if rule.tolerance else "wrong"
        parts.append(f"{wrong} of {rule.count:,} {which} {off}".replace(" 0.", " ."))
    if rule.mean_below < math.inf:
        parts.append(f"mean < {rule.mean_below:g}".replace(" 0.", " ."))
    return ", ".join(parts)


def _streams(seed: int) -> list[np.random.SeedSequence]:
    """Of the weights, the training sequences and the tests."""
    return np.random.SeedSequence(seed).spawn(3)
