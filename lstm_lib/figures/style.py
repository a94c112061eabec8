"""One colour and one line a quantity, for plots and diagrams, on a light and on a dark page.

Every colour below has contrast ≥ 3:1 (WCAG 2.2, success criterion 1.4.11) on white and, itself
or as its `DARK` twin, on #1E1E1E. Colour is never alone: each quantity has a dash as well, and a
label at the end of its line.
"""

import re
import sys
from typing import Any

import matplotlib as mpl

INK, WHITE = "#1F2328", "#FFFFFF"
STRONG_GREY, GREY, RULE, PANEL = "#57606A", "#868E96", "#D0D7DE", "#FBFCFD"
ACCENT = "#0B7F93"

# What `to_dark` swaps. No twin may be a key, else swapping twice would differ from once.
DARK = {
    INK: "#E6EDF3",
    WHITE: "#1E1E1E",
    STRONG_GREY: "#B1BAC4",
    GREY: "#7D8590",
    RULE: "#3D444D",
    PANEL: "#1A1B1D",
}

COLOURS = {
    "i": "#257A5B",
    "f": "#4679F2",
    "g": "#B248A8",
    "o": "#BE4106",
    "c": "#C38607",
    "h": INK,
    "RNN": STRONG_GREY,
    "GRU": GREY,
    "LSTM": ACCENT,
}
"""The colour of each quantity of the cell and of each model compared."""

Line = dict[str, Any]
LINES: dict[str, Line] = {
    "i": {"linestyle": (0, (5, 2)), "linewidth": 1.8},
    "f": {"linestyle": "-", "linewidth": 1.8},
    "g": {"linestyle": (0, (1, 1.4)), "linewidth": 2.0},
    "o": {"linestyle": (0, (6, 1.6, 1, 1.6)), "linewidth": 1.8},
    "c": {"linestyle": "-", "linewidth": 2.5},
    "h": {"linestyle": "-", "linewidth": 1.5},
    "RNN": {"linestyle": (0, (1, 1.4)), "linewidth": 2.0},
    "GRU": {"linestyle": (0, (5, 2)), "linewidth": 1.8},
    "LSTM": {"linestyle": "-", "linewidth": 2.2},
}
"""The dash and width (points) of each quantity of the cell and of each model compared."""

# Lines with no meaning of their own: each differs from its neighbours in tone and in dash.
OTHERS: tuple[Line, ...] = (
    {"color": INK, "linestyle": "-", "linewidth": 1.8},
    {"color": ACCENT, "linestyle": (0, (5, 2)), "linewidth": 1.8},
    {"color": STRONG_GREY, "linestyle": (0, (1, 1.4)), "linewidth": 2.0},
    {"color": INK, "linestyle": (0, (6, 1.6, 1, 1.6)), "linewidth": 1.8},
    {"color": ACCENT, "linestyle": "-", "linewidth": 1.8},
    {"color": GREY, "linestyle": (0, (3, 1)), "linewidth": 1.8},
)

STYLE: Any = {
    # Small and large-lettered: at 390 px, the width of a phone, the text is still about 10 px.
    "figure.figsize": (5.6, 3.3),
    "figure.facecolor": WHITE,
    "savefig.facecolor": WHITE,
    "axes.facecolor": WHITE,
    "font.size": 12,
    "axes.labelsize": 12,
    "axes.titlesize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
    # Outlines instead of fonts, so that a figure looks the same on every machine.
    "svg.fonttype": "path",
    # Without a fixed salt the ids inside an SVG are random, and no file is ever the same twice.
    "svg.hashsalt": "lstm_lib",
}

# Without these a file says when and with which version it was drawn.
METADATA: dict[str, None] = {"Date": None, "Creator": None, "Format": None, "Type": None}

_HEX = re.compile("|".join(DARK), re.IGNORECASE)


def use_style() -> None:
    """Set the house style, and make a notebook show figures as SVG that is the same each time.

    Outside a notebook only `matplotlib.rcParams` are set.
    """
    mpl.rcParams.update(STYLE)
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata=METADATA)


def line_style(name: str, others_before: int = 0) -> Line:
    """The colour, dash and width of `name`: its own, else the next of the unnamed lines.

    `name` may be a quantity as `f` or `f_t`, or a model as `LSTM`.
    """
    key = str(name).removesuffix("_t")
    if key in COLOURS:
        return {"color": COLOURS[key], **LINES[key]}
    return OTHERS[others_before % len(OTHERS)]


def to_dark(svg: str) -> str:
    """The same picture for a dark page: house ink, white and greys swapped, all else kept.

    Works on any SVG made here, by matplotlib or by hand; twice gives the same as once.
    """
    return _HEX.sub(lambda match: DARK[match.group().upper()], svg)
