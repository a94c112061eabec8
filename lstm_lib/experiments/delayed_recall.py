"""Who spoke? Asked long after the utterance: RNN, GRU and LSTM against the delay.

The recordings of `data.load_japanese_vowels`, then frames of noise, and only at a cue the answer.
Six nets, six delays, three seeds: half an hour on a thread of a busy machine. What is finished is
kept, so that a run that was stopped goes on.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_lib import data, recorded
from lstm_lib.audio import Floats, delayed_recall, new_cell, standardise
from lstm_lib.experiments.results import Row, spread
from lstm_lib.files import write_atomically
from lstm_lib.train.runs import Config, rng_for, run
from lstm_lib.train.torch_loop import Reader

SPEAKERS = 9


@dataclass(frozen=True)
class Settings:
    """The grid, and how each net of it is trained."""

    nets: tuple[str, ...] = ("RNN", "GRU", "LSTM 1", "LSTM 3", "LSTM 5", "GRU 3")
    delays: tuple[int, ...] = (0, 25, 50, 100, 200, 400)
    seeds: tuple[int, ...] = (3, 3, 3, 3, 3, 3)  #: how many of 0, 1, 2, … for each delay
    H: int = 64
    B: int = 32
    updates: int = 500
    lr: float = 4e-3


DEFAULT = Settings()
SMALL = Settings(nets=("RNN", "GRU", "LSTM 3", "GRU 3"), delays=(50,), seeds=(2,))
"""What `rows` measures anew."""


def new_net(name: str, D: int, H: int, seed: int) -> Reader:
    """An untrained net with the cell `name` (see `audio.new_cell`) that names nine speakers."""
    generator = torch.Generator().manual_seed(seed)
    return Reader(new_cell(name, D, H, generator), SPEAKERS, generator=generator)


def train_net(
    name: str,
    utterances: Sequence[Floats],
    speaker: Any,
    delay: int,
    *,
    seed: int = 0,
    settings: Settings = DEFAULT,
    progress: bool = False,
) -> Reader:
    """Train a net on standardised utterances, each update with B of them and noise of its own."""
    model = new_net(name, utterances[0].shape[1] + 1, settings.H, seed)

    def step(model: nn.Module, update: int, state: Any) -> tuple[Tensor, None]:
        rng = rng_for(seed, update)
        chosen = rng.choice(len(utterances), settings.B, replace=False)
        x = delayed_recall(rng, [utterances[k] for k in chosen], delay)
        return F.cross_entropy(model(torch.from_numpy(x)), torch.as_tensor(speaker[chosen])), None

    warmup = min(20, settings.updates // 10)
    config = Config(settings.updates, lr=settings.lr, schedule="cosine", warmup=warmup, seed=seed)
    run(model, step, config, progress=progress)
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, utterances: Sequence[Floats], speaker: Any, delay: int) -> float:
    """The part of the utterances whose speaker is named, `delay` frames of noise later."""
    x = delayed_recall(np.random.default_rng(0), utterances, delay)
    answer = model(torch.from_numpy(x)).argmax(-1).numpy()
    return float(np.mean(answer == speaker))


def measure(
    settings: Settings = DEFAULT, *, folder: str | Path | None = None, progress: bool = True
) -> dict[str, Any]:
    """Train and test every net of the grid.

    folder: keeps each row when it is finished; with the same settings a later call goes on there.
    Returns the settings, "majority" (the accuracy of naming the most frequent speaker) and "rows":
    net, delay, seed, accuracy on the 370 test utterances, seconds.
    """
    set_ = data.load_japanese_vowels()
    train, test = standardise(set_.train, set_.test)
    made: dict[str, Any] = {
        "settings": json.loads(json.dumps(asdict(settings))),
        "majority": float(np.bincount(set_.test_speaker).max() / len(test)),
        "rows": [],
    }
    kept = Path(folder) / "rows.json" if folder else None
    if kept and kept.exists():
        before = json.loads(kept.read_text(encoding="utf-8"))
        if before["settings"] != made["settings"]:
            raise ValueError(f"{kept} is of other settings: delete it to start anew")
        made = before
    done = {(row["net"], row["delay"], row["seed"]) for row in made["rows"]}
    seeds = dict(zip(settings.delays, settings.seeds, strict=True))
    grid = [(d, s, n) for d in settings.delays for s in range(seeds[d]) for n in settings.nets]
    for delay, seed, net in grid:
        if (net, delay, seed) in done:
            continue
        start = time.perf_counter()
        model = train_net(net, train, set_.train_speaker, delay, seed=seed, settings=settings)
        right = round(accuracy(model, test, set_.test_speaker, delay), 4)
        seconds = round(time.perf_counter() - start, 1)
        row = {"net": net, "delay": delay, "seed": seed, "accuracy": right, "seconds": seconds}
        made["rows"].append(row)
        if progress:
            print(row, flush=True)
        if kept:
            write_atomically(kept, json.dumps(made, indent=1).encode())
    return made


def table(results: dict[str, Any]) -> dict[tuple[str, int], list[float]]:
    """(net, delay) -> the accuracies of all seeds."""
    found: dict[tuple[str, int], list[float]] = {}
    for row in results["rows"]:
        found.setdefault((row["net"], row["delay"]), []).append(row["accuracy"])
    return found


def rows() -> list[Row]:
    """Delay 50 measured anew with two seeds, beside the recorded grid."""
    now, kept = table(measure(SMALL, progress=False)), table(recorded.read("delayed_recall"))
    found = []
    for net in SMALL.nets:
        new, old = now[net, 50], kept[net, 50]
        what = f"who spoke, 50 frames ago, {net}: accuracy"
        found.append(Row("A3", what, spread(new, 3), spread(old, 3)))
    return found


def main() -> None:
    """Measure the grid (or go on), and record it."""
    folder = Path("build") / "delayed_recall"
    results = measure(folder=folder)
    seconds = sum(row["seconds"] for row in results["rows"])
    recorded.write("delayed_recall", results, seconds=seconds)
