"""What the book needs where it is published: its version, its addresses, a page for no page."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from zlib import crc32

import pytest
from built import BOOK
from playwright.sync_api import Browser, Page

ADDRESS = "https://lstm-measured.github.io/lstm-measured/"
BINDER = "https://mybinder.org/v2/gh/lstm-measured/lstm-measured/"
COLAB = "https://colab.research.google.com/github/lstm-measured/lstm-measured/blob/"
PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if "_static" not in path.parts
)
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
# Made of the text of a chapter or a page, not of a template.
WRITTEN = [page for page in PAGES if page.startswith(("notebooks/", "book/"))]

pytestmark = [pytest.mark.pages]


def read(page: str) -> str:
    """Return the HTML of a page."""
    return (BOOK / page).read_text(encoding="utf-8")


def found(pattern: str, page: str) -> list[str]:
    """Return what a pattern catches in a page."""
    return re.findall(pattern, read(page))


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_opens_its_own_notebook_in_binder_and_in_colab(page: str) -> None:
    notebook = page.replace(".html", ".ipynb")
    assert (BOOK.parents[1] / notebook).exists()
    binder = rf'href="{BINDER}[\w.-]+\?urlpath=lab/tree/([^"]+)"'
    colab = rf'href="{COLAB}[\w.-]+/([^"]+)"'
    assert found(binder, page) == found(colab, page) == [notebook]


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_opens_at_the_commit_that_its_footer_names(page: str) -> None:
    refs = found(rf'href="{BINDER}([\w.-]+)\?', page) + found(rf'href="{COLAB}([\w.-]+)/', page)
    built_of = found(r'built of <a href="[^"]+/commit/(\w+)"', page)
    # A tag is of that commit too; a book of a changed working tree opens the development.
    tag = [ref for ref in refs if ref.startswith("v")]
    assert refs == (tag or (built_of or ["main"]) * 2)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "index.html"])
def test_a_page_says_its_version(page: str) -> None:
    assert found(r"<p>Version \d+\.\d+\.\d+", page)


@pytest.mark.parametrize("page", PAGES)
def test_the_addresses_of_scripts_and_sheets_hold_the_sums_of_the_files(page: str) -> None:
    named = found(r'(?:href|src)="(?:[^"?]*/)?_static/([^"?]+\.(?:css|js))(?:\?v=(\w+))?"', page)
    sums = {name: f"{crc32((BOOK / '_static' / name).read_bytes()):08x}" for name, _ in named}
    assert [name for name, told in named if told != sums[name]] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_language_a_title_and_one_description(page: str) -> None:
    assert found(r'<html[^>]* lang="(\w+)"', page) == ["en"]
    assert [len(title) > 3 for title in found(r"<title>(.+?)</title>", page)] == [True]
    descriptions = found(r'<meta name="description" content="([^"]+)"', page)
    assert [len(text) > 20 for text in descriptions] == [True]


@pytest.mark.parametrize("page", WRITTEN)
def test_a_page_tells_its_own_address_for_search_engines_and_cards(page: str) -> None:
    assert found(r'<link rel="canonical" href="([^"]+)"', page) == [ADDRESS + page]
    assert found(r'<meta property="og:url" content="([^"]+)"', page) == [ADDRESS + page]


@pytest.mark.parametrize("page", WRITTEN)
def test_a_card_has_the_title_and_the_description_of_the_page(page: str) -> None:
    (title,) = found(r'<meta property="og:title" content="([^"]+)"', page)
    assert title in read(page).partition("</title>")[0]
    described = found(r'<meta property="og:description" content="([^"]+)"', page)
    assert described == found(r'<meta name="description" content="([^"]+)"', page)


@pytest.mark.parametrize("page", WRITTEN)
def test_a_card_has_a_picture_of_the_size_that_it_tells(page: str) -> None:
    (picture,) = found(rf'<meta property="og:image" content="{ADDRESS}([^"]+)"', page)
    told = [*found(r'"og:image:width" content="(\d+)"', page)]
    told += found(r'"og:image:height" content="(\d+)"', page)
    header = (BOOK / picture).read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    # A PNG begins with its signature and a chunk of width and height.
    size = [int.from_bytes(header[k : k + 4]) for k in (16, 20)]
    assert size == [int(number) for number in told]


def test_the_sitemap_lists_every_written_page() -> None:
    sitemap = ElementTree.parse(BOOK / "sitemap.xml").getroot()
    listed = [loc.text for loc in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert listed == [ADDRESS + page for page in WRITTEN]


def test_no_template_of_a_theme_is_published_as_a_page() -> None:
    assert list((BOOK / "_static").rglob("*.html")) == []


def test_robots_are_told_of_the_sitemap() -> None:
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (BOOK / "robots.txt").read_text(encoding="utf-8")


def test_the_root_leads_to_the_first_page(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/")
    page.wait_for_url(f"{site}/book/index.html")
    page.close()


@pytest.fixture(params=["gone.html", "notebooks/gone.html", "a/b/c/d/"])
def lost(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Page]:
    """Go to an address where there is no page."""
    page = browser.new_page()
    answers: list[str] = []
    page.on("response", lambda response: answers.append(f"{response.status} {response.url}"))
    page.goto(f"{site}/{request.param}", wait_until="networkidle")
    assert [answer for answer in answers if not answer.startswith("200")] == [
        f"404 {site}/{request.param}"
    ]
    yield page
    page.close()


def test_who_is_lost_is_told_so_and_finds_every_chapter(lost: Page, site: str) -> None:
    assert lost.inner_text("article h1") == "There is no page at this address"
    links = lost.eval_on_selector_all("article ol a", "links => links.map(link => link.href)")
    assert links == [f"{site}/{chapter}" for chapter in CHAPTERS]


def test_who_is_lost_can_search(lost: Page, site: str) -> None:
    lost.get_by_label("Search the book").fill("peephole")
    lost.get_by_role("button", name="Search", exact=True).last.click()
    lost.wait_for_url(f"{site}/search.html?q=peephole")
    assert lost.locator("#search-results li").first.inner_text()


def test_the_page_for_no_page_is_not_listed() -> None:
    assert found(r'<meta name="robots" content="(\w+)"', "404.html") == ["noindex"]
    assert found(r'rel="canonical"', "404.html") == []
