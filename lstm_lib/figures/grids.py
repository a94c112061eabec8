"""A small table of numbers in coloured cells, or several of them with common columns."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from numpy.typing import ArrayLike

from .labels import shown

# Not the inks that `to_dark` swaps: a cell keeps its colour on a dark page.
ON_BRIGHT, ON_DARK = "#000000", "#FEFEFE"


def number_grids(
    panels: Mapping[str, ArrayLike],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    xlabel: str,
    limits: tuple[float, float],
) -> list[Axes]:
    """Draw numbers ≥ 0 over several orders of magnitude, a panel a table, with their values.

    panels: title -> (rows, columns). Colours are logarithmic between the limits, dark for the
    lower and bright for the higher; what lies outside has the colour of the nearer limit. Returns
    the panels' axes, top to bottom. Raises ValueError, naming the argument, for no panel, another
    shape, negative numbers or NaN, or limits that are not 0 < low < high.
    """
    if not panels:
        raise ValueError("panels: expected at least one, got none")
    low, high = limits
    if not 0 < low < high:
        raise ValueError(f"limits: expected 0 < low < high, got {limits}")
    tables = {title: np.asarray(values, dtype=float) for title, values in panels.items()}
    shape = len(rows), len(columns)
    for title, table in tables.items():
        if table.shape != shape:
            raise ValueError(f"panels[{title!r}]: expected shape {shape}, got {table.shape}")
        if not (table >= 0).all():
            raise ValueError(f"panels[{title!r}]: expected numbers ≥ 0, got {table.tolist()}")
    height = 0.6 + len(tables) * (0.4 + 0.3 * len(rows))
    _, grid = plt.subplots(
        len(tables), 1, sharex=True, squeeze=False, layout="constrained", figsize=(5.6, height)
    )
    axes = list(grid[:, 0])
    scale = LogNorm(low, high)
    for ax, (title, table) in zip(axes, tables.items(), strict=True):
        ax.imshow(np.maximum(table, low), norm=scale, cmap="cividis", aspect="auto")
        for (row, column), number in np.ndenumerate(table):
            # At a luminance of 0.178 both inks have the same contrast, 4.56.
            ink = ON_BRIGHT if _luminance(scale(max(number, low))) > 0.178 else ON_DARK
            ax.text(column, row, written(number), color=ink, ha="center", va="center")
        ax.set_title(title)
        ax.set_yticks(range(len(rows)), [shown(row) for row in rows])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[-1].set_xticks(range(len(columns)), columns)
    axes[-1].set_xlabel(xlabel)
    return axes


def written(number: float) -> str:
    """Two digits, or as many as stand before the point: 0.03, 0.21, 3.4, 17."""
    digits = 2 if number < 0.995 else 1 if number < 9.95 else 0
    return f"{number:.{digits}f}"


def _luminance(place: float) -> float:
    """The relative luminance of cividis at a place in 0 … 1, as WCAG defines it."""
    rgb = np.array(colormaps["cividis"](float(place))[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
