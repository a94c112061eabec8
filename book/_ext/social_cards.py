"""The mark of the book on its social cards, which `sphinxext.opengraph` draws for every page."""

import os
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from sphinx.application import Sphinx
from sphinx.config import Config


def draw_mark(path: Path) -> None:
    """Draw what `_static/favicon.svg` shows, as the PNG that the cards need."""
    figure = Figure(figsize=(2, 2))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 32), ylim=(32, 0))
    axes.set_axis_off()
    corners = FancyBboxPatch((6, 6), 20, 20, boxstyle="round,pad=6", fc="#1F2328", lw=0)
    axes.add_patch(corners)
    axes.plot([3, 29], [11, 11], color="#C38607", lw=13)
    axes.plot([3, 29], [24, 24], color="#E6EDF3", lw=9)
    axes.add_patch(Circle((11, 11), 4, color="#4679F2", zorder=3))
    axes.add_patch(Circle((21, 11), 4, color="#257A5B", zorder=3))
    figure.savefig(path, dpi=100, transparent=True)


def set_mark(app: Sphinx, config: Config) -> None:
    """Draw the mark and tell the cards where it lies, seen from the source folder."""
    path = Path(app.outdir).parent / "mark.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_mark(path)
    config.ogp_social_cards["image_mini"] = Path(os.path.relpath(path, app.srcdir)).as_posix()


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when the configuration is read."""
    app.connect("config-inited", set_mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
