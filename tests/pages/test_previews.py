"""Previews of terms, claims and works, under the mouse and on keyboard focus."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

CHAPTER = "notebooks/01_rnn_limits.html"
OPEN = ".preview:popover-open"
TERM = 'main a[href$="glossary.html#term-hidden-state"]'
PAGES = ["notebooks/01_rnn_limits.html", "notebooks/07_long_texts.html", "book/claims.html"]
pytestmark = [pytest.mark.pages]


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Give the first chapter on a desk."""
    with browser.new_page(viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"{site}/{CHAPTER}")
        yield page


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_term_a_claim_or_a_work_has_a_preview(
    page: Page, site: str, name: str
) -> None:
    page.goto(f"{site}/{name}")
    lacking = page.evaluate(
        """[...document.querySelectorAll(
            'article a:is([href*="#term-"], [href*="#claim-"], [href*="bibliography.html#id"])'
          )].filter((link) => {
            const preview = document.getElementById(link.getAttribute("aria-describedby"));
            const isOfThis = preview?.dataset.for === link.getAttribute("href");
            return !(isOfThis && preview.textContent.trim());
          }).map((link) => link.outerHTML)"""
    )
    assert lacking == []
    assert page.locator("article a[aria-describedby]").count() > 10


def test_the_mouse_shows_the_definition_and_may_move_onto_it(page: Page) -> None:
    page.locator(TERM).first.hover()
    expect(page.locator(OPEN)).to_contain_text("with one number for each hidden unit")
    page.locator(OPEN).hover()
    page.wait_for_timeout(500)  # longer than it takes to close
    expect(page.locator(OPEN)).to_be_visible()
    page.mouse.move(2, 2)
    expect(page.locator(OPEN)).to_have_count(0)


def test_keyboard_focus_shows_the_preview_also_where_it_scrolls_the_page(page: Page) -> None:
    link = page.locator('article a[href*="bibliography.html#id"]').last
    page.keyboard.press("Tab")  # from here on, focus counts as the keyboard's
    link.focus()
    expect(page.locator(OPEN)).to_have_attribute("data-for", link.get_attribute("href") or "")
    page.wait_for_timeout(300)
    expect(page.locator(OPEN)).to_be_in_viewport(ratio=1)
    page.keyboard.press("Tab")
    expect(page.locator(OPEN)).to_have_count(0)


def test_escape_closes_the_preview_and_leaves_the_focus(page: Page) -> None:
    link = page.locator(TERM).first
    page.keyboard.press("Tab")
    link.focus()
    expect(page.locator(OPEN)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(OPEN)).to_have_count(0)
    expect(link).to_be_focused()


def test_a_preview_holds_no_link(page: Page, site: str) -> None:
    page.goto(f"{site}/book/claims.html")
    expect(page.locator(".preview").first).to_be_attached()
    expect(page.locator(".preview a")).to_have_count(0)


def test_a_finger_gets_the_link_and_no_preview(page: Page) -> None:
    page.locator(TERM).first.evaluate(
        "(link) => link.dispatchEvent(new PointerEvent('pointerenter', {pointerType: 'touch'}))"
    )
    page.wait_for_timeout(500)
    expect(page.locator(OPEN)).to_have_count(0)


def test_a_preview_asks_for_nothing(page: Page) -> None:
    # Pictures come when a reader scrolls near them, as the mouse does below: here they are there.
    page.evaluate("for (const picture of document.images) picture.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    page.evaluate("Promise.allSettled([...document.images].map((picture) => picture.decode()))")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator(TERM).first.hover()
    expect(page.locator(OPEN)).to_be_visible()
    assert requests == []


def test_a_folded_verdict_is_not_given_away(page: Page, site: str) -> None:
    page.goto(f"{site}/notebooks/02_gated_memory_cell.html")
    folded = {f"#{box.get_attribute('id')}" for box in page.locator(".claim.dropdown").all()}
    boxed = {f"#{box.get_attribute('id')}" for box in page.locator(".claim").all()}
    page.goto(f"{site}/book/claims.html")
    shown = {
        "#" + (preview.get_attribute("data-for") or "").partition("#")[2]: preview.locator("p")
        for preview in page.locator(".preview").all()
    }
    assert folded
    assert {a for a in boxed if shown[a].count() == 1} == folded


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_preview_fits_a_phone_and_axe_finds_nothing_in_it(
    browser: Browser, site: str, axe: str, theme: str
) -> None:
    with browser.new_page(
        viewport={"width": 390, "height": 800}, color_scheme=theme, reduced_motion="reduce"
    ) as page:
        page.goto(f"{site}/{CHAPTER}")
        page.keyboard.press("Tab")
        page.locator('article a[href*="#term-"]:visible').last.focus()
        expect(page.locator(OPEN)).to_be_in_viewport(ratio=1)
        page.evaluate(axe)
        found = page.evaluate("axe.run('.preview:popover-open').then((r) => r.violations)")
        assert found == []


def test_without_scripts_previews_stay_hidden_and_links_lead_to_the_term(
    browser: Browser, site: str
) -> None:
    with browser.new_page(java_script_enabled=False) as page:
        page.goto(f"{site}/{CHAPTER}")
        expect(page.locator(".preview").first).to_be_hidden()
        page.locator(TERM).first.click()
        expect(page.locator("#term-hidden-state")).to_be_in_viewport()
