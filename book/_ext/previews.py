"""Previews of terms, claims and works, written into every page that links to them.

A link to the glossary, to the box of a claim or to the bibliography gets a tooltip, which
`previews.js` shows under the mouse and on keyboard focus. Nothing is fetched: the previews stand
at the end of the page, hidden. A claim that is folded on its page shows its sentence, not how it
fared. Where no script runs, the link is a link.
"""

from docutils import nodes
from passages import is_claim, is_term
from plain_references import name_works
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.writers.html5 import HTML5Translator


class preview(nodes.Element):
    """What the links to the address `href` show."""


def visit_preview(self: HTML5Translator, node: preview) -> None:
    """Open a popover, which the browser hides until the script shows it."""
    href = self.attval(node["href"])
    self.body.append(
        f'<div class="preview" id="{node["ids"][0]}" role="tooltip" popover="manual" '
        f'data-for="{href}">'
    )


def depart_preview(self: HTML5Translator, node: preview) -> None:
    """Close it."""
    self.body.append("</div>\n")


def _without_links(node: nodes.Element) -> nodes.Element:
    """Return a copy in which links are words: a tooltip holds nothing to be pressed."""
    copy = node.deepcopy()
    for kind in (addnodes.pending_xref, nodes.reference):
        for link in list(copy.findall(kind)):
            link.parent.replace(link, nodes.Text(link.astext()))
    for inner in copy.findall(nodes.Element):
        inner["ids"] = []
    return copy


def _of_terms(doctree: nodes.document) -> dict[str, list[nodes.Node]]:
    found = {}
    for item in doctree.findall(is_term):
        definition = [_without_links(part) for part in item[-1].children]
        for term in item.findall(nodes.term):
            name = nodes.paragraph("", "", nodes.strong(text=term.astext()))
            found[term["ids"][0]] = [name, *definition]
    return found


def _of_claims(doctree: nodes.document) -> dict[str, list[nodes.Node]]:
    found = {}
    for box in doctree.findall(is_claim):
        title, *verdict = [_without_links(part) for part in box.children]
        sentence = nodes.paragraph("", "", nodes.strong("", "", *title.children))
        is_folded = "dropdown" in box["classes"]
        found[box["ids"][0]] = [sentence] if is_folded else [sentence, *verdict]
    return found


def collect(app: Sphinx, env: BuildEnvironment) -> set[str]:
    """Collect all previews; if one has changed, have all pages written again."""
    found: dict[str, list[nodes.Node]] = {}
    for page in env.found_docs:
        doctree = env.get_doctree(page)
        name_works(app, doctree)
        found |= _of_terms(doctree) | _of_claims(doctree)
    looks = {anchor: [part.pformat() for part in parts] for anchor, parts in found.items()}
    have_changed = looks != getattr(env, "preview_looks", None)
    env.preview_looks, env.previews = looks, found  # type: ignore[attr-defined]
    return set(env.found_docs) if have_changed else set()


def add_previews(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the previews of all links of a page at its end."""
    if app.builder.name != "html":
        return
    shown: dict[str, list[nodes.Node]] = {}
    for link in doctree.findall(nodes.reference):
        href = link.get("refuri") or "#" + link.get("refid", "")
        anchor = href.partition("#")[2]
        if "reftitle" in link and "bibliography" in href:
            # Becomes the preview: a title is not shown on focus.
            shown[href] = [nodes.paragraph(text=link.attributes.pop("reftitle"))]
        elif anchor in app.env.previews:  # type: ignore[attr-defined]
            shown[href] = app.env.previews[anchor]  # type: ignore[attr-defined]
    for number, (href, parts) in enumerate(shown.items()):
        copies = [part.deepcopy() for part in parts]
        doctree[0] += preview("", *copies, ids=[f"preview-{number}"], href=href)


def setup(app: Sphinx) -> dict[str, bool]:
    """Collect when all pages are read, add when links are resolved."""
    app.add_node(preview, html=(visit_preview, depart_preview))
    app.connect("env-updated", collect)
    app.connect("doctree-resolved", add_previews)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
