"""The targets of the course in one table: measured now, beside what is recorded."""

import importlib
import sys
import time
from typing import NamedTuple

MODULES = ("electricity", "sunspots", "shakespeare", "delayed_recall", "spoken_digits")


class Row(NamedTuple):
    """One line of the table; now and recorded as text, mean ± spread where there are seeds."""

    claim: str  #: A1, A2, A3
    what: str
    now: str
    recorded: str
    target: str = ""
    met: bool | None = None  #: by what was measured now; None where there is no target


def spread(values: list[float], digits: int) -> str:
    """Mean ± standard deviation over seeds."""
    n = len(values)
    mean = sum(values) / n
    deviation = (sum((v - mean) ** 2 for v in values) / max(n - 1, 1)) ** 0.5
    return f"{mean:.{digits}f} ± {deviation:.{digits}f} ({n} seeds)"


def print_results(modules: tuple[str, ...] = MODULES) -> None:
    """Measure every target (each module's `rows()`); exit with 1 where one is missed."""
    rows: list[Row] = []
    for name in modules:
        start = time.perf_counter()
        print(f"Measuring {name} ...", end=" ", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"lstm_lib.experiments.{name}").rows()
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    cells = [("", "what", "now", "recorded", "target", "")]
    marks = {None: "", True: "met", False: "MISSED"}
    cells += [(*row[:-1], marks[row.met]) for row in rows]
    widths = [max(len(row[k]) for row in cells) for k in range(6)]
    for row in cells:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(line.rstrip())
    if any(row.met is False for row in rows):
        sys.exit(1)
