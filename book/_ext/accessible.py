"""HTML that everybody can use, where what Sphinx and the theme write is not.

The bibliography is written as a list whose entries have the role `doc-biblioentry`, which ARIA
has since withdrawn: a list needs items. The empty corner of a table is no heading, and a heading
that is a formula alone has a word for tools that do not count MathML as text. In the theme, the
book's name stands in the side bar outside of any landmark, the search button's name is not what
stands on it, icons are read aloud as letters of no alphabet, and two buttons carry event handlers.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

MENDED = {
    'role="doc-biblioentry"': 'role="listitem"',
    '<th class="head"><p></p></th>': "<td></td>",
}

START_OF_SIDEBAR = '<div class="sidebar-primary-items__start'
# `buttons.js` listens instead, for the classes of the two buttons.
MENDED_IN_THEME = {
    START_OF_SIDEBAR: START_OF_SIDEBAR.replace("<div", '<div role="navigation" aria-label="Book"'),
    'onclick="window.print()"': "",
    'onclick="toggleFullScreen()"': "",
    'console.log("[PST]: Set focus on search field.");': "",
}
SEARCH_BUTTON = re.compile(r'(<button class="btn search-button-field[^>]*) aria-label="[^"]*"')
ICON = re.compile(r'<(i|span) class="((?:theme-switch )?fa[srb]?(?:-solid|-brands)? fa-)')
FORMULA_AS_HEADING = re.compile(
    r'(<th\b[^>]*><p>)(<span class="math[^>]*><math\b(?:(?!</th>).)*</math></span></p></th>)'
)
HIDDEN_WORD = '<span class="visually-hidden">symbol </span>'


def mend(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend the body of a page."""
    for wrong, right in MENDED.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def mend_page(html: str) -> str:
    """Mend what the theme puts around the body."""
    for wrong, right in MENDED_IN_THEME.items():
        html = html.replace(wrong, right)
    html = SEARCH_BUTTON.sub(r"\1", html)
    html = ICON.sub(r'<\1 aria-hidden="true" class="\2', html)
    return FORMULA_AS_HEADING.sub(rf"\1{HIDDEN_WORD}\2", html)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when the body of a page is written but not yet put into its template."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
