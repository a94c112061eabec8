"""HTML that screen readers understand, where what Sphinx writes is not.

The bibliography is written as a list whose entries have the role `doc-biblioentry`, which ARIA
has since withdrawn: a list needs items. And the empty corner of a table is no heading.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

MENDED = {
    'role="doc-biblioentry"': 'role="listitem"',
    '<th class="head"><p></p></th>': "<td></td>",
}


def mend(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend the body of a page."""
    for wrong, right in MENDED.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when the body of a page is written but not yet put into its template."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
