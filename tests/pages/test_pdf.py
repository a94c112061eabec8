"""The file that `make pdf` writes: one book, whose links, bookmarks and page numbers hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from tools.take_away import pages, pdf

# What ends to the right of the column; A4 less the margins of pdf.css is 176 mm.
TOO_WIDE = """
() => [...document.querySelectorAll("main *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 200))
"""

pytestmark = [pytest.mark.pages]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Print the built book, in a thread of its own: the tests' browser holds this one."""
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    with ThreadPoolExecutor(1) as thread:
        thread.submit(pdf.write, target).result()
    return target


@pytest.fixture(scope="session")
def book(written: Path) -> Iterator[pikepdf.Pdf]:
    """Open the printed book."""
    with pikepdf.open(written) as opened:
        yield opened


@pytest.fixture(scope="session")
def links(book: pikepdf.Pdf) -> list[tuple[int, pikepdf.Object]]:
    """Give the links, each with the number of its page."""
    return [
        (number, note)
        for number, page in enumerate(book.pages, start=1)
        for note in page.get("/Annots", [])
        if note.Subtype == "/Link"
    ]


def test_the_bookmarks_are_the_chapters_and_their_sections(book: pikepdf.Pdf) -> None:
    with book.open_outline() as outline:
        found = [(item.title, [below.title for below in item.children]) for item in outline.root]
    expected = [(p.title, [s.title for s in pages.sections(p)]) for p in pages.read_pages()]
    assert found == [("Contents", []), *expected]


def test_every_link_into_the_book_has_a_place_to_lead_to() -> None:
    """Chromium drops a link without one, so the printed file could not tell."""
    about = pages.edition()
    text = pdf.document(pdf.prepare(about), about, pdf.STYLE, {})
    soup = BeautifulSoup(text, "html.parser")
    places = {element["id"] for element in soup.select("[id]")}
    inside = [link["href"][1:] for link in soup.select('a[href^="#"]')]
    assert len(inside) > 500
    assert [name for name in inside if name not in places] == []


def test_no_link_leads_to_a_file_or_to_this_machine(
    links: list[tuple[int, pikepdf.Object]],
) -> None:
    outside = [str(note.A.URI) for _, note in links if "/A" in note]
    assert len(outside) > 50
    assert [address for address in outside if not address.startswith("https://")] == []


def test_the_contents_number_every_chapter_and_section(written: Path) -> None:
    ready = pdf.prepare(pages.edition())
    contents = BeautifulSoup(pdf.contents(ready, pdf.page_numbers(written)), "html.parser")
    numbers = [int(link.select("span")[1].get_text()) for link in contents.select("a")]
    assert numbers == sorted(numbers)
    assert numbers[0] > 2


def test_every_page_is_a4(book: pikepdf.Pdf) -> None:
    sizes = {tuple(round(float(side) / 72 * 25.4) for side in page.mediabox) for page in book.pages}
    assert sizes == {(0, 0, 210, 297)}


def test_a_screen_reader_finds_tags_a_language_and_a_title(book: pikepdf.Pdf) -> None:
    root, title = book.Root, str(book.docinfo.Title)
    assert (bool(root.MarkInfo.Marked), str(root.Lang)) == (True, "en")
    assert (title, root.ViewerPreferences.DisplayDocTitle) == (pages.edition().title, True)


def test_nothing_is_cut_off_at_the_right(browser: Browser, tmp_path: Path) -> None:
    about = pages.edition()
    source = tmp_path / "book.html"
    source.write_text(pdf.document(pdf.prepare(about), about, source, {}), encoding="utf-8")
    page = browser.new_page(viewport={"width": round(176 / 25.4 * 96), "height": 1000})
    page.emulate_media(media="print")
    page.goto(source.as_uri())
    assert page.evaluate(TOO_WIDE) == []
    page.close()
