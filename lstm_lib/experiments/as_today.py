"""The tasks of 1997, learnt as one would today, and judged as in 1997.

Mini-batches, the full gradient through time, clipped, and Adam; the criteria are the published
ones, counted in training sequences. Four kinds of nets: an LSTM of eight cells, the same without
its forget gate ("NFG"), a tanh RNN of about as many weights as the LSTM, and the published net from
its published start (5: from that of 4), with its logistic outputs and its squared error. Between
the first three the cell differs, between the last and `original_1997` only the way of learning.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap

from lstm_lib.experiments.runner import Experiment, Row
from lstm_lib.experiments.trials import in_words
from lstm_lib.family import Design
from lstm_lib.numpy_cells.lstm_1997 import Params
from lstm_lib.online import NETS, Net, Wiring
from lstm_lib.tasks.published import (
    Adding,
    Error,
    LongLag,
    Multiplication,
    NoisyLag,
    PaddedBatch,
    Reber,
    Rule,
    Task,
    TemporalOrder,
    TwoSequences,
    pad,
)
from lstm_lib.torch_cells import LSTM1997, SeededRNN, Variant
from lstm_lib.train.side_by_side import ANSWERS, Examples, SeedsReader, fit_side_by_side

H = 8
TESTED = 1000  # sequences after training
PART = 100  # sequences of a test, after which it ends if no net can pass it any more
#: From the update after which it is held to its sequences, part by part.
Exam = Callable[[int], Iterator[PaddedBatch]]


class PublishedNets(nn.Module):
    """The nets that `online.Net` starts from, one a seed, with all their weights to be trained.

    Calling the module with x (T, B, D) or (T, S, B, D) gives what the logistic outputs take, (T, S,
    B, K). Raises ValueError for nets whose outputs see the inputs.
    """

    def __init__(self, wiring: Wiring, seeds: Sequence[int]) -> None:
        super().__init__()
        if wiring.direct:
            raise ValueError("wiring must have outputs that see cells alone, got direct=True")
        nets = [Net(wiring, np.random.default_rng([seed, 0]), rate=1.0) for seed in seeds]
        cells = [net.cell() for net in nets]
        V = _stacked([net.V for net in nets])
        self.W_y = nn.Parameter(V[:, :-1])
        self.b_y = nn.Parameter(V[:, -1:]) if wiring.output_bias else 0.0
        self.cell = nn.ParameterDict(
            {name: _stacked([getattr(cell, name) for cell in cells]) for name in Params._fields}
        )
        like = LSTM1997(cells[0]._asdict(), centred=wiring.centred, squashed=wiring.squashed)
        self._one = lambda weights, x: functional_call(like, weights, (x,))[0]

    def forward(self, x: Tensor) -> Tensor:
        each = vmap(self._one, in_dims=(0, 1 if x.ndim == 4 else None), out_dims=1)
        return each(dict(self.cell), x) @ self.W_y + self.b_y


def _stacked(arrays: list[NDArray[np.floating]]) -> Tensor:
    return torch.tensor(np.stack(arrays), dtype=torch.float32)


@dataclass(frozen=True, kw_only=True)
class Today(Experiment):
    """A published task, a kind of net, and how that is trained."""

    task: Task
    net: Literal["LSTM", "NFG", "RNN", "1997"]
    answer: str  #: of all but the last, see `train.side_by_side.ANSWERS`
    wiring: Wiring  #: the published net
    limit: int  #: training sequences
    forget_bias: float = 1.0
    lr: float = 0.01
    B: int = 16
    every: int = 1000  #: training sequences between tests

    together: ClassVar[bool] = True

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        """Train until all nets have met all criteria, or `limit` sequences.

        "met": by rule, after how many sequences, in whole batches; tests come `every` so many;
        "wrong": of `TESTED` new sequences; "error": their mean squared error, where there is a
        `do_nothing` to compare it with, else and where it is not finite None.
        """
        model, (draw, exam) = self.model(seeds), self._material()
        judge = _Judge(self, model, len(seeds), exam)
        curves = fit_side_by_side(
            model,
            draw,
            seeds,
            answer=self._answer,
            updates=self.limit // self.B,
            lr=self.lr,
            watch=judge,
            progress=False,
        )
        wrong, error = judge.after(self.task.batch(np.random.default_rng(1), TESTED))
        comparable = self.task.do_nothing is not None
        return [
            {
                "seed": seed,
                "met": {rule: int(n[s]) or None for rule, n in judge.met.items()},
                "sequences": len(curves.loss) * self.B,
                "wrong": int(wrong[s]),
                "error": float(f"{error[s]:.4g}") if comparable and np.isfinite(error[s]) else None,
            }
            for s, seed in enumerate(seeds)
        ]

    def model(self, seeds: Sequence[int]) -> nn.Module:
        """The untrained nets of these seeds, with a readout."""
        D, K = self.task.D, self.task.K
        if self.net == "1997":
            return PublishedNets(self.wiring, seeds)
        if self.net in ("LSTM", "NFG"):
            design = Design(forget_gate=self.net == "LSTM")
            lstm = Variant(D, H, design, forget_bias=self.forget_bias, seeds=seeds)
            return SeedsReader(lstm, H, K, seeds)
        wide = _as_many_weights(D, K)
        return SeedsReader(SeededRNN(D, wide, seeds=seeds), wide, K, seeds)

    def about(self) -> dict[str, Any]:
        weights = sum(weight[0].numel() for weight in self.model([0]).parameters())
        said = ("net", "answer", "limit", "forget_bias", "lr", "B", "every")
        return {
            **{name: getattr(self, name) for name in said},
            "weights": weights,
            "criteria": {name: in_words(rule) for name, rule in self.task.rules.items()},
            "do_nothing": self.task.do_nothing,
            "published": {},
            "published_success": None,
        }

    @property
    def _answer(self) -> str:
        return "logistic" if self.net == "1997" else self.answer

    def _material(self) -> tuple[Callable[[np.random.Generator], Examples], Exam]:
        """What draws training sequences, and the exam."""
        task, B = self.task, self.B
        if isinstance(task, Reber):  # the pair of sets of seeds 0 … 9 of `original_1997`
            train, test = task.sets(np.random.default_rng([1997, 0]))
            parts = [pad(some) for some in (train[:PART], train[PART:], test)]

            def draw(rng: np.random.Generator) -> Examples:
                batch = pad([train[k] for k in rng.integers(len(train), size=B)])
                return Examples(batch.x, batch.y, batch.asked)

            return draw, lambda update: iter(parts)

        def drawn(rng: np.random.Generator) -> Examples:
            batch = task.batch(rng, B)
            return Examples(batch.x, batch.y, batch.asked)

        def exam(update: int) -> Iterator[PaddedBatch]:
            count = max(rule.count for rule in task.rules.values())
            tests = np.random.default_rng([2, update])
            return (task.batch(tests, min(PART, count - k)) for k in range(0, count, PART))

        return drawn, exam


class _Judge:
    """Asks the published rules of S nets while they are trained."""

    def __init__(self, setting: Today, model: nn.Module, S: int, exam: Exam) -> None:
        self.task, self.B, self.every = setting.task, setting.B, setting.every
        self.model, self.answers, self.exam = model, ANSWERS[setting._answer].of, exam
        self.met = {name: np.zeros(S, np.int64) for name in self.task.rules}
        longest = max((r.count for r in self.task.rules.values() if r.on == "training"), default=0)
        self.recent = np.full((longest, S, 2), np.nan)  # errors, a ring: the oldest is overwritten

    def __call__(
        self, update: int, answers: Tensor, examples: Sequence[Examples]
    ) -> NDArray[np.bool_]:
        n = update * self.B
        if len(self.recent):
            at = np.arange(n - self.B, n) % len(self.recent)
            self.recent[at] = _of_training(answers, examples)
        tested = n // self.every > (n - self.B) // self.every
        for name, rule in self.task.rules.items():
            todo = self.met[name] == 0
            if rule.on == "training" and n >= rule.count:
                now = [rule.met(self.recent[:, s]) for s in np.flatnonzero(todo)]
                self.met[name][todo] = np.where(now, n, 0)
            elif rule.on == "test" and tested and todo.any():
                self.met[name][self._pass(rule, todo, update)] = n
        return np.all([n > 0 for n in self.met.values()], axis=0)

    def after(self, batch: PaddedBatch) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
        """How many sequences of these are wrong, and the mean squared error, (S,) each."""
        answers = self._answers(batch)
        tolerance = min(rule.tolerance for rule in self.task.rules.values())
        each = [self._errors(answers[:, s], batch) for s in range(answers.shape[1])]
        wrong = [sum(not error.largest < tolerance for error in errors) for errors in each]
        squares = [
            np.square(answers[: len(one), :, b] - one.ideal[:, None])[one.judged].mean((0, 2))
            for b, one in enumerate(batch.sequences)
        ]
        return np.array(wrong), np.mean(squares, axis=0)

    def _pass(self, rule: Rule, todo: NDArray[np.bool_], update: int) -> NDArray[np.bool_]:
        """Which of these nets pass a test now; it ends when none can any more."""
        errors: list[list[Error]] = [[] for _ in todo]
        wrong = np.where(todo, 0, rule.fewer_wrong_than)
        for batch in self.exam(update):
            answers = self._answers(batch)
            for s in np.flatnonzero(wrong < rule.fewer_wrong_than):
                new = self._errors(answers[:, s], batch)
                errors[s] += new
                wrong[s] += sum(not error.largest < rule.tolerance for error in new)
            if (wrong >= rule.fewer_wrong_than).all():
                break
        return np.array(
            [
                few < rule.fewer_wrong_than and rule.met(own)
                for few, own in zip(wrong, errors, strict=True)
            ]
        )

    def _errors(self, answers: NDArray[np.floating], batch: PaddedBatch) -> list[Error]:
        """Of one net's answers (T, B, K)."""
        each = enumerate(batch.sequences)
        return [self.task.error(one, answers[: len(one), b]) for b, one in each]

    @torch.no_grad()
    def _answers(self, batch: PaddedBatch) -> NDArray[np.floating]:
        return self.answers(self.model(torch.from_numpy(batch.x))).numpy()


