"""How long a chapter takes, under its title.

The times are those of the table of chapters in `book/index.md`, and of no other place. The mark of
a chapter that was read is the reader's own: `reading.js` keeps it in the browser.
"""

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)
TABLE = "book/index"
CHAPTERS = "notebooks/"
LINE = (
    '</h1>\n<p class="reading-time">About {} with the predictions and two exercises, '
    "half as long straight through.</p>"
)


def times(doctree: nodes.document) -> dict[str, str]:
    """Return the time of each chapter: the last cell of the row that links to it."""
    found = {}
    for row in doctree.findall(nodes.row):
        for link in row.findall(addnodes.pending_xref):
            if link["reftarget"].startswith(CHAPTERS):
                found[link["reftarget"]] = row[-1].astext()
    return found


def collect(app: Sphinx, env: BuildEnvironment) -> set[str]:
    """Read the table; write those chapters again whose time has changed."""
    before = getattr(env, "reading_times", {})
    env.reading_times = now = times(env.get_doctree(TABLE))  # type: ignore[attr-defined]
    chapters = {page for page in env.found_docs if page.startswith(CHAPTERS)}
    for page in sorted(chapters - now.keys()):
        logger.warning("the table of %s has no row with a link to %s and its time", TABLE, page)
    return {page for page in chapters if before.get(page) != now.get(page)}


def add_time(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the time under the title; not into the doctree, whose first words describe the page."""
    time = app.env.reading_times.get(page)  # type: ignore[attr-defined]
    if time and "body" in context:
        context["body"] = context["body"].replace("</h1>", LINE.format(time), 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Read the table when all pages are read, write the times with each page."""
    app.connect("env-updated", collect)
    app.connect("html-page-context", add_time)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
