"""The text that the recorded model reads: its colours, its bars and its numbers are the data's."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lib.figures import live

NAME = "text"
# Of the figure, for the page of the fixture `functions`.
FUNCTIONS = "SIGNED, GATES, coloured, cellTrace, mattering, nextCharacters, TEXT"

pytestmark = [pytest.mark.pages]
CHAPTER = "notebooks/07_long_texts.html"
FIGURE = "figure.live-text"
DATA = json.loads(
    (live.HERE / "text_data.js").read_text(encoding="utf-8").split(" = ", 1)[1].rstrip(";\n")
)


@pytest.fixture
def chapter(browser: Browser, site: str) -> Iterator[Page]:
    """The page of the chapter."""
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    yield page
    page.close()


def spans(page: Page) -> Locator:
    """The characters of the passage."""
    return page.locator(f"{FIGURE} .live-passage span")


def shown(page: Page) -> str:
    """The numbers of the cell at the character, as the picture has them."""
    text = page.locator(f"{FIGURE} .live-trace").text_content()
    assert text is not None
    return text.replace("−", "-")


def numbers(cell: dict[str, Any], k: int) -> list[str]:
    """The same from the data."""
    return [f"{name} {cell[name][k] / 100:.2f}" for name in "ifgoc"]


@pytest.mark.parametrize("stops", ["SIGNED", "GATES"])
def test_every_colour_can_be_read(functions: Page, stops: str) -> None:
    colours = functions.evaluate(
        f"Array.from({{ length: 501 }}, (_, n) => coloured({stops}, n / 500))"
    )

    def light(numbers: list[int]) -> float:
        parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in numbers]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for colour in colours:
        ground = light([int(v) / 255 for v in re.findall(r"\d+", colour["ground"])])
        ink = {"#000": 0.0, "#fff": 1.0}[colour["ink"]]
        dark, bright = sorted([ground, ink])
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, colour


def test_what_mattered_is_read_back_as_parts_of_the_largest(functions: Page) -> None:
    for k in (0, 163, 425):
        row = functions.evaluate(f"mattering({k})")
        assert len(row) == len(DATA["before"]) + 1
        assert max(row) == 1
        assert min(row) >= 0


def test_the_slider_moves_along_the_text_by_the_keyboard(chapter: Page) -> None:
    slider = chapter.locator(FIGURE).get_by_role("slider")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    assert all(number in shown(chapter) for number in numbers(DATA["cells"][0], 166))
    here = spans(chapter).nth(166)
    assert "live-passage-here" in (here.get_attribute("class") or "")
    expect(chapter.locator(f"{FIGURE} [role=status]")).to_contain_text(
        "After “↵” the model expects"
    )


def test_the_pointer_chooses_a_character(chapter: Page) -> None:
    spans(chapter).nth(20).hover()
    assert chapter.locator(FIGURE).get_by_role("slider").input_value() == "21"


def test_another_cell_has_other_numbers_and_colours(chapter: Page) -> None:
    before = spans(chapter).nth(20).get_attribute("style")
    cell = DATA["cells"][2]
    chapter.get_by_role("combobox", name="cell").select_option(str(cell["unit"]))
    assert all(number in shown(chapter) for number in numbers(cell, 163))
    assert spans(chapter).nth(20).get_attribute("style") != before


@pytest.mark.parametrize(
    ("stops", "ends"),
    [
        ("SIGNED", ["rgb(33,102,172)", "rgb(247,247,247)", "rgb(178,24,43)"]),
        ("GATES", ["rgb(0,34,78)", "rgb(124,123,120)", "rgb(254,232,56)"]),
    ],
)
def test_the_colours_go_from_blue_to_red_or_yellow(
    functions: Page, stops: str, ends: list[str]
) -> None:
    grounds = f"[0, 0.5, 1].map((share) => coloured({stops}, share).ground)"
    assert functions.evaluate(grounds) == ends


@pytest.mark.parametrize("part", ["i", "f", "o"])
def test_the_colour_is_that_of_the_chosen_part(chapter: Page, functions: Page, part: str) -> None:
    chapter.get_by_role("combobox", name="colour").select_option(part)
    for k in (10, 186):
        share = DATA["cells"][0][part][k] / 100
        meant = functions.evaluate(f"coloured(GATES, {share}).ground").replace(",", ", ")
        ground = spans(chapter).nth(k).evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == meant


def test_the_state_is_red_inside_a_bracket_and_blue_outside(chapter: Page, functions: Page) -> None:
    for k in (10, 192):
        share = (1 - np.tanh(DATA["cells"][0]["c"][k] / 100)) / 2  # the sign of this cell is −1
        meant = functions.evaluate(f"coloured(SIGNED, {share}).ground").replace(",", ", ")
        ground = spans(chapter).nth(k).evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == meant


def test_the_pointer_on_the_trace_chooses_the_step_under_it(chapter: Page) -> None:
    picture = chapter.locator(f"{FIGURE} .live-trace")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box is not None
    # 48 steps around character 164, from 140 on, in 636 of the 680 parts of the width.
    chapter.mouse.move(box["x"] + box["width"] * (36 + 636 / 48 * 5.5) / 680, box["y"] + 60)
    assert chapter.locator(FIGURE).get_by_role("slider").input_value() == "145"


def in_box(page: Page) -> bool:
    """Is the marked character in the part of the passage that its box shows?"""
    return page.locator(f"{FIGURE} .live-passage").evaluate(
        """box => {
            const [here, all] = [box.querySelector(".live-passage-here"), box].map((one) =>
                one.getBoundingClientRect());
            return here.top >= all.top && here.bottom <= all.bottom;
        }"""
    )


def test_the_passage_scrolls_to_the_character(chapter: Page) -> None:
    chapter.wait_for_function("document.querySelector('.live-passage').scrollTop > 0")
    assert in_box(chapter)
    slider = chapter.locator(FIGURE).get_by_role("slider")
    for key in ("Home", "End"):
        slider.press(key)
        assert in_box(chapter)


def test_a_link_shows_the_character_and_its_gates_on_a_laptop(chapter: Page) -> None:
    chapter.set_viewport_size({"width": 1280, "height": 800})
    chapter.get_by_role("link", name="after “die.”", exact=True).click()
    for part in (".live-passage-here", ".live-trace"):
        expect(chapter.locator(f"{FIGURE} {part}")).to_be_in_viewport(ratio=0.95)


def test_start_again_shows_what_stood_there_first(chapter: Page) -> None:
    first = shown(chapter)
    chapter.get_by_role("combobox", name="cell").select_option(str(DATA["cells"][2]["unit"]))
    chapter.get_by_role("link", name="inside", exact=True).click()
    chapter.locator(FIGURE).get_by_role("button", name="Start again").click()
    assert shown(chapter) == first


def test_forced_colours_leave_the_colours_of_the_passage(browser: Browser, site: str) -> None:
    page = browser.new_context(forced_colors="active").new_page()
    page.goto(f"{site}/{CHAPTER}")
    grounds = spans(page).evaluate_all(
        "all => [10, 192].map((k) => getComputedStyle(all[k]).backgroundColor)"
    )
    assert len(set(grounds)) == 2
    page.close()


def test_the_bars_say_what_mattered(chapter: Page) -> None:
    widths = spans(chapter).evaluate_all(
        "all => all.map((e) => parseFloat(getComputedStyle(e).borderBottomWidth))"
    )
    assert widths.index(max(widths)) == 163 - 25
    assert DATA["text"][163 - 25] == "["
    assert max(widths[164:]) == 0


LINKS = [
    ("at the bracket", "[", {"f": 0, "i": 1, "g": -1}),
    ("inside", " ", {"i": 0, "f": 1}),
    ("the other bracket", "]", {"i": 0.83, "f": 1, "g": 1}),
    ("the first letter takes the −1 back", "S", {"f": 0, "c": -0.04}),
    ("After “dagger.”", ".", {}),
    ("after “die.”", ".", {}),
]


@pytest.mark.parametrize(("link", "character", "gates"), LINKS)
def test_a_link_shows_what_the_text_says(
    chapter: Page, link: str, character: str, gates: dict[str, float]
) -> None:
    chapter.get_by_role("combobox", name="cell").select_option(str(DATA["cells"][2]["unit"]))
    chapter.get_by_role("link", name=link, exact=True).click()
    assert chapter.locator(f"{FIGURE} .live-passage-here").text_content() == character
    for name, value in gates.items():
        assert f"{name} {value:.2f}" in shown(chapter)


def test_inside_the_bracket_nothing_moves() -> None:
    cell = DATA["cells"][0]
    assert max(cell["c"][187:200]) - min(cell["c"][187:200]) <= 2
    assert max(cell["i"][188:200]) <= 2
    assert min(cell["f"][188:200]) >= 99


def test_in_directions_on_lines_of_their_own_the_state_is_near_0_and_mostly_above_2_outside() -> (
    None
):
    own = [m.span() for m in re.finditer(r"(?<=\n)\[[^\]]*\](?=\n)", DATA["text"])]
    c = DATA["cells"][0]["c"]
    assert len(own) == 4
    for start, end in own:  # from the first letter to the one before the dot
        assert min(c[start + 1 : end - 2]) >= -10
        assert max(c[start + 1 : end - 2]) <= 30
    inside = {k for m in re.finditer(r"\[[^\]]*", DATA["text"]) for k in range(*m.span())}
    outside = [value > 200 for k, value in enumerate(c) if k not in inside]
    assert sum(outside) > 0.75 * len(outside)


@pytest.mark.parametrize(
    ("link", "guess", "without"),
    [
        ("After “dagger.”", "“]” with 0.97", "“[” 25 back, “.”, “↵” 27 back"),
        ("after “die.”", "“↵” with 0.68", "“.”, “[” 43 back, “a” 14 back"),
    ],
)
def test_the_status_says_the_guess_and_what_changes_it_most(
    chapter: Page, link: str, guess: str, without: str
) -> None:
    chapter.get_by_role("link", name=link, exact=True).click()
    expect(chapter.locator(f"{FIGURE} [role=status]")).to_have_text(
        f"After “.” the model expects {guess}. Its lead changes most without: {without}."
    )


def test_the_lists_name_the_scores_and_the_sign_of_the_chosen_cell(chapter: Page) -> None:
    cells, colours = (chapter.get_by_role("combobox", name=name) for name in ("cell", "colour"))
    names = [f"{c['unit']}: {c['follows']}, {c['score']:.2f}" for c in DATA["cells"]]
    assert cells.locator("option").all_text_contents() == names
    assert colours.locator("option").first.text_content() == "cell state, −tanh(c)"
    cells.select_option(str(DATA["cells"][2]["unit"]))
    assert colours.locator("option").first.text_content() == "cell state, tanh(c)"


def test_the_figure_fits_a_phone(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{site}/{CHAPTER}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
