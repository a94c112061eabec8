"""`python -m lstm_lib.experiments`: run long experiments, or print what came out.

Without a name it lists them. "1" … "6b" are those of 1997, row by row. They are kept in
build/experiments, so that a run that was stopped goes on, and shown beside what is recorded;
--record puts them in its place. `results` prints the recorded table of reproductions; with --anew
it measures the targets on real data again.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

from lstm_lib import recorded
from lstm_lib.experiments.reproduction import aligned, loss_table, reproduced, table
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
#: What the list says of each.
ABOUT = {
    "1": "1997: the embedded Reber grammar",
    "2a": "1997: a symbol to keep over 100 others, always the same",
    "2b": "1997: over 100 others, at random",
    "2c": "1997: over 50 to 1,000 others and more, at random",
    "3a": "1997: two sequences, told apart by their beginnings",
    "3b": "1997: the same with noise in the beginnings",
    "3c": "1997: the same with noise in the targets",
    "4": "1997: adding",
    "5": "1997: multiplying",
    "6a": "1997: the order of two symbols",
    "6b": "1997: the order of three symbols",
    "continual": "a stream of Reber strings without an end (2000)",
    "spikes": "the time until a spike, with peepholes and without (2002)",
    "today": "tasks of 1997, mini-batches and Adam",
    "ablations": "the cell without its parts, from scratch",
    "longer": "some of them with four times as many updates",
    "forget-bias": "the forget gate's first bias",
    "electricity": "forecasts of demand",
    "sunspots": "forecasts of sunspots",
    "shakespeare": "bits a character",
    "delayed_recall": "speakers, remembered over silence",
    "spoken_digits": "digits, heard at once",
}
FOLDER = Path("build") / "experiments"


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m lstm_lib.experiments", description=__doc__)
    parser.add_argument("name", nargs="*", help="of experiments, or `results`; none lists them")
    parser.add_argument("--row", default="", help="only those whose name contains this")
    parser.add_argument("--seeds", type=seed_numbers, help="such as 0-4 or 0,3,7")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--long", action="store_true", help="also those that take hours")
    parser.add_argument("--record", action="store_true", help="replace what is recorded")
    parser.add_argument("--anew", action="store_true", help="results: measure the targets again")
    asked = parser.parse_args(arguments)
    for name in asked.name:
        if wrong := _wrong(name, asked):
            parser.error(wrong)
    if not asked.name:
        print(listed())
    for name in asked.name:
        if name == "results":
            print(table(reproduced()))
            if asked.anew:
                print_results()
        elif name in DESCRIBED:
            _run(name, asked)
        else:
            importlib.import_module(f"lstm_lib.experiments.{name}").main()


def _wrong(name: str, asked: argparse.Namespace) -> str:
    """Why this cannot be run; empty where it can."""
    names = [*DESCRIBED, *MODULES, "results"]
    if name not in names:
        return f"name must be among {', '.join(names)}, got {name!r}"
    if name in MODULES and not asked.record:
        return f"{name} replaces its record when it is done: add --record if it may"
    if name in DESCRIBED and not _chosen(name, asked.row):
        rows = "\n  ".join(one.name for one in _chosen(name))
        return f"--row must be in the name of a row of {name}, got {asked.row!r}. Rows:\n  {rows}"
    return ""


def listed() -> str:
    """What can be run, a line each, with the minutes that the record says it took."""
    lines: list[tuple[str, ...]] = [("name", "what it is", "rows", "long", "recorded", "minutes")]
    for name, module in DESCRIBED.items():
        rows, known = _chosen(name), _recorded(module)
        old = [known[one.name]["rows"] for one in rows if one.name in known]
        took = _minutes(sum(row["seconds"] for each in old for row in each))
        numbers = (len(rows), sum(one.long for one in rows), len(old))
        lines.append((name, ABOUT[name], *map(str, numbers), took))
    for name in MODULES:
        seconds = recorded.read(name)["made"]["seconds"] if name in recorded.names() else 0
        lines.append((name, f"{ABOUT[name]}: needs --record", "", "", "", _minutes(seconds)))
    end = "Minutes are those of one core, for the recorded rows. --help lists the options."
    return f"{aligned(lines)}\n\n{end}"


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


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}" if seconds >= 60 else "< 1" if seconds else ""


def _described(module: str) -> tuple[Experiment, ...]:
    found: tuple[Experiment, ...] = importlib.import_module(
        f"lstm_lib.experiments.{module}"
    ).EXPERIMENTS
    return found


def _chosen(name: str, row: str = "") -> list[Experiment]:
    described = _described(DESCRIBED[name])
    return [one for one in described if one.name.split()[0] == name and row in one.name]


def _run(name: str, asked: argparse.Namespace) -> None:
    """Run the rows of a name, show them beside the recorded ones, and record them if asked for."""
    module = DESCRIBED[name]
    chosen = _chosen(name, asked.row)
    for one in chosen:
        if one.long and not asked.long:
            print(f"{one.name}: left out, it takes hours (--long runs it)")
    chosen = [one for one in chosen if asked.long or not one.long]
    results = run(chosen, FOLDER / module, seeds=asked.seeds, n_jobs=asked.jobs)
    known = _recorded(module)
    print(_tables(results))
    if old := [known[one.name] for one in chosen if one.name in known]:
        print(f"\nRecorded:\n{_tables(old)}\n")
    for new in results:
        print(f"{new['name']}: {_compared(new, known.get(new['name']))}")
    if asked.seeds and any(one.together for one in chosen):
        print("Trained side by side, rows agree to the last digit only with the same set of seeds.")
    if asked.record:
        path = record(module, results, [one.name for one in _described(module)])
        print(f"Recorded in {path}")


def _tables(results: list[dict[str, Any]]) -> str:
    return "\n\n".join(filter(None, (table(results), loss_table(results))))


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
    again = [{**row, "seconds": 0} for row in new["rows"] if row["seed"] in rows]
    same = sum(row == rows[row["seed"]] for row in again)
    counts = [f"{same} of {len(again)} recorded seeds exactly as recorded"] if again else []
    if others := len(new["rows"]) - len(again):
        counts.append(f"{others} new")
    return ", ".join(counts)


if __name__ == "__main__":
    main()
