"""What happened in a training run, and when to end it: shared by both loops."""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

WINDOW = 20
"""Updates in the running mean that `target` and `patience` look at: one batch is too noisy."""


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """The record of a training run, one entry an update.

    loss: of each batch, before its update. gradient_norm: of all parameters together (Euclidean),
    before clipping. seconds: wall-clock time of the whole run. stopped: "target reached",
    "patience" or "all updates done".
    """

    loss: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    seconds: float
    stopped: str

    @property
    def updates(self) -> NDArray[np.int64]:
        """The number of each update, 1, 2, …: the x axis that belongs to `loss`."""
        return np.arange(1, len(self.loss) + 1)

    @property
    def running_loss(self) -> NDArray[np.float64]:
        """The mean loss of the last `WINDOW` updates at each update (of fewer at the start)."""
        total = np.concatenate([[0.0], np.cumsum(self.loss)])
        start = np.maximum(self.updates - WINDOW, 0)
        return (total[self.updates] - total[start]) / (self.updates - start)

    def __repr__(self) -> str:
        first, last = self.running_loss[[min(WINDOW, len(self.loss)) - 1, -1]]
        return (
            f"History({len(self.loss)} updates in {self.seconds:.1f} s, "
            f"loss {first:.3g} → {last:.3g}, {self.stopped})"
        )


class Recorder:
    """Collects losses, shows a bar, and says when a run is over.

    A bar goes to stderr and vanishes at the end; `progress=False` or TQDM_DISABLE=1 silences it.
    """

    def __init__(
        self, updates: int, *, target: float | None, patience: int | None, progress: bool
    ) -> None:
        if not isinstance(updates, int | np.integer) or updates < 1:  # 2.5 would never be reached
            raise ValueError(f"updates must be a positive integer, got {updates}")
        if patience is not None and not patience >= WINDOW:
            raise ValueError(f"patience must be at least {WINDOW} updates or None, got {patience}")
        self.updates, self.target, self.patience, self.progress = (
            updates,
            target,
            patience,
            progress,
        )
        self.loss: list[float] = []
        self.gradient_norm: list[float] = []
        self.best, self.best_update = math.inf, 0
        self.stopped = ""

    def __enter__(self) -> Self:
        # In a log each refresh is a line, so there are few; tqdm itself reads TQDM_DISABLE, but
        # only where `disable` is not given.
        seen = sys.stderr.isatty() or "ipykernel" in sys.modules
        silent = {} if self.progress else {"disable": True}
        self.bar = tqdm(
            total=self.updates,
            unit="update",
            leave=False,
            ncols=80,
            mininterval=0.3 if seen else 30,
            **silent,
        )
        self.start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.bar.close()

    def resume(self, loss: Sequence[float], gradient_norm: Sequence[float]) -> None:
        """Go on after updates that were recorded before."""
        self.loss, self.gradient_norm = list(loss), list(gradient_norm)
        self.bar.update(len(self.loss))

    def record(self, loss: float, gradient_norm: float) -> None:
        """Keep one update's numbers and decide whether it was the last."""
        self.loss.append(loss)
        self.gradient_norm.append(gradient_norm)
        n = len(self.loss)
        recent = self.loss[-WINDOW:]
        running = sum(recent) / len(recent)
        if n >= WINDOW and running < self.best:
            self.best, self.best_update = running, n
        if self.target is not None and n >= WINDOW and running <= self.target:
            self.stopped = "target reached"
        elif self.patience is not None and n - self.best_update >= self.patience:
            self.stopped = "patience"
        elif n == self.updates:
            self.stopped = "all updates done"
        self.bar.set_postfix_str(f"loss {running:.4g}", refresh=False)
        self.bar.update()

    def history(self) -> History:
        """The record so far."""
        seconds = time.perf_counter() - self.start
        return History(np.array(self.loss), np.array(self.gradient_norm), seconds, self.stopped)


def check_rates(lr: float, clip: float | None) -> None:
    """Raise ValueError unless both are positive (clip may be None or infinite: no clipping)."""
    if lr is None or not 0 < lr < math.inf:
        raise ValueError(f"lr must be positive and finite, got {lr}")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be positive or None, got {clip}")


def loss_not_finite(update: int, loss: float, bad: Sequence[str]) -> FloatingPointError:
    """The error for a loss that is NaN or infinite; `bad` names what in the batch is, too."""
    why = f"{' and '.join(bad)} of the batch hold NaN or infinity" if bad else "the batch is finite"
    return FloatingPointError(
        f"update {update}: the loss is {loss}; {why}. The weights are those after update "
        f"{update - 1}. If the data are fine, a smaller lr or clip may help."
    )


def gradient_not_finite(update: int, name: str, norm: float) -> FloatingPointError:
    """The error for a parameter whose gradient is NaN, infinite or too large to measure."""
    return FloatingPointError(
        f"update {update}: the gradient of {name} has norm {norm}. The weights are those after "
        f"update {update - 1}. If the data are fine, a smaller lr or clip may help."
    )
