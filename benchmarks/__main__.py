"""`python -m benchmarks`: measure and record (cpu, gpu), print what is recorded (table), guard."""

import argparse
import json
import tempfile
import time
from pathlib import Path

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
        measure(asked.what, asked.quick, asked.out)


def measure(what: str, quick: bool, out: Path | None) -> None:
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
    if quick and out is None:  # a small part is no record
        out = Path(tempfile.gettempdir()) / f"speed_{what}_quick.json"
    path = recorded.write(
        f"speed_{what}",
        results,
        seconds=time.perf_counter() - start,
        threads=threads,
        command=f"python -m benchmarks {what}" + " --quick" * quick,
        packages=PACKAGES,
        path=out,
    )
    print(getattr(tables, what)(json.loads(path.read_text(encoding="utf-8"))))
    print(f"\nWritten: {path}")


def print_recorded() -> None:
    """The tables of all records, where they are."""
    for what, show in {"cpu": tables.cpu, "kept": tables.kept, "gpu": tables.gpu}.items():
        if f"speed_{what}" in recorded.names():
            print(show(recorded.read(f"speed_{what}")))
        else:
            print(f"Nothing is recorded for the {what.upper()}: `python -m benchmarks {what}`")
        print()


def warn() -> None:
    """Print a line for each ratio that fell, in the form that GitHub shows beside a change."""
    if "speed_cpu" not in recorded.names():
        print("::warning::nothing to compare with: `python -m benchmarks cpu` was never recorded")
        return
    kept = recorded.read("speed_cpu")["threads"]["1"]["races"]
    found = guard.verdicts(guard.measure(), kept)
    for sentence in found:
        print(f"::warning title=slower than recorded::{sentence}")
    if not found:
        print("No ratio to torch.nn.LSTM fell below half of the recorded one.")


if __name__ == "__main__":
    main()
