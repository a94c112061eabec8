"""HTML that everybody can use, where what Sphinx and the theme write is not.

The bibliography is written as a list whose entries have the role `doc-biblioentry`, which ARIA
has since withdrawn: a list needs items. The empty corner of a table is no heading, and a heading
that is a formula alone has a word for tools that do not count MathML as text. In the theme, the
book's name stands in the side bar outside of any landmark, the search button's name is not what
stands on it, icons are read aloud as letters of no alphabet, and two buttons carry event handlers.
"""

import re

HIDDEN_WORD = '<span class="visually-hidden">symbol </span>'
# What is wrong, and what stands there instead; `finished_page` tells when one is never found.
MENDS = {
    r'role="doc-biblioentry"': 'role="listitem"',
    r'<th class="head"><p></p></th>': "<td></td>",
    r'<div (class="sidebar-primary-items__start)': r'<div role="navigation" aria-label="Book" \1',
    # `buttons.js` listens instead, for the classes of the two buttons.
    r'onclick="window\.print\(\)"': "",
    r'onclick="toggleFullScreen\(\)"': "",
    r'console\.log\("\[PST\]: Set focus on search field\."\);': "",
    r'(<button class="btn search-button-field[^>]*) aria-label="[^"]*"': r"\1",
    r'<(i|span) class="((?:theme-switch )?fa[srb]?(?:-solid|-brands)? fa-)': (
        r'<\1 aria-hidden="true" class="\2'
    ),
    r'(<th\b[^>]*><p>)(<span class="math[^>]*><math\b(?:(?!</th>).)*</math></span></p></th>)': (
        rf"\1{HIDDEN_WORD}\2"
    ),
}
FOUND = [re.compile(wrong) for wrong in MENDS]


def mend_page(html: str) -> str:
    """Return the page without what is wrong in it."""
    for wrong, right in zip(FOUND, MENDS.values(), strict=True):
        html = wrong.sub(right, html)
    return html
