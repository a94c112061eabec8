"""Every link of the text that sets a figure sets states that the figure knows."""

from collections.abc import Iterator

import pytest
from built import BOOK
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.pages]
PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for folder in ("book", "notebooks")
    for path in (BOOK / folder).glob("*.html")
    if "_static/live/" in path.read_text(encoding="utf-8")
)


def test_there_are_pages_with_live_figures() -> None:
    assert {"book/index.html", "notebooks/04_cell_walkthrough.html"} <= set(PAGES)


@pytest.mark.parametrize("page_name", PAGES)
def test_every_link_with_a_state_works(browser: Browser, site: str, page_name: str) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(f"{site}/{page_name}", wait_until="load")
    assert page.locator("a.reference[href^='#fig'][title]").count() == 0  # these knew no figure
    links = page.locator("a.live-link[data-state]")
    for link in links.all():
        link.dispatch_event("click")  # some stand in folded boxes
        assert complaints == [], link.get_attribute("data-state")
    assert links.count() > 0
    page.close()


@pytest.mark.parametrize("page_name", PAGES)
def test_every_marked_picture_has_become_live(browser: Browser, page_name: str) -> None:
    page = browser.new_page()
    page.goto((BOOK / page_name).as_uri())  # as a file: there browsers load no modules
    figures = page.locator("figure[class*='live-']")
    assert figures.count() > 0
    assert figures.evaluate_all("all => all.filter((e) => !e.querySelector('.live')).length") == 0
    page.close()


def test_the_sign_after_a_caption_still_leads_to_the_figure(browser: Browser, site: str) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site}/book/index.html")
    page.locator("#fig-index-cell .headerlink").click(force=True)
    assert page.url.endswith("#fig-index-cell")
    assert complaints == []
    page.close()


@pytest.fixture(params=["server", "folder"])
def chapter(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Give a chapter in a window that is lower than its live cell."""
    folder = site if request.param == "server" else BOOK.as_uri()
    with browser.new_page(viewport={"width": 1280, "height": 500}) as page:
        page.goto(f"{folder}/notebooks/04_cell_walkthrough.html")
        yield page


def top_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box
    return box["y"]


def test_a_link_from_afar_shows_the_top_of_the_figure_and_back_returns(chapter: Page) -> None:
    link = chapter.locator("a.live-link[href='#fig-04-live']").last
    link.scroll_into_view_if_needed()
    chapter.wait_for_timeout(200)
    before = chapter.evaluate("scrollY")
    link.click()
    header = chapter.locator(".bd-header-article").bounding_box()
    assert header
    top = top_of(chapter, "#fig-04-live .live")
    assert header["y"] + header["height"] <= top < 150
    chapter.go_back()
    chapter.wait_for_function(f"Math.abs(scrollY - {before}) < 2")
    expect(link).to_be_in_viewport()


def test_a_link_beside_a_figure_that_is_in_view_moves_nothing(chapter: Page) -> None:
    chapter.set_viewport_size({"width": 1280, "height": 2000})
    link = chapter.locator("a.live-link[href='#fig-04-live']").first
    chapter.locator("#fig-04-live").scroll_into_view_if_needed()
    chapter.wait_for_timeout(200)
    before = chapter.evaluate("[scrollY, history.length]")
    link.dispatch_event("click")
    assert chapter.evaluate("[scrollY, history.length]") == before
