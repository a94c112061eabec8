"""The built book in a real browser: every page, light and dark, on a desk and on a phone.

Run by `make pages`, which builds the book and gets the browser. Each page is loaded twice, once for
each theme as a first-time reader would see it, and looked at in both widths; what was seen is
shared by the tests of that page.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from built import BOOK
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, Page

LOOK = (Path(__file__).parent / "look_at_page.js").read_text(encoding="utf-8")
THEMES = ("light", "dark")
WIDTHS = (1280, 390)
# axe-core is slow. Contrast depends on the theme, landmarks and focus on the width: these two do.
ASKED_BY_AXE = {("light", 1280), ("dark", 390)}
# `index.html` at the root only sends the reader on to the first page.
PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if path != BOOK / "index.html" and "_static" not in path.parts
)
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]

pytestmark = [pytest.mark.pages]


def each(pages: list[str]) -> pytest.MarkDecorator:
    """Run a test on each page; the conftest.py beside gives all tests of a page to one worker."""
    return pytest.mark.parametrize("seen", pages, indirect=True, ids=str)


each_page = each(PAGES)


class View(NamedTuple):
    """What is seen in one theme at one width; lists are empty where all is well."""

    theme: str
    width: int
    page_width: int
    pictures_of_themes: list[str]
    unnamed_pictures: list[str]
    missing_pictures: list[str]
    scrollers_without_focus: list[str]


class Seen(NamedTuple):
    """What is seen of one page: `views` by theme and width, the rest all together."""

    page: str
    views: list[View]
    requests: list[str]
    console: list[str]
    violations: list[str]  # what axe-core finds, with the element
    cookies: list[str]
    links: list[str]
    tex: list[str]
    letters: list[str]  # that formulas are made of
    figures: dict[str, list[str]]  # alternative texts of the SVG shown in each theme, and in both


def listen(page: Page, requests: list[str], console: list[str]) -> None:
    """Note what the page asks for and what it complains about."""
    page.on("request", lambda request: requests.append(request.url))
    page.on("response", lambda r: console.append(f"{r.status} {r.url}") if r.status >= 400 else 0)
    page.on("console", lambda m: console.append(f"{m.type}: {m.text}"))
    page.on("pageerror", lambda error: console.append(f"error: {error}"))


def ask_axe(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds, with the element."""
    page.evaluate(axe)
    found: list[str] = page.evaluate("askAxe()")
    return found


def look_at(page_name: str, browser: Browser, site: str, axe: str) -> Seen:
    """Load one page in both themes and look at it in both widths."""
    views: list[View] = []
    requests: list[str] = []
    console: list[str] = []
    violations: list[str] = []
    whole: dict[str, Any] = {}
    for theme in THEMES:
        # A new context has no memory of the page: a first visit.
        context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
        page = context.new_page()
        page.add_init_script(LOOK)
        listen(page, requests, console)
        for k, width in enumerate(WIDTHS):
            page.set_viewport_size({"width": width, "height": 900})
            if k == 0:
                page.goto(f"{site}/{page_name}", wait_until="networkidle")
            page.evaluate("settled()")
            views.append(View(theme, width, **page.evaluate("lookAtView()")))
            if (theme, width) in ASKED_BY_AXE:
                violations += ask_axe(page, axe)
        whole = page.evaluate("lookAtWhole()")
        cookies = [cookie["name"] for cookie in context.cookies()]
        context.close()
    return Seen(page_name, views, requests, console, violations, cookies, **whole)


@pytest.fixture(scope="session")
def seen_before() -> dict[str, Seen]:
    """Keep what a worker has seen: pytest may set up `seen` for a page more than once."""
    return {}


@pytest.fixture
def seen(
    request: pytest.FixtureRequest,
    browser: Browser,
    site: str,
    axe: str,
    seen_before: dict[str, Seen],
) -> Seen:
    """Give what is seen of one page."""
    if request.param not in seen_before:
        seen_before[request.param] = look_at(request.param, browser, site, axe)
    return seen_before[request.param]


def in_views(seen: Seen, field: str) -> list[str]:
    """Give what every view has in a field, each with the theme and the width."""
    return [f"{v.theme} {v.width}: {item}" for v in seen.views for item in getattr(v, field)]


