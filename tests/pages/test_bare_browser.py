"""Pages for readers whose browser runs no scripts, or lets them store nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

CHAPTER = "notebooks/03_gates.html"
BODY = "getComputedStyle(document.body)"
# As Chromium does where the reader has forbidden storage.
FORBID = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { configurable: true, get() {
        throw new DOMException("Access is denied for this document.", "SecurityError");
    } });"""

pytestmark = [pytest.mark.pages]


@pytest.fixture
def scriptless(browser: Browser, site: str) -> Iterator[Page]:
    """Open a chapter where no script runs."""
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site}/{CHAPTER}")
    yield page
    page.close()


def test_without_scripts_a_figure_shows_one_drawing_of_two(scriptless: Page) -> None:
    assert scriptless.locator("article img.only-light").first.is_visible()
    assert scriptless.locator("article img.only-dark").count() > 0
    assert scriptless.locator("article img.only-dark:visible").count() == 0


def test_without_scripts_links_and_header_have_their_colours(scriptless: Page) -> None:
    link, header = (
        scriptless.locator(selector).first.evaluate(
            f"(element) => getComputedStyle(element).{colour}"
        )
        for selector, colour in [
            ("article p a", "color"),
            (".bd-header-article", "backgroundColor"),
        ]
    )
    assert link != scriptless.evaluate(f"{BODY}.color")
    assert header == scriptless.evaluate(f"{BODY}.backgroundColor")


def test_with_scripts_the_reader_s_own_theme_is_shown(browser: Browser, site: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{site}/{CHAPTER}")
    assert page.locator("article img.only-dark").first.is_visible()
    assert page.locator("article img.only-light:visible").count() == 0
    page.close()


@pytest.fixture
def storeless(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser that lets pages store nothing, and whose pages must not complain."""
    context = browser.new_context(color_scheme="light")
    context.add_init_script(FORBID)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda message: complaints.append(message.text))
    yield context
    context.close()
    assert complaints == []


@pytest.mark.parametrize("name", [CHAPTER, "book/index.html", "search.html?q=gate", "404.html"])
def test_without_storage_no_page_complains(name: str, storeless: BrowserContext, site: str) -> None:
    page = storeless.new_page()
    page.goto(f"{site}/{name}", wait_until="networkidle")
    assert page.evaluate("localStorage.getItem('nothing')") is None


def test_without_storage_the_theme_can_be_changed(storeless: BrowserContext, site: str) -> None:
    page = storeless.new_page()
    page.goto(f"{site}/{CHAPTER}", wait_until="networkidle")
    themes = []
    for _ in range(2):
        page.locator(".theme-switch-button:visible").first.click()
        themes.append(page.evaluate("document.documentElement.dataset.theme"))
    assert set(themes) == {"light", "dark"}


def test_without_storage_a_key_opens_the_search(storeless: BrowserContext, site: str) -> None:
    page = storeless.new_page()
    page.goto(f"{site}/{CHAPTER}", wait_until="networkidle")
    page.keyboard.press("Control+k")
    assert page.locator("dialog input[type=search]").is_visible()
