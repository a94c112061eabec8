"""Start workers from Python, as torchrun does on a command line, and read what they leave."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor


def torchrun(*options: str | Path, workers: int = 2) -> "subprocess.Popen[str]":
    """Start `torchrun --standalone --nproc-per-node workers options…`; stdout and stderr are pipes.

    Each worker has one thread, so that they do not fight for the cores.
    """
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.Popen(
        [*launch, f"--nproc-per-node={workers}", *options],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def saved(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The record in the checkpoint of a folder, and its tensors by name."""
    with safe_open(folder / "checkpoint.safetensors", "pt") as file:
        record = json.loads(file.metadata()["record"])
        return record, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
