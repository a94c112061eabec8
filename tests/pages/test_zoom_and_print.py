"""Pages zoomed in, on paper, and for those who hear them."""

import re
from collections.abc import Iterator

import pytest
from built import BOOK
from playwright.sync_api import Browser, Page, expect

PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for folder in ("book", "notebooks")
    for path in (BOOK / folder).glob("*.html")
)
# A window of 1280 at 200 % and at 400 % (WCAG 1.4.10), and a tablet held upright.
ZOOMED = (640, 320, 820)
# An alternative text that says what a figure is and nothing of what it shows.
EMPTY_TALK = re.compile(
    r"^(a |the )?(figure|plot|diagram|picture|image|chart|graph)( of)?\W*$", re.I
)
LIGHT_GROUND = "rgb(255, 255, 255)"
pytestmark = [pytest.mark.pages]

each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Give a page in the dark theme, which is never on paper."""
    with browser.new_page(color_scheme="dark") as page:
        yield page


def on_paper(page: Page, address: str) -> None:
    """Open a page and look at it as it is printed."""
    page.emulate_media(media="screen")
    page.goto(address)
    page.emulate_media(media="print")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@each_page
def test_a_page_zoomed_in_does_not_scroll_sideways(page: Page, site: str, name: str) -> None:
    page.emulate_media(media="screen")
    page.goto(f"{site}/{name}")
    wide = {}
    for width in ZOOMED:
        page.set_viewport_size({"width": width, "height": 512})
        page.wait_for_timeout(100)
        wide[width] = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert {width: seen for width, seen in wide.items() if seen > width} == {}


@each_page
def test_paper_shows_all_and_nothing_to_press(page: Page, site: str, name: str) -> None:
    on_paper(page, f"{site}/{name}")
    seen = page.evaluate(
        """() => {
          const invisible = { visibilityProperty: true, opacityProperty: true };
          const isSeen = (e) => e.checkVisibility(invisible) && e.getBoundingClientRect().height;
          const all = (selector) => [...document.querySelectorAll(selector)];
          return {
            pressed: all("button, .bd-sidebar, .prev-next-area, .mark-as-read, .preview")
              .filter(isSeen).map((e) => e.outerHTML.slice(0, 120)),
            folded: all(".admonition.toggle-hidden > :not(.admonition-title)")
              .filter((e) => !isSeen(e) && e.textContent.trim())
              .map((e) => e.outerHTML.slice(0, 120)),
            cut: all("article pre")
              .filter((e) => e.scrollWidth > e.clientWidth + 1)
              .map((e) => e.textContent.slice(0, 80)),
            dark: all("article img.only-dark").filter(isSeen).length,
            ground: getComputedStyle(document.body).backgroundColor,
          };
        }"""
    )
    nothing = {"pressed": [], "folded": [], "cut": [], "dark": 0}
    assert seen == {**nothing, "ground": LIGHT_GROUND}


@each_page
def test_every_picture_on_paper_is_there_without_having_been_scrolled_to(
    page: Page, site: str, name: str
) -> None:
    on_paper(page, f"{site}/{name}")
    page.evaluate(
        """Promise.allSettled([...document.querySelectorAll("article img[loading=eager]")]
             .map((picture) => picture.decode()))"""
    )
    empty = page.evaluate(
        """[...document.querySelectorAll("article img")]
             .filter((e) => e.checkVisibility() && !(e.complete && e.naturalWidth))
             .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert empty == []


def test_the_screen_is_dark_again_after_printing(page: Page, site: str) -> None:
    on_paper(page, f"{site}/notebooks/03_gates.html")
    page.emulate_media(media="screen")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_paper_has_the_address_of_a_link_that_leaves_the_book(page: Page, site: str) -> None:
    on_paper(page, f"{site}/notebooks/12_from_equations_to_a_kernel.html")
    printed = page.evaluate(
        """[...document.querySelectorAll("article a.external")].map((a) =>
          [getComputedStyle(a, "::after").content, a.getAttribute("href")])"""
    )
    assert printed
    assert [href for content, href in printed if href not in content] == []


@each_page
def test_an_alternative_text_says_what_is_shown(page: Page, name: str) -> None:
    html = (BOOK / name).read_text(encoding="utf-8")
    article = html[html.index("<article") : html.index("</article>")]
    texts = re.findall(r'<img [^>]*alt="([^"]*)"', article)
    assert [text for text in texts if EMPTY_TALK.match(text) or len(text.split()) < 5] == []


@each_page
def test_every_table_has_headings(page: Page, site: str, name: str) -> None:
    page.emulate_media(media="screen")
    page.goto(f"{site}/{name}")
    lacking = page.evaluate(
        """[...document.querySelectorAll("article table:not(.indextable)")]
             .filter((table) => !table.querySelector("thead th"))
             .map((table) => table.outerHTML.slice(0, 200))"""
    )
    assert lacking == []


def test_displayed_equations_are_in_the_accessibility_tree_with_their_parts(
    page: Page, site: str
) -> None:
    page.emulate_media(media="screen")
    page.goto(f"{site}/notebooks/03_gates.html")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    nodes = {node["nodeId"]: node for node in tree}

    def words(node: dict) -> str:
        below = "".join(words(nodes[k]) for k in node.get("childIds", []) if k in nodes)
        return below or node.get("name", {}).get("value", "")

    formulas = [node for node in tree if node.get("role", {}).get("value") == "MathMLMath"]
    seen = page.evaluate(
        """[...document.querySelectorAll("math")]
             .filter((e) => e.checkVisibility({ visibilityProperty: true })).length"""
    )
    assert len(formulas) == seen > 50
    assert [node["nodeId"] for node in formulas if not words(node).strip()] == []
