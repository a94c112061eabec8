"""Forecasts of a time series: windows, simple baselines, ridge regression, a recurrent network.

A forecast is made at an *origin* t: it knows `values[:t]` and is scored on `values[t : t+horizon]`.
Every method here gives an array (n, horizon) for n origins, in the unit of the values, so that all
are scored by one line, `mae(forecasts, future(...))`. Whatever is fitted (weights, mean, spread)
is fitted on the training part alone.

Sources: Hyndman & Athanasopoulos (2021), sections 5.2 (naive methods) and 5.8 (accuracy).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge
from torch import Tensor, nn

from lstm_lib.train.runs import Config, Run, rng_for, run

Array = NDArray[np.float64]
Origins = NDArray[np.int64]
PREDICTS = ("value", "change", "deviation")
ALPHAS = tuple(10.0 ** np.arange(-3, 5))


class Split(NamedTuple):
    """Where the parts of a series end: training, then validation, then test."""

    train: int
    validation: int
    test: int


@dataclass(frozen=True, eq=False)
class Task:
    """A series (N,), cut in three, and what is to be forecast from how much of the past.

    lags: values read before an origin. horizon: steps forecast. period: of the season, in steps.
    predicts: what a model reads and says: "value"; "change" (reads values, says differences from
    the last one); "deviation" (reads and says differences from one period ago).

    Raises ValueError, naming the argument, for parts that are out of order or too short.
    """

    values: Array
    split: Split
    lags: int
    horizon: int
    period: int
    predicts: str = "value"

    def __post_init__(self) -> None:
        if self.predicts not in PREDICTS:
            raise ValueError(f"predicts must be one of {PREDICTS}, got {self.predicts!r}")
        if not 0 < self.split.train < self.split.validation < self.split.test <= len(self.values):
            raise ValueError(
                f"split must rise and end by {len(self.values)}, got {tuple(self.split)}"
            )
        for part in Split._fields:
            if not len(self.origins(part)):
                raise ValueError(f"split: {part} has no place for {self.lags} lags and a forecast")

    @property
    def begin(self) -> int:
        """The first value that a network can read: a deviation needs a period before it."""
        return self.period if self.predicts == "deviation" else 0

    def origins(self, part: str) -> Origins:
        """All origins whose whole future lies in a part; what is read may lie before it."""
        k = Split._fields.index(part)
        start = max(0 if k == 0 else self.split[k - 1], self.begin + self.lags, self.period)
        return np.arange(start, self.split[k] - self.horizon + 1)

    @cached_property
    def inputs(self) -> Array:
        """(N,): what a model reads, with mean and spread of the training part removed."""
        x = self.values.copy()
        if self.predicts == "deviation":
            x[self.period :] -= self.values[: -self.period]
            x[: self.period] = 0  # never read
        train = x[self.begin : self.split.train]
        mean = 0.0 if self.predicts == "deviation" else train.mean()
        return (x - mean) / train.std()

    def reference(self, origins: Origins) -> Array:
        """(n, horizon): what a model's answer is added to."""
        if self.predicts == "deviation":
            return seasonal_naive(self.values, origins, self.horizon, self.period)
        if self.predicts == "change":
            return persistence(self.values, origins, self.horizon)
        return np.full((len(origins), self.horizon), self.values[: self.split.train].mean())

    @cached_property
    def scale(self) -> float:
        """The spread of what a model is to say over the training origins, in the values' unit."""
        origins = self.origins("train")
        return float((future(self.values, origins, self.horizon) - self.reference(origins)).std())

    def answers(self, origins: Origins) -> Array:
        """(n, horizon): what a model is to say, with a spread of about 1."""
        truth = future(self.values, origins, self.horizon)
        return (truth - self.reference(origins)) / self.scale


def past(values: Array, origins: Origins, lags: int) -> Array:
    """(n, lags): the values just before each origin, the latest last."""
    return sliding_window_view(values, lags)[np.asarray(origins) - lags]


def future(values: Array, origins: Origins, horizon: int) -> Array:
    """(n, horizon): what was to be forecast at each origin."""
    return sliding_window_view(values, horizon)[np.asarray(origins)]


def mae(forecasts: ArrayLike, truth: ArrayLike) -> float:
    """The mean absolute error over all origins and steps ahead."""
    return float(np.abs(np.asarray(forecasts) - np.asarray(truth)).mean())


def mae_by_step(forecasts: ArrayLike, truth: ArrayLike) -> Array:
    """(horizon,): the mean absolute error of each step ahead, over the origins."""
    return np.abs(np.asarray(forecasts) - np.asarray(truth)).mean(axis=0)


