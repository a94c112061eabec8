"""What every live figure keeps: its picture where no script runs, the theme, refusal by name."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from lstm_lib.figures import live

pytestmark = [pytest.mark.pages]
CHAPTERS = {
    "cell": "notebooks/04_cell_walkthrough.html",
    "highway": "notebooks/05_backpropagation.html",
    "latch": "notebooks/02_gated_memory_cell.html",
    "meter": "notebooks/01_rnn_limits.html",
    "recall": "notebooks/04_cell_walkthrough.html",
    "text": "notebooks/07_long_texts.html",
}
# A line of each figure, the property that colours it, and its colours: lstm_lib/figures/style.py.
COLOURS = {
    "cell": ("[data-from=f_t] path", "stroke", "rgb(70, 121, 242)", "rgb(122, 159, 246)"),
    "highway": (".live-road-RNN polygon", "fill", "rgb(87, 96, 106)", "rgb(177, 186, 196)"),
    "latch": (".live-memory", "stroke", "rgb(195, 134, 7)", "rgb(224, 168, 58)"),
    "meter": (".live-of-RNN polyline", "stroke", "rgb(87, 96, 106)", "rgb(177, 186, 196)"),
    "recall": (".live-line-i", "stroke", "rgb(37, 122, 91)", "rgb(53, 174, 129)"),
    "text": (".live-line-i", "stroke", "rgb(37, 122, 91)", "rgb(53, 174, 129)"),
}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("highway", {"k": 41}, "k must be a step, 0 … 40, got 41"),
    ("highway", {"b": "much"}, "b must be a number, got much"),
    ("latch", {"challenge": 4}, "challenge must be 1 to 3, got 4"),
    ("latch", {"keep": 2}, "keep must be from 0.5 to 1, got 2"),
    ("latch", {"i": [1, 0]}, "i must be 8 times 0 or 1, got 1,0"),
    ("latch", {"o": [1, 0, 1, 0, 1, 0, 1, 3]}, "o must be 8 times 0 or 1, got 1,0,1,0,1,0,1,3"),
    ("meter", {"symbol": "E"}, "symbol must be A, B, C or D, got E"),
    ("meter", {"lag": 30}, "lag must be from 0 to 29, got 30"),
    ("meter", {"lag": 1.5}, "lag must be from 0 to 29, got 1.5"),
    ("meter", {"radius": "wide"}, "radius must be from 0.1 to 1.6, got wide"),
    ("recall", {"seq": "Bq"}, "“q” is none of the letters"),
    ("recall", {"seq": 1}, "“1” is none of the letters"),
    ("recall", {"unit": 16}, "unit must be 0 … 15, got 16"),
    ("recall", {"t": 0}, "t must be a step, 1 …, got 0"),
    ("recall", {"clamp": "g1"}, "clamp must be one of none,i0,i1,f0,f1,o0,o1, got g1"),
    ("text", {"k": 426}, "k must be a character, 0 … 425, got 426"),
    ("text", {"unit": 1}, "unit must be one of 160,0,373,147"),
    ("text", {"show": "h"}, "show must be one of c,i,f,o, got h"),
]


def test_every_figure_is_looked_at() -> None:
    assert CHAPTERS.keys() == COLOURS.keys() == set(live.NAMES)


@pytest.mark.parametrize("name", CHAPTERS)
def test_without_scripts_the_picture_stands_there(browser: Browser, site: str, name: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{site}/{CHAPTERS[name]}")
    expect(page.locator(f"figure.live-{name} img.only-light")).to_be_visible()
    page.close()


@pytest.mark.parametrize("name", COLOURS)
def test_the_colours_are_those_of_the_theme(browser: Browser, site: str, name: str) -> None:
    line, part, *expected = COLOURS[name]
    colours = []
    for theme in ("light", "dark"):
        page = browser.new_context(color_scheme=theme).new_page()
        page.goto(f"{site}/{CHAPTERS[name]}")
        page.locator(f"figure.live-{name} .live").scroll_into_view_if_needed()
        drawn = page.locator(f"figure.live-{name} {line}").first
        colours.append(drawn.evaluate("(line, part) => getComputedStyle(line)[part]", part))
        page.close()
    assert colours == expected


@pytest.mark.parametrize(("name", "state", "message"), REFUSED)
def test_a_state_that_the_figure_cannot_show_is_refused(
    browser: Browser, site: str, name: str, state: dict[str, Any], message: str
) -> None:
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTERS[name]}")
    with page.expect_event("pageerror") as error:
        page.locator(f"figure.live-{name} .live").evaluate(
            "(el, detail) => el.dispatchEvent(new CustomEvent('live:set', { detail }))", state
        )
    assert message in error.value.message
    page.close()
