"""The live cell on the page shows the numbers of `numpy_cells.lstm`, by mouse, keys and links."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lib.figures import live
from lstm_lib.figures.svg import number_text
from lstm_lib.numpy_cells import lstm

pytestmark = [pytest.mark.pages]
CHAPTER = "notebooks/04_cell_walkthrough.html"
PENCIL = lstm.Params(
    np.log([[6.0, 9, 8, 2]]), np.log([[1 / 4, 1 / 9, 1 / 16, 4]]), np.log([1.0, 3, 1, 1])
)


@pytest.fixture
def chapter(browser: Browser, site: str) -> Iterator[Page]:
    """The chapter, which must not complain."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site}/{CHAPTER}")
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def cell(chapter: Page) -> Locator:
    """The figure in the chapter."""
    return chapter.locator("#fig-04-numbers .live")


def step(
    params: lstm.Params, x: float = 1.0, h: float = 0.5, c: float = 0.5, **held: float
) -> dict[str, float]:
    """What NumPy says of a step; `held` gives layers their value, as the figure can."""
    trace = lstm.forward(params, np.full((1, 1, 1), x), (np.full((1, 1), h), np.full((1, 1), c)))
    i, f, g, o = (held.get(k, getattr(trace, k)[1].item()) for k in "ifgo")
    new = f * c + i * g
    shown = {"x_t": x, "h_{t-1}": h, "c_{t-1}": c, "i_t": i, "f_t": f, "g_t": g, "o_t": o}
    shown |= {"f_t ⊙ c_{t-1}": f * c, "i_t ⊙ g_t": i * g, "c_t": new, "tanh(c_t)": np.tanh(new)}
    return shown | {"h_t": o * np.tanh(new), "y_t": o * np.tanh(new)}


def shown(cell: Locator) -> dict[str, str]:
    """The numbers in the picture, by term."""
    found: dict[str, str] = cell.locator("text[data-term]").evaluate_all(
        "all => Object.fromEntries(all.map((e) => [e.dataset.term, e.textContent]))"
    )
    return found


def as_text(values: dict[str, float]) -> dict[str, str]:
    """Numbers as the diagrams of the book write them."""
    return {term: number_text(value) for term, value in values.items()}


def slide(cell: Locator, label: str, key: str, times: int = 1) -> None:
    """Press a key on a slider."""
    slider = cell.get_by_role("slider", name=label, exact=True)
    for _ in range(times):
        slider.press(key)


def test_it_starts_with_the_numbers_of_the_pencil(cell: Locator) -> None:
    assert shown(cell) == as_text(step(PENCIL))
    assert shown(cell) | {"f_t": "0.90", "i_t": "0.75", "h_t": "0.57"} == shown(cell)


def test_the_keyboard_moves_what_goes_in(cell: Locator) -> None:
    slide(cell, "x t", "ArrowRight", 20)
    slide(cell, "h t−1", "ArrowLeft", 70)
    slide(cell, "c t−1", "Home")
    assert shown(cell) == as_text(step(PENCIL, x=1.2, h=-0.2, c=-3.0))


def test_the_keyboard_moves_a_weight(cell: Locator) -> None:
    cell.get_by_text("The twelve weights").click()
    slide(cell, "b f", "Home")
    slide(cell, "W xi", "End")
    W_x, b = PENCIL.W_x.copy(), PENCIL.b.copy()
    W_x[0, 0], b[1] = 4.0, -4.0
    assert shown(cell) == as_text(step(lstm.Params(W_x, PENCIL.W_h, b)))


@pytest.mark.parametrize(("layer", "name"), [("f", "forget gate"), ("g", "candidate")])
def test_a_layer_can_be_held_and_let_go(cell: Locator, layer: str, name: str) -> None:
    slide(cell, f"{layer} t {name}", "Home")
    low = -1.0 if layer == "g" else 0.0
    assert shown(cell) == as_text(step(PENCIL, **{layer: low}))
    expect(cell.get_by_role("slider", name=f"{layer} t {name}, held")).to_be_visible()
    cell.get_by_role("button", name="Let all go").click()
    assert shown(cell) == as_text(step(PENCIL))