def persistence(values: Array, origins: Origins, horizon: int) -> Array:
    """Say the last value, for all steps ahead."""
    return np.repeat(values[np.asarray(origins) - 1, None], horizon, axis=1)


def seasonal_naive(values: Array, origins: Origins, horizon: int, period: int) -> Array:
    """Say what was there one period earlier (the last period, repeated, if horizon is longer)."""
    steps = np.arange(horizon) % period - period
    return values[np.asarray(origins)[:, None] + steps]


class RidgeForecast(NamedTuple):
    """A linear forecast, one weight for each lag and each step ahead."""

    model: Ridge
    alpha: float  #: strength of the penalty, chosen on the validation part

    def predict(self, task: Task, origins: Origins) -> Array:
        """Forecast (n, horizon) at these origins, in the unit of the values."""
        said = self.model.predict(past(task.inputs, origins, task.lags))
        return said.reshape(-1, task.horizon) * task.scale + task.reference(origins)


def fit_ridge(task: Task, alphas: Sequence[float] = ALPHAS) -> RidgeForecast:
    """Fit scikit-learn's Ridge on the training part, with the alpha that is best in validation.

    It reads and says what `task.predicts` names, as a network does.
    """
    train, validation = task.origins("train"), task.origins("validation")
    x, y = past(task.inputs, train, task.lags), task.answers(train)
    fits = [RidgeForecast(Ridge(alpha=alpha).fit(x, y), alpha) for alpha in alphas]
    truth = future(task.values, validation, task.horizon)
    scores = [mae(fit.predict(task, validation), truth) for fit in fits]
    return fits[int(np.argmin(scores))]


class Forecaster(nn.Module):
    """A recurrent cell that reads one number a step and, at every step, says `horizon` numbers."""

    def __init__(self, horizon: int, H: int, cell: str = "LSTM", *, seed: int = 0) -> None:
        """Draw the weights from `seed`: uniform in ±1/√H; the LSTM's forget bias is 1.

        cell: "RNN", "GRU" or "LSTM". Raises ValueError for another.
        """
        if cell not in ("RNN", "GRU", "LSTM"):
            raise ValueError(f"cell must be RNN, GRU or LSTM, got {cell!r}")
        super().__init__()
        self.cell = getattr(nn, cell)(1, H)
        self.head = nn.Linear(H, horizon)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weights in self.parameters():
                weights.uniform_(-(H**-0.5), H**-0.5, generator=generator)
            if cell == "LSTM":
                self.cell.bias_ih_l0[H : 2 * H] = 1  # torch's order is i, f, g, o

    def forward(self, x: Tensor, last: int = 1) -> Tensor:
        """Read x (T, B, 1); give the answers of the `last` steps, (last, B, horizon)."""
        return self.head(self.cell(x)[0][-last:])


def predict(model: Forecaster, task: Task, origins: Origins, *, lags: int | None = None) -> Array:
    """Forecast (n, horizon) in the unit of the values; `lags`: read fewer steps."""
    steps = np.arange(-(lags or task.lags), 0)[:, None]
    window = task.inputs[np.asarray(origins) + steps].astype(np.float32)
    x = torch.from_numpy(window[..., None])
    with torch.no_grad():
        said = model(x.to(next(model.parameters()).device))[0].cpu().numpy()
    return said.astype(np.float64) * task.scale + task.reference(origins)


def train_forecaster(
    model: Forecaster, task: Task, config: Config, *, B: int = 16, progress: bool = True
) -> Run:
    """Train on random stretches of the training part, with the MAE of all steps ahead as loss.

    A stretch has 2·lags − 1 steps (fewer if the part is short). From step `lags` on the network
    forecasts at every step, so one pass trains on many origins. Validates, where `config` says so,
    by the MAE on the validation part; then the model ends with the weights that were best there.
    """
    train, validation = task.origins("train"), task.origins("validation")
    table = torch.from_numpy(task.answers(train).astype(np.float32))
    inputs = task.inputs.astype(np.float32)
    several = min(task.lags, len(train))  # origins of one stretch
    device = next(model.parameters()).device

    def step(_: nn.Module, update: int, __: None) -> tuple[Tensor, None]:
        last = rng_for(config.seed, update).integers(several - 1, len(train), B)
        back = np.arange(-(task.lags + several - 1), 0)[:, None]
        x = torch.from_numpy(inputs[train[last] + back][..., None])
        y = table[last + np.arange(-several + 1, 1)[:, None]]
        return (model(x.to(device), last=several) - y.to(device)).abs().mean(), None

    def score(_: nn.Module) -> float:
        truth = future(task.values, validation, task.horizon)
        return mae(predict(model, task, validation), truth)

    validate = score if config.validate_every else None
    return run(model, step, config, validate=validate, progress=progress)
