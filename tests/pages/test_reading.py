"""The time a chapter takes, the mark of one that was read, and the way to the next."""

import re
from collections.abc import Iterator

import pytest
from built import BOOK
from playwright.sync_api import Browser, Page, expect

INDEX = (BOOK.parents[1] / "book" / "index.md").read_text(encoding="utf-8")
ROW = re.compile(r"\(\.\./notebooks/(\w+)\.ipynb\).*\| (\d+ min) \|$", re.MULTILINE)
CHAPTERS = [path.stem for path in sorted(BOOK.glob("notebooks/*.html"))]
MARKED = "a:has(.read-mark)"
pytestmark = [pytest.mark.pages]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page of a reader who was never here."""
    with browser.new_page() as page:
        yield page


def read_first_chapter(page: Page, root: str) -> None:
    """Say that the first chapter was read."""
    page.goto(f"{root}/notebooks/01_rnn_limits.html")
    page.get_by_label("I have read this chapter").check()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_says_the_time_of_the_table_and_no_other(chapter: str) -> None:
    text = (BOOK / "notebooks" / f"{chapter}.html").read_text(encoding="utf-8")
    said = re.findall(r"[Aa]bout (\d+) min", text)
    assert {f"{minutes} min" for minutes in said} == {dict(ROW.findall(INDEX))[chapter]}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_keyboard_leads_to_the_chapter_before_and_after(
    page: Page, site: str, chapter: str
) -> None:
    page.goto(f"{site}/notebooks/{chapter}.html")
    pages = ["book/index", *(f"notebooks/{name}" for name in CHAPTERS), "book/notation"]
    place = pages.index(f"notebooks/{chapter}")
    for name, wanted in (("Previous", pages[place - 1]), ("Next", pages[place + 1])):
        link = page.locator(".prev-next-area").get_by_role("link", name=re.compile(name, re.I))
        link.focus()
        expect(link).to_be_focused()
        assert link.evaluate("(link) => link.href") == f"{site}/{wanted}.html"


def test_a_chapter_read_is_marked_in_the_sidebar_and_in_the_table(page: Page, site: str) -> None:
    read_first_chapter(page, site)
    expect(page.locator(f".bd-sidenav {MARKED}")).to_have_text("1. The limits of a plain RNN ✓")
    page.goto(f"{site}/book/index.html")
    expect(page.locator(f"table {MARKED}")).to_have_text("The limits of a plain RNN ✓")
    expect(page.locator(f".bd-sidenav {MARKED}")).to_have_text("1. The limits of a plain RNN ✓")


def test_a_mark_can_be_taken_back(page: Page, site: str) -> None:
    read_first_chapter(page, site)
    page.reload()
    page.get_by_label("I have read this chapter").uncheck()
    expect(page.locator(MARKED)).to_have_count(0)
    page.reload()
    expect(page.get_by_label("I have read this chapter")).not_to_be_checked()


def test_the_mark_stays_in_the_browser_and_is_no_cookie(page: Page, site: str) -> None:
    requests: list[str] = []
    page.goto(f"{site}/notebooks/01_rnn_limits.html", wait_until="networkidle")
    page.on("request", lambda request: requests.append(request.url))
    page.get_by_label("I have read this chapter").check()
    assert page.evaluate("localStorage.getItem('chapters read')") == '["01_rnn_limits.html"]'
    assert page.context.cookies() == []
    assert requests == []


def test_only_chapters_offer_the_mark(page: Page, site: str) -> None:
    page.goto(f"{site}/book/glossary.html")
    expect(page.locator(".mark-as-read")).to_have_count(0)


def test_marks_work_from_a_file(page: Page) -> None:
    marks = page.locator(f"table {MARKED}")
    # Each file has a process of its own, and Chromium carries from one to the other what is stored
    # when it has the time: a reader who leaves at once may have to say it again.
    for _ in range(20):
        read_first_chapter(page, BOOK.as_uri())
        page.wait_for_timeout(1000)
        page.goto(f"{BOOK.as_uri()}/book/index.html")
        if marks.count() == 1:
            break
    expect(marks).to_have_count(1)


def test_a_browser_that_keeps_nothing_marks_until_the_page_is_left(page: Page, site: str) -> None:
    # Only our keys: the theme's own scripts need theirs.
    page.add_init_script(
        """for (const name of ["getItem", "setItem"]) {
             const original = Storage.prototype[name];
             Storage.prototype[name] = function (key, ...rest) {
               if (key === "chapters read") throw new DOMException("denied", "SecurityError");
               return original.call(this, key, ...rest);
             };
           }"""
    )
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    read_first_chapter(page, site)
    expect(page.locator(f".bd-sidenav {MARKED}")).to_have_count(1)
    assert errors == []
