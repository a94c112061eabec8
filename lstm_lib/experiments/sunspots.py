"""Monthly sunspot numbers, the next 12 months, on a square-root scale: the second case of A1.

The square root makes the spread of quiet and of active years alike. About two minutes on one
thread.
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lstm_lib import data, recorded
from lstm_lib.experiments.results import Row, spread
from lstm_lib.forecast import (
    Forecaster,
    Split,
    Task,
    fit_ridge,
    future,
    mae,
    persistence,
    predict,
    seasonal_naive,
    train_forecaster,
)
from lstm_lib.train.runs import Config

CYCLE = 132  # months: about eleven years
RUN = Config(updates=150, lr=5e-3, schedule="cosine", warmup=20, validate_every=15)


@dataclass(frozen=True)
class Settings:
    """The network, what it reads, and the run."""

    H: int = 32
    B: int = 16
    lags: int = 2 * CYCLE
    horizon: int = 12
    predicts: str = "value"
    seeds: int = 5
    config: Config = RUN


DEFAULT = Settings()


def task_of(settings: Settings) -> Task:
    """Training until 1899, validation 1900 to 1929, test 1930 to 1983."""
    series = data.load_sunspots()
    ends = [int(np.sum(series.times < np.datetime64(year))) for year in ("1900", "1930", "1984")]
    values = np.sqrt(series.values)
    return Task(values, Split(*ends), settings.lags, settings.horizon, CYCLE, settings.predicts)


def measure(settings: Settings = DEFAULT, *, progress: bool = True) -> dict[str, Any]:
    """MAE on the test part, in square roots of the sunspot number, of baselines and networks."""
    task = task_of(settings)
    test = task.origins("test")
    truth = future(task.values, test, task.horizon)
    simple = {
        "persistence": persistence(task.values, test, task.horizon),
        "eleven years ago": seasonal_naive(task.values, test, task.horizon, CYCLE),
        "ridge": fit_ridge(task).predict(task, test),
    }
    scores, validation = [], []
    for seed in range(settings.seeds):
        model = Forecaster(task.horizon, settings.H, seed=seed)
        config = replace(settings.config, seed=seed)
        done = train_forecaster(model, task, config, B=settings.B, progress=progress)
        validation.append(round(min(score for _, score in done.validation), 3))
        scores.append(round(mae(predict(model.eval(), task, test), truth), 3))
    return {
        "settings": asdict(settings),
        "origins": len(test),
        "mae": {name: round(mae(said, truth), 3) for name, said in simple.items()},
        "network": {"mae": scores, "validation": validation},
    }


def rows() -> list[Row]:
    """Ridge and the LSTM, measured anew, beside what is recorded."""
    both = measure(progress=False), recorded.read("sunspots")
    ridge = [f"{result['mae']['ridge']:.2f}" for result in both]
    lstm = [spread(result["network"]["mae"], 2) for result in both]
    return [
        Row("A1", "sunspots: ridge(264), MAE of the root", ridge[0], ridge[1]),
        Row("A1", "sunspots: LSTM, MAE of the root", lstm[0], lstm[1]),
    ]


def main(settings: Settings = DEFAULT) -> None:
    """Measure and record."""
    start = time.perf_counter()
    results = measure(settings)
    recorded.write("sunspots", results, seconds=time.perf_counter() - start)
    print(results["mae"], results["network"]["mae"])
