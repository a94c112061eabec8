"""Figures that one can touch, in place of pictures that are marked for it.

A figure of the book becomes live by a class, `:figclass: live-NAME`, where NAME is one of
`lstm_lib.figures.live`; with `live-small` too, a figure that has a small form takes it. A script
then puts the live figure in place of the picture, which stays where no script runs: in PDF and
EPUB, in JupyterLab, on paper. A link to the figure with a title sets its state:
`[set f to 0](#fig-cell "f=0")`.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from lstm_lib.figures import live

logger = logging.getLogger(__name__)
PREFIX = "live-"
SMALL = "live-small"


def _has_scripts(app: Sphinx) -> bool:
    return app.builder.name in ("html", "dirhtml")


def write_scripts(app: Sphinx) -> None:
    """Write a script for each figure, and their style, before pages ask for them."""
    if not _has_scripts(app):
        return
    target = Path(app.outdir) / "_static" / "live"
    target.mkdir(parents=True, exist_ok=True)
    for name in live.NAMES:
        (target / f"{name}.js").write_text(live.script(name), encoding="utf-8")
    (target / live.CSS.name).write_bytes(live.CSS.read_bytes())


def load_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load what the figures of a page need, and nothing on other pages."""
    if doctree is None or not _has_scripts(app):
        return
    names = set()
    for figure in doctree.findall(nodes.figure):
        marks = {mark for mark in figure["classes"] if mark.startswith(PREFIX)} - {SMALL}
        for name in (mark.removeprefix(PREFIX) for mark in marks):
            # Sphinx gives every numbered figure an id; without a name no link can know it.
            if name in live.NAMES and figure["names"]:
                names.add(name)
            else:
                wanted = "a :name:" if name in live.NAMES else f"one of {', '.join(live.NAMES)}"
                logger.warning("live figure %r needs %s", name, wanted, location=figure)
    for name in sorted(names):
        app.add_js_file(f"live/{name}.js", loading_method="defer")
    if names:
        app.add_css_file(f"live/{live.CSS.name}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the scripts when the build starts, and load them page by page."""
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", load_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
