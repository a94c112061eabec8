"""A forest plot: effects with their intervals, one panel a task, the largest at the bottom."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from .style import ACCENT, GREY, INK, WHITE

COLUMNS = 2


def forest(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    xlabel: str,
    log: bool = False,
    faint: Mapping[str, Mapping[str, ArrayLike]] | None = None,
) -> list[Axes]:
    """Draw a dot and an interval for each name in each panel, sorted by the dots.

    panels: title -> name -> (estimate, low, high). A dot is filled where its interval leaves out
    the line of no effect: 0, or with `log` 1 on a logarithmic axis. Each panel has a scale of its
    own, since effects may be of other sizes in another panel.
    faint: title -> name -> single values, such as one a seed, drawn behind the dots.
    Raises ValueError for panels without names, and for numbers that are not finite, not in order
    or, with `log`, not positive.
    """
    if not panels:
        raise ValueError("panels: expected at least one, got none")
    tables = {
        title: {
            name: _checked(f"panels[{title!r}][{name!r}]", own, log) for name, own in rows.items()
        }
        for title, rows in panels.items()
    }
    most = max(len(rows) for rows in tables.values())
    columns = min(COLUMNS, len(tables))
    lines = -(-len(tables) // columns)
    _, axes = plt.subplots(
        lines,
        columns,
        figsize=(5.6, lines * (0.9 + 0.28 * most)),
        squeeze=False,
        layout="constrained",
    )
    shown = list(axes.flat[: len(tables)])
    for ax in axes.flat[len(tables) :]:
        ax.remove()
    for ax, (title, rows) in zip(shown, tables.items(), strict=False):
        _panel(ax, title, rows, (faint or {}).get(title, {}), reference=1.0 if log else 0.0)
        if log:
            _log_axis(ax)
    shown[0].figure.supxlabel(xlabel, fontsize=12, color=INK)
    return shown


def _panel(
    ax: Axes,
    title: str,
    rows: Mapping[str, NDArray[np.float64]],
    points: Mapping[str, ArrayLike],
    *,
    reference: float,
) -> None:
    names = sorted(rows, key=lambda name: rows[name][0])
    ax.axvline(reference, color=GREY, linewidth=1.2, zorder=0)
    for row, name in enumerate(names):
        estimate, low, high = rows[name]
        if name in points:
            values = np.asarray(points[name], dtype=float)
            ax.plot(values, np.full(values.shape, row), "|", color=GREY, markersize=7, zorder=1)
        clear = not low <= reference <= high
        ax.errorbar(
            estimate,
            row,
            xerr=[[estimate - low], [high - estimate]],
            color=ACCENT,
            marker="o",
            markersize=5,
            markerfacecolor=ACCENT if clear else WHITE,
            linewidth=1.6,
        )
    ax.set_title(title)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelsize=12)


def _log_axis(ax: Axes) -> None:
    """A logarithmic axis with ticks that have room: 1, 2, 5 in a decade, else powers of ten."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_minor_locator(NullLocator())
    if high < 100 * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    else:
        ax.xaxis.set_major_locator(LogLocator(numticks=5))


def _checked(argument: str, own: ArrayLike, log: bool) -> NDArray[np.float64]:
    """(estimate, low, high), low ≤ estimate ≤ high."""
    numbers = np.asarray(own, dtype=float)
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise ValueError(f"{argument}: expected finite (estimate, low, high), got {own!r}")
    estimate, low, high = numbers
    if not low <= estimate <= high:
        raise ValueError(f"{argument}: expected low ≤ estimate ≤ high, got {numbers.tolist()}")
    if log and low <= 0:
        raise ValueError(f"{argument}: expected numbers > 0 on a log axis, got {numbers.tolist()}")
    return numbers
