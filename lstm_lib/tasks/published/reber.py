"""The grammars of Reber: strings that a small automaton writes, and that it can judge.

REBER is the grammar that Cleeremans, Servan-Schreiber & McClelland (1989) and Hochreiter &
Schmidhuber (1997, figure 3) draw. The embedded one (figure 4) puts it between two symbols that
must be equal, T or P, so that the symbol before the last can be known only from the second.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from lstm_lib.tasks._arguments import at_least, generator
from lstm_lib.tasks.published.rules import Error, Rule
from lstm_lib.tasks.published.task import Sequence, Task, checked_outputs, symbols_shown

SYMBOLS = "BTPSXVE"
"""The order of the lines, here and in the outputs."""


@dataclass(frozen=True)
class Grammar:
    """An automaton: from each node, symbols lead to further nodes, with equal chances.

    A string is of the grammar if its symbols lead from `start` to `end`.
    """

    edges: tuple[tuple[str, str, str], ...] = field(repr=False)  #: (node, symbol, next node)
    start: str
    end: str

    def string(self, rng: np.random.Generator) -> str:
        """One random string."""
        rng, node, symbols = generator(rng), self.start, ""
        while node != self.end:
            ways = list(self._ways[node].items())
            symbol, node = ways[rng.integers(len(ways))]
            symbols += symbol
        return symbols

    def accepts(self, string: str) -> bool:
        """Whether the string is of the grammar, from its start to its end."""
        nodes = self._nodes(string)
        return len(nodes) > len(string) and nodes[-1] == self.end

    def possible(self, string: str) -> list[str]:
        """What may come first, and after each symbol of a string or of the beginning of one.

        Such as ["B", "TP", "SX"] for "BT"; after the end of a string "". Raises ValueError, naming
        the place, if no string of the grammar begins so.
        """
        nodes = self._nodes(string)
        may_follow = ["".join(self._ways.get(node, {})) for node in nodes]
        if len(nodes) <= len(string):
            raise ValueError(
                f"string must begin one of the grammar: symbol {len(nodes)} of {string!r} must be "
                f"one of {may_follow[-1]!r}, got {string[len(nodes) - 1]!r}"
            )
        return may_follow

    @cached_property
    def _ways(self) -> dict[str, dict[str, str]]:
        ways: dict[str, dict[str, str]] = {}
        for node, symbol, following in self.edges:
            ways.setdefault(node, {})[symbol] = following
        return ways

    def _nodes(self, string: str) -> list[str]:
        """The start, and the node after each symbol, up to the first that leads nowhere."""
        nodes = [self.start]
        for symbol in string:
            following = self._ways.get(nodes[-1], {}).get(symbol)
            if following is None:
                break
            nodes.append(following)
        return nodes


REBER = Grammar(
    (
        ("0", "B", "1"),
        *(("1", "T", "2"), ("1", "P", "3")),
        *(("2", "S", "2"), ("2", "X", "4")),
        *(("3", "T", "3"), ("3", "V", "5")),
        *(("4", "X", "3"), ("4", "S", "6")),
        *(("5", "P", "4"), ("5", "V", "6")),
        ("6", "E", "7"),
    ),
    start="0",
    end="7",
)
"""Strings of 5 symbols or more, such as BTXSE."""

EMBEDDED_REBER = Grammar(
    (
        ("start", "B", "outer"),
        *(("outer", outer, outer + REBER.start) for outer in "TP"),
        *(
            (outer + node, symbol, outer + following)
            for outer in "TP"
            for node, symbol, following in REBER.edges
        ),
        *((outer + REBER.end, outer, "last") for outer in "TP"),
        ("last", "E", "end"),
    ),
    start="start",
    end="end",
)
"""Strings of 9 symbols or more, such as BTBTXSETE."""


@dataclass(frozen=True)
class Reber(Task):
    """Experiment 1: predict each next symbol of a string of the embedded Reber grammar.

    A net is shown a string without its last symbol, one-hot, and taught at each step the symbol
    that came next; it is judged by those that may come next: see `error`. D = K = 7.

    Published criterion, "test": no symbol of 256 training strings and of 256 test strings is
    predicted wrongly. `sets` draws them.
    """

    grammar: Grammar = EMBEDDED_REBER

    D: ClassVar[int] = len(SYMBOLS)
    K: ClassVar[int] = len(SYMBOLS)
    do_nothing: ClassVar[None] = None
    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType({"test": Rule("test", 512, 0)})

    def draw(self, rng: np.random.Generator) -> Sequence:
        return self.sequence(self.grammar.string(rng))

    def sets(self, rng: np.random.Generator, n: int = 256) -> tuple[list[Sequence], list[Sequence]]:
        """n training strings and n test strings, as Hochreiter & Schmidhuber (1997) draw them.

        A training string may be drawn again and again, so may a test string; but no test string is
        among the training strings. Raises ValueError if n < 1.
        """
        train = [self.grammar.string(rng) for _ in range(at_least("n", n, 1))]
        seen, test = set(train), list[str]()
        while len(test) < n:
            string = self.grammar.string(rng)
            if string not in seen:
                test.append(string)
        return [self.sequence(one) for one in train], [self.sequence(one) for one in test]

    def sequence(self, string: str) -> Sequence:
        """The sequence that shows this string. Raises ValueError if it is not of the grammar."""
        possible = self.grammar.possible(string)
        if possible[-1]:
            raise ValueError(f"string must be a whole one of the grammar, {string!r} goes on")
        index = np.array([SYMBOLS.index(symbol) for symbol in string])
        y = np.eye(len(SYMBOLS))[index[1:]]
        ideal = np.array([[symbol in each for symbol in SYMBOLS] for each in possible[1:-1]], float)
        return symbols_shown(index[:-1], len(SYMBOLS), y, ideal=ideal)

    def error(self, sequence: Sequence, outputs: ArrayLike) -> Error:
        """By how much the most active impossible symbol exceeds the least active possible one.

        Below 0, the symbols that may follow are the most active ones: the step is right.
        `largest` and `mean` are over the steps. outputs: (L, 7).
        """
        outputs, may_follow = checked_outputs(sequence, outputs), sequence.ideal == 1
        impossible = np.where(may_follow, -np.inf, outputs).max(axis=1)
        over = impossible - np.where(may_follow, outputs, np.inf).min(axis=1)
        return Error(float(over.max()), float(over.mean()))


class _Stream:
    """The embedded grammar with its end joined to its start, as tables over its edges."""

    def __init__(self) -> None:
        edges = EMBEDDED_REBER.edges
        leaving: dict[str, list[int]] = {}
        for edge, (node, _, _) in enumerate(edges):
            leaving.setdefault(node, []).append(edge)
        leaving[EMBEDDED_REBER.end] = leaving[EMBEDDED_REBER.start]
        ways = [leaving[following] for _, _, following in edges]
        self.first = leaving[EMBEDDED_REBER.start][0]
        self.after = [(way[0], way[-1]) for way in ways]  #: by one edge, the next, heads or tails
        self.symbol = np.array([SYMBOLS.index(symbol) for _, symbol, _ in edges])
        self.ideal = np.zeros((len(edges), len(SYMBOLS)))  #: all that may follow
        for edge, way in enumerate(ways):
            self.ideal[edge, self.symbol[way]] = 1


_STREAM = _Stream()


@dataclass(frozen=True)
class ContinualReber(Task):
    """Predict a stream of embedded Reber strings, one after another, that never ends.

    Gers, Schmidhuber & Cummins (2000). Nothing but its symbols says where a string begins: after E
    comes B. `pieces` cuts one stream into sequences of `length` symbols, for a net that keeps its
    state from each to the next; `draw` is a first piece. D = K = 7.

    Other than in experiment 1 a net is taught all symbols that may come next, one or two of seven,
    and a step is right if no output is .49 or more off. The paper ends a training stream at the
    first mistake: `first_mistake` says where in a piece that is.

    Published criterion, "test": 10 streams of 100,000 symbols without a mistake; the rule takes the
    errors of their pieces.

    Raises ValueError if length < 1.
    """

    length: int = 1000

    D: ClassVar[int] = len(SYMBOLS)
    K: ClassVar[int] = len(SYMBOLS)
    do_nothing: ClassVar[None] = None
    STREAMS: ClassVar[int] = 10
    STREAM: ClassVar[int] = 100_000
    TOLERANCE: ClassVar[float] = 0.49

    def __post_init__(self) -> None:
        at_least("length", self.length, 1)

    @property
    def rules(self) -> Mapping[str, Rule]:
        pieces = self.STREAMS * math.ceil(self.STREAM / self.length)
        return {"test": Rule("test", pieces, self.TOLERANCE)}

    def draw(self, rng: np.random.Generator) -> Sequence:
        return next(self.pieces(rng))

    def pieces(self, rng: np.random.Generator) -> Iterator[Sequence]:
        """One stream, piece by piece, without end."""
        rng, edge = generator(rng), _STREAM.first
        while True:
            edges = list[int]()
            for choice in (rng.random(self.length) < 0.5).tolist():
                edges.append(edge)
                edge = _STREAM.after[edge][choice]
            yield symbols_shown(_STREAM.symbol[edges], self.D, _STREAM.ideal[edges])

    def first_mistake(self, sequence: Sequence, outputs: ArrayLike) -> int:
        """How many symbols are predicted rightly before the first wrong one; all: the length."""
        off = np.abs(checked_outputs(sequence, outputs) - sequence.ideal).max(axis=1)
        wrong = np.flatnonzero(~(off < self.TOLERANCE))
        return int(wrong[0]) if wrong.size else len(off)
