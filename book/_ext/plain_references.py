"""References as words, where there is no link: authors and year, the number of a figure."""

from docutils import nodes
from pybtex.database import Entry
from sphinx import addnodes
from sphinx.application import Sphinx


def _authors_and_year(work: Entry) -> str:
    names = [
        " ".join(map(str, who.rich_prelast_names + who.rich_last_names))
        for who in work.persons["author"]
    ]
    others = ", ".join(names[:-1])
    return f"{others and f'{others} and '}{names[-1]} ({work.fields['year']})"


def name_works(app: Sphinx, doctree: nodes.document) -> None:
    """Put authors and year in the place of each citation's key, nearly as the reader sees it.

    All authors are named, so that they are found.
    """
    entries = {work.key: work.entry for work in app.env.get_domain("cite").citations}
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node["refdomain"] == "cite":
            works = [entries[key.strip()] for key in node["reftarget"].split(",")]
            node.parent.replace(node, nodes.Text("; ".join(map(_authors_and_year, works))))


def name_numbers(app: Sphinx, doctree: nodes.document) -> None:
    """Put "Fig. 2.3" in the place of each reference to a figure or an exercise by its label."""
    formats = app.config.numfig_format
    names = {
        label: formats[kind] % ".".join(map(str, number))
        for kinds in app.env.toc_fignumbers.values()
        for kind, numbers in kinds.items()
        for label, number in numbers.items()
    }
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node["reftarget"] in names and not node.get("refexplicit"):
            node.parent.replace(node, nodes.Text(names[node["reftarget"]]))
