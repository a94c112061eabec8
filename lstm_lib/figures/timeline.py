"""A timeline from top to bottom, so that a phone shows it too: years to scale, names spread out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from .labels import spread
from .style import ACCENT, GREY, INK, STRONG_GREY, WHITE

# Told apart without colour too: by marker, and by whether it is filled.
MARKS: list[dict[str, Any]] = [
    {"color": ACCENT, "marker": "o", "markerfacecolor": ACCENT},
    {"color": INK, "marker": "s", "markerfacecolor": WHITE},
    {"color": STRONG_GREY, "marker": "D", "markerfacecolor": STRONG_GREY},
    {"color": INK, "marker": "^", "markerfacecolor": INK},
]
ROW = 0.53
"""Inches a station takes: two lines of text."""


class Station(NamedTuple):
    """One change: when it came, what it is called, what it changed, and of which kind it is."""

    year: float
    name: str
    change: str
    kind: str


def timeline(
    stations: Sequence[Station | tuple[float, str, str, str]], *, inches: float | None = None
) -> Axes:
    """Draw stations down a line whose length is time, each with its year, its name and its change.

    stations: in any order; a kind has a marker of its own, in the order in which kinds first occur.
    inches: the height, at least a row a station. Raises ValueError for no stations, more kinds than
    there are markers, a year that is no number, or too little height.
    """
    rows, marks = _checked(stations)
    years = np.array([row.year for row in rows])
    least = ROW * len(rows)
    height = least if inches is None else inches
    if height < least:
        wanted = f"{least:.2f} for {len(rows)} stations"
        raise ValueError(f"inches must be at least {wanted}, got {inches}")
    figure, ax = plt.subplots(figsize=(5.6, height + 0.45), layout="constrained")
    # Down from the first to the last year, in inches, and room for half a row at both ends.
    span = max(years[-1] - years[0], 1)
    at = (years - years[0]) / span * (height - ROW)
    places = _inside(spread(at, ROW), height - ROW)
    ax.plot([0, 0], [at[0], at[-1]], color=GREY, linewidth=1.6, zorder=0)
    for row, depth, place in zip(rows, at, places, strict=True):
        # The marker stands at the name: two stations of one year would hide each other.
        ax.plot([-0.06, 0, 0.3, 0.44], [depth, depth, place, place], color=GREY, linewidth=0.9)
        ax.plot([0.44], [place], markersize=7, linestyle="", **marks[row.kind])
        ax.text(0.58, place, f"{row.year:.0f}", color=STRONG_GREY, va="center")
        ax.text(1.14, place - 0.11, row.name, color=INK, weight="bold", va="center")
        ax.text(1.14, place + 0.11, row.change, color=INK, fontsize=11, va="center")
    for kind, mark in marks.items():
        ax.plot([], [], linestyle="", markersize=7, label=kind, **mark)
    ax.set(xlim=(-0.12, 5.3), ylim=(height - ROW / 2, -ROW / 2))
    ax.axis("off")
    figure.legend(loc="outside upper left", ncols=len(marks), fontsize=11, handletextpad=0.1)
    return ax


def _checked(stations: Sequence[Any]) -> tuple[list[Station], dict[str, dict[str, Any]]]:
    """The stations by year, and a marker for each kind."""
    given = [Station(*station) for station in stations]
    if not given:
        raise ValueError("stations: expected at least one station, got none")
    if not np.isfinite([row.year for row in given]).all():
        years = [row.year for row in given]
        raise ValueError(f"stations: expected years that are finite numbers, got {years}")
    kinds = list(dict.fromkeys(row.kind for row in given))
    if len(kinds) > len(MARKS):
        raise ValueError(f"stations: expected at most {len(MARKS)} kinds, got {', '.join(kinds)}")
    rows = sorted(given, key=lambda row: row.year)
    return rows, dict(zip(kinds, MARKS, strict=False))


def _inside(places: NDArray[np.float64], bottom: float) -> NDArray[np.float64]:
    """The same places, a row apart, moved so that none lies above 0 or below the bottom."""
    rising = np.maximum(places, ROW * np.arange(len(places)))
    return np.minimum(rising, bottom - ROW * np.arange(len(places))[::-1])
