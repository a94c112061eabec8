"""A stream of embedded Reber strings that never ends: what forget gates are for.

Gers, Schmidhuber & Cummins (2000), section 4, table 2. A net learns from streams that each end at
its first mistake. It is tested after each, and has solved the task when it makes no mistake in ten
test streams of 100,000 symbols. `EXPERIMENTS` has four nets: with forget gates, at a constant rate
and at one that decays within each stream; the cell of 1997; and that cell with a reset of its state
from outside where a string ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_lib import recorded
from lstm_lib.experiments.runner import Experiment, Row
from lstm_lib.experiments.trials import in_words
from lstm_lib.online import NETS, Net, Wiring
from lstm_lib.tasks.published import SYMBOLS, ContinualReber
from lstm_lib.tasks.published import Sequence as Piece

TASK = ContinualReber(100)
E, B = SYMBOLS.index("E"), SYMBOLS.index("B")
WITH = NETS["Gers 2000"]
WITHOUT = replace(WITH, forget_gate=False, forget_biases=None)
LEAST = 1e-17  # a rate below it changes no weight: they are about 1, in numbers of 16 digits
#: Symbols of a stream after which `Streams.growth` looks.
STEPS = np.unique(np.geomspace(1, TASK.STREAM, 80).astype(int))


@dataclass(frozen=True)
class Part:
    """What a net is shown of a stream in one call."""

    index: NDArray[Any]
    value: NDArray[Any]
    y: NDArray[Any]
    reset: bool  #: whether the state is zero before it

    def ask(self, net: Net) -> NDArray[Any]:
        """The net's outputs."""
        return net.predict(self.index, self.value, range(len(self.y)), reset=self.reset)

    def teach(self, net: Net, decay: float) -> NDArray[Any]:
        """The same while it learns, up to and with the first mistake."""
        at, stop = range(len(self.y)), TASK.TOLERANCE
        how = (self.index, self.value, at, self.y)
        return net.learn(*how, reset=self.reset, decay=decay, stop=stop)

    def right(self, outputs: NDArray[Any]) -> int:
        """How many symbols are predicted rightly before the first mistake."""
        off = np.abs(outputs - self.y[: len(outputs)]).max(axis=1)
        wrong = np.flatnonzero(~(off < TASK.TOLERANCE))
        return int(wrong[0]) if wrong.size else len(outputs)


