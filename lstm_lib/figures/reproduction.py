"""Results that were measured again, beside the published ones: a row an experiment."""

from collections.abc import Collection, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from .style import ACCENT, GREY, INK, RULE, WHITE, Line

PUBLISHED: Line = {"marker": "D", "markersize": 7, "color": INK, "markerfacecolor": WHITE}
MEAN: Line = {"marker": "o", "markersize": 7, "color": ACCENT}
HOLLOW: Line = MEAN | {"markerfacecolor": WHITE}
# Its fill is so pale that a seed on it can be seen, so an outline says where it ends.
BAND: Line = {"facecolor": (RULE, 0.2), "edgecolor": GREY, "linewidth": 0.8, "zorder": 0}
SEED: Line = {"marker": "o", "markersize": 5, "color": GREY}
SEED |= {"markeredgecolor": WHITE, "markeredgewidth": 0.6}  # so that two which touch are two


def reproduction_dots(
    seeds: Mapping[str, ArrayLike],
    intervals: Mapping[str, ArrayLike],
    published: Mapping[str, float],
    *,
    xlabel: str,
    ends: Mapping[str, str] | None = None,
    hollow: Collection[str] = (),
    factor: float = 2,
    ax: Axes | None = None,
) -> Axes:
    """Draw what each seed of an experiment took, their mean with its interval, the paper's number.

    seeds: name -> (n,), n ≥ 0: those that did not succeed are left out, and `ends` may say how many
    there were. intervals: name -> (3,), lower end, mean, upper end; rows without one have none.
    published: name -> number. factor: a band from published / factor to published · factor marks
    what counts as the same. ends: name -> text at the right end of the row. hollow: the rows whose
    mean leaves out trials that failed. The axis is logarithmic.
    Raises ValueError, naming the argument, for rows that differ or values ≤ 0.
    """
    rows = _checked(seeds, intervals, published, ends or {}, hollow, factor)
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 1.6 + 0.34 * len(rows)), layout="constrained")
    for place, row in enumerate(rows):
        _dots(ax, place, row, seeds[row], published[row], factor)
        if row in intervals:
            low, mean, high = _positive(f"intervals[{row!r}]", intervals[row], 3)
            look = HOLLOW if row in hollow else MEAN
            ax.errorbar(mean, place, xerr=[[mean - low], [high - mean]], zorder=3, **look)
        if ends and row in ends:
            ax.annotate(
                ends[row],
                (1, place),
                (4, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                color=INK,
            )
    ax.set(xscale="log", xlabel=xlabel, yticks=range(len(rows)), yticklabels=rows)
    ax.use_sticky_edges = False  # else a band would begin at the edge
    ax.autoscale_view()
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    _count_ticks(ax)
    ax.figure.legend(
        handles=_legend(factor, bool(hollow)), loc="outside upper left", ncols=2, fontsize=10
    )
    return ax


def _checked(
    seeds: Mapping[str, ArrayLike],
    intervals: Mapping[str, ArrayLike],
    published: Mapping[str, float],
    ends: Mapping[str, str],
    hollow: Collection[str],
    factor: float,
) -> list[str]:
    """The rows, where all arguments are about the same ones."""
    rows = list(published)
    if not rows:
        raise ValueError("published: expected at least one row, got none")
    if list(seeds) != rows:
        raise ValueError(f"seeds: expected the rows of published, {rows}, got {list(seeds)}")
    for argument, table in (("intervals", intervals), ("ends", ends), ("hollow", hollow)):
        if strange := set(table) - set(rows):
            raise ValueError(f"{argument}: expected rows among {rows}, got {sorted(strange)}")
    if not factor > 1:
        raise ValueError(f"factor: expected a number > 1, got {factor}")
    return rows


def _count_ticks(ax: Axes) -> None:
    """Powers of ten, and between them 2 and 5, or 3, as far as there is room for their labels."""
    low, high = ax.get_xlim()
    if high < 100 * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 40 * low else (1, 3)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _dots(
    ax: Axes, place: int, row: str, seeds: ArrayLike, published: float, factor: float
) -> None:
    [paper] = _positive(f"published[{row!r}]", published, 1)
    each = _positive(f"seeds[{row!r}]", seeds)
    ax.barh(place, paper * factor - paper / factor, 0.7, paper / factor, **BAND)
    beside = 0.22 * np.resize([1, -1, 0.4, -0.4], len(each))  # so that equal ones are two
    ax.plot(each, place + beside, linestyle="", zorder=1, **SEED)
    ax.plot(paper, place, linestyle="", zorder=2, **PUBLISHED)


def _legend(factor: float, hollow: bool) -> list[Line2D | Patch]:
    dots = [("a seed", SEED), ("mean, 95 % interval", MEAN), ("published", PUBLISHED)]
    if hollow:
        dots.insert(2, ("mean of those that succeeded", HOLLOW))
    handles: list[Line2D | Patch] = [
        Line2D([], [], linestyle="", label=label, **look) for label, look in dots
    ]
    return [*handles, Patch(label=f"within a factor of {factor:g} of it", **BAND)]


def _positive(argument: str, values: ArrayLike, n: int | None = None) -> NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(values, dtype=float))
    if array.ndim != 1 or n not in (None, len(array)):
        raise ValueError(f"{argument}: expected shape ({n or 'n'},), got {array.shape}")
    if not np.isfinite(array).all() or (array <= 0).any():
        raise ValueError(f"{argument}: expected finite numbers > 0, got {array}")
    return array
