"""The built book in a real browser: every page, light and dark, on a desk and on a phone.

Run by `make pages`, which builds the book and gets the browser. Each page is opened four times,
once for every theme and width; what was seen is shared by the tests of that page.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache, partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, sync_playwright

BOOK = Path(__file__).parents[1] / "_build" / "html"
BROWSER = Path(sys.prefix) / "browser"  # written by tools/get_browser.py
THEMES = ("light", "dark")
WIDTHS = (1280, 390)
# Each theme and each width once: axe-core is slow, and what it asks depends on one or the other.
ASKED_BY_AXE = {("light", 1280), ("dark", 390)}
# Written by Sphinx; `index.html` at the root only sends the reader on to the first page.
NOT_OURS = {"index.html"}
PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if path.relative_to(BOOK).as_posix() not in NOT_OURS and "_static" not in path.parts
)

# What axe-core is told to overlook, each with its reason: whole rules, or one element for a rule.
WAIVED_RULES: dict[str, str] = {}
WAIVED_ELEMENTS = {
    ("region", ".sidebar-primary-items__start > .sidebar-primary-item:nth-child(1)"): (
        "the theme puts the book's name in the sidebar outside of any landmark; it is a link to "
        "the first page, which the navigation beside it has too"
    ),
    ("label-content-name-mismatch", ".search-button-field"): (
        "the theme's search button shows the keys that open it beside its name"
    ),
}

pytestmark = [pytest.mark.pages]
each_page = pytest.mark.parametrize(
    "visits",
    [pytest.param(page, marks=pytest.mark.xdist_group(page), id=page) for page in PAGES],
    indirect=True,
)


class Visit(NamedTuple):
    """What was seen when a page was opened in one theme at one width."""

    theme: str
    width: int
    requests: list[str]
    console: list[str]
    page_width: int
    shown: list[str]
    unnamed_images: list[str]
    missing_images: list[str]
    violations: list[str]
    scrollers_without_focus: list[str]


class QuietHandler(SimpleHTTPRequestHandler):
    """A file server that does not log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the book on this machine and give its address."""
    assert BOOK.exists(), "there is no book to look at: run `make pages`"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=BOOK))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser that `make pages` found."""
    assert BROWSER.exists(), "no browser was looked for yet: run `make pages`"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=BROWSER.read_text(encoding="utf-8"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the script of axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


LOOK = """() => {
  const seen = (e) => e.checkVisibility() && e.getBoundingClientRect().width > 0;
  const images = [...document.images];
  return {
    page_width: document.documentElement.scrollWidth,
    shown: images.filter(seen).map((e) => e.className),
    unnamed_images: images.filter((e) => !e.alt.trim()).map((e) => e.outerHTML),
    missing_images: images.filter((e) => seen(e) && e.complete && !e.naturalWidth)
      .map((e) => e.src),
    scrollers_without_focus: [...document.querySelectorAll("main *")].filter((e) => seen(e)
        && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0
        && ["auto", "scroll"].includes(getComputedStyle(e).overflowX)
        && !e.querySelector("a, button, input, [tabindex]"))
      .map((e) => e.outerHTML.slice(0, 200)),
  };
}"""
ASK_AXE = """async (waived) => {
  const rules = Object.fromEntries(waived.map((id) => [id, {enabled: false}]));
  const found = await axe.run(document, {rules, resultTypes: ["violations"]});
  return found.violations.flatMap((v) => v.nodes.map((n) =>
    [v.id, n.target.flat().join(" "), n.html.slice(0, 200), n.failureSummary]));
}"""


def open_page(browser: Browser, address: str, axe: str, theme: str, width: int) -> Visit:
    """Open a page as a reader with this theme and screen would, and note what happens."""
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    requests: list[str] = []
    console: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    context.on(
        "response", lambda r: console.append(f"{r.status} {r.url}") if r.status >= 400 else None
    )
    page.on(
        "console",
        lambda m: console.append(f"{m.type}: {m.text}") if m.type in ("warning", "error") else None,
    )
    page.on("pageerror", lambda error: console.append(f"error: {error}"))
    page.goto(address, wait_until="networkidle")
    seen = page.evaluate(LOOK)
    said = list(console)  # what axe itself prints is not the page's
    violations = []
    if (theme, width) in ASKED_BY_AXE:
        page.evaluate(axe)
        violations = [
            f"{rule} at {target}: {html}\n{summary}"
            for rule, target, html, summary in page.evaluate(ASK_AXE, sorted(WAIVED_RULES))
            if (rule, target) not in WAIVED_ELEMENTS
        ]
    context.close()
    return Visit(theme, width, requests, said, violations=violations, **seen)


@pytest.fixture(scope="module")
def visits(request: pytest.FixtureRequest, browser: Browser, site: str, axe: str) -> list[Visit]:
    """Open one page in both themes at both widths."""
    address = f"{site}/{request.param}"
    return [open_page(browser, address, axe, theme, width) for theme in THEMES for width in WIDTHS]


def gathered(visits: list[Visit], field: str) -> list[str]:
    """Give what every visit has in a field, each with the theme and the width."""
    return [f"{v.theme} {v.width}: {item}" for v in visits for item in getattr(v, field)]


def test_the_book_has_the_chapters_and_the_pages() -> None:
    stems = {Path(page).stem for page in PAGES}
    assert {
        "index",
        "notation",
        "glossary",
        "claims",
        "conventions",
        "api",
        "bibliography",
    } <= stems
    assert {"01_rnn_limits", "02_gated_memory_cell", "03_gates", "04_cell_walkthrough"} <= stems


@each_page
def test_a_page_asks_nothing_of_another_host(visits: list[Visit]) -> None:
    foreign = [
        url
        for visit in visits
        for url in visit.requests
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1"
    ]
    assert foreign == []


@each_page
def test_the_console_stays_empty(visits: list[Visit]) -> None:
    assert gathered(visits, "console") == []


@each_page
def test_the_page_is_not_wider_than_the_screen(visits: list[Visit]) -> None:
    assert [(v.theme, v.width, v.page_width) for v in visits if v.page_width > v.width] == []


@each_page
def test_what_scrolls_in_its_own_box_can_be_reached_with_the_keyboard(visits: list[Visit]) -> None:
    assert gathered(visits, "scrollers_without_focus") == []


@each_page
def test_every_picture_has_alternative_text_and_is_there(visits: list[Visit]) -> None:
    assert gathered(visits, "unnamed_images") + gathered(visits, "missing_images") == []


@each_page
def test_the_pictures_shown_are_those_of_the_theme(visits: list[Visit]) -> None:
    other = {"light": "only-dark", "dark": "only-light"}
    wrong = [(v.theme, v.width, c) for v in visits for c in v.shown if other[v.theme] in c]
    assert wrong == []


@each_page
def test_axe_finds_nothing_that_is_not_waived(visits: list[Visit]) -> None:
    assert gathered(visits, "violations") == []


@cache
def soup(page: str) -> BeautifulSoup:
    """Parse a built page."""
    return BeautifulSoup((BOOK / page).read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path: Path) -> frozenset[str]:
    """Give the ids that links to a file may name."""
    text = path.read_text(encoding="utf-8") if path.suffix == ".html" else ""
    return frozenset(unescape(name) for name in re.findall(r'\sid="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES)
def test_no_tex_is_left_untranslated(page: str) -> None:
    code = ("pre", "code", "script")
    text = "".join(s for s in soup(page).main.find_all(string=True) if not s.find_parent(code))
    assert re.findall(r"\\[a-zA-Z]{2,}.{0,40}|\$[^$\n]+\$", text) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_internal_link_and_anchor_leads_somewhere(page: str) -> None:
    broken = []
    for link in soup(page).find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc or link["href"] == "#":
            continue
        target = (BOOK / page).parent / unquote(address.path) if address.path else BOOK / page
        anchor = unquote(address.fragment)
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link["href"])
    assert broken == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("notebooks/")])
def test_every_figure_of_a_chapter_comes_in_a_light_and_a_dark_version(page: str) -> None:
    images = soup(page).select("main img[src$='.svg']")
    light = [image["alt"] for image in images if "only-light" in image["class"]]
    dark = [image["alt"] for image in images if "only-dark" in image["class"]]
    assert light == dark
    assert len(light) + len(dark) == len(images) > 0
