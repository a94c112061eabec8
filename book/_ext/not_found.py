"""The page that GitHub Pages shows at an address where there is none: `404.html`.

It says what happened, and offers the search and the chapters. The server shows it at any depth, so
the addresses in it begin with the path of the published site, not with that of the page.
"""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx

NAME = "404"
BODY = """\
<h1>There is no page at this address</h1>
<p>The link may be old, or a letter of it wrong. The pages that there are can be searched:</p>
<form action="{search}" role="search">
<label for="not-found-search">Search the book</label>
<input id="not-found-search" class="form-control" type="search" name="q">
<button class="btn btn-primary mt-2" type="submit">Search</button>
</form>
<p class="mt-4">Or begin at the <a href="{first}">first page</a>, or with a chapter:</p>
<ol>
{chapters}
</ol>
"""
# What the theme and Sphinx put addresses into; those that have a scheme, a slash or an anchor
# hold at any depth.
RELATIVE = re.compile(r'(\b(?:href|src|action|data-content_root)=")(?!#|/|[a-z]+:)(?:\./)?')


def add_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Give Sphinx the page to write."""
    if app.builder.name != "html":
        return
    uri, root = app.builder.get_target_uri, app.config.root_doc
    chapters = "\n".join(
        f'<li><a href="{uri(page)}">{escape(app.env.titles[page].astext())}</a></li>'
        for page in app.env.toctree_includes[root]
        if page.startswith("notebooks/")
    )
    body = BODY.format(search=uri("search"), first=uri(root), chapters=chapters)
    yield NAME, {"title": "Page not found", "body": body}, "page.html"


def keep_out_of_indices(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Ask search engines not to list the page, which has no address of its own."""
    if page == NAME:
        context["pageurl"] = None
        tag = '<meta name="robots" content="noindex" />\n'
        context["metatags"] = context.get("metatags", "") + tag


def make_addresses_absolute(app: Sphinx, error: Exception | None) -> None:
    """Begin every address of the page with the path of the site."""
    path = Path(app.outdir) / f"{NAME}.html"
    if error or app.builder.name != "html":
        return
    base = urlsplit(app.config.html_baseurl).path
    text = RELATIVE.sub(rf"\g<1>{base}", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the page, and mend it when it is written."""
    app.connect("html-collect-pages", add_page)
    app.connect("html-page-context", keep_out_of_indices)
    app.connect("build-finished", make_addresses_absolute)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
