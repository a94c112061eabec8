"""Training S small nets at once: every weight has a leading axis over seeds.

The smallest nets' step is mostly the call, not the arithmetic: ten of 8 units on batches of 32 cost
about twice one, ten of 32 units on batches of 100 about eight times (one thread of a CPU). Nothing
passes from a seed to another: each has its own draws, its own loss, its own clipping, so seed s
ends where it would alone, up to rounding, and a seed that becomes NaN leaves the others as is.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from lstm_lib.train.history import WINDOW, check_rates
from lstm_lib.train.runs import rng_for


class Examples(NamedTuple):
    """The sequences of one update of one seed."""

    x: NDArray[np.floating]  #: (T, B, D)
    y: NDArray[np.floating]  #: (T, B, K), one-hot where it is a class
    asked: NDArray[np.bool_]  #: (T, B), where y counts


class Answer(NamedTuple):
    """What an output is: from the readout to the answer, and the loss of each answer."""

    of: Callable[[Tensor], Tensor]  #: (…, K) to (…, K)
    loss: Callable[[Tensor, Tensor], Tensor]  #: readout and y, (…, K) each, to (…)


ANSWERS = {
    "values": Answer(lambda a: a, lambda a, y: (a - y).square().mean(-1)),
    "one of K": Answer(lambda a: a.softmax(-1), lambda a, y: -(y * a.log_softmax(-1)).sum(-1)),
    "yes or no": Answer(
        torch.sigmoid,
        lambda a, y: F.binary_cross_entropy_with_logits(a, y, reduction="none").mean(-1),
    ),
    "logistic": Answer(torch.sigmoid, lambda a, y: (a.sigmoid() - y).square().mean(-1)),
}
"""Mean squared error; cross-entropy in nats, of one-hot y, and of each y, 0 … 1, by itself; the
squared error of logistic outputs, as in 1997."""


class SeedsReader(nn.Module):
    """A cell with an axis over seeds, and a linear readout of its output for each seed.

    cell: maps x (T, S, B, D) to (output (T, S, B, H), state). Calling the module gives (T, S, B,
    outputs). Seed s's readout starts from U(−1/√H, 1/√H), drawn as update 0 of its run; its bias
    is zero.
    """

    def __init__(self, cell: nn.Module, H: int, outputs: int, seeds: Sequence[int]) -> None:
        super().__init__()
        drawn = [rng_for(seed, 0).uniform(-(H**-0.5), H**-0.5, (H, outputs)) for seed in seeds]
        self.cell = cell
        self.W_y = nn.Parameter(torch.tensor(np.stack(drawn), dtype=torch.float32))
        self.b_y = nn.Parameter(torch.zeros(len(seeds), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        output, _ = self.cell(x)
        return output @ self.W_y + self.b_y


@dataclass(frozen=True, eq=False)
class Curves:
    """What happened to each of S seeds."""

    loss: NDArray[np.float64]  #: (updates, S), of each batch, before its update
    met: NDArray[np.int64]  #: (S,), the first update after which the criterion held; 0: never
    seconds: float

    def below(self, target: float) -> NDArray[np.int64]:
        """(S,), the first update at which the mean of the last `WINDOW` is ≤ target; 0: never."""
        if len(self.loss) < WINDOW:
            return np.zeros(self.loss.shape[1], np.int64)
        total = np.cumsum(self.loss, axis=0)
        total[WINDOW:] -= total[:-WINDOW].copy()
        low = total[WINDOW - 1 :] / WINDOW <= target
        return np.where(low.any(axis=0), low.argmax(axis=0) + WINDOW, 0)


Watch = Callable[[int, Tensor, Sequence[Examples]], NDArray[np.bool_]]


def fit_side_by_side(
    model: nn.Module,
    draw: Callable[[np.random.Generator], Examples],
    seeds: Sequence[int],
    *,
    answer: str,
    updates: int,
    lr: float,
    clip: float = 1.0,
    watch: Watch | None = None,
    progress: bool = True,
) -> Curves:
    """Train S nets in place with Adam, until each has met the criterion or all updates are done.

    model: maps x (T, S, B, D) to (T, S, B, K), as `SeedsReader`; its parameters (S, …). draw: gives
    the examples of one update of one seed; what is random in update n of seed s is drawn from
    (s, n). answer: a name of `ANSWERS`. clip: the gradient of each seed is scaled down to this
    Euclidean norm. watch: a criterion, asked after each update with its number, what the nets had
    answered before it (T, S, B, K) and what they were asked (S examples); says which seeds meet it.
    Raises ValueError for numbers and names that do not fit.
    """
    check_rates(lr, clip)
    if answer not in ANSWERS:
        raise ValueError(f"answer must be one of {list(ANSWERS)}, got {answer!r}")
    weights = list(model.parameters())
    if any(len(weight) != len(seeds) for weight in weights):
        came = sorted({len(weight) for weight in weights})
        raise ValueError(f"weights must have a leading axis of {len(seeds)} seeds, got {came}")
    optimiser = torch.optim.Adam(weights, lr=lr)
    losses, met = [], np.zeros(len(seeds), np.int64)
    start = time.perf_counter()
    for update in tqdm(range(1, updates + 1), disable=None if progress else True, leave=False):
        examples = [draw(rng_for(seed, update)) for seed in seeds]
        x, y, asked = (_beside(each) for each in zip(*examples, strict=True))
        outputs = model(x)
        each = ANSWERS[answer].loss(outputs, y).masked_fill(~asked, 0)
        loss = each.sum((0, 2)) / asked.sum((0, 2))
        optimiser.zero_grad()
        loss.sum().backward()
        clip_each(weights, clip)
        optimiser.step()
        losses.append(loss.detach().numpy())
        if watch is not None:
            now = watch(update, ANSWERS[answer].of(outputs.detach()), examples)
            met[(met == 0) & now] = update
            if met.all():
                break
    return Curves(np.array(losses, np.float64), met, time.perf_counter() - start)


def _beside(arrays: Sequence[NDArray[Any]]) -> Tensor:
    """Arrays (T, B, ·) as one tensor (T, S, B, ·), T that of the longest, filled up with zeros."""
    T = max(len(array) for array in arrays)
    beside = np.zeros((T, len(arrays), *arrays[0].shape[1:]), arrays[0].dtype)
    for s, array in enumerate(arrays):
        beside[: len(array), s] = array
    return torch.from_numpy(beside)


def clip_each(weights: Sequence[nn.Parameter], clip: float) -> None:
    """Scale each seed's gradients, over all its weights together, down to norm `clip`."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    squares = torch.stack([g.square().flatten(1).sum(1) for g in gradients])
    scale = (clip / squares.sum(0).sqrt()).clamp(max=1)
    for g in gradients:
        g *= scale.view(-1, *[1] * (g.ndim - 1))
