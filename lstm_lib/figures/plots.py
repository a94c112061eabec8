"""Line plots, heat maps and bars over arrays and traces, in the style of the book.

Each function draws on axes of its own, or on `ax` where that is given, and returns the axes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from .labels import end, label_line_ends, shown
from .style import COLOURS, GREY, INK, STRONG_GREY, line_style

Array = NDArray[Any]


class Trace(Protocol):
    """The part of a trace of `numpy_cells.lstm` that is drawn: (T+1, B, H) arrays."""

    h: Array
    c: Array
    i: Array
    f: Array
    g: Array
    o: Array


def lines(
    curves: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    x: ArrayLike | None = None,
    log: bool = False,
    reference: Mapping[str, float] | None = None,
    ylim: tuple[float, float] | None = None,
    like: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw curves over a common x axis, each named at its end.

    curves: name -> (n,), or (seeds, n), drawn as the mean and a band from minimum to maximum.
    The names RNN, GRU, LSTM, i, f, g, o, c, h have their own colours and dashes; `like` gives
    another name the look of one of these. x: (n,), default 1 … n. log: the y axis is logarithmic.
    reference: name -> height of a thin horizontal line. Raises ValueError, naming the argument,
    for no curves, a curve of another rank or length, or values ≤ 0 on a log axis.
    """
    table = {name: _curve(name, values) for name, values in curves.items()}
    if not table:
        raise ValueError("curves: expected at least one curve, got none")
    n = next(iter(table.values())).shape[1]
    steps = np.arange(1, n + 1) if x is None else np.asarray(x)
    if steps.ndim != 1:
        raise ValueError(f"x: expected shape (n,), got {steps.shape}")
    if steps.dtype.kind not in "biuf" or not np.isfinite(steps).all():
        raise ValueError(f"x: expected finite numbers, got {steps}")
    for name, values in table.items():
        if values.shape[1] != len(steps):
            raise ValueError(
                f"curves[{name!r}]: expected {len(steps)} points, as x, got shape "
                f"{values.shape[1:]}"
            )
        if log and (values <= 0).any():
            raise ValueError(
                f"curves[{name!r}]: log=True needs values > 0, got {np.nanmin(values):g}"
            )
    for name, height in (reference or {}).items():
        if log and height <= 0:
            raise ValueError(f"reference[{name!r}]: log=True needs values > 0, got {height}")
    for name, look in (like or {}).items():
        if look not in COLOURS:
            raise ValueError(f"like[{name!r}]: expected one of {', '.join(COLOURS)}, got {look!r}")
    ax = _axes(ax)
    others = 0
    ends: dict[str, float] = {}
    for name, values in table.items():
        look = (like or {}).get(name, name)
        style = line_style(look, others)
        others += str(look).removesuffix("_t") not in COLOURS
        mean = values.mean(axis=0)
        if len(values) > 1:
            band = (values.min(axis=0), values.max(axis=0))
            ax.fill_between(steps, *band, color=style["color"], alpha=0.18, linewidth=0)
        ax.plot(steps, mean, label=name, **style)
        ends[name] = end(mean)
    for name, height in (reference or {}).items():
        ax.axhline(height, color=GREY, linewidth=1.2, linestyle=(0, (2, 2)), zorder=0)
        ends[name] = height
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    ax.set_xlim(steps[0], steps[-1] if n > 1 else steps[0] + 1)
    if ylim is not None:
        ax.set_ylim(*ylim)
    label_line_ends(ax, steps[-1], ends)
    return ax


