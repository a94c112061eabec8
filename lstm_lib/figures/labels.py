"""Names at the ends of lines, moved apart where they would overlap."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from .style import COLOURS, GREY, INK


def shown(name: str) -> str:
    """A quantity of the cell as in the book, `f` as f_t in italics; any other name as it is."""
    key = str(name).removesuffix("_t")
    return f"${key}_t$" if key in COLOURS and len(key) == 1 else str(name)


def end(values: NDArray[np.float64]) -> float:
    """The last value that is not NaN: where the line that is drawn ends."""
    known = values[~np.isnan(values)]
    return float(known[-1]) if known.size else np.nan


def label_line_ends(ax: Axes, x: float, ends: Mapping[str, float]) -> None:
    """Write each name right of (x, its height), apart from each other by a line of text.

    Call it last: it reads the limits. A name whose line ends outside goes to the edge.
    """
    names = list(ends)
    low, high = ax.get_ylim()
    inside = np.clip([ends[name] for name in names], min(low, high), max(low, high))
    to_fraction = ax.transData + ax.transAxes.inverted()
    heights = to_fraction.transform(np.column_stack([np.full(len(names), x), inside]))[:, 1]
    gap = 15 / (ax.get_window_extent().height * 72 / ax.figure.dpi)
    places = spread(heights, gap)
    for name, height, place in zip(names, heights, places, strict=True):
        moved = abs(place - height) > gap / 4
        ax.annotate(
            shown(name),
            (1, height),
            (1.05 if moved else 1.015, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color=INK,
            arrowprops={
                "arrowstyle": "-",
                "color": GREY,
                "linewidth": 0.8,
                "shrinkA": 1,
                "shrinkB": 1,
            }
            if moved
            else None,
        )


def spread(heights: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Heights at least `gap` apart, in the same order, moved as little as possible.

    Neighbours that are too close become one group around their mean; groups that then touch join.
    """
    groups: list[list[int]] = []
    centres: list[float] = []
    for index in np.argsort(heights, kind="stable"):
        groups.append([int(index)])
        centres.append(float(heights[index]))
        while len(groups) > 1 and (
            centres[-1] - centres[-2] < gap * (len(groups[-1]) + len(groups[-2])) / 2
        ):
            joined = groups[-2] + groups[-1]
            groups[-2:] = [joined]
            centres[-2:] = [float(heights[joined].mean())]
    placed = np.empty(len(heights))
    for group, centre in zip(groups, centres, strict=True):
        placed[group] = centre + gap * (np.arange(len(group)) - (len(group) - 1) / 2)
    return placed
