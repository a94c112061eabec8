"""Electricity demand, the next 48 half-hours: baselines, ridge and recurrent networks (A1).

Several minutes on one thread. `rows()` repeats the part that a target rests on.
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lstm_lib import data, recorded
from lstm_lib.experiments.results import Row, spread
from lstm_lib.forecast import (
    Array,
    Forecaster,
    Split,
    Task,
    fit_ridge,
    future,
    mae,
    mae_by_step,
    persistence,
    predict,
    seasonal_naive,
    train_forecaster,
)
from lstm_lib.train.runs import Config

DAY, WEEK = 48, 336  # half-hours
SPLITS = {"8 + 1 + 3": (8, 9, 12), "9 + 1 + 2": (9, 10, 12), "10 + 1 + 1": (10, 11, 12)}
MAIN = "9 + 1 + 2"


RUN = Config(updates=200, lr=5e-3, schedule="cosine", warmup=20, validate_every=20)


@dataclass(frozen=True)
class Settings:
    """The network, what it reads, the run, and which parts of the experiment to do."""

    cell: str = "LSTM"
    H: int = 64
    B: int = 16
    lags: int = WEEK
    horizon: int = DAY
    predicts: str = "deviation"
    split: str = MAIN
    seeds: int = 5
    config: Config = RUN


DEFAULT = Settings()


def task_of(settings: Settings) -> Task:
    """The series and its split, as `settings` say."""
    weeks = SPLITS[settings.split]
    split = Split(*(WEEK * week for week in weeks))
    values = data.load_electricity().values
    return Task(values, split, settings.lags, settings.horizon, WEEK, settings.predicts)


def baselines(settings: Settings) -> dict[str, Array]:
    """The forecasts (n, horizon) at every test origin that need no network."""
    task = task_of(settings)
    test, horizon = task.origins("test"), task.horizon
    found = {
        "persistence": persistence(task.values, test, horizon),
        "last day": seasonal_naive(task.values, test, horizon, DAY),
        "last week": seasonal_naive(task.values, test, horizon, WEEK),
    }
    for lags in (DAY, WEEK, 2 * WEEK):
        linear = replace(task, lags=lags, predicts="value")
        found[f"ridge({lags})"] = fit_ridge(linear).predict(linear, test)
    linear = replace(task, lags=WEEK, predicts="deviation")
    found["ridge on deviations"] = fit_ridge(linear).predict(linear, test)
    return found


def networks(settings: Settings, *, progress: bool = True) -> tuple[list[Forecaster], list[float]]:
    """Train one network a seed; give them and the best validation score of each."""
    task, nets, scores = task_of(settings), [], []
    for seed in range(settings.seeds):
        model = Forecaster(task.horizon, settings.H, settings.cell, seed=seed)
        config = replace(settings.config, seed=seed)
        done = train_forecaster(model, task, config, B=settings.B, progress=progress)
        nets.append(model.eval())
        scores.append(min(score for _, score in done.validation))
    return nets, scores


def scores(settings: Settings, *, progress: bool = True) -> dict[str, Any]:
    """The test MAE (MW) of the networks of some settings, one a seed, and of their mean.

    "fed": mean MAE of the same networks when they read only that many steps before the origin.
    """
    start = time.perf_counter()
    nets, validation = networks(settings, progress=progress)
    task = task_of(settings)
    test = task.origins("test")
    truth = future(task.values, test, task.horizon)
    said = [predict(net, task, test) for net in nets]
    short = [n for n in (1, 6, 12, 24, DAY, 2 * DAY, 4 * DAY) if n < task.lags]
    fed = {
        n: np.mean([mae(predict(net, task, test, lags=n), truth) for net in nets]) for n in short
    }
    return {
        "mae": [round(mae(one, truth), 1) for one in said],
        "validation": [round(score, 1) for score in validation],
        "by_step": np.mean([mae_by_step(one, truth) for one in said], axis=0).round(1).tolist(),
        "mean_of_seeds": round(mae(np.mean(said, axis=0), truth), 1),
        "fed": {n: round(float(score), 1) for n, score in fed.items()},
        "weights": sum(p.numel() for p in nets[0].parameters()),
        "seconds_a_seed": round((time.perf_counter() - start) / settings.seeds, 1),
    }


def simple_scores(settings: Settings) -> dict[str, Any]:
    """The test MAE (MW) of all baselines, over all steps ahead and by step."""
    task = task_of(settings)
    test = task.origins("test")
    truth = future(task.values, test, task.horizon)
    simple = baselines(settings)
    return {
        "settings": asdict(settings),
        "origins": len(test),
        "mae": {name: round(mae(said, truth), 2) for name, said in simple.items()},
        "by_step": {
            name: np.round(mae_by_step(said, truth), 1).tolist() for name, said in simple.items()
        },
    }


def measure(settings: Settings = DEFAULT, *, progress: bool = True) -> dict[str, Any]:
    """The networks of these settings and all baselines, on the same test origins."""
    return simple_scores(settings) | {"network": scores(settings, progress=progress)}


def variants(settings: Settings) -> dict[str, Settings]:
    """What else is recorded: other cells, other answers, a shorter memory, other splits."""
    settings = replace(settings, seeds=min(settings.seeds, 3))
    return {
        "RNN": replace(settings, cell="RNN"),
        "GRU": replace(settings, cell="GRU"),
        "value": replace(settings, predicts="value"),
        "change": replace(settings, predicts="change"),
        "48 steps": replace(settings, lags=DAY),
        "one step ahead": replace(settings, horizon=1),
    } | {name: replace(settings, split=name) for name in SPLITS if name != settings.split}


def rows() -> list[Row]:
    """The recorded configuration, measured anew, beside the recorded result."""
    now, kept = measure(progress=False), recorded.read("electricity")
    both = (now, kept)
    found = []
    for name in ("ridge(336)", "ridge(672)", "ridge on deviations"):
        shown = [f"{result['mae'][name]:.0f}" for result in both]
        found.append(Row("A1", f"electricity: {name}, MAE in MW", shown[0], shown[1]))
    shown = [spread(result["network"]["mae"], 0) for result in both]
    found.append(Row("A1", "electricity: LSTM, MAE in MW", shown[0], shown[1]))
    ratios = [[one / r["mae"]["ridge(336)"] for one in r["network"]["mae"]] for r in both]
    shown = [spread(ratio, 3) for ratio in ratios]
    met = bool(np.mean(ratios[0]) <= 0.93)
    what = "electricity: LSTM / ridge(336)"
    return [*found, Row("A1", what, shown[0], shown[1], "≤ 0.93", met)]


def main(settings: Settings = DEFAULT) -> None:
    """Measure everything and record it."""
    start = time.perf_counter()
    results = measure(settings)
    results["variants"] = {}
    for name, variant in variants(settings).items():
        done = measure(variant)
        del done["settings"], done["by_step"]
        results["variants"][name] = done
    recorded.write("electricity", results, seconds=time.perf_counter() - start)
    print({name: done["network"]["mae"] for name, done in results["variants"].items()})
    print(results["mae"], results["network"]["mae"])
