"""Addresses of scripts and style sheets that change when the file does.

Sphinx puts a checksum behind an address (`?v=…`), so that a browser shows no new page with an old
sheet. It takes the sum when it writes the page: some files are not there yet then and others are
not trimmed, so that a second build would give other pages. Here all is in its place.
"""

import re
from functools import cache
from pathlib import Path
from zlib import crc32

from sphinx.application import Sphinx

ADDRESS = re.compile(r'(\b(?:src|href)="(?:[^"?]*/)?_static/([^"?]+\.(?:css|js)))(?:\?[^"]*)?"')


def stamp(site: Path) -> None:
    """Put the checksums of the files in `_static` behind their addresses, in every page."""

    @cache
    def checksum(name: str) -> str:
        return f"{crc32((site / '_static' / name).read_bytes()):08x}"

    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        stamped = ADDRESS.sub(lambda match: f'{match[1]}?v={checksum(match[2])}"', text)
        if stamped != text:
            page.write_text(stamped, encoding="utf-8")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Stamp the pages of a website."""
    if not error and app.builder.name == "html":
        stamp(Path(app.outdir))


def setup(app: Sphinx) -> dict[str, bool]:
    """Run last, when all files are as they stay."""
    app.connect("build-finished", finish, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
