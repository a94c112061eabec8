"""The search page finds what a learner types."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from built import BOOK
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.pages]

# What is typed, and an address that must be among the first three found.
TYPED = {
    "vanishing gradient": "book/glossary.html#term-vanishing-gradient",
    "vanishing gradients rnn": "notebooks/01_rnn_limits.html#the-gradient-meter",
    "hidden state shape": "notebooks/02_gated_memory_cell.html#the-shape-of-the-memory",
    "forget bias": "book/glossary.html#term-forget-bias",
    "initialize forget gate bias": "book/glossary.html#term-forget-bias",
    "initialization": "book/glossary.html#term-orthogonal-initialisation",
    "initialisation": "book/glossary.html#term-orthogonal-initialisation",
    "exploding gradient": "notebooks/01_rnn_limits.html#the-other-way-exploding",
    "what is a hidden state": "book/glossary.html#term-hidden-state",
    "gate order pytorch": "notebooks/03_gates.html#which-slice-is-the-forget-gate",
    "why does an RNN forget": "notebooks/01_rnn_limits.html#the-limits-of-a-plain-rnn",
    "backpropagation through time": "book/glossary.html#term-backpropagation-through-time",
    "truncated bptt": "notebooks/05_backpropagation.html#truncated-bptt",
    "cell state": "book/glossary.html#term-cell-state",
    "pad sequences": "book/glossary.html#term-padding",
    "peephole": "book/glossary.html#term-peephole",
    "gradient clipping": "book/glossary.html#term-gradient-clipping",
    "what does the output gate do": "book/glossary.html#term-output-gate",
    "LSTM vs GRU": "notebooks/02_gated_memory_cell.html#the-gru-s-answer",
    "keras lstm weights": "book/conventions.html#moving-weights",
    "batch_first": "book/conventions.html#batch-first",
    "h_n c_n": "book/conventions.html#output-h-n-and-c-n",
    "number of parameters": "notebooks/03_gates.html#counting-the-weights",
    "who is speaking": "notebooks/08_audio.html#audio-who-is-speaking",
    "train on several GPUs": "notebooks/13_past_one_machine.html#workers-in-earnest",
    "overfitting": "book/glossary.html#term-early-stopping",
    "init_params": "book/api.html#lstm_lib.numpy_cells.lstm.init_params",
    "hochreiter 1997": "book/bibliography.html#where-the-lstm-comes-from",
    "claim W2": "notebooks/01_rnn_limits.html#claim-w2",
}

# A command, a key of the bibliography, or a label that stayed one.
RAW = re.compile(r"\\[a-zA-Z{\"']|\b\w+[a-z]\d{4}[a-z]+\b|\b(fig|ex)-?\d\d-\w+|\bfig-\w+")


def passages() -> list[list[str]]:
    """Give page, anchor, title and excerpt of each passage of the index."""
    text = (BOOK / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))["passages"]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Give a page, which each search loads anew."""
    with browser.new_page() as page:
        yield page


def found(page: Page, site: str, query: str) -> list[str]:
    """Give the addresses that are found, in their order, once the search says that it is done."""
    page.goto(f"{site}/search.html?q={quote(query)}")
    page.locator("#search-results .search-summary").filter(has_text=".").wait_for()
    links = page.locator("#search-results .search a")
    return [link.get_attribute("href") or "" for link in links.all()]


@pytest.mark.parametrize("query", TYPED)
def test_what_a_learner_types_leads_to_the_passage(page: Page, site: str, query: str) -> None:
    assert TYPED[query] in found(page, site, query)[:3]


def test_every_passage_that_is_found_exists(page: Page, site: str) -> None:
    addresses = {address for query in TYPED for address in found(page, site, query)}
    parts = [address.partition("#") for address in sorted(addresses)]
    lost = [
        f"{name}#{anchor}"
        for name, _, anchor in parts
        if f'id="{anchor}"' not in (BOOK / name).read_text(encoding="utf-8")
    ]
    assert lost == []


def test_the_search_works_without_a_server(page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    assert found(page, BOOK.as_uri(), "peephole") == found(page, BOOK.as_uri(), "Peepholes") != []
    assert complaints == []


def test_an_unknown_word_beside_known_ones_does_not_empty_the_list(page: Page, site: str) -> None:
    assert found(page, site, "peephole zyzzyva") == found(page, site, "peephole")


def test_nothing_found_is_said_with_what_to_do(page: Page, site: str) -> None:
    assert found(page, site, "zyzzyva") == []
    assert "Try fewer words" in page.locator("#search-results .search-summary").inner_text()


def test_a_folded_verdict_is_not_given_away_by_its_excerpt(page: Page, site: str) -> None:
    found(page, site, "claim L2 long-term dependencies default")
    claim = page.locator("#search-results li", has_text="Claim L2:")
    assert claim.locator(".context").count() == 0


def test_titles_and_excerpts_are_words_and_signs_and_nothing_raw() -> None:
    texts = [f"{title} | {excerpt}" for _, _, title, excerpt in passages()]
    assert [text for text in texts if RAW.search(text)] == []


def test_an_excerpt_keeps_the_signs_of_its_formula() -> None:
    excerpts = {anchor: excerpt for _, anchor, _, excerpt in passages()}
    assert "∂h_t/∂h_k" in excerpts["term-vanishing-gradient"]
    assert excerpts["term-half-life"].endswith("ln ½/ln f.")


def test_only_folded_verdicts_and_the_list_of_all_works_have_no_excerpt() -> None:
    without = [(name, anchor) for name, anchor, _, excerpt in passages() if not excerpt]
    pages = {name: (BOOK / f"{name}.html").read_text(encoding="utf-8") for name, _ in without}
    shown = [
        anchor
        for name, anchor in without
        if not re.search(rf'class="[^"]*dropdown[^"]*" id="{anchor}"', pages[name])
    ]
    assert shown == ["all-works"]
