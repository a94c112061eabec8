"""Train an LSTM on the adding problem, with as many processes as torchrun starts.

    python -m lstm_lib.examples.train_adding --folder runs/adding
    torchrun --nproc-per-node 2 -m lstm_lib.examples.train_adding --folder runs/adding

Both do the same, to rounding, and either goes on where the other was stopped: the checkpoint is in
the folder. `--max-restarts 3` before `-m` makes torchrun start anew when a worker dies.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lstm_lib import tasks, train
from lstm_lib.train.runs import Step

T, B, H = 10, 64, 32


def new_model() -> train.Reader:
    """An LSTM and a readout, the same for every worker."""
    cell = nn.LSTM(2, H, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    for p in cell.parameters():
        nn.init.uniform_(p, -(H**-0.5), H**-0.5, generator=generator)
    return train.Reader(cell, outputs=1, generator=generator)


def batch(update: int) -> tuple[Tensor, Tensor]:
    """x (T, B, 2) and y (B, 1) of one update: those of all workers together."""
    x, y, _ = tasks.adding(train.rng_for(0, update), T, B, dtype=np.float64)
    where = train.device()
    return torch.as_tensor(x, device=where), torch.as_tensor(y, device=where)


def step(model: nn.Module, update: int, state: Any) -> tuple[Tensor, Any]:
    """The mean squared error of this worker's sequences."""
    x, y = train.share(*batch(update), axes=(1, 0))
    return nn.functional.mse_loss(model(x), y), None


def telling(step: Step) -> Step:
    """The same step, that says once which process this is and where it begins."""
    told = False

    def first_telling(model: nn.Module, update: int, state: Any) -> tuple[Tensor, Any]:
        nonlocal told
        if not told:
            told = True
            line = f"worker {train.rank()}, process {os.getpid()}, begins with update {update}\n"
            # The end of the line goes out with it, or the lines of two workers could mix.
            print(line, end="", flush=True)
        return step(model, update, state)

    return first_telling


def main(arguments: list[str] | None = None) -> None:
    """Train, or go on; the first worker says how it ended."""
    parser = argparse.ArgumentParser(description="Train an LSTM on the adding problem.")
    parser.add_argument("--folder", type=Path, required=True, help="where the checkpoint is")
    parser.add_argument("--updates", type=int, default=400)
    chosen = parser.parse_args(arguments)
    model = new_model().to(train.device())
    config = train.Config(chosen.updates, lr=1e-2, save_every=10)
    done = train.run(model, telling(step), config, folder=chosen.folder)
    if train.rank() == 0:
        print(f"{done.stopped}: loss {done.history.running_loss[-1]:.4f}")


if __name__ == "__main__":
    main()
