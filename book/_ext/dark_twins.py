"""A dark twin for every drawing of ours: the page shows the one that fits the reader's theme.

Two kinds of SVG get one: the output of a notebook cell, and a picture whose name ends in
`-light.svg`. Where a `-dark.svg` lies beside the latter it is taken; else the twin is written at
build time by `lstm_lib.figures.to_dark`. In the page stand both, marked `only-light` and
`only-dark` as the theme wants it, with the same alternative text and under one caption.
"""

import os
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from lstm_lib.figures import to_dark


def _source(app: Sphinx, docname: str, uri: str) -> Path:
    return Path(app.env.relfn2path(uri, docname)[1])


def _is_ours(path: Path) -> bool:
    return path.name.endswith("-light.svg") or "jupyter_execute" in path.parts


def _dark_uri(app: Sphinx, path: Path) -> str:
    """Return the twin's address, relative to the source folder, after writing it if need be."""
    beside = path.with_name(path.name.replace("-light.svg", "-dark.svg"))
    if beside != path and beside.exists():
        dark = beside
    else:
        dark = Path(app.outdir).parent / "dark_twins" / f"{path.stem}-dark.svg"
        dark.parent.mkdir(parents=True, exist_ok=True)
        text = to_dark(path.read_text(encoding="utf-8"))
        # Two pages may show one drawing: written for the second, it would be newer than the first,
        # which would be built again.
        if not dark.exists() or dark.read_text(encoding="utf-8") != text:
            dark.write_text(text, encoding="utf-8")
    return "/" + Path(os.path.relpath(dark, app.srcdir)).as_posix()


def add_twins(app: Sphinx, doctree: nodes.document) -> None:
    """Put the dark twin of every drawing of ours after it."""
    for image in list(doctree.findall(nodes.image)):
        uri = image["uri"]
        if not uri.endswith(".svg") or "://" in uri:
            continue
        path = _source(app, app.env.docname, uri)
        if not _is_ours(path):
            continue
        twin = image.deepcopy()
        twin["uri"] = _dark_uri(app, path)
        twin["ids"], twin["names"] = [], []
        twin["classes"].append("only-dark")
        image["classes"].append("only-light")
        image.parent.insert(image.parent.index(image) + 1, twin)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before Sphinx collects the pictures of a page, which it does at priority 500."""
    app.connect("doctree-read", add_twins, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
