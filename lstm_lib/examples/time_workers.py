"""Time an update, and the sum over all workers in it, as JSON.

torchrun --nproc-per-node 2 -m lstm_lib.examples.time_workers
"""

import json
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from lstm_lib import train

T, D, H = 16, 16, 128
BATCHES = (2, 8, 32, 128, 256)
"""Sequences, with T steps each."""
LENGTHS = (1, 64, 256)
"""Steps other than T, with two sequences: what an update costs that has next to nothing to do."""
NUMBERS = (1, 1_000, 10_000, 100_000, 1_000_000)


class Cost(NamedTuple):
    """Seconds that an update of one process takes: update + T (step + B sequence)."""

    update: float
    step: float
    sequence: float


def update_seconds(T: int, B: int) -> float:
    """Seconds an update of an LSTM on a batch of B sequences of T steps takes, the whole of it."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(T, B, n, generator=generator) for n in (D, H))
    starts = []

    def step(model: nn.Module, update: int, state: Any) -> tuple[Tensor, Any]:
        starts.append(time.perf_counter())
        x_own, y_own = train.share(x, y, axes=(1, 1))
        return nn.functional.mse_loss(model(x_own)[0], y_own), None

    updates = min(50, max(20, 1000 // B))
    train.run(nn.LSTM(D, H), step, train.Config(updates), progress=False)
    # What else the machine does can only add to the time.
    return min(b - a for a, b in pairwise(starts))


def sum_seconds(n: int, *, times: int = 50) -> float:
    """Seconds it takes to sum n float32 numbers over the workers of the process group."""
    numbers = torch.zeros(n)

    def once() -> float:
        start = time.perf_counter()
        dist.all_reduce(numbers)
        return time.perf_counter() - start

    return min(once() for _ in range(times))


def updates() -> list[tuple[int, int, float]]:
    """T, B and the seconds of an update, first for all BATCHES of T steps, then for all LENGTHS."""
    sizes = [(T, B) for B in BATCHES] + [(length, BATCHES[0]) for length in LENGTHS]
    return [(*size, update_seconds(*size)) for size in sizes]


def fit(measured: Sequence[tuple[int, int, float]]) -> Cost:
    """The costs that explain what `updates` measured, by least squares of the relative error."""
    steps, batches, seconds = np.transpose(measured)
    terms = np.stack([np.ones_like(steps), steps, steps * batches], axis=1)
    return Cost(*np.linalg.lstsq(terms / seconds[:, None], np.ones(len(seconds)), rcond=None)[0])


def main() -> None:
    """Measure, and let the first worker print."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")  # the runs join it
    found = {"updates": updates(), "sums": [(n, sum_seconds(n)) for n in NUMBERS]}
    if train.rank() == 0:
        print(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
