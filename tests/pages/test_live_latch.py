"""The latch: the real cell under the reader's switches, and challenges that say what is right."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lib.numpy_cells import lstm

NAME = "latch"
FUNCTIONS = "runLatch, shownBit"  # of the figure, for the page of the fixture `functions`

pytestmark = [pytest.mark.pages]
CHAPTER = "notebooks/02_gated_memory_cell.html"
FIGURE = "#fig-02-touch"
# For each challenge the switches of i, f and o that solve it.
SOLUTIONS = {
    "Keep": ("10000000", "11111111", "00000010"),
    "Replace": ("01001000", "11110111", "00010001"),
    "Erase": ("01000010", "11110111", None),
}


@pytest.fixture(scope="module")
def opened(browser: Browser, site: str) -> Iterator[Page]:
    """The page of the chapter."""
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    yield page
    page.close()


@pytest.fixture
def chapter(opened: Page) -> Page:
    """The same page, with the figure as it opens."""
    start = {"challenge": 1, "keep": 1, "i": [0] * 8, "f": [1] * 8, "o": [0] * 8}
    opened.locator(f"{FIGURE} .live").evaluate(
        "(el, detail) => el.dispatchEvent(new CustomEvent('live:set', { detail }))", start
    )
    return opened


def by_numpy(i: np.ndarray, f: np.ndarray, o: np.ndarray, g: np.ndarray) -> lstm.Trace:
    """What numpy_cells computes of gates between 0 and 1, (T,) each, and of a candidate ±1."""
    with np.errstate(divide="ignore"):
        levers = [np.clip(np.log(gate / (1 - gate)), -800, 800) for gate in (i, f, o)]
    x = np.stack([levers[0], levers[1], 800 * g, levers[2]], axis=-1)[:, None]
    return lstm.forward(lstm.Params(np.eye(4), np.zeros((1, 4)), np.zeros(4)), x)


def row(page: Page, name: str) -> list[str]:
    """The texts of a row of the table."""
    return page.locator(f"{FIGURE} .live-row-{name} td").all_inner_texts()


def numbers(page: Page, name: str) -> np.ndarray:
    """The numbers of a row of the table."""
    return np.array([float(text.replace("−", "-")) for text in row(page, name)])


def switch(page: Page, gate: str, step: int) -> Locator:
    """The switch of a gate, named as a screen reader says it."""
    names = {"i": "input gate", "f": "forget gate", "o": "output gate"}
    return page.get_by_role("checkbox", name=f"{names[gate]}, step {step}")


def set_switches(page: Page, gates: dict[str, str]) -> None:
    """Set every switch, each gate a text of 0 and 1."""
    for gate, bits in gates.items():
        for step, bit in enumerate(bits, start=1):
            switch(page, gate, step).set_checked(bit == "1")


@pytest.mark.parametrize("hard", [True, False])
def test_the_latch_is_the_cell_of_the_library(functions: Page, hard: bool) -> None:
    rng = np.random.default_rng(2)
    gates = rng.integers(0, 2, (3, 8)).astype(float) if hard else rng.random((3, 8))
    g = rng.choice([-1.0, 1.0], 8)
    names = dict(zip("ifog", [*gates, g], strict=True))
    steps = functions.evaluate("runLatch", {name: v.tolist() for name, v in names.items()})
    trace = by_numpy(**names)
    for name in ("c", "h"):
        ours = getattr(trace, name)[1:, 0, 0]
        assert_allclose([step[name] for step in steps], ours, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("h", "bit"), [(0.5, 1), (0.76, 1), (0.4999, 0), (0.0, 0), (-0.4999, 0), (-0.5, -1)]
)
def test_a_bit_counts_as_shown_from_one_half_on(functions: Page, h: float, bit: int) -> None:
    assert functions.evaluate(f"shownBit({h})") == bit


def test_the_page_shows_the_numbers_of_the_cell_for_the_switches_set(chapter: Page) -> None:
    gates = {"i": "01101001", "f": "11101101", "o": "10110011"}
    set_switches(chapter, gates)
    values = {name: np.array(list(bits), float) for name, bits in gates.items()}
    trace = by_numpy(**values, g=numbers(chapter, "g"))
    assert_allclose(numbers(chapter, "c"), trace.c[1:, 0, 0], atol=0.005)
    assert_allclose(numbers(chapter, "h"), trace.h[1:, 0, 0], atol=0.005)


@pytest.mark.parametrize("challenge", SOLUTIONS)
def test_a_challenge_is_open_at_first_and_can_be_solved(chapter: Page, challenge: str) -> None:
    chapter.get_by_role("button", name=challenge, exact=True).click()
    line = chapter.locator(f"{FIGURE} [role=status]")
    expect(line).to_contain_text("steps are right. Step")
    gates = {gate: bits for gate, bits in zip("ifo", SOLUTIONS[challenge], strict=True) if bits}
    set_switches(chapter, gates)
    expect(line).to_have_text("Solved: every step shows what is wanted.")
    assert row(chapter, "right") == ["✓"] * 8


def test_a_wrong_step_is_marked_and_named(chapter: Page) -> None:
    switch(chapter, "i", 1).check()
    switch(chapter, "o", 3).check()
    expect(chapter.locator(f"{FIGURE} [role=status]")).to_have_text(
        "6 of 8 steps are right. Step 3 shows +1, wanted is 0."
    )
    assert [k for k, mark in enumerate(row(chapter, "right"), 1) if mark == "✗"] == [3, 7]


def test_the_arrow_keys_walk_over_the_switches_and_space_turns_one(chapter: Page) -> None:
    switch(chapter, "i", 1).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        chapter.keyboard.press(key)
    expect(switch(chapter, "o", 1)).to_be_focused()
    chapter.keyboard.press("ArrowUp")
    chapter.keyboard.press("Space")
    expect(switch(chapter, "f", 1)).not_to_be_checked()


def test_the_tab_key_stops_once_at_the_switches_and_returns_to_the_last(chapter: Page) -> None:
    switch(chapter, "o", 4).focus()
    chapter.keyboard.press("Tab")
    expect(chapter.get_by_label("value of an open f")).to_be_focused()
    chapter.keyboard.press("Shift+Tab")
    expect(switch(chapter, "o", 4)).to_be_focused()
    chapter.keyboard.press("Shift+Tab")
    expect(chapter.get_by_role("button", name="Clear")).to_be_focused()


def test_no_key_leads_to_switches_that_are_stuck(chapter: Page) -> None:
    switch(chapter, "o", 4).focus()
    chapter.get_by_role("button", name="Erase").click()
    chapter.get_by_role("button", name="Clear").focus()
    chapter.keyboard.press("Tab")
    expect(switch(chapter, "i", 1)).to_be_focused()
    for _ in range(3):
        chapter.keyboard.press("ArrowDown")
    expect(switch(chapter, "f", 1)).to_be_focused()


def test_bars_stand_above_zero_for_plus_and_hang_below_for_minus(chapter: Page) -> None:
    set_switches(chapter, {"i": "11000000", "f": "10111111", "o": "11000000"})
    assert row(chapter, "h")[:2] == ["0.76", "−0.76"]
    for name, size in (("c", 28 * 0.94 / 1.1), ("h", 28 * 0.94 * np.tanh(1))):
        bars = chapter.locator(f"{FIGURE} .live-row-{name} rect").evaluate_all(
            "all => all.map((e) => [e.getAttribute('y'), e.getAttribute('height')].map(Number))"
        )
        assert_allclose(bars[:2], [[28 - size, size], [28, size]])
    steps = chapter.locator(f"{FIGURE} .live-memory").evaluate_all(
        "all => all.map((e) => e.getAttribute('d').match(/V([\\d.]+)/)[1]).map(Number)"
    )
    assert steps[0] < 28 < steps[1]


def test_what_is_said_already_is_not_said_again(chapter: Page) -> None:
    written = chapter.locator(f"{FIGURE} .live").evaluate(
        """async (el) => {
            let times = 0;
            const watch = new MutationObserver(() => times++);
            watch.observe(el.querySelector("[role=status]"), { childList: true, subtree: true });
            const detail = { f: [1, 1, 1, 1, 1, 1, 1, 0] }; // nothing is stored: nothing to lose
            el.dispatchEvent(new CustomEvent("live:set", { detail }));
            await new Promise(requestAnimationFrame);
            return times;
        }"""
    )
    assert written == 0


def test_a_stuck_output_gate_cannot_be_switched(chapter: Page) -> None:
    switch(chapter, "o", 3).uncheck()
    chapter.get_by_role("button", name="Erase").click()
    for step in range(1, 9):
        expect(switch(chapter, "o", step)).to_be_checked()
        expect(switch(chapter, "o", step)).to_be_disabled()


def test_clear_takes_back_the_switches_and_leaves_the_challenge(chapter: Page) -> None:
    chapter.get_by_role("button", name="Replace").click()
    set_switches(chapter, {"i": "11111111", "f": "00000000", "o": "11111111"})
    chapter.get_by_role("button", name="Clear").click()
    assert set(row(chapter, "c")) == {"0.00"}
    expect(chapter.get_by_role("button", name="Replace")).to_have_attribute("aria-pressed", "true")
    expect(switch(chapter, "f", 8)).to_be_checked()


@pytest.mark.parametrize("name", ["Clear", "Keep", "Replace", "Erase"])
def test_no_leak_is_left_behind_for_the_next_try(chapter: Page, name: str) -> None:
    chapter.get_by_role("link", name="let an open forget gate be 0.9").click()
    assert chapter.get_by_label("value of an open f").input_value() == "0.9"
    chapter.get_by_role("button", name=name, exact=True).click()
    assert chapter.get_by_label("value of an open f").input_value() == "1"


def test_the_slider_makes_an_open_forget_gate_leak(chapter: Page) -> None:
    switch(chapter, "i", 1).check()
    slider = chapter.get_by_label("value of an open f")
    slider.focus()
    for _ in range(20):
        slider.press("ArrowLeft")
    assert_allclose(numbers(chapter, "c"), 0.8 ** np.arange(8), atol=0.005)


def test_the_link_to_a_leak_shows_what_the_text_says(chapter: Page) -> None:
    chapter.get_by_role("link", name="let an open forget gate be 0.9").click()
    assert row(chapter, "c")[6] == "0.53"
    assert row(chapter, "h")[6] == "0.49"
    assert row(chapter, "right") == [*"✓✓✓✓✓✓✗✓"]
    expect(chapter.locator(f"{FIGURE} [role=status]")).to_have_text(
        "7 of 8 steps are right. Step 7 shows 0.49, too little for a bit; wanted is +1."
    )


def test_the_switches_show_the_value_of_their_gates(chapter: Page) -> None:
    chapter.get_by_role("link", name="let an open forget gate be 0.9").click()
    switch(chapter, "f", 2).uncheck()
    sign = "(input) => getComputedStyle(input, '::before').content"
    written = [
        switch(chapter, gate, step).evaluate(sign) for gate, step in ("f1", "f2", "i1", "o1")
    ]
    assert written == ['"0.90"', '"0"', '"1"', '"0"']


def test_the_link_to_a_forgotten_forget_gate_adds_the_bits_to_nothing(chapter: Page) -> None:
    chapter.get_by_role("link", name="write the second bit").click()
    assert row(chapter, "c")[3:5] == ["1.00", "0.00"]
    assert row(chapter, "right") == [*"✓✓✓✓✓✓✓✗"]


def test_the_table_fits_a_phone_and_its_switches_a_finger(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{site}/{CHAPTER}")
    set_switches(page, {"i": "11111111"})  # c counts up and down: the widest numbers
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in "cgh":
        cells = page.locator(f"{FIGURE} .live-row-{name} td")
        assert cells.evaluate_all("tds => tds.every((td) => td.scrollWidth <= td.clientWidth)")
    box = switch(page, "o", 8).bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    page.close()
