"""Two plots of a net that reads a stream without end: its state's size, and its gates."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .labels import label_line_ends
from .plots import heatmap
from .style import INK, OTHERS, WHITE


def state_norms(
    norms: Mapping[str, ArrayLike],
    steps: ArrayLike,
    *,
    xlabel: str = "symbols of the stream",
    ylabel: str = "norm of c",
    ax: Axes | None = None,
) -> Axes:
    """Draw how large the cells' state is along a stream, a line a seed, on logarithmic axes.

    norms: name of a net -> (seeds, n), named at the median of its line ends. steps: (n,), after
    which the norms were taken. Raises ValueError, naming the argument, for no or too many nets,
    another shape, and values that are not positive numbers.
    """
    at = np.asarray(steps, float)
    if at.ndim != 1 or at.size < 2 or not (at > 0).all():
        raise ValueError(f"steps: expected shape (n,), n ≥ 2, and numbers > 0, got {at}")
    if not 1 <= len(norms) <= len(OTHERS):
        raise ValueError(f"norms: expected 1 to {len(OTHERS)} nets, got {len(norms)}")
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    ends = {}
    for (name, values), look in zip(norms.items(), OTHERS, strict=False):
        table = np.asarray(values, float)
        if table.ndim != 2 or table.shape[1] != at.size or not len(table):
            raise ValueError(
                f"norms[{name!r}]: expected shape (seeds, n={at.size}), got {table.shape}"
            )
        if not (np.isfinite(table) & (table > 0)).all():
            raise ValueError(f"norms[{name!r}]: expected finite numbers > 0, got {table}")
        ax.plot(at, table.T, **{**look, "linewidth": 1.1, "alpha": 0.8})
        ends[name] = float(np.median(table[:, -1]))
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel, xlim=(at[0], at[-1]))
    label_line_ends(ax, float(at[-1]), ends)
    return ax


def gates_over_symbols(
    gates: ArrayLike,
    symbols: str,
    *,
    starts: Sequence[int] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw gates as cells, blocks down and symbols across, from 0, dark, to 1, light.

    gates: (T, N), one row a symbol. symbols: T of them. starts: the places, counted from 0, at
    which a string begins: a line goes before each. Raises ValueError, naming the argument, for
    another shape or number.
    """
    table = np.asarray(gates, float)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"gates: expected shape (T, N), got {table.shape}")
    T, N = table.shape
    if len(symbols) != T:
        raise ValueError(f"symbols: expected T={T}, one a row of gates, got {len(symbols)}")
    for start in starts:
        if not 0 <= start < T:
            raise ValueError(f"starts: expected places 0 … {T - 1}, got {start}")
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 1.3 + 0.3 * N), layout="constrained")
    heatmap(
        table.T,
        xlabel="symbol read",
        ylabel="$f_t$, block",
        label="0 forgets",
        vmin=0,
        vmax=1,
        extent=(-0.5, T - 0.5, N + 0.5, 0.5),
        ax=ax,
    )
    ax.set_xticks(range(T), list(symbols), fontsize=min(11, 330 / T))
    ax.set_yticks(range(1, N + 1))
    ax.tick_params(length=0)
    for start in starts:
        if start:  # the edge of the picture is line enough
            ax.axvline(start - 0.5, color=WHITE, linewidth=3)
            ax.axvline(start - 0.5, color=INK, linewidth=1)
    return ax
