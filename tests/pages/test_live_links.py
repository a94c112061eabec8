"""Every link of the text that sets a figure sets states that the figure knows."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = [pytest.mark.pages]
BOOK = Path(__file__).parents[2] / "_build" / "html"
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
    links = page.locator("a.reference[href^='#fig'][title]")
    for link in links.all():
        assert "live-link" in (link.get_attribute("class") or ""), link.get_attribute("title")
        link.dispatch_event("click")  # some stand in folded boxes
        assert complaints == [], link.get_attribute("title")
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
