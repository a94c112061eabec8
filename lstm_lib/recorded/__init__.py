"""Results that took longer than a reader wants to wait, each with what made it.

`read("electricity")` gives what `python -m lstm_lib.experiments electricity` measured, and under
"made" the command, the date, the seconds, the versions and the machine. What `python -m benchmarks`
measured is `read("speed_cpu")` and `read("speed_gpu")`.
"""

import json
import platform
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lstm_lib.files import write_atomically

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """What is recorded."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    """The recorded results of an experiment. Raises ValueError naming those that there are."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        raise ValueError(f"name must be one of {', '.join(names())}, got {name!r}")
    return json.loads(path.read_text(encoding="utf-8"))


def write(
    name: str,
    results: dict[str, Any],
    *,
    seconds: float,
    threads: int = 1,
    command: str | None = None,
    packages: Iterable[str] = (),
    path: Path | None = None,
) -> Path:
    """Keep results with their provenance, and return the file's path.

    command: what made them, `python -m lstm_lib.experiments NAME` where None. packages: what
    else they depend on besides NumPy, torch and scikit-learn; of those installed the version is
    kept. path: another file than NAME.json beside this module.
    """
    made = provenance(
        command or f"python -m lstm_lib.experiments {name}", seconds, threads, packages
    )
    path = path or FOLDER / f"{name}.json"
    plain = json.loads(json.dumps({**results, "made": made}))
    write_atomically(path, f"{_laid_out(plain)}\n".encode())
    return path


def _laid_out(value: Any, indent: str = "") -> str:
    """JSON in lines that a reader can take in, and git can compare: numbers side by side."""
    line = json.dumps(value)
    numbers = isinstance(value, list) and "{" not in line
    if not isinstance(value, dict | list) or numbers or len(indent + line) <= 100:
        return line
    inner = f"\n{indent} "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_laid_out(v, indent + ' ')}" for key, v in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}\n{indent}}}"
    parts = [_laid_out(v, indent + " ") for v in value]
    return f"[{inner}{f',{inner}'.join(parts)}\n{indent}]"


def provenance(
    command: str, seconds: float, threads: int, packages: Iterable[str]
) -> dict[str, Any]:
    """What made results: command, date, time, threads, versions and machine."""
    return {
        "command": command,
        "date": date.today().isoformat(),
        "seconds": round(seconds),
        "threads": threads,
        "versions": {
            "python": platform.python_version(),
            **_versions(["numpy", "torch", "scikit-learn", *packages]),
        },
        "machine": f"{platform.machine()}, {_processor()}",
    }


def _versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"