def test_a_layer_held_in_the_middle_does_not_see_the_input(cell: Locator) -> None:
    cell.evaluate(
        "e => e.dispatchEvent(new CustomEvent('live:set', { detail: { f: 0.3, g: -0.6, x: 2 } }))"
    )
    assert shown(cell) == as_text(step(PENCIL, x=2.0, f=0.3, g=-0.6))


def test_steps_hand_on_the_state_as_the_library_does(cell: Locator) -> None:
    cell.get_by_role("combobox").select_option("turns")
    for _ in range(4):
        cell.get_by_role("button", name="Next step").click()
    x = np.array([1.0, -1, 1, -1, 1])[:, None, None]
    trace = lstm.forward(PENCIL, x, (np.full((1, 1), 0.5), np.full((1, 1), 0.5)))
    now = shown(cell)
    assert now["c_t"] == number_text(trace.c[5].item())
    assert now["h_t"] == number_text(trace.h[5].item())
    assert now["c_{t-1}"] == number_text(trace.c[4].item())
    expect(cell.get_by_role("status")).to_contain_text("Step 5: x = 1.00")


def test_back_undoes_a_step_and_no_more_than_there_are(cell: Locator) -> None:
    cell.get_by_role("button", name="Next step").click()
    cell.get_by_role("button", name="Back").click(click_count=2)
    assert shown(cell) == as_text(step(PENCIL))
    expect(cell.get_by_role("status")).to_contain_text("Step 1: x = 1.00")


def test_back_before_the_first_step_says_nothing(cell: Locator) -> None:
    slide(cell, "x t", "Home")
    said = cell.get_by_role("status")
    expect(said).to_contain_text("x = −2.00 gives")
    before = said.inner_text()
    cell.get_by_role("button", name="Back").click()
    cell.page.wait_for_timeout(600)  # longer than it waits before it says something
    assert said.inner_text() == before


def test_start_again_undoes_everything(cell: Locator) -> None:
    slide(cell, "o t output gate", "Home")
    slide(cell, "x t", "Home")
    cell.get_by_role("button", name="Next step").click()
    cell.get_by_role("button", name="Start again").click()
    assert shown(cell) == as_text(step(PENCIL))


def point_at(page: Page, arrow: Locator) -> None:
    """Move the mouse to the middle of an arrow's line (which has no area of its own)."""
    arrow.scroll_into_view_if_needed()
    box = arrow.locator("path").first.bounding_box()
    assert box is not None
    page.mouse.move(0, 0)  # the first position of a mouse is no movement
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 6)


@pytest.mark.parametrize(
    ("source", "target", "formula"),
    [
        ("c_{t-1}", "f_t ⊙ c_{t-1}", "on the way to the product with ft: no layer sees it"),
        ("f_t ⊙ c_{t-1}", "c_t", "ft ⊙ ct−1 = 0.90 · 0.50 = 0.45, what is kept"),
        ("c_t", "next c", "ct = ft ⊙ ct−1 + it ⊙ gt = 0.90 · 0.50 + 0.75 · 0.60 = 0.90"),
        ("f_t", "f_t ⊙ c_{t-1}", "σ(1.00 · 2.20 + 0.50 · (−2.20) + 1.10) = σ(2.20) = 0.90"),
    ],
)
def test_pointing_near_an_arrow_writes_its_formula(
    chapter: Page, cell: Locator, source: str, target: str, formula: str
) -> None:
    point_at(chapter, cell.locator(f'[data-from="{source}"][data-to="{target}"]'))
    expect(cell.locator(".live-cell-line")).to_contain_text(formula)


