"""A chapter used without a mouse."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

CHAPTER = "notebooks/03_gates.html"
pytestmark = [pytest.mark.pages]


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Give a chapter on a desk."""
    with browser.new_page(viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"{site}/{CHAPTER}")
        yield page


def test_the_first_stop_leads_past_the_sidebar_to_the_text(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator("#pst-skip-link a")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_tab_reaches_the_end_of_a_chapter_and_every_stop_is_seen(page: Page) -> None:
    stops = page.evaluate("document.querySelectorAll('a[href], button, input, [tabindex]').length")
    unseen: list[str] = []
    seen_last = False
    for _ in range(stops + 20):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
              const e = document.activeElement;
              if (e === document.body) return null;
              const style = getComputedStyle(e);
              const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
              return { seen: ring || style.boxShadow !== "none", html: e.outerHTML.slice(0, 120),
                       last: e.closest(".prev-next-area") !== null };
            }"""
        )
        if stop is None:
            break
        seen_last = seen_last or stop["last"]
        if not stop["seen"]:
            unseen.append(stop["html"])
    assert seen_last
    assert unseen == []


def test_ctrl_k_opens_the_search_and_escape_gives_the_focus_back(page: Page) -> None:
    link = page.locator("article p a[href]").first
    link.focus()
    page.keyboard.press("Control+k")
    expect(page.locator("#pst-search-dialog input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#pst-search-dialog")).to_be_hidden()
    expect(link).to_be_focused()


def test_enter_in_the_search_leads_to_results(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("peephole")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results a").first).to_have_text("peephole")


def test_the_theme_changes_by_the_keyboard(page: Page) -> None:
    themes = set()
    page.locator("button.theme-switch-button").last.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
        themes.add(page.evaluate("document.documentElement.dataset.mode"))
    assert themes == {"light", "dark", "auto"}


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_solution_unfolds_and_folds_by_the_keyboard(page: Page, key: str) -> None:
    box = page.locator(".solution.dropdown").first
    box.locator("button.toggle-button").focus()
    expect(box.locator("p").nth(1)).to_be_hidden()
    page.keyboard.press(key)
    expect(box.locator("p").nth(1)).to_be_visible()
    page.keyboard.press(key)
    expect(box.locator("p").nth(1)).to_be_hidden()


def test_code_is_copied_by_the_keyboard(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("button.copybtn").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("button.copybtn").first).to_have_class("copybtn o-tooltip--left success")
    assert "import" in page.evaluate("navigator.clipboard.readText()")


def test_the_sidebar_opens_and_closes_by_the_keyboard_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    sidebar = page.locator(".bd-sidenav").first
    expect(sidebar).to_be_hidden()
    page.locator("button.primary-toggle").focus()
    page.keyboard.press("Enter")
    expect(sidebar).to_be_visible()
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
