"""Make `_build/lstm-measured.pdf`: all pages as one document, printed by headless Chromium.

Usage: python -m tools.take_away.pdf

One document, since then the browser numbers the pages, writes the bookmarks from the headings, and
keeps links between chapters inside the file. It is printed twice: the page numbers of the table of
contents are known after the first time.
"""

import re
import sys
import tempfile
from html import escape
from pathlib import Path

import pikepdf
from pikepdf import ObjectStreamMode
from playwright.sync_api import sync_playwright

from tools.get_browser import known

from . import cover
from .pages import BUILT, ROOT, Edition, Page, edition, read_pages, sections, turn_links

TARGET = BUILT / "lstm-measured.pdf"
STYLE = Path(__file__).with_name("pdf.css")
# From here on Chromium writes what the style sheet puts into the margins: the page numbers.
CHROMIUM_NEEDED = 131

DOCUMENT = """\
<!doctype html>
<html lang="en" data-theme="light" data-mode="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
{links}
<style>
{running_heads}
</style>
</head>
<body>
<section class="title-page"><img src="{cover}" alt="{cover_text}">
<p>{rights}.</p>
<p>{site}, version {version}, {date:%Y-%m-%d}</p></section>
<nav class="contents" aria-label="Contents"><h1>Contents</h1>
{contents}
</nav>
<main class="bd-main"><div class="bd-content"><div class="bd-article-container">
{articles}
</div></div></main>
</body>
</html>
"""


def address(page: Page, anchor: str = "") -> str:
    """The name, in the one document, of a page or of a place on it."""
    return f"{page.name}--{anchor}" if anchor else page.name


def make_ids_unique(page: Page) -> None:
    """Put the page's name before all ids, and before what refers to them."""
    for element in page.article.select("[id]"):
        element["id"] = address(page, element["id"])
    for name in ("aria-labelledby", "aria-describedby", "for"):
        for element in page.article.select(f"[{name}]"):
            element[name] = " ".join(address(page, one) for one in element[name].split())
    page.article["id"] = address(page)


def style_sheets(page: Page) -> str:
    """Link the style sheets of the website, then ours."""
    head = page.path.read_text(encoding="utf-8").partition("</head>")[0]
    own = re.findall(r'<link rel="stylesheet"[^>]*href="(?!https?:)([^"?]*)', head)
    sheets = [(page.path.parent / name).resolve() for name in own]
    return "\n".join(f'<link rel="stylesheet" href="{path.as_uri()}">' for path in [*sheets, STYLE])


def contents(pages: list[Page], numbers: dict[str, int]) -> str:
    """Write the table of contents with the numbers that are known, else with "000"."""

    def line(kind: str, anchor: str, title: str) -> str:
        number = numbers.get(anchor, "000")
        return (
            f'<li class="{kind}"><a href="#{escape(anchor)}"><span>{escape(title)}</span>'
            f"<span>{number}</span></a></li>"
        )

    lines, part = [], ""
    for page in pages:
        if page.part != part:
            lines.append(f'<li class="part">{page.part}</li>')
            part = page.part
        lines.append(line("chapter", address(page), page.title))
        lines += [line("section", section.anchor, section.title) for section in sections(page)]
    return f"<ol>{''.join(lines)}</ol>"


def running_heads(pages: list[Page]) -> str:
    """Write a rule for each chapter that puts its title above its pages."""
    rules = []
    for number, page in enumerate(pages):
        title = page.title.replace("\\", r"\\").replace('"', r"\"")
        rules.append(f'@page page{number} {{ @top-left {{ content: "{title}"; }} }}')
        rules.append(f'[id="{address(page)}"] {{ page: page{number}; }}')
    return "\n".join(rules)


def document(pages: list[Page], about: Edition, picture: Path, numbers: dict[str, int]) -> str:
    """Put all pages into one document."""
    return DOCUMENT.format(
        title=escape(about.title),
        rights=escape(f"{about.author}. © {about.rights}"),
        site=f'<a href="{about.site}">{about.site}</a>',
        version=about.version,
        date=about.date,
        links=style_sheets(pages[0]),
        running_heads=running_heads(pages),
        cover=picture.as_uri(),
        cover_text=escape(cover.text()),
        contents=contents(pages, numbers),
        articles="\n".join(page.article.decode(formatter="html5") for page in pages),
    )


def print_pages(source: Path, target: Path, *, tagged: bool) -> None:
    """Let Chromium print a document without running scripts; `tagged`: for screen readers."""
    executable = known()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        if int(browser.version.partition(".")[0]) < CHROMIUM_NEEDED:
            raise RuntimeError(
                f"Chromium must be {CHROMIUM_NEEDED} or newer to number the pages, "
                f"got {browser.version}: name another one with BROWSER_PATH"
            )
        page = browser.new_page(java_script_enabled=False, color_scheme="light")
        page.goto(source.as_uri())
        page.pdf(
            path=target,
            prefer_css_page_size=True,
            print_background=True,
            outline=tagged,
            tagged=tagged,
        )
        browser.close()


def page_numbers(printed: Path) -> dict[str, int]:
    """Name of a place -> number of the page it is on, for all places that a link leads to."""
    with pikepdf.open(printed) as book:
        number = {page.objgen: k for k, page in enumerate(book.pages, start=1)}
        return {
            str(name).removeprefix("/"): number[place[0].objgen]
            for name, place in book.Root.Dests.items()
        }


def finish(printed: Path, target: Path, about: Edition) -> None:
    """Write the same PDF with the book's metadata, a third of the size and each time the same."""
    with pikepdf.open(printed) as book:
        stamp = about.date.strftime("D:%Y%m%d%H%M%SZ")
        book.docinfo = book.make_indirect(
            pikepdf.Dictionary(
                Title=about.title,
                Author=about.author,
                Subject=cover.CLAIM.replace("\n", " "),
                CreationDate=stamp,
                ModDate=stamp,
            )
        )
        book.Root.PageMode = pikepdf.Name.UseOutlines
        book.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        book.save(target, object_stream_mode=ObjectStreamMode.generate, deterministic_id=True)


def prepare(about: Edition) -> list[Page]:
    """Read the pages, with links, ids and pictures as the one document needs them."""
    pages = read_pages()
    turn_links(pages, about.site, lambda page, anchor: f"#{address(page, anchor)}")
    for page in pages:
        make_ids_unique(page)
        for picture in page.article.select("img[src]"):
            picture["src"] = Path(picture["src"]).as_uri()
    return pages


def write(target: Path) -> None:
    """Write the PDF.

    Raises RuntimeError where a number of the contents is not that of the page.
    """
    about = edition()
    pages = prepare(about)
    with tempfile.TemporaryDirectory() as folder:
        source, printed, front = (Path(folder) / name for name in ("a.html", "a.pdf", "a.svg"))
        front.write_bytes(cover.draw(format="svg"))
        source.write_text(document(pages, about, front, {}), encoding="utf-8")
        print_pages(source, printed, tagged=False)
        numbers = page_numbers(printed)
        source.write_text(document(pages, about, front, numbers), encoding="utf-8")
        print_pages(source, printed, tagged=True)
        if page_numbers(printed) != numbers:
            raise RuntimeError(
                "pages moved when their numbers were put in for 000: is the book being built at "
                "the same time? Run make pdf again; else see pdf.css"
            )
        finish(printed, target, about)


def main() -> int:
    """Write the PDF and say how long and how large it is."""
    write(TARGET)
    with pikepdf.open(TARGET) as book:
        pages = len(book.pages)
    size = TARGET.stat().st_size / 1e6
    print(f"{TARGET.relative_to(ROOT)}: {pages} pages, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
