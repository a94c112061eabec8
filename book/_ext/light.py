"""A page that asks only for what its reader sees first.

What the theme puts into every page and only some need is taken off the others: the index of the
search, the style of cards and tabs, the script of Font Awesome, whose icons come from a font
(`trimmed_styles`). So are marks in code that change no colour. A picture names its size, so that
nothing jumps when it comes, and below the first heading of a section it comes when the reader is
near; the twin of the other theme never does.
"""

import re
import struct
from pathlib import Path

from sphinx.builders import Builder


def _loading(file: str) -> re.Pattern[str]:
    """Return what finds the scripts and links of a page that load a file."""
    address = rf'\s(?:src|href)="(?:[^"]*/)?{re.escape(file)}(?:\?[^"]*)?"'
    return re.compile(rf"\s*<(?:script|link)\b[^>]*{address}[^>]*(?:></script>|/>)")


OF_NONE = [_loading("fontawesome.js")]
# Searching as one types would need these on every page; html_theme_options do not ask for it.
OF_SEARCH = [_loading(file) for file in ("searchtools.js", "language_data.js", "searchindex.js")]
OF_DESIGN = [_loading(file) for file in ("design-tabs.js", "sphinx-design.min.css")]
# `finished_page` tells when one is never found.
FOUND = [*OF_NONE, *OF_SEARCH, *OF_DESIGN]

# Waits for nothing on its way to the first paint: it runs when the page is read, in its order. The
# options are asked for by lines within the page.
BLOCKING = re.compile(
    r"<script(?=[^>]*\ssrc=)(?![^>]*\s(?:defer|async)\b)(?![^>]*documentation_options\.js)"
)
# Names, brackets and blanks of code have the colour of all code, and are half of its markup.
PLAIN_CODE = re.compile(r'<span class="[npw]">([^<]*)</span>')
IMAGE = re.compile(r"<img\b[^>]*>")
SOURCE = re.compile(r'\ssrc="[^"]*?_images/([^"?]+)"')
ROOT = re.compile(r"<svg\b[^>]*>", re.DOTALL)
LENGTH = r'\s{}="([\d.]+)(pt|px)?"'
PIXELS = {"pt": 4 / 3, "px": 1.0, "": 1.0}


def sources_of_pictures(builder: Builder) -> dict[str, Path]:
    """Return where the pictures come from that a page finds in `_images`, by name."""
    return {name: Path(builder.srcdir) / source for source, name in builder.images.items()}


def _drop(html: str, unwanted: list[re.Pattern[str]]) -> str:
    """Return the page without what these find."""
    for loading in unwanted:
        html = loading.sub("", html)
    return html


def size_of(path: Path) -> tuple[int, int] | None:
    """Return width and height of an SVG or PNG in pixels; None where the file does not say."""
    if path.suffix == ".png":
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        return width, height
    root = ROOT.search(path.read_text(encoding="utf-8")) if path.suffix == ".svg" else None
    lengths = [LENGTH.format(name) for name in ("width", "height")] if root else []
    found = [re.search(length, root[0]) for length in lengths]
    sizes = [round(float(m[1]) * PIXELS[m[2] or ""]) for m in found if m]
    return (sizes[0], sizes[1]) if len(sizes) == 2 else None


def _with_attributes(image: str, sources: dict[str, Path], *, lazy: bool) -> str:
    more = ' decoding="async"'
    if lazy:
        more = f' loading="lazy"{more}'
    source = SOURCE.search(image)
    size = size_of(sources[source[1]]) if source and source[1] in sources else None
    # A size that the author has given stands.
    if size and not re.search(r'\s(width|height|style)="', image):
        more = f' width="{size[0]}" height="{size[1]}"{more}'
    return f"<img{more}{image.removeprefix('<img')}"


def lighten(html: str, page: str, sources: dict[str, Path]) -> str:
    """Return the page without what it does not need, the rest marked with size and urgency."""
    html = PLAIN_CODE.sub(r"\1", _drop(html, OF_NONE))
    if page != "search":  # its scripts call each other in another order
        html = BLOCKING.sub("<script defer", _drop(html, OF_SEARCH))
    if 'class="sd-' not in html:
        html = _drop(html, OF_DESIGN)
    article = html.find("<article")
    fold = html.find("<h2", article)
    return IMAGE.sub(
        lambda m: _with_attributes(m[0], sources, lazy=not article < m.start() < fold), html
    )