def _of_training(answers: Tensor, examples: Sequence[Examples]) -> NDArray[np.floating]:
    """(B, S, 2), as `Task.error` of tasks that judge what they ask, once a sequence."""
    errors = []
    for s, one in enumerate(examples):
        off = np.abs(answers[: len(one.x), s].numpy() - one.y).swapaxes(0, 1)[one.asked.T]
        errors.append(np.stack([off.max(-1), off.mean(-1)], axis=-1))
    return np.stack(errors, axis=1)


def _as_many_weights(D: int, K: int) -> int:
    """The units of a tanh RNN with about as many weights as the LSTM, readouts counted."""
    wanted = 4 * H * (D + H + 1) + (H + 1) * K
    return min(range(1, 10 * H), key=lambda R: abs(R * (D + R + 1) + (R + 1) * K - wanted))


def _settings() -> Iterator[tuple[str, dict[str, Any]]]:
    one_of: dict[str, Any] = {"answer": "one of K"}
    yield "1", {"task": Reber(), "wiring": NETS["1 3x2"], "limit": 40_000, "every": 256, **one_of}
    one_of["forget_bias"] = 3.0
    for name, task in (("2a", LongLag(100)), ("2b", LongLag(100, random_middle=True))):
        yield name, {"task": task, "wiring": NETS["2a"], "limit": 60_000, **one_of}
    yield "2c", {"task": NoisyLag(50, 50), "wiring": NETS["2c p=50"], "limit": 40_000, **one_of}
    yes = {"answer": "yes or no", "forget_bias": 3.0}
    yield "3a", {"task": TwoSequences(100, 3), "wiring": NETS["3"], "limit": 40_000, **yes}
    values = {"answer": "values", "forget_bias": 3.0, "wiring": NETS["4"]}
    yield "4", {"task": Adding(100), "limit": 150_000, **values}
    yield "5", {"task": Multiplication(100), "limit": 150_000, **values}
    yield "6a", {"task": TemporalOrder(2), "wiring": NETS["6a"], "limit": 60_000, **one_of}
    yield "6b", {"task": TemporalOrder(3), "wiring": NETS["6b"], "limit": 60_000, **one_of}


EXPERIMENTS = tuple(
    Today(name=f"today {task} {net}", net=net, **setting)
    for task, setting in _settings()
    for net in ("LSTM", "NFG", "RNN", "1997")
    if not (net == "1997" and setting["wiring"].direct)
)
