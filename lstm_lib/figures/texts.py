"""A text whose characters stand on the colours of a number each, as a cell's value."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

# Not the house's ink and white: a dark page swaps those, but not the colours below the letters.
ON_LIGHT, ON_DARK = "#010101", "#FEFEFE"


def coloured_text(
    text: str, values: ArrayLike, *, label: str, limit: float = 1.0, ax: Axes | None = None
) -> Axes:
    """Draw each character of `text` on the colour of its value (N,), as lines of a fixed width.

    Colours run from blue (−limit) over white (0) to red (limit); label names the colour bar. The
    end of a line has a colour too. Raises ValueError where there is not one value a character.
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != (len(text),) or not text:
        raise ValueError(f"values: expected one a character ({len(text)},), got {numbers.shape}")
    lines = text.split("\n")
    width = max(map(len, lines)) + 1
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 0.4 + 0.19 * len(lines)), layout="constrained")
    scale = ScalarMappable(Normalize(-limit, limit), colormaps["RdBu_r"])
    row = place = 0
    for character, number in zip(text, numbers, strict=True):
        fill = scale.to_rgba(number)
        ax.add_patch(Rectangle((place, row), 1, 1, facecolor=fill, edgecolor=fill, linewidth=0.3))
        if not character.isspace():
            ink = ON_LIGHT if np.dot(fill[:3], (0.3, 0.6, 0.1)) > 0.5 else ON_DARK
            middle = ax.text(place + 0.5, row + 0.5, character, color=ink, ha="center", va="center")
            middle.set(family="monospace", size=9)
        row, place = (row + 1, 0) if character == "\n" else (row, place + 1)
    ax.set(xlim=(0, width), ylim=(len(lines), 0))
    ax.axis("off")
    ax.figure.colorbar(scale, ax=ax, label=label, pad=0.02, shrink=0.5).outline.set_visible(False)
    return ax
