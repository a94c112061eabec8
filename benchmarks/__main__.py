"""`python -m benchmarks`: measure and record (cpu, gpu), print what is recorded (table), guard."""

import argparse
import sys
import tempfile
import time
from errno import EEXIST
from pathlib import Path
from typing import Any

import torch

from benchmarks import cpu, gpu, guard, kept, tables
from benchmarks.contestants import PEERS
from benchmarks.problem import SHAPES
from lstm_lib import recorded

HELP = {
    "cpu": "race on the CPU, print the tables",
    "kept": "race on the CPU with memory that the process keeps",
    "gpu": "race on the GPU, print the tables",
}
# What reading a damaged record, or one of another version, raises.
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
PACKAGES = sorted({package for _, needs in PEERS.values() for package in needs} | {"triton"})


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    for name, help_ in HELP.items():
        command = commands.add_parser(name, help=help_)
        command.add_argument(
            "--quick", action="store_true", help="a small part, in less than a minute"
        )
        command.add_argument("--out", type=Path, help="the file to write instead of the record")
    commands.add_parser("table", help="print what is recorded, and which aims it meets")
    commands.add_parser("guard", help="warn where a ratio fell below half of the recorded one")
    asked = parser.parse_args(arguments)
    if asked.what == "table":
        print_recorded()
    elif asked.what == "guard":
        warn()
    else:
        if asked.what == "gpu":
            need_gpu()
        path = asked.out or default_path(asked.what, asked.quick)
        try:
            check_writable(path)
        except OSError as error:
            parser.error(f"cannot write {path}: {error.strerror}")
        measure(asked.what, asked.quick, path)


def need_gpu() -> None:
    """Leave where there is no GPU, with what it takes."""
    try:
        gpu.check_device()
    except RuntimeError as error:
        sys.exit(str(error))


def default_path(what: str, quick: bool) -> Path:
    """The record, or a file of its own where a small part is measured, which is no record."""
    name = f"speed_{what}_quick.json" if quick else f"speed_{what}.json"
    return (Path(tempfile.mkdtemp(prefix="speed_")) if quick else recorded.FOLDER) / name


def check_writable(path: Path) -> None:
    """Make the folder of a file that is to be written; OSError where it will not be possible."""
    if path.exists() and not path.is_file():
        raise OSError(EEXIST, "it is there, and no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    probe = path.with_name(f"{path.name}.part")  # what `write_atomically` writes first
    probe.touch()
    probe.unlink()


def measure(what: str, quick: bool, path: Path) -> None:
    """Race, record, and print the tables."""
    start = time.perf_counter()
    if what == "cpu":
        settings = cpu.QUICK if quick else cpu.FULL
        results, threads = cpu.run(settings), max(settings.seconds)
    elif what == "kept":
        results, threads = (kept.run(SHAPES[:2], 0.5) if quick else kept.run()), 1
    else:
        grid = gpu.GRID[:: len(gpu.BATCHES)] if quick else gpu.GRID
        results, threads = gpu.run(grid), torch.get_num_threads()
    about: dict[str, Any] = {
        "seconds": time.perf_counter() - start,
        "threads": threads,
        "command": f"python -m benchmarks {what}" + " --quick" * quick,
        "packages": PACKAGES,
    }
    try:
        recorded.write(f"speed_{what}", results, **about, path=path)
    finally:  # where that fails, the tables are what is left of ten minutes
        print(getattr(tables, what)({**results, "made": recorded.provenance(**about)}))
    print(f"\nWritten: {path}")


def print_recorded() -> None:
    """The tables of all records, where they are."""
    for what, show in {"cpu": tables.cpu, "kept": tables.kept, "gpu": tables.gpu}.items():
        if f"speed_{what}" not in recorded.names():
            print(f"Nothing is recorded for the {what.upper()}: `python -m benchmarks {what}`\n")
            continue
        try:
            text = show(recorded.read(f"speed_{what}"))
        except DAMAGED as error:
            sys.exit(damaged(what, error))
        print(f"{text}\n")


def damaged(what: str, error: Exception) -> str:
    """What is said of a record that cannot be read."""
    return (
        f"the record speed_{what} is damaged ({type(error).__name__}: {error}): "
        f"`python -m benchmarks {what}` makes it anew"
    )


def warn() -> None:
    """Print a line for each ratio that fell, in the form that GitHub shows beside a change."""
    if "speed_cpu" not in recorded.names():
        print("::warning::nothing to compare with: `python -m benchmarks cpu` was never recorded")
        return
    try:
        before = guard.medians(recorded.read("speed_cpu")["threads"]["1"]["races"])
    except DAMAGED as error:
        print(f"::warning::{damaged('cpu', error)}")
        return
    now = guard.medians(guard.measure())
    if not now.keys() & before.keys():
        print("::warning::nothing was compared: no shape that was measured is in speed_cpu")
        return
    found = guard.verdicts(now, before)
    for sentence in found:
        print(f"::warning title=slower than recorded::{sentence}")
    if not found:
        print("No ratio to torch.nn.LSTM fell below half of the recorded one.")


if __name__ == "__main__":
    main()
