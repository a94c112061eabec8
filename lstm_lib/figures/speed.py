"""Two plots of measured speed: ratios at several sizes, and where the time of a step goes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from .style import ACCENT, GREY, INK, RULE, STRONG_GREY, WHITE

# Told apart without colour too: by marker, by hatching.
DOTS: list[dict[str, Any]] = [
    {"color": colour, "marker": marker, "markerfacecolor": face or colour}
    for colour, marker, face in (
        (ACCENT, "o", ""),
        (INK, "s", WHITE),
        (STRONG_GREY, "^", ""),
        (ACCENT, "D", WHITE),
        (INK, "v", ""),
        (STRONG_GREY, "P", WHITE),
        (ACCENT, "X", ""),
        (INK, "<", WHITE),
        (STRONG_GREY, "*", ""),
    )
]
FILLS: list[dict[str, Any]] = [
    {"facecolor": ACCENT, "hatch": ""},
    {"facecolor": ACCENT, "hatch": "////"},
    {"facecolor": STRONG_GREY, "hatch": ""},
    {"facecolor": GREY, "hatch": "...."},
    {"facecolor": INK, "hatch": ""},
    {"facecolor": RULE, "hatch": "xx"},
]
WIDE, NARROW = (1, 2, 5), (1, 1.2, 1.5, 2, 3, 4, 6, 8)
"""The ticks of a decade, where the axis spans a factor of 6 and more, and where less."""


def ratio_dots(
    ratios: Mapping[str, ArrayLike], sizes: Sequence[str], *, xlabel: str, ax: Axes | None = None
) -> Axes:
    """Draw how many times as fast each contestant is at each size: a dot, and its quartiles.

    ratios: name -> (sizes, 3), first quartile, median, third. sizes: the name of each row, top
    to bottom. The axis is logarithmic, so that twice and half as fast lie equally far from the
    line at 1. Raises ValueError for another shape, values ≤ 0, or more than nine contestants.
    """
    table = {name: _table(f"ratios[{name!r}]", own, len(sizes), 3) for name, own in ratios.items()}
    _check_count("ratios", table, len(DOTS))
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 1.6 + 0.42 * len(sizes)), layout="constrained")
    rows = np.arange(len(sizes))
    for k, (name, own) in enumerate(table.items()):
        low, middle, high = own.T
        place = rows + 0.5 * ((k + 1) / (len(table) + 1) - 0.5)
        whiskers = np.array([middle - low, high - middle])
        ax.errorbar(middle, place, xerr=whiskers, label=name, linestyle="", markersize=6, **DOTS[k])
    ax.axvline(1, color=GREY, linewidth=1.2, zorder=0)
    ax.set(xscale="log", xlabel=xlabel, yticks=rows, yticklabels=sizes)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(_ticks(*ax.get_xlim()))
    ax.set_ylim(len(sizes) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    _legend_above(ax)
    return ax


def step_bars(
    parts: Mapping[str, ArrayLike],
    measured: ArrayLike,
    sizes: Sequence[str],
    *,
    xlabel: str = "share of the measured step",
    ax: Axes | None = None,
) -> Axes:
    """Draw what a step takes at least, part by part, as shares of the time that it took.

    parts: name -> (sizes,), the lower bound of a part in µs. measured: (sizes,), the whole step in
    µs, which ends at 1; what the parts leave of it is blank. sizes: the name of each bar, top to
    bottom. Raises ValueError for another shape, values below 0, or more than six parts.
    """
    whole = _table("measured", np.reshape(measured, (-1, 1)), len(sizes), 1)[:, 0]
    table = {
        name: _table(f"parts[{name!r}]", np.reshape(own, (-1, 1)), len(sizes), 1, zero=True)[:, 0]
        for name, own in parts.items()
    }
    _check_count("parts", table, len(FILLS))
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 1.6 + 0.38 * len(sizes)), layout="constrained")
    rows = np.arange(len(sizes))
    ax.barh(rows, np.ones(len(sizes)), height=0.62, facecolor=WHITE, edgecolor=GREY, linewidth=0.8)
    left = np.zeros(len(sizes))
    for fill, (name, own) in zip(FILLS, table.items(), strict=False):
        share = own / whole
        ax.barh(rows, share, 0.62, left, label=name, edgecolor=WHITE, linewidth=0.8, **fill)
        left += share
    for row, microseconds in zip(rows, whole, strict=True):
        end = max(1.0, left[row])
        ax.annotate(
            f"{microseconds:.0f} µs",
            (end, row),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    ax.axvline(1, color=GREY, linewidth=1.2, zorder=0)
    ax.set(xlabel=xlabel, yticks=rows, yticklabels=sizes, xlim=(0, 1.22 * max(1, left.max())))
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.set_ylim(len(sizes) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    _legend_above(ax)
    return ax


def _table(
    argument: str, values: ArrayLike, rows: int, columns: int, *, zero: bool = False
) -> NDArray[np.float64]:
    table = np.asarray(values, dtype=float)
    wanted = (rows, columns) if columns > 1 else (rows,)
    came = table.shape if columns > 1 else table.shape[:1]
    if rows == 0 or came != wanted:
        raise ValueError(f"{argument}: expected shape {wanted}, a row a size, got {came}")
    if not np.isfinite(table).all() or (table < 0).any() or (not zero and (table == 0).any()):
        least = "≥ 0" if zero else "> 0"
        raise ValueError(f"{argument}: expected finite numbers {least}, got {table.ravel()}")
    return table


def _check_count(argument: str, table: Mapping[str, Any], most: int) -> None:
    if not 1 <= len(table) <= most:
        raise ValueError(f"{argument}: expected 1 to {most} names, got {len(table)}")


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high, close enough to read values between them."""
    of_decade = NARROW if high < 6 * low else WIDE
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))))
    ticks = [float(f"{tick}e{decade}") for decade in decades for tick in of_decade]
    return [tick for tick in ticks if low <= tick <= high]


def _legend_above(ax: Axes) -> None:
    ax.figure.legend(loc="outside upper left", ncols=3, fontsize=10, handlelength=1.4)
