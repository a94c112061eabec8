"""What of a page goes into the PDF and the EPUB, and where its links lead then."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools.take_away import epub, pages, pdf
from tools.take_away.pages import ROOT, Page

SITE = "https://example.org/book/"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use an empty folder as the built book."""
    monkeypatch.setattr(pages, "BOOK", tmp_path)
    return tmp_path


def page(folder: Path, name: str, body: str) -> Page:
    """Write a page of the built book and read it."""
    path = folder / f"{name}.html"
    path.write_text(f'<article class="bd-article"><h1>{name}</h1>{body}</article>', "utf-8")
    return pages.read_page("Chapters", path)


def html(page: Page) -> str:
    """Give what is left of a page below its title."""
    return page.article.decode_contents().partition("</h1>")[2]


def test_what_a_reader_on_paper_cannot_use_is_left_out(book: Path) -> None:
    body = (
        '<script>f()</script><button>Copy</button><a class="headerlink" href="#x">#</a>'
        '<img class="only-dark" src="a-dark.svg"/><p hidden="">preview</p><p>text</p>'
    )
    assert html(page(book, "one", body)) == "<p>text</p>"


def test_what_is_folded_is_open(book: Path) -> None:
    assert html(page(book, "one", "<details>a</details>")) == '<details open="">a</details>'


def test_a_sound_is_named_by_its_label(book: Path) -> None:
    sound = '<audio src="data:audio/wav;base64,AA" aria-label="speaker 1"></audio>'
    assert html(page(book, "one", sound)) == "(Sound: speaker 1.)"


def test_the_second_of_two_equal_ids_is_dropped(book: Path) -> None:
    assert html(page(book, "one", '<p id="a">1</p><p id="a">2</p>')) == '<p id="a">1</p><p>2</p>'


def test_a_picture_that_waits_until_it_is_scrolled_to_does_not_wait(book: Path) -> None:
    found = page(book, "one", '<img alt="" loading="lazy" src="a.svg"/>')
    assert html(found) == f'<img alt="" src="{book.resolve()}/a.svg"/>'


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("two.html#place", "#two--place"),
        ("two.html", "#two"),
        ("#here", "#one--here"),
        ("search.html", f"{SITE}search.html"),
        ("https://arxiv.org/a", "https://arxiv.org/a"),
    ],
)
def test_links_lead_to_the_same_place_in_the_pdf(book: Path, written: str, expected: str) -> None:
    one, two = page(book, "one", f'<a href="{written}">x</a>'), page(book, "two", "")
    pages.turn_links([one, two], SITE, lambda page, anchor: f"#{pdf.address(page, anchor)}")
    assert one.article.a["href"] == expected


def test_two_pages_may_have_the_same_section(book: Path) -> None:
    both = [page(book, name, '<section id="summary"><h2>S</h2></section>') for name in ("a", "b")]
    for one in both:
        pdf.make_ids_unique(one)
    assert [pages.sections(one)[0].anchor for one in both] == ["a--summary", "b--summary"]


def test_a_page_that_is_not_built_is_named(book: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.html is not there: run `make book`"):
        pages.read_page("", book / "absent.html")


def test_the_date_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert pages.date_of_change() == datetime(1970, 1, 2, tzinfo=UTC)


def test_formulas_of_the_epub_have_the_attributes_of_mathml_3() -> None:
    formula = BeautifulSoup('<math><mfrac displaystyle="true"></mfrac></math>', "html.parser").math
    epub.to_mathml_3(formula)
    assert str(formula) == '<math><mstyle displaystyle="true"><mfrac></mfrac></mstyle></math>'


def test_the_second_of_two_equal_ids_of_a_drawing_is_dropped() -> None:
    assert epub.first_ids_only('<a id="x"/><b id="x"/>') == '<a id="x"/><b/>'


@pytest.mark.parametrize("name", [pdf.TARGET.name, epub.TARGET.name, "lstm-measured.zip"])
def test_the_landing_page_links_what_the_deployment_puts_beside_the_pages(name: str) -> None:
    landing = (ROOT / "book/index.md").read_text(encoding="utf-8")
    deployment = (ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8")
    assert f"({pages.edition().site}{name})" in landing
    assert f"_build/{name}" in deployment