def test_the_book_has_the_chapters_and_the_pages() -> None:
    stems = {Path(page).stem for page in PAGES}
    pages = {"index", "notation", "glossary", "claims", "conventions", "api", "bibliography"}
    chapters = {"01_rnn_limits", "02_gated_memory_cell", "03_gates", "04_cell_walkthrough"}
    assert pages | chapters <= stems


@each_page
def test_a_page_asks_nothing_of_another_host(seen: Seen) -> None:
    parts = [urlsplit(url) for url in seen.requests]
    asked = [url for url in parts if url.scheme not in ("data", "blob")]
    assert [url.geturl() for url in asked if url.hostname != "127.0.0.1"] == []


@each_page
def test_a_page_sets_no_cookie(seen: Seen) -> None:
    assert seen.cookies == []


@each_page
def test_the_console_stays_empty(seen: Seen) -> None:
    assert seen.console == []


@each_page
def test_the_page_is_not_wider_than_the_screen(seen: Seen) -> None:
    assert [(v.theme, v.width, v.page_width) for v in seen.views if v.page_width > v.width] == []


@each_page
def test_what_scrolls_in_its_own_box_can_be_reached_with_the_keyboard(seen: Seen) -> None:
    assert in_views(seen, "scrollers_without_focus") == []


@each_page
def test_every_picture_has_alternative_text_and_is_there(seen: Seen) -> None:
    assert in_views(seen, "unnamed_pictures") + in_views(seen, "missing_pictures") == []


@each_page
def test_the_pictures_shown_are_those_of_the_theme(seen: Seen) -> None:
    shown = {(v.theme, name) for v in seen.views for name in v.pictures_of_themes}
    assert shown <= {("light", "only-light"), ("dark", "only-dark")}


@each_page
def test_axe_finds_nothing(seen: Seen) -> None:
    assert seen.violations == []


@each_page
def test_no_tex_is_left_untranslated(seen: Seen) -> None:
    assert seen.tex == []


@cache
def ids(path: Path) -> str:
    """Give the text of a built page, which has the ids that links may name."""
    return path.read_text(encoding="utf-8")


@each_page
def test_every_internal_link_and_anchor_leads_somewhere(seen: Seen, site: str) -> None:
    broken = []
    for link in seen.links:
        address, anchor = urldefrag(link)
        there = urljoin(f"{site}/{seen.page}", address)
        target = BOOK / unquote(there.removeprefix(f"{site}/"))
        named = anchor and f'id="{unquote(anchor)}"'
        if not target.exists() or (named and named not in ids(target.resolve())):
            broken.append(link)
    assert broken == []


@cache
def letters_of_the_font() -> set[str]:
    """Give the letters of the font for formulas that the book brings."""
    font = TTFont(BOOK / "_static" / "math.woff")
    return {chr(code) for code in font.getBestCmap()}


@each_page
def test_every_letter_of_a_formula_is_in_the_font(seen: Seen) -> None:
    assert set(seen.letters) - letters_of_the_font() == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_that_are_left_out_of_code_would_change_no_colour(theme: str) -> None:
    style = (BOOK / "_static" / "pygments.css").read_text(encoding="utf-8")
    code = rf'html\[data-theme="{theme}"\] \.highlight'
    [usual] = re.findall(rf"{code} ?{{[^}}]*; color: (#\w+)", style)
    for mark in "npw":
        assert re.findall(rf"{code} \.{mark} ?{{ color: (#\w+)", style) == [usual]


@each(CHAPTERS)
def test_a_chapter_without_its_pictures_weighs_at_most_800_kB(seen: Seen, site: str) -> None:
    asked = {urldefrag(url)[0].partition("?")[0] for url in seen.requests if "_images/" not in url}
    files = [BOOK / url.removeprefix(f"{site}/") for url in asked if url.startswith(site)]
    assert sum(file.stat().st_size for file in files) <= 800_000


@each(CHAPTERS)
def test_every_figure_of_a_chapter_comes_in_a_light_and_a_dark_version(seen: Seen) -> None:
    assert seen.figures["light"] == seen.figures["dark"] != []
    assert seen.figures["both"] == []
