"""The cell without one of its parts, trained from scratch, on four small tasks.

As Greff et al. (2017): every variant of `family.FAMILY`, with GRU, MGU and the tanh RNN beside it,
gets the same updates with the same data and the same hyper-parameters. The learning rate was chosen
of four, for the LSTM (most seeds that learnt the task, then the fewest sequences until then), and
not for the others. Those that did much worse on two tasks were tried there at a lower rate as well,
and on adding with four times as many updates. Ten seeds of a variant are trained side by side.

The second grid is the forget gate's bias, from −2 to 5 (Jozefowicz et al. 2015).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from lstm_lib.experiments.runner import Experiment, Row
from lstm_lib.experiments.small_tasks import TASKS
from lstm_lib.family import FAMILY
from lstm_lib.torch_cells import MGU, SeededGRU, SeededRNN, Variant
from lstm_lib.train.side_by_side import SeedsReader, fit_side_by_side

H, B = 16, 16
RATES = (0.003, 0.01, 0.03, 0.1)  # tried with the LSTM
CHOSEN = 0.03
SLOWER, CHECKED = 0.01, ("NIG", "NFG", "NOG", "FGR", "RNN")  # on those of `SWEPT`
UPDATES = {"adding": 1000, "order": 1200, "grammar": 1000, "speakers": 400}
LONGER = 4 * UPDATES["adding"]
BIASES = (-2, -1, 0, 1, 2, 3, 4, 5)
SWEPT = ("adding", "order")  # those whose answer waits longest
OTHERS: dict[str, type[nn.Module]] = {"GRU": SeededGRU, "MGU": MGU, "RNN": SeededRNN}


@dataclass(frozen=True, kw_only=True)
class Ablation(Experiment):
    """A variant, a task, and how nets of it are trained."""

    task: str
    variant: str
    lr: float
    updates: int
    forget_bias: float = 1.0

    together: ClassVar[bool] = True

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        """Train and test nets side by side.

        "met": "learnt", the first sequence after which the loss of the last 20 updates is low
        enough; "loss": held out, above the least possible (None where it is not finite); "wrong":
        the share of held-out sequences.
        """
        task = TASKS[self.task]
        model = SeedsReader(self.cell(seeds), H, task.K, seeds)
        curves = fit_side_by_side(
            model,
            lambda rng: task.draw(rng, B),
            seeds,
            answer=task.answer,
            updates=self.updates,
            lr=self.lr,
            progress=False,
        )
        learnt = curves.below(task.least() + task.learnt) * B
        return [
            {
                "seed": seed,
                "met": {"learnt": int(n) or None},
                "loss": float(f"{loss:.4g}") if np.isfinite(loss) else None,
                "wrong": round(float(wrong), 4),
            }
            for seed, n, loss, wrong in zip(seeds, learnt, *task.test(model), strict=True)
        ]

    def cell(self, seeds: Sequence[int]) -> nn.Module:
        """The untrained cells of these seeds."""
        D = TASKS[self.task].D
        if self.variant in OTHERS:
            return OTHERS[self.variant](D, H, seeds=seeds)
        design = FAMILY[self.variant]
        return Variant(D, H, design, forget_bias=self.forget_bias, seeds=seeds)

    def about(self) -> dict[str, Any]:
        weights = sum(weight[0].numel() for weight in self.cell([0]).parameters())
        said = ("task", "variant", "lr", "updates", "forget_bias")
        return {**{name: getattr(self, name) for name in said}, "H": H, "B": B, "weights": weights}


def _grid() -> Iterator[Ablation]:
    for task in TASKS:
        for variant in (*FAMILY, *OTHERS):
            rates = (SLOWER, CHOSEN) if variant in CHECKED and task in SWEPT else (CHOSEN,)
            for lr in RATES if variant == "LSTM" else rates:
                yield Ablation(
                    name=f"ablations {task} {variant} rate {lr}",
                    task=task,
                    variant=variant,
                    lr=lr,
                    updates=UPDATES[task],
                )


def _longer() -> Iterator[Ablation]:
    for variant in ("LSTM", *CHECKED):
        yield Ablation(
            name=f"longer adding {variant}",
            task="adding",
            variant=variant,
            lr=SLOWER,
            updates=LONGER,
        )


def _sweep() -> Iterator[Ablation]:
    for task in SWEPT:
        for bias in BIASES:
            yield Ablation(
                name=f"forget-bias {task} {bias}",
                task=task,
                variant="LSTM",
                lr=CHOSEN,
                updates=UPDATES[task],
                forget_bias=float(bias),
            )


EXPERIMENTS: tuple[Ablation, ...] = (*_grid(), *_longer(), *_sweep())


def losses(results: Iterable[dict[str, Any]]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Task -> variant -> held-out loss of each seed, at the rate that was chosen.

    results: what `runner.run` returns, or "experiments" of the record.
    """
    found: dict[str, dict[str, NDArray[np.float64]]] = {task: {} for task in TASKS}
    for one in results:
        if one["name"].startswith("ablations") and one["lr"] == CHOSEN:
            own = [row["loss"] for row in one["rows"]]
            found[one["task"]][one["variant"]] = np.array(own, dtype=float)  # None becomes NaN
    return found


def effect(
    loss: ArrayLike, reference: ArrayLike, *, samples: int = 10_000
) -> tuple[float, float, float]:
    """How many times as high a loss is as the reference: (ratio, low, high).

    The geometric mean of the ratios, each of two losses of the same seed, which had the same data;
    and its 95 % interval, from bootstrap samples of the seeds.
    Raises ValueError unless both are positive numbers, one a seed.
    """
    loss, reference = np.asarray(loss, float), np.asarray(reference, float)
    if loss.ndim != 1 or loss.shape != reference.shape:
        raise ValueError(f"loss must be (S,) as reference, got {loss.shape}, {reference.shape}")
    if not (np.isfinite([loss, reference]).all() and min(loss.min(), reference.min()) > 0):
        raise ValueError(f"losses must be positive numbers, got {loss} and {reference}")
    ratios = np.log(loss / reference)
    means = np.random.default_rng(0).choice(ratios, (samples, len(ratios))).mean(axis=1)
    ratio, low, high = np.exp([ratios.mean(), *np.quantile(means, (0.025, 0.975))])
    return float(ratio), float(low), float(high)
