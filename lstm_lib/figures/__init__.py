"""The book's figures: plots of arrays and traces, and diagrams drawn from the equations.

In a notebook, call `use_style()` once. Then

    ax = figures.lines({"RNN": ..., "LSTM": ...}, xlabel="lag", ylabel="accuracy")

shows the figure below the cell. Plots return matplotlib Axes (those of several panels a list);
bind the result, as above, so that the cell prints no text beside the figure. A `Diagram` shows
itself where it is the last expression of a cell. `to_dark(svg)` makes the twin for a dark page.
"""

from .continual import gates_over_symbols, state_norms
from .diagrams import Diagram, cell_diagram, chain_diagram
from .forest import forest
from .graph import backward_diagram
from .grids import number_grids
from .plots import bars, cell_trace, gate_heatmap, heatmap, lines, signed_heatmap
from .reproduction import reproduction_dots
from .roads import gradient_roads
from .speed import ratio_dots, step_bars
from .style import COLOURS, LINES, to_dark, use_style
from .texts import coloured_text
from .timeline import timeline

__all__ = [
    "COLOURS",
    "LINES",
    "Diagram",
    "backward_diagram",
    "bars",
    "cell_diagram",
    "cell_trace",
    "chain_diagram",
    "coloured_text",
    "forest",
    "gate_heatmap",
    "gates_over_symbols",
    "gradient_roads",
    "heatmap",
    "lines",
    "number_grids",
    "ratio_dots",
    "reproduction_dots",
    "signed_heatmap",
    "state_norms",
    "step_bars",
    "timeline",
    "to_dark",
    "use_style",
]
