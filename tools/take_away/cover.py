"""The cover: what a constant forget gate leaves of a memory, step after step."""

from io import BytesIO

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from lstm_lib.figures.style import COLOURS, INK, METADATA, STRONG_GREY, STYLE

TITLE = "Long Short-Term\nMemory,\nMeasured"
CLAIM = "Every claim about how an LSTM works\nis something you can run, see and check."
INCHES = (6, 9)
STEPS = np.arange(61)
FORGET_GATES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
PICTURE = (
    "Seven curves start in one point: what is left of a memory over sixty steps under a constant "
    "forget gate. Under a gate of 0.5 it is gone after five steps, under 0.99 more than half of it "
    "is left at the end, under 1 all of it."
)


def draw(*, format: str) -> bytes:
    """Draw the cover as "svg" or as "png" (1600 × 2400), each time the same bytes."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=INCHES)
        figure.text(0.09, 0.93, TITLE, fontsize=31, fontweight="bold", va="top", linespacing=1.25)
        figure.text(0.09, 0.695, CLAIM, fontsize=13.5, va="top", color=STRONG_GREY, linespacing=1.5)
        ax = figure.add_axes((0.09, 0.09, 0.72, 0.46))
        for gate in FORGET_GATES:
            kept = gate**STEPS
            ax.plot(STEPS, kept, color=COLOURS["f"], linewidth=1.2 + 2.2 * gate**8)
            # The three lowest end in one place: they are named by the others.
            if kept[-1] > 0.02:
                ax.text(62, kept[-1], f"$f = {gate:g}$", va="center", fontsize=13)
        ax.set(xlim=(0, 60), ylim=(0, 1.02), xticks=[0, 20, 40, 60], yticks=[0, 1])
        ax.set_yticklabels(["0", "$c_0$"])
        ax.set_xlabel("$t$, steps", color=INK)
        ax.set_title("$c_t = f^{\\,t}\\,c_0$", fontsize=15, pad=14)
        buffer = BytesIO()
        metadata = METADATA if format == "svg" else {"Software": None}
        figure.savefig(buffer, format=format, dpi=1600 / INCHES[0], metadata=metadata)
    return buffer.getvalue()


def text() -> str:
    """Say what the cover says and shows, for who does not see it."""
    return f"{TITLE} {CLAIM} {PICTURE}".replace("\n", " ")
