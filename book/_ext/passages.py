"""A search that leads to the passage, not only to the page, and understands a question.

Sphinx's own index knows which words are on which page; all of them must be there, and pages are
ranked by their titles alone. A learner's question finds nothing, or a chapter of an hour. Here the
book is cut into passages (a section, a term of the glossary, a claim, a function of the package),
each with an address, and each word in each passage gets its weight by BM25 (Robertson and Zaragoza,
2009, section 3). `passages.js` adds the weights up. The index takes the place and the name of
Sphinx's, so that the theme's search page loads it.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from plain_formula import to_plain
from plain_references import name_numbers, name_works
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

# How often a word counts by where it stands, and the two constants of BM25.
IN_TITLE, IN_TEXT, IN_CODE = 6.0, 1.0, 0.3
SATURATION, LENGTH = 1.2, 0.5
# Who asks for a function or a module by its name finds it; else a text that explains comes first.
OF_OBJECT = 0.6
EXCERPT = 150
OBJECTS = ("function", "class", "method", "module")
HEADINGS = (nodes.title, nodes.term, addnodes.desc_signature)
WORD = re.compile(r"\w+")
AMERICAN = re.compile(r"is(e|ed|es|ing|ation)$")


class Passage(NamedTuple):
    """A piece of a page with an address of its own; `words` counts its weighted word stems."""

    page: str
    anchor: str
    title: str
    excerpt: str
    is_object: bool
    words: Counter[str]


def is_claim(node: nodes.Node) -> bool:
    return isinstance(node, nodes.admonition) and "claim" in node["classes"]


def is_term(node: nodes.Node) -> bool:
    """Tell a term of the glossary from one of another list."""
    return isinstance(node, nodes.definition_list_item) and bool(node[0]["ids"])


def _is_passage(node: nodes.Node) -> bool:
    if isinstance(node, addnodes.desc):
        return node["objtype"] in OBJECTS
    # sphinx-exercise makes sections without a title.
    has_title = any(isinstance(child, nodes.title) for child in node.children)
    return (isinstance(node, nodes.section) and has_title) or is_claim(node) or is_term(node)


def _is_object(owner: nodes.Element, anchor: str) -> bool:
    """Tell what documents code, also the section of a module, from what explains."""
    return isinstance(owner, addnodes.desc) or anchor.startswith("module-")


def _ancestors(node: nodes.Node) -> Iterator[nodes.Element]:
    while node.parent is not None:
        yield node.parent
        node = node.parent


def _is_output(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def _place(text: nodes.Text, owner: nodes.Element, above: list[nodes.Element]) -> float:
    """Return how much a word counts where this text stands."""
    inside = above[: above.index(owner)]
    if any(isinstance(node, HEADINGS) and node.parent is owner for node in inside):
        return IN_TITLE
    return IN_CODE if any(isinstance(node, nodes.literal_block) for node in inside) else IN_TEXT


def _split(text: str) -> Iterator[str]:
    """Give the words of a text; a name such as `batch_first` counts whole and in its parts.

    Initialise and initialize are one word, here and in `passages.js`.
    """
    for word in WORD.findall(text.lower()):
        parts = filter(None, word.split("_")) if "_" in word.strip("_") else ()
        for part in (word, *parts):
            yield AMERICAN.sub(r"iz\1", part)


def _owner(node: nodes.Node) -> nodes.Element | None:
    """Return the passage that something belongs to."""
    return next((above for above in _ancestors(node) if _is_passage(above)), None)


def _plain(node: nodes.Element) -> str:
    """Return the words of a node; a formula has no space at which a line could break."""
    texts = [
        to_plain(text.astext()).replace(" ", "\u00a0")
        if isinstance(text.parent, nodes.math)
        else re.sub(r"\s+", " ", text.astext())
        for text in node.findall(nodes.Text)
    ]
    return "".join(texts).strip()


def _excerpt(owner: nodes.Element) -> str:
    """Return the first words of a passage: of a paragraph, a list or a table, else its terms.

    The verdict on a folded claim stays folded. A formula is shown whole or not at all.
    """
    if is_claim(owner) and "dropdown" in owner["classes"]:
        return ""

    def is_text(node: nodes.Node) -> bool:
        is_row = isinstance(node, nodes.row) and isinstance(node.parent, nodes.tbody)
        is_own = _owner(node) is owner and not any(map(_is_output, _ancestors(node)))
        return (is_row or isinstance(node, nodes.paragraph)) and is_own

    own = sorted(owner.findall(is_text), key=lambda node: node.parent is not owner)
    if not own:
        parts = owner.findall(nodes.term)
    elif isinstance(own[0], nodes.row):
        parts = own[0].children
    else:
        parts = own[:1]
    text = " · ".join(filter(None, map(_plain, parts)))
    cut_off = text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(" ", 1)[0] + " …"
    return cut_off.replace("\u00a0", " ")


def _title(owner: nodes.Element) -> tuple[str, str]:
    """Return the address and the title of a passage."""
    headings = [child for child in owner.children if isinstance(child, HEADINGS)]
    if isinstance(owner, addnodes.desc):
        name = headings[0]["ids"][0] if headings[0]["ids"] else ""
        return name, name
    anchor = headings[0]["ids"] if isinstance(headings[0], nodes.term) else owner["ids"]
    return anchor[0], ", ".join(map(_plain, headings))


def cut(page: str, doctree: nodes.document, stemmer: SearchEnglish) -> list[Passage]:
    """Return the passages of a page."""
    words: dict[nodes.Element, Counter[str]] = defaultdict(Counter)
    for text in doctree.findall(nodes.Text):
        above = list(_ancestors(text))
        is_formula = isinstance(text.parent, nodes.math | nodes.math_block)
        if is_formula or any(_is_output(node) for node in above):
            continue
        owner = _owner(text)
        if owner is not None:
            weight = _place(text, owner, above)
            for word in _split(text.astext()):
                if weight != IN_CODE or len(word) > 2:  # one letter is a quantity, not a word
                    words[owner][stemmer.stem(word)] += weight
    return [
        Passage(page, anchor, title, _excerpt(owner), _is_object(owner, anchor), counted)
        for owner, counted in words.items()
        for anchor, title in [_title(owner)]
        if anchor
    ]


def weigh(passages: list[Passage]) -> dict[str, list[int]]:
    """Return for every stem the passages that have it, each followed by the weight it has there."""
    lengths = [sum(passage.words.values()) for passage in passages]
    mean = sum(lengths) / len(lengths)
    weights: dict[str, list[int]] = defaultdict(list)
    for k, passage in enumerate(passages):
        damping = SATURATION * (1 - LENGTH + LENGTH * lengths[k] / mean)
        most = 100 * (OF_OBJECT if passage.is_object else 1)
        for stem, count in passage.words.items():
            # What many signatures have, such as `forward`, ranks them as their page does.
            shared = passage.is_object and count >= IN_TITLE
            ratio = IN_TITLE / (IN_TITLE + SATURATION) if shared else count / (count + damping)
            weights[stem] += [k, round(most * ratio)]
    return dict(weights)


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Write the index of all pages, also of those that this build did not have to write."""
    if error or app.builder.name != "html":
        return
    stemmer = SearchEnglish({})
    pages = sorted(app.env.found_docs)
    passages: list[Passage] = []
    for page in pages:
        doctree = app.env.get_doctree(page)
        name_works(app, doctree)
        name_numbers(app, doctree)
        passages += cut(page, doctree, stemmer)
    index = {
        "pages": {page: app.env.titles[page].astext() for page in pages},
        "passages": [list(passage[:4]) for passage in passages],
        "words": weigh(passages),
    }
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / "searchindex.js").write_text(f"Search.setIndex({text})", encoding="utf-8")


def move_index(app: Sphinx) -> None:
    """Let Sphinx keep its own index, which it reads again in the next build, beside the book."""
    if app.builder.name == "html":
        app.builder.searchindex_filename = "../searchindex.js"


def load_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script that ranks, on the search page only."""
    if page == "search":
        app.add_js_file("passages.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the index when all is built."""
    app.connect("builder-inited", move_index)
    app.connect("html-page-context", load_script)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