def heatmap(
    values: ArrayLike,
    *,
    xlabel: str,
    ylabel: str,
    label: str = "value",
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str = "cividis",
    extent: tuple[float, float, float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a (rows, columns) array as coloured cells, row 0 at the top, with a colour bar.

    label: what the colour bar measures. vmin, vmax: its limits, default those of the values.
    extent: left, right, bottom, top of the cells, default columns 1 … and rows 0 ….
    """
    table = _matrix("values", values)
    ax = _axes(ax)
    rows, columns = table.shape
    place = extent or (0.5, columns + 0.5, rows - 0.5, -0.5)
    image = ax.imshow(
        table, cmap=cmap, vmin=vmin, vmax=vmax, extent=place, aspect="auto", interpolation="nearest"
    )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if extent is None:  # rows and columns are counted: no ticks between them
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
    _colour_bar(image, [ax], label)
    return ax


def signed_heatmap(
    values: ArrayLike,
    *,
    xlabel: str = "step t",
    ylabel: str = "unit",
    label: str = "value",
    limit: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw signed (units, T) values with colours that are symmetric about 0.

    limit: the value of the strongest colour, default the largest absolute value.
    """
    table = _matrix("values", values)
    if limit is not None and not 0 < limit < np.inf:
        raise ValueError(f"limit: expected a finite number > 0, got {limit}")
    largest = np.abs(table[np.isfinite(table)]).max(initial=0)
    top = limit if limit is not None else float(largest) or 1.0
    return heatmap(
        table, xlabel=xlabel, ylabel=ylabel, label=label, vmin=-top, vmax=top, cmap="RdBu_r", ax=ax
    )


def gate_heatmap(
    trace: Trace,
    *,
    batch: int = 0,
    gates: str = "ifo",
    order: ArrayLike | None = None,
) -> list[Axes]:
    """Draw the gates of one sequence over time, one panel a gate, units down, colours 0 to 1.

    gates: some of the letters i, f, o, top to bottom. order: the units to show, as (n,) indices,
    default all. Returns the panels' axes, top to bottom.
    """
    if not gates or set(gates) - set("ifo"):
        raise ValueError(f"gates: expected letters among 'ifo', got {gates!r}")
    _check_batch(trace, batch)
    units = trace.h.shape[2]
    rows = np.arange(units) if order is None else np.asarray(order)
    if rows.ndim != 1 or rows.dtype.kind not in "iub" or not np.isin(rows, np.arange(units)).all():
        raise ValueError(f"order: expected unit numbers 0 … {units - 1}, got {order!r}")
    _, panels = plt.subplots(
        len(gates),
        1,
        sharex=True,
        squeeze=False,
        layout="constrained",
        figsize=(5.6, 0.7 + 1.1 * len(gates)),
    )
    axes = list(panels[:, 0])
    for ax, gate in zip(axes, gates, strict=True):
        table = getattr(trace, gate)[1:, batch, rows].T
        image = ax.imshow(
            table,
            cmap="cividis",
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
            extent=(0.5, table.shape[1] + 0.5, len(rows) - 0.5, -0.5),
        )
        ax.set_ylabel(f"${gate}_t$, unit")
        ax.set_yticks([0, len(rows) - 1] if len(rows) > 1 else [0])
        ax.set_yticklabels([str(rows[0]), str(rows[-1])] if len(rows) > 1 else [str(rows[0])])
    axes[-1].set_xlabel("step t")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    _colour_bar(image, axes, "gate: 0 closed, 1 open")
    return axes


def cell_trace(
    trace: Trace, *, batch: int = 0, unit: int = 0, marks: Sequence[int] = ()
) -> list[Axes]:
    """Draw one unit over time: gates i, f, o above; candidate g, cell c and hidden h below.

    marks: steps 1 … T to mark with a vertical line. Returns the two axes, top to bottom.
    """
    _check_batch(trace, batch)
    T, units = len(trace.h) - 1, trace.h.shape[2]
    if not 0 <= unit < units:
        raise ValueError(f"unit: expected 0 … {units - 1}, got {unit}")
    for mark in marks:
        if not 1 <= mark <= T:
            raise ValueError(f"marks: expected steps 1 … {T}, got {mark}")
    _, (top, bottom) = plt.subplots(2, 1, sharex=True, layout="constrained", figsize=(5.6, 4.6))
    for ax, quantities in ((top, "ifo"), (bottom, "gch")):
        ends = {}
        for name in quantities:
            # Row 0 of c and h is the start; gates have no value before the first step.
            first = 0 if name in "ch" else 1
            values = getattr(trace, name)[first:, batch, unit]
            ax.plot(np.arange(first, T + 1), values, label=name, **line_style(name))
            ends[name] = end(np.asarray(values))
        for mark in marks:
            ax.axvline(mark, color=GREY, linewidth=1, linestyle=(0, (2, 2)), zorder=0)
        ax.set_xlim(0, T)
        if ax is top:
            ax.set_ylim(-0.03, 1.03)
        else:
            ax.axhline(0, color=GREY, linewidth=0.8, zorder=0)
        label_line_ends(ax, T, ends)
    top.set_ylabel("gate")
    bottom.set(xlabel="step t", ylabel="value")
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no step 2.5
    return [top, bottom]


def bars(
    values: Mapping[str, float],
    *,
    xlabel: str = "value",
    ylabel: str = "",
    digits: int = 2,
    reference: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one horizontal bar a name, top to bottom, with its number at its end.

    digits: decimals of the numbers. reference: name -> position of a thin vertical line.
    """
    if not values:
        raise ValueError("values: expected at least one bar, got none")
    numbers = np.array([float(value) for value in values.values()])
    if not np.isfinite(numbers).all():
        raise ValueError(f"values: expected finite numbers, got {dict(values)}")
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 0.9 + 0.38 * len(values)), layout="constrained")
    for row, (name, number) in enumerate(zip(values, numbers, strict=True)):
        colour = COLOURS.get(str(name).removesuffix("_t"), STRONG_GREY)
        ax.barh(row, number, height=0.62, color=colour)
        ax.annotate(
            f"{number:.{digits}f}".replace("-", "−"),
            (max(number, 0), row),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    ax.set_yticks(range(len(values)), [shown(name) for name in values])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.axvline(0, color=INK, linewidth=0.8)
    for name, position in (reference or {}).items():
        ax.axvline(position, color=GREY, linewidth=1.2, linestyle=(0, (2, 2)), zorder=0)
        ax.annotate(
            name,
            (position, 1),
            (3, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="bottom",
            ha="center",
            color=INK,
        )
    ax.margins(x=0.14)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def _curve(name: str, values: ArrayLike) -> Array:
    table = np.asarray(values, dtype=float)
    if table.ndim not in (1, 2) or table.size == 0:
        raise ValueError(f"curves[{name!r}]: expected shape (n,) or (seeds, n), got {table.shape}")
    return np.atleast_2d(table)


def _matrix(argument: str, values: ArrayLike) -> Array:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"{argument}: expected a non-empty 2-D array, got shape {table.shape}")
    return table


def _check_batch(trace: Trace, batch: int) -> None:
    if not all(hasattr(trace, name) for name in "hcifgo"):
        came = getattr(trace, "_fields", type(trace).__name__)
        raise ValueError(f"trace: expected the fields h, c, i, f, g, o of an LSTM, got {came}")
    if not 0 <= batch < trace.h.shape[1]:
        raise ValueError(f"batch: expected 0 … {trace.h.shape[1] - 1}, got {batch}")


def _colour_bar(image: ScalarMappable, axes: list[Axes], label: str) -> None:
    bar = axes[0].figure.colorbar(image, ax=axes, label=label, pad=0.02, aspect=18)
    bar.outline.set_visible(False)
