"""Roles that screen readers understand, where what Sphinx writes is out of date.

The bibliography is written as a list whose entries have the role `doc-biblioentry`, which ARIA
has since withdrawn: a list needs items.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def mend_roles(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Call the entries of the bibliography what they are: items of a list."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when the body of a page is written but not yet put into its template."""
    app.connect("html-page-context", mend_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
