"""What is recorded, as tables that read well in a terminal and in Markdown."""

from collections.abc import Sequence
from typing import Any

from benchmarks import aims
from benchmarks.limits import RACERS
from lstm_lib.timing import geometric_mean

MODES = {"forward": "forward", "train": "training (forward + backward)"}
INSTALL = "pip install -r requirements-bench.txt"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns: the first to the left, the others to the right."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first = row[0].ljust(widths[0])
        return " | ".join([first, *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])

    rule = " | ".join(["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])])
    return "\n".join(f"| {text} |" for text in (line(cells[0]), rule, *map(line, cells[1:])))


def cpu(record: dict[str, Any]) -> str:
    """All tables of a CPU record, and a verdict for every aim."""
    parts = [_made(record)]
    for threads, part in record["threads"].items():
        for mode, title in MODES.items():
            races = [race for race in part["races"] if race["mode"] == mode]
            head = f"{title}, {threads} thread{'s' * (threads != '1')}, {part['clock']}"
            parts.append(f"{head}: torch.nn's time / the contestant's, medians\n\n{ratios(races)}")
            parts.append(f"µs a step, the same\n\n{microseconds(races)}")
    parts += [_scaling(record["scaling"]), _roofline(record["roofline"]), _memory(record["memory"])]
    parts += [f"Absent: {name}: {why}. To have it: {INSTALL}" for name, why in
              record["absent"].items()]  # fmt: skip
    return "\n\n".join([*parts, verdicts(aims.cpu(record))])


def kept(record: dict[str, Any]) -> str:
    """The race with memory that the process keeps."""
    parts = [_made(record), ", ".join(f"{k}={v}" for k, v in record["variables"].items())]
    for mode, title in MODES.items():
        races = [race for race in record["races"] if race["mode"] == mode]
        parts.append(f"{title}, memory kept: torch.nn's time / the other's\n\n{ratios(races)}")
    return "\n\n".join(parts)


def gpu(record: dict[str, Any]) -> str:
    """All tables of a GPU record, and a verdict for every aim."""
    parts = [_made(record), ", ".join(f"{k} {v}" for k, v in record["device"].items())]
    for dtype in dict.fromkeys(race["dtype"] for race in record["races"]):
        races = [race for race in record["races"] if race["dtype"] == dtype]
        title = f"Training step, {dtype}: torch.nn's time (cuDNN) / the contestant's, medians"
        parts += [f"{title}\n\n{ratios(races)}", f"µs a step, the same\n\n{microseconds(races)}"]
    parts += [f"Absent: {name}: {why}" for name, why in record["absent"].items()]
    parts += [f"FAILED: {', '.join(map(str, each))}" for each in record["failed"]]
    return "\n\n".join([*parts, verdicts(aims.gpu(record))])


def ratios(races: list[dict[str, Any]]) -> str:
    """Reference / contestant at every shape: median, and below it the quartiles' width."""
    names = _names(races)
    rows = []
    for race in races:
        own = race["ratio"]
        rows.append([_shape(race), *(f"{own[n][1]:.2f}" if n in own else "" for n in names)])
    means = [
        f"{geometric_mean([race['ratio'][n][1] for race in races]):.2f}"
        if all(n in race["ratio"] for race in races)
        else ""
        for n in names
    ]
    spread = [
        f"{max(_width(race['ratio'][n]) for race in races if n in race['ratio']):.0%}"
        for n in names
    ]
    rows += [["geometric mean", *means], ["widest (q3 − q1) / median", *spread]]
    return table(["T, B, D, H", *names], rows)


def microseconds(races: list[dict[str, Any]]) -> str:
    """The median time of a step at every shape."""
    names = _names(races)
    rows = []
    for race in races:
        own, T = race["seconds"], race["shape"][0]
        rows.append(
            [_shape(race), *(number(own[n][1] / T * 1e6) if n in own else "" for n in names)]
        )
    return table(["T, B, D, H", *names], rows)


def verdicts(found: list[aims.Aim]) -> str:
    """One line an aim: met, missed, or not measured."""
    marks = {True: "met", False: "MISSED", None: "not measured"}
    rows = [[aim.what, aim.target, aim.measured, marks[aim.met]] for aim in found]
    return table(["aim", "target", "measured", ""], rows)


def number(value: float) -> str:
    """Three significant digits, and never 1e+03."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _scaling(scaling: dict[str, Any]) -> str:
    parts = []
    for axis, own in scaling.items():
        rows = [
            [str(n), *(number(own["seconds"][name][k] * 1e3) for name in RACERS)]
            for k, n in enumerate(own["n"])
        ]
        rows.append(["exponent at the end", *(f"{own['slope'][name]:.2f}" for name in RACERS)])
        sizes = ", ".join(_fixed(own["shapes"], axis))
        parts.append(f"ms of a training step against {axis} ({sizes})\n\n"
                     f"{table([axis, *RACERS], rows)}")  # fmt: skip
    return "\n\n".join(parts)


def _fixed(shapes: list[list[int]], axis: str) -> list[str]:
    """The sizes that do not grow along an axis, and those that grow with it."""
    names = [name for name in "TBDH" if name != axis]
    columns = {name: [shape["TBDH".index(name)] for shape in shapes] for name in names}
    return [
        f"{name} = {column[0]}" if len(set(column)) == 1 else f"{name} = {axis}"
        for name, column in columns.items()
    ]


def _roofline(roofline: dict[str, Any]) -> str:
    steps = roofline["steps"]
    parts = list(steps[0]["bounds_us"])
    rows = [
        [
            f"{_shape(step)} {step['mode']}",
            *(f"{step['bounds_us'][part]:.1f}" for part in parts),
            f"{sum(step['bounds_us'].values()):.1f}",
            *(f"{step['measured_us'][name]:.1f}" for name in RACERS),
        ]
        for step in steps
    ]
    rates = ", ".join(f"{k} {v:g}" for k, v in roofline["ceilings"].items())
    head = ["T, B, D, H", *parts, "sum", *RACERS]
    return f"Bounds of a step in µs, one thread ({rates})\n\n{table(head, rows)}"


def _memory(memory: dict[str, Any]) -> str:
    kinds = ("arrays", "resident")
    rows = [[name, *(f"{own[k]:.0f}" if k in own else "" for k in kinds)]
            for name, own in memory["mb"].items()]  # fmt: skip
    T, B, D, H = memory["shape"]
    title = (
        f"MB above the inputs at the peak of forward + backward, T = {T}, B = {B}, D = {D}, H = {H}"
    )
    return f"{title}\n\n{table(['', *kinds], rows)}"


def _made(record: dict[str, Any]) -> str:
    made = record["made"]
    versions = ", ".join(f"{k} {v}" for k, v in made["versions"].items())
    return (
        f"`{made['command']}`, {made['date']}, {made['seconds']} s, {made['machine']}\n{versions}"
    )


def _names(races: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for race in races for name in race["ratio"]))


def _shape(race: dict[str, Any]) -> str:
    return ", ".join(map(str, race["shape"]))


def _width(three: list[float]) -> float:
    return (three[2] - three[0]) / three[1]