@dataclass(frozen=True, kw_only=True)
class Streams(Experiment):
    """A net, how it is trained, and where a trial ends that does not get there."""

    net: Wiring = WITH
    rate: float = 0.5
    decay: float = 1.0  #: of the rate after each symbol; every stream begins with the whole rate
    external: bool = False  #: whether the state is set to zero after each string
    streams: int = 30_000  #: at most, as published
    symbols: int = 5_000_000  #: at most, in all training streams
    published: float | None = field(default=None, repr=False)  #: mean number of streams
    success: float = field(default=0, repr=False)  #: published, in percent
    note: str = field(default="a trial also ends after 5,000,000 symbols", repr=False)

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        return [self.trial(seed) for seed in seeds]

    def trial(self, seed: int) -> Row:
        """Train one net.

        "met": after how many streams a test was passed; "streams", "symbols": trained on; "length":
        the mean of ten new test streams up to their first mistakes; "growth": see there; "W", "V":
        the weights, if those ten had none.
        """
        draws = (np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(3))
        weights, shown, tests = draws
        net = Net(self.net, weights, rate=self.rate)
        symbols, met = 0, None
        for n in range(1, self.streams + 1):
            symbols += self.learn(net, shown)
            if self.passes(net, tests):
                met = n
            if met or symbols >= self.symbols:
                break
        length = float(np.mean([self.test(net, tests) for _ in range(TASK.STREAMS)]))
        keep = length >= TASK.STREAM  # a net that passes a test by luck fails the next
        return {
            "seed": seed,
            "met": {"test": met},
            "streams": n,
            "symbols": symbols,
            "length": round(length, 1),
            "growth": [round(norm, 3) for norm in self.growth(net, tests)],
            "W": net.W.round(4).tolist() if keep else None,
            "V": net.V.round(4).tolist() if keep else None,
        }

    def learn(self, net: Net, rng: np.random.Generator) -> int:
        """Learn from one stream; how many symbols were right before the mistake that ended it."""
        net.rate, total = self.rate, 0
        for part in self.parts(TASK.pieces(rng)):
            if net.rate < LEAST:
                outputs = part.ask(net)
            else:
                outputs = part.teach(net, self.decay)
                net.rate *= self.decay ** len(outputs)
            right = part.right(outputs)
            total += right
            if right < len(part.y) or total >= TASK.STREAM:
                break
        return total

    def test(self, net: Net, rng: np.random.Generator) -> int:
        """How many symbols of a new stream are right before the first mistake, or all of it."""
        total = 0
        for part in self.parts(TASK.pieces(rng)):
            right = part.right(part.ask(net))
            total += right
            if right < len(part.y) or total >= TASK.STREAM:
                break
        return total

    def passes(self, net: Net, rng: np.random.Generator) -> bool:
        """Whether no test stream has a mistake; the first one that has ends the test."""
        return all(self.test(net, rng) >= TASK.STREAM for _ in range(TASK.STREAMS))

    def growth(self, net: Net, rng: np.random.Generator) -> list[float]:
        """The norm of the cells' state after each of `STEPS` symbols of one stream, right or not.

        Nothing resets the state, whatever the net was trained with.
        """
        whole, norms = ContinualReber(TASK.STREAM).draw(rng), list[float]()
        for start, end in pairwise([0, *STEPS.tolist()]):
            net.predict(whole.index[start:end], whole.value[start:end], [], reset=start == 0)
            norms.append(float(np.linalg.norm(net.c)))
        return norms

    def parts(self, pieces: Iterator[Piece]) -> Iterator[Part]:
        """The pieces of a stream, cut where the state is reset."""
        fresh = True
        for one in pieces:
            ends = np.zeros(len(one), bool)
            if self.external:
                ends = (one.index[:, 0] == E) & (one.y[:, B] == 1)
            starts = [0, *(np.flatnonzero(ends[:-1]) + 1).tolist()]
            for start, end in pairwise([*starts, len(one)]):
                cut = slice(start, end)
                yield Part(one.index[cut], one.value[cut], one.y[cut], fresh or start > 0)
            fresh = bool(ends[-1])

    def about(self) -> dict[str, Any]:
        return {
            "weights": Net(self.net, np.random.default_rng(0), rate=self.rate).weights,
            "rate": self.rate,
            "limit": self.streams,
            "criteria": {"test": in_words(ContinualReber(TASK.STREAM).rules["test"])},
            "published": {} if self.published is None else {"test": self.published},
            "published_success": self.success,
            "note": self.note,
        }


#: Forget gates, the same with a decaying rate, the cell of 1997, and that with resets.
EXPERIMENTS = (
    Streams(name="continual forget gates", published=18_889, success=18),
    Streams(name="continual forget gates decaying", decay=0.99, published=14_087, success=62),
    Streams(name="continual 1997", net=WITHOUT),
    Streams(name="continual 1997 reset", net=WITHOUT, external=True, published=7441, success=74),
)


def recorded_net(one: Streams = EXPERIMENTS[0], seed: int | None = None) -> Net:
    """A trained net from the records, of those that made no mistake in ten more test streams.

    seed: which; None: the first. Raises ValueError where there is none.
    """
    kept = {row["seed"]: row for row in _recorded_rows(one) if row["W"]}
    if not kept or seed not in (None, *kept):
        raise ValueError(f"seed of {one.name!r} must be one of {[*kept]}, got {seed}")
    row = kept[min(kept) if seed is None else seed]
    net = Net(one.net, np.random.default_rng(0), rate=one.rate)
    net.W[:], net.V[:] = row["W"], row["V"]
    return net


def _recorded_rows(one: Streams) -> list[Row]:
    experiments = recorded.read("continual_reber")["experiments"]
    return next(each["rows"] for each in experiments if each["name"] == one.name)
