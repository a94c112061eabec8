"""Four small tasks that ask different things of a cell, drawn and judged as nets learn them.

- adding: carry two numbers exactly, the first for up to 40 steps;
- order: notice two events among others, and tell which came first (a short form of 6a of 1997);
- grammar: predict each next symbol of embedded Reber strings, 512 of them to learn from and 512
  others;
- speakers: recordings, which of nine men says "ae"; 270 to learn from and 370 others.

What is held out is the same for every net and seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_lib import data, tasks
from lstm_lib.audio import standardise
from lstm_lib.tasks.published import PaddedBatch, Reber, pad
from lstm_lib.train.side_by_side import ANSWERS, Examples

HELD_OUT = 1000  # sequences, where any number can be drawn
OFF = 0.08  # a sum in 0 … 2 is wrong from here on: .04 of 1997, on a scale twice as wide


@dataclass(frozen=True)
class SmallTask:
    """A task: what is learnt from, what is held out, and when it counts as learnt."""

    D: int  #: inputs
    K: int  #: outputs
    answer: str  #: "values" or "one of K", see `train.side_by_side.ANSWERS`
    draw: Callable[[np.random.Generator, int], Examples]  #: B sequences to learn from
    held_out: Callable[[], Examples]  #: y is the best answer: where that is unsure, chances
    learnt: float  #: the mean loss of training, above the least possible, that counts as learnt
    least: Callable[[], float] = lambda: 0.0  #: the loss of the best answer in training

    @torch.no_grad()
    def test(self, model: nn.Module) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The held-out loss above the least possible, and the share of wrong sequences, (S,) each.

        The loss is a mean over what is asked: squared error, or nats. A sequence is wrong if a sum
        is off by `OFF` or more, or if at any step another symbol has more than one that may come.
        """
        x, y, asked = (torch.as_tensor(each) for each in self.held_out())
        outputs, answer = model(x), ANSWERS[self.answer]
        y = y[:, None].expand_as(outputs)
        loss, wrong = answer.loss(outputs, y), _off(outputs, y)
        if self.answer == "one of K":
            loss, wrong = loss - torch.special.entr(y).sum(-1), _impossible(outputs, y)
        above = (loss * asked[:, None]).sum((0, 2)) / asked.sum()
        share = (wrong & asked[:, None]).any(0).double().mean(-1)
        return above.double().numpy(), share.numpy()


def _off(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs - y).abs().amax(-1) >= OFF


def _impossible(outputs: Tensor, y: Tensor) -> Tensor:
    """Whether what cannot come has at least as much as something that can."""
    can = y > 0
    return outputs.masked_fill(can, -np.inf).amax(-1) >= outputs.masked_fill(~can, np.inf).amin(-1)


def adding(rng: np.random.Generator, B: int, *, T: int = 40) -> Examples:
    """`tasks.adding`."""
    batch = tasks.adding(rng, T, B)
    return _asked_at(np.full(B, T - 1), batch.x, batch.y)


def order(rng: np.random.Generator, B: int, *, T: int = 30) -> Examples:
    """Temporal order as `tasks.published.TemporalOrder(2)`, in T = 30 symbols always.

    The two that count stand at 3 … 6 and at 15 … 18, counted from 1.
    """
    shown = rng.integers(2, 6, (T, B))
    shown[0], shown[-1] = 0, 1
    is_Y, each = rng.integers(2, size=(2, B)), np.arange(B)
    for (first, last), which in zip(((3, 6), (15, 18)), is_Y, strict=True):
        shown[rng.integers(first, last + 1, B) - 1, each] = 6 + which
    y = np.eye(4, dtype=np.float32)[2 * is_Y[0] + is_Y[1]]
    return _asked_at(np.full(B, T - 1), np.eye(8, dtype=np.float32)[shown], y)


def grammar(rng: np.random.Generator, B: int) -> Examples:
    """Strings of the 512, as often as they were drawn."""
    train, _ = _strings()
    chosen = rng.integers(len(train.lengths), size=B)
    T = train.lengths[chosen].max()
    return Examples(train.x[:T, chosen], train.y[:T, chosen], train.asked[:T, chosen])


def speakers(rng: np.random.Generator, B: int) -> Examples:
    """Recordings of the 270, none twice."""
    train, _ = _recordings()
    chosen = rng.choice(train.x.shape[1], B, replace=False)
    return Examples(train.x[:, chosen], train.y[:, chosen], train.asked[:, chosen])


def _asked_at(
    last: NDArray[np.integer], x: NDArray[np.floating], answer: NDArray[np.floating]
) -> Examples:
    """Sequences with one answer (B, K) each, at its step `last` (B,)."""
    T, B, _ = x.shape
    y, asked = np.zeros((T, B, answer.shape[1]), np.float32), np.zeros((T, B), bool)
    y[last, np.arange(B)], asked[last, np.arange(B)] = answer, True
    return Examples(x, y, asked)


@cache
def _strings() -> tuple[PaddedBatch, PaddedBatch]:
    train, test = Reber().sets(np.random.default_rng(0), 512)
    return pad(train), pad(test)


def _chances(strings: PaddedBatch) -> NDArray[np.float32]:
    """What may come next, with equal chances: (T, B, K) as y."""
    chances = np.zeros_like(strings.y)
    for b, one in enumerate(strings.sequences):
        chances[: len(one), b] = one.ideal / one.ideal.sum(-1, keepdims=True)
    return chances


def _unsure(strings: PaddedBatch) -> float:
    """The mean entropy of the next symbol, in nats."""
    chances = torch.from_numpy(_chances(strings))
    return float(torch.special.entr(chances).sum() / strings.asked.sum())


@cache
def _recordings() -> tuple[Examples, Examples]:
    """The two sets, standardised by the first, padded with zeros after their ends."""
    found = data.load_japanese_vowels()
    train, test = standardise(found.train, found.test)
    return _padded(train, found.train_speaker), _padded(test, found.test_speaker)


def _padded(recordings: list[NDArray[np.floating]], speaker: NDArray[np.integer]) -> Examples:
    lengths = np.array([len(one) for one in recordings])
    x = np.zeros((lengths.max(), len(lengths), recordings[0].shape[1]), np.float32)
    for b, one in enumerate(recordings):
        x[: len(one), b] = one
    return _asked_at(lengths - 1, x, np.eye(9, dtype=np.float32)[speaker])


#: By name; what is held out is drawn from a generator of its own.
TASKS = {
    "adding": SmallTask(
        D=2,
        K=1,
        answer="values",
        draw=adding,
        held_out=lambda: adding(np.random.default_rng(1), HELD_OUT),
        learnt=0.01,
    ),
    "order": SmallTask(
        D=8,
        K=4,
        answer="one of K",
        draw=order,
        held_out=lambda: order(np.random.default_rng(1), HELD_OUT),
        learnt=0.1,
    ),
    "grammar": SmallTask(
        D=7,
        K=7,
        answer="one of K",
        draw=grammar,
        held_out=lambda: Examples(_strings()[1].x, _chances(_strings()[1]), _strings()[1].asked),
        learnt=0.02,
        least=lambda: _unsure(_strings()[0]),
    ),
    "speakers": SmallTask(
        D=12,
        K=9,
        answer="one of K",
        draw=speakers,
        held_out=lambda: _recordings()[1],
        learnt=0.1,
    ),
}
