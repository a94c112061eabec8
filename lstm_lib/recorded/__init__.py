"""Results that took longer than a reader wants to wait, each with what made it.

`read("electricity")` gives what `python -m lstm_lib.experiments electricity` measured, and under
"made" the command, the date, the seconds, the versions and the machine.
"""

import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def read(name: str) -> dict[str, Any]:
    """The recorded results of an experiment. Raises ValueError naming those that there are."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        there = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
        raise ValueError(f"name must be one of {there}, got {name!r}")
    return json.loads(path.read_text(encoding="utf-8"))


def write(name: str, results: dict[str, Any], *, seconds: float, threads: int = 1) -> Path:
    """Keep the results of `python -m lstm_lib.experiments NAME`, with their provenance."""
    from lstm_lib.train.checkpoint import write_atomically  # who reads only needs no torch

    made = {
        "command": f"python -m lstm_lib.experiments {name}",
        "date": date.today().isoformat(),
        "seconds": round(seconds),
        "threads": threads,
        "versions": {
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "torch": version("torch"),
            "scikit-learn": version("scikit-learn"),
        },
        "machine": f"{platform.machine()}, {_processor()}",
    }
    path = FOLDER / f"{name}.json"
    write_atomically(path, (json.dumps({**results, "made": made}, indent=1) + "\n").encode())
    return path


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"
