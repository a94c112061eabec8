"""The book from a disk: unpacked from its archive and opened without any server."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from built import BOOK
from playwright.sync_api import Browser, BrowserContext, Page

from tools.make_offline import make_offline

PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if "_static" not in path.parts and path.name != "404.html"
)

pytestmark = [pytest.mark.pages]


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that a reader has after unpacking the archive."""
    folder = tmp_path_factory.mktemp("offline")
    make_offline(BOOK, folder / "course.zip")
    with ZipFile(folder / "course.zip") as packed:
        packed.extractall(folder)
    return folder / "course"


@pytest.fixture
def offline(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser that has no network."""
    context = browser.new_context(offline=True, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def said(offline: BrowserContext) -> list[str]:
    """Note what the pages complain about, and what they ask for in vain or from elsewhere."""
    notes: list[str] = []
    offline.on("console", lambda message: notes.append(message.text))
    offline.on("weberror", lambda error: notes.append(str(error.error)))
    offline.on("requestfailed", lambda request: notes.append(f"failed: {request.url}"))
    offline.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else notes.append(request.url)
        ),
    )
    return notes


def open_page(offline: BrowserContext, address: Path, query: str = "") -> Page:
    """Open a file as a double click does."""
    page = offline.new_page()
    page.goto(address.as_uri() + query, wait_until="networkidle")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_disk_with_its_styles_and_without_complaint(
    name: str, unpacked: Path, offline: BrowserContext, said: list[str]
) -> None:
    page = open_page(offline, unpacked / name)
    sheets = "[...document.styleSheets].filter((sheet) => sheet.href && !sheet.disabled).length"
    links = "document.querySelectorAll('link[rel=stylesheet]').length"
    assert said == []
    assert page.evaluate(sheets) == page.evaluate(links)


def test_the_first_page_opens_by_itself(unpacked: Path, offline: BrowserContext) -> None:
    page = open_page(offline, unpacked / "index.html")
    page.wait_for_url("**/book/index.html")
    assert page.locator("h1").count() > 0


def test_the_icons_and_the_mathematical_letters_come_from_the_disk(
    unpacked: Path, offline: BrowserContext
) -> None:
    page = open_page(offline, unpacked / "notebooks" / "03_gates.html")
    loaded = page.evaluate(
        "[...document.fonts].filter((font) => font.status == 'loaded').map((font) => font.family)"
    )
    assert {"Font Awesome 6 Free", "Font Awesome 6 Brands", "Course Math"} <= {
        family.strip('"') for family in loaded
    }


def test_the_search_works_from_a_disk(
    unpacked: Path, offline: BrowserContext, said: list[str]
) -> None:
    page = open_page(offline, unpacked / "search.html", "?q=forget+gate")
    page.wait_for_selector("#search-results li a")
    assert said == []


def test_two_archives_of_one_book_are_the_same_to_the_last_byte(tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        (tmp_path / name).mkdir()
        make_offline(BOOK, tmp_path / name / "course.zip")
    first, second = tmp_path.glob("*.zip/course.zip")
    assert first.read_bytes() == second.read_bytes()
