"""`python -m lstm_lib.experiments`: run long experiments, or print what came out.

"1" … "6b" are those of 1997, row by row. They are kept in build/experiments, so that a run that
was stopped goes on, and shown beside what is recorded; --record puts them in its place. `results`
prints the recorded table of reproductions; with --anew it measures the targets on real data again.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

from lstm_lib import recorded
from lstm_lib.experiments.reproduction import reproduced, table
from lstm_lib.experiments.results import MODULES, print_results
from lstm_lib.experiments.runner import Experiment, record, run

#: What is described as data: the word that the names begin with, and the module.
DESCRIBED = {
    **dict.fromkeys(
        ("1", "2a", "2b", "2c", "3a", "3b", "3c", "4", "5", "6a", "6b"), "original_1997"
    ),
    "continual": "continual_reber",
    "spikes": "spike_delays",
    **dict.fromkeys(("ablations", "longer", "forget-bias"), "ablations"),
    "today": "as_today",
}
FOLDER = Path("build") / "experiments"


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m lstm_lib.experiments", description=__doc__)
    parser.add_argument("name", nargs="+", choices=[*DESCRIBED, *MODULES, "results"])
    parser.add_argument("--row", default="", help="only those whose name contains this")
    parser.add_argument("--seeds", type=seed_numbers, help="such as 0-4 or 0,3,7")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--long", action="store_true", help="also those that take hours")
    parser.add_argument("--record", action="store_true", help="replace what is recorded")
    parser.add_argument("--anew", action="store_true", help="results: measure the targets again")
    asked = parser.parse_args(arguments)
    for name in asked.name:
        if name == "results":
            print(table(reproduced()))
            if asked.anew:
                print_results()
        elif name in DESCRIBED:
            _run(name, asked)
        elif not asked.record:
            parser.error(f"{name} replaces its record when it is done: add --record if it may")
        else:
            importlib.import_module(f"lstm_lib.experiments.{name}").main()


def seed_numbers(text: str) -> list[int]:
    """Numbers and ranges, such as 0-4,7, where both ends count. Raises ArgumentTypeError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        numbers = (first, last) if dash else (first, first)
        ends = [int(number) if number.isdecimal() else -1 for number in numbers]
        found += range(ends[0], ends[1] + 1) if 0 <= ends[0] <= ends[1] else [-1]
    if -1 in found or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(
            f"must be such as 0-4 or 0,3,7, all different, got {text!r}"
        )
    return found


def _run(name: str, asked: argparse.Namespace) -> None:
    """Run the rows of a name, show them beside the recorded ones, and record them if asked for."""
    module = DESCRIBED[name]
    all_: tuple[Experiment, ...] = importlib.import_module(
        f"lstm_lib.experiments.{module}"
    ).EXPERIMENTS
    chosen = [one for one in all_ if one.name.split()[0] == name and asked.row in one.name]
    for one in chosen:
        if one.long and not asked.long:
            print(f"{one.name}: left out, it takes hours (--long runs it)")
    chosen = [one for one in chosen if asked.long or not one.long]
    results = run(chosen, FOLDER / module, seeds=asked.seeds, n_jobs=asked.jobs)
    before = _recorded(module)
    print(table(results))
    for new in results:
        print(f"{new['name']}: {_compared(new, before.get(new['name']))}")
    if asked.record:
        path = record(module, results, [one.name for one in all_])
        print(f"Recorded in {path}")


def _recorded(module: str) -> dict[str, Any]:
    if module not in recorded.names():
        return {}
    return {one["name"]: one for one in recorded.read(module)["experiments"]}


def _compared(new: dict[str, Any], old: dict[str, Any] | None) -> str:
    """Whether the rows are those that are recorded, but for the time that they took."""
    if old is None:
        return "nothing is recorded"
    if old["experiment"] != new["experiment"]:
        return "recorded from another description"
    rows = {row["seed"]: {**row, "seconds": 0} for row in old["rows"]}
    same = sum({**row, "seconds": 0} == rows.get(row["seed"]) for row in new["rows"])
    return f"{same} of {len(new['rows'])} seeds exactly as recorded\n{table([old])}"


if __name__ == "__main__":
    main()