def test_what_a_formula_shows_gives_its_result_by_hand(browser: Browser) -> None:
    page = browser.new_page()
    text = live.module("cell").replace("export default", "const figure =")
    page.add_script_tag(content=f"{text}\nObject.assign(window, {{ CELL, formulas, terms }});")
    rng = np.random.default_rng(0)
    states = [
        {"x": x, "h": h, "c": c, "W_x": W[0], "W_h": W[1], "b": W[2]}
        for x, h, c, *W in zip(
            *rng.uniform([[-2], [-1], [-3]], [[2], [1], [3]], (3, 200)).tolist(),
            *rng.normal(0, 1.5, (3, 200, 4)).tolist(),
            strict=True,
        )
    ]
    code = """(states) => states.map((one) => {
        const state = { ...CELL, ...one };
        return formulas(state, terms(state));
    })"""
    known = {"σ": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh}
    for said in (said for formulas in page.evaluate(code, states) for said in formulas.values()):
        *numbers, result = (way for way in said.partition(", ")[0].split(" = ") if "_" not in way)
        by_hand = [eval(way.replace("−", "-").replace("·", "*"), known) for way in numbers]
        assert [number_text(value) for value in by_hand] == [result] * len(numbers), said
        sums = [way[way.index("(") + 1 : -1].replace("−", "-") for way in numbers if way[0] in "σt"]
        for before, after in pairwise(sums):  # what goes into σ, too, is the sum before it
            total = eval(before.replace("·", "*"))
            assert f"{total:.{len(after.partition('.')[2])}f}" == after, said
    page.close()


def test_a_page_that_moves_below_a_mouse_at_rest_points_at_nothing(
    chapter: Page, cell: Locator
) -> None:
    said = cell.locator(".live-cell-line")
    point_at(chapter, cell.locator('[data-from="f_t ⊙ c_{t-1}"][data-to="c_t"]'))
    expect(said).to_contain_text("what is kept")
    arrow = cell.locator('[data-from="f_t ⊙ c_{t-1}"] path').first.bounding_box()
    box = cell.locator('[data-from="i_t"] path').first.bounding_box()
    assert box is not None
    assert arrow is not None
    chapter.evaluate("by => scrollBy(0, by)", box["y"] + box["height"] / 2 - arrow["y"])
    chapter.wait_for_timeout(300)  # the browser then tells what lies below the mouse
    expect(said).to_contain_text("what is kept")


@pytest.mark.parametrize("name", ["Let it go", "Start again"])
def test_links_and_a_new_start_show_how_the_memory_comes_about(
    chapter: Page, cell: Locator, name: str
) -> None:
    cell.locator('.live-term[data-from="i_t"]').focus()
    expect(cell.locator(".live-cell-line")).to_contain_text("it =")
    chapter.locator("#fig-04-numbers button, a.live-link", has_text=name).click()
    chapter.wait_for_timeout(300)  # a page that scrolled tells what lies below the mouse
    expect(cell.locator(".live-cell-line")).to_contain_text("ct = ft ⊙ ct−1 + it ⊙ gt")


def test_a_slider_says_its_number_as_it_is_shown(cell: Locator) -> None:
    slider = cell.get_by_role("slider", name="c t−1", exact=True)
    expect(slider).to_have_attribute("aria-valuetext", "0.50")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "−3.00")


def test_nothing_moves_for_who_wants_no_motion(browser: Browser, site: str) -> None:
    with browser.new_context(reduced_motion="reduce").new_page() as page:
        page.goto(f"{site}/{CHAPTER}")
        page.get_by_role("link", name="Hold the forget gate at 0").click()
        slide(page.locator("#fig-04-numbers .live"), "x t", "End")
        assert page.evaluate("document.getAnimations().length") == 0


def test_arrow_keys_go_from_number_to_number(chapter: Page, cell: Locator) -> None:
    cell.locator('.live-term[tabindex="0"]').focus()
    for _ in range(6):
        chapter.keyboard.press("ArrowLeft")
    expect(cell.locator('.live-term[tabindex="0"]')).to_have_count(1)
    expect(cell.locator('.live-term[tabindex="0"]')).to_be_focused()
    formula = (
        "f t = σ(x t W xf + h t−1 W hf + b f) = "
        "σ(1.00 · 2.20 + 0.50 · (−2.20) + 1.10) = σ(2.20) = 0.90"
    )
    expect(cell.get_by_role("button", name=formula, exact=True)).to_be_focused()
    assert cell.locator(".live-picked path:first-child").count() == 1


