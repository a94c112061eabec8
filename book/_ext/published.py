"""What a published book needs: its address, and a description of each page, for those who link.

The address of the site follows from that of the repository, as GitHub Pages has it. Written into
the pages are canonical links and descriptions; beside them, `sitemap.xml`, `robots.txt` and the
page at the root, which sends the reader on to the first one.
"""

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

# The pages that have no text of their own to be described by.
DESCRIPTIONS = {
    "genindex": "Every function and class of lstm_lib, by name.",
    "py-modindex": "The modules of lstm_lib, by name.",
    "search": "Search the chapters and the reference pages.",
    "404": "There is no page at this address.",
}
ROBOTS = "User-agent: *\nAllow: /\nSitemap: {address}sitemap.xml\n"
SITEMAP = """\
<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{pages}
</urlset>
"""
FRONT = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{description}">
<meta http-equiv="refresh" content="0; url={first}">
<link rel="canonical" href="{address}{first}">
<title>{title}</title>
</head>
<body><p><a href="{first}">{title}</a></p></body>
</html>
"""


def address_of(repository: str) -> str:
    """Return where GitHub publishes the pages of a repository.

    Raises ValueError for an address that is not of the form https://github.com/OWNER/NAME.
    """
    prefix = "https://github.com/"
    owner, _, name = repository.removeprefix(prefix).rstrip("/").partition("/")
    if not repository.startswith(prefix) or not owner or not name or "/" in name:
        raise ValueError(
            f"repository.url in _config.yml: expected {prefix}OWNER/NAME, got {repository!r}"
        )
    return f"https://{owner}.github.io/{name}/"


def set_address(app: Sphinx, config: Config) -> None:
    """Tell Sphinx and the extension that writes the social cards where the pages will be."""
    address = address_of(config.html_theme_options["repository_url"])
    config.html_baseurl = config.ogp_site_url = address


def first_paragraph(doctree: nodes.document) -> str:
    """Return the sentences that a page begins with, on one line."""
    return " ".join(next(doctree.findall(nodes.paragraph)).astext().split())


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put a description into the head of a page."""
    if app.builder.name != "html":
        return
    text = first_paragraph(doctree) if doctree else DESCRIPTIONS.get(page)
    if text:
        tag = f'<meta name="description" content="{escape(text)}" />\n'
        context["metatags"] = context.get("metatags", "") + tag
        context["meta"] = {**(context.get("meta") or {}), "og:description": text}


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Write what lies beside the pages, and take away what does not belong there."""
    if error or app.builder.name != "html":
        return
    out, address = Path(app.outdir), app.config.html_baseurl
    names = [app.builder.get_target_uri(page) for page in sorted(app.env.found_docs)]
    pages = "\n".join(f"<url><loc>{escape(address + name)}</loc></url>" for name in names)
    first = app.config.root_doc
    front = FRONT.format(
        address=address,
        first=app.builder.get_target_uri(first),
        title=escape(app.config.html_title),
        description=escape(first_paragraph(app.env.get_doctree(first))),
    )
    for template in (out / "_static").glob("*webpack-macros.html"):
        template.unlink()  # the themes': theirs to include, no pages to be opened
    for name, text in {
        "sitemap.xml": SITEMAP.format(pages=pages),
        "robots.txt": ROBOTS.format(address=address),
        "index.html": front,
    }.items():
        (out / name).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Describe before the social cards are written, which show the description too."""
    app.connect("config-inited", set_address)
    app.connect("html-page-context", describe, priority=400)
    # After sphinx-external-toc, which writes an index.html of one line.
    app.connect("build-finished", write_files, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