def test_the_bars_are_as_high_as_the_layers_are_open(cell: Locator) -> None:
    slide(cell, "g t candidate", "Home")
    heights = cell.locator("svg > rect[fill^='var(--live-']:not([class])").evaluate_all(
        "all => all.map((e) => Number(e.getAttribute('height')) / 46)"
    )
    assert heights == pytest.approx([0.75, 0.9, 0.5, 0.8])  # g from the middle down


def test_links_of_the_chapter_set_what_they_say(chapter: Page, cell: Locator) -> None:
    chapter.get_by_role("link", name="Hold the forget gate at 0").click()
    assert shown(cell) == as_text(step(PENCIL, f=0.0))
    chapter.get_by_role("link", name="Let it go").click()
    assert shown(cell) == as_text(step(PENCIL))


def test_a_link_that_sets_what_goes_in_begins_anew(chapter: Page, cell: Locator) -> None:
    cell.get_by_role("combobox").select_option("turns")
    for _ in range(3):
        cell.get_by_role("button", name="Next step").click()
    chapter.get_by_role("link", name="f at 0").click()
    expect(cell.get_by_role("combobox")).to_have_value("ones")
    cell.get_by_role("button", name="Back").click()
    assert shown(cell) == as_text(step(PENCIL, f=0.0))
    expect(cell.get_by_role("status")).to_contain_text("Step 1: x = 1.00")


def test_a_link_that_holds_a_layer_leaves_the_steps(chapter: Page, cell: Locator) -> None:
    cell.get_by_role("button", name="Next step").click()
    chapter.get_by_role("link", name="Let it go").click()
    cell.get_by_role("button", name="Next step").click()
    expect(cell.get_by_role("status")).to_contain_text("Step 3: x = 1.00")


def test_a_state_that_is_none_is_refused_in_words_and_changes_nothing(
    browser: Browser, site: str
) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(error.message))
    page.goto(f"{site}/{CHAPTER}")
    wrong: list[dict[str, Any]] = [{"f": 2}, {"x": "a"}, {"b": [1, 2]}, {"sequence": "?"}]
    for change in wrong:
        page.evaluate(
            """detail => document.querySelector("#fig-04-numbers .live").dispatchEvent(
                new CustomEvent("live:set", { detail }))""",
            change,
        )
    assert complaints == [
        'f must be "free" or from 0 to 1, got 2',
        'x must be a number, got "a"',
        "b must be 4 numbers (i, f, g, o; D = H = 1), got [1,2]",
        'sequence must be ones or zeros or turns, got "?"',
    ]
    assert shown(page.locator("#fig-04-numbers .live")) == as_text(step(PENCIL))
    page.close()


def test_the_landing_page_has_the_small_form(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/book/index.html")
    figure = page.locator("#fig-index-cell .live")
    page.get_by_role("link", name="empty the memory").click()
    assert shown(figure) == as_text(step(PENCIL, c=0.0))
    assert figure.get_by_role("slider").count() == 3
    page.close()


@pytest.mark.parametrize("page_name", [CHAPTER, "book/index.html"])
def test_what_can_be_pressed_on_a_phone_is_large_enough(
    browser: Browser, site: str, page_name: str
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{site}/{page_name}")
    sizes = page.locator("figure.live-cell :is(button, input, select, .live-term)").evaluate_all(
        """all => all.map((e) => e.getBoundingClientRect())
                    .filter((r) => r.width)
                    .map((r) => Math.min(r.width, r.height))"""
    )
    assert len(sizes) > 13
    assert min(sizes) >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_the_drawing_has_the_places_of_every_arrow_of_the_diagram(
    browser: Browser, site: str
) -> None:
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    ways = page.locator("#fig-04-numbers .edge > path:first-child").evaluate_all(
        "all => all.map((e) => e.getAttribute('d'))"
    )
    still = page.request.get(f"{site}/_images/cell-light.svg").text()
    assert ways == re.findall(r'<path d="([^"]+)" fill="none"', still)
    page.close()
