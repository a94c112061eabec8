"""The recall net in the browser is that of NumPy, and does what the chapter says of it."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lib.numpy_cells import lstm

NAME = "recall"
# Of the figure, for the page of the fixture `functions`.
FUNCTIONS = "RECALL, DISTRACTORS, runRecall, shownSteps"

pytestmark = [pytest.mark.pages]
CHAPTER = "notebooks/04_cell_walkthrough.html"
LETTERS = "ABCDwxyz"
FIGURE = "figure.live-recall"


@pytest.fixture
def chapter(browser: Browser, site: str) -> Iterator[Page]:
    """The page of the chapter."""
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    yield page
    page.close()


def row(page: Page, place: int) -> str:
    """The letters of a row under the picture: 0 what came in, 1 what the net says."""
    letters = page.locator(f"{FIGURE} .live-letter").all_text_contents()
    return "".join(letters[place * len(letters) // 2 : (place + 1) * len(letters) // 2])


def shown(page: Page) -> str:
    """The letters and numbers of the picture."""
    text = page.locator(f"{FIGURE} .live-trace").text_content()
    assert text is not None
    return text.replace("−", "-")


@pytest.mark.parametrize("clamp", ["none", "i0", "i1", "f0", "f1", "o0", "o1"])
def test_the_net_has_the_numbers_of_numpy(functions: Page, clamp: str) -> None:
    text = "".join(np.random.default_rng(5).choice(list(LETTERS), 60))
    weights = {name: np.array(w) for name, w in functions.evaluate("RECALL").items()}
    whole = lstm.Params(weights["W_x"], weights["W_h"], weights["b"])
    held = whole
    if clamp != "none":
        b = whole.b.copy()
        b.reshape(4, -1)["ifgo".index(clamp[0])] = 2000 * int(clamp[1]) - 1000
        held = whole._replace(b=b)
    x = np.eye(8)[[LETTERS.index(letter) for letter in text]][:, None]
    first = lstm.forward(whole, x[:1])
    rest = lstm.forward(held, x[1:], (first.h[1], first.c[1]))
    steps = functions.evaluate("([text, clamp]) => runRecall(text, clamp)", [text, clamp])
    for name in lstm.Trace._fields:
        ours = np.concatenate([getattr(first, name)[1:], getattr(rest, name)[1:]])[:, 0]
        assert_allclose([step[name] for step in steps], ours, rtol=0, atol=1e-12, err_msg=name)
    z = np.concatenate([first.h[1:], rest.h[1:]])[:, 0] @ weights["W_y"] + weights["b_y"]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    assert_allclose([step["p"] for step in steps], p, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("t", "T", "span", "expected"),
    [
        (1, 5, 22, [1, 5]),
        (1, 200, 22, [1, 22]),
        (100, 200, 22, [89, 110]),
        (200, 200, 22, [179, 200]),
    ],
)
def test_the_steps_shown_are_those_around_the_chosen_one(
    functions: Page, t: int, T: int, span: int, expected: list[int]
) -> None:
    assert functions.evaluate(f"shownSteps({t}, {T}, {span})") == expected


def test_the_reader_types_a_sequence(chapter: Page) -> None:
    chapter.get_by_label("sequence").fill("Czz")
    assert row(chapter, 0) == "Czz"
    assert row(chapter, 1) == "CCC"
    expect(chapter.locator(f"{FIGURE} [role=status]")).to_have_text(
        "After step 3 of 3 the net says C; the first was C."
    )


def complaint(page: Page) -> Locator:
    """The line under the field."""
    return page.locator(f"{FIGURE} .live-complaint")


def test_a_letter_that_the_net_does_not_know_is_named_under_the_field(chapter: Page) -> None:
    before = row(chapter, 0)
    field = chapter.get_by_label("sequence")
    field.fill("Cq")
    expect(complaint(chapter)).to_have_text("“q” is none of the letters A B C D, w x y z.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("“q” is none of the letters A B C D, w x y z.")
    assert row(chapter, 0) == before


def test_an_empty_sequence_is_asked_for(chapter: Page) -> None:
    chapter.get_by_label("sequence").fill("")
    expect(complaint(chapter)).to_have_text("Type at least one letter.")


def test_the_status_of_the_letters_before_leaves_the_complaint_alone(chapter: Page) -> None:
    chapter.get_by_label("sequence").fill("B")
    chapter.get_by_label("sequence").press_sequentially("e")
    status = chapter.locator(f"{FIGURE} [role=status]")
    expect(status).to_have_text("After step 1 of 1 the net says D; the first was B.")
    expect(complaint(chapter)).to_have_text("“e” is none of the letters A B C D, w x y z.")


def test_a_wrong_text_stays_to_be_mended_while_the_step_moves(chapter: Page) -> None:
    field = chapter.get_by_label("sequence")
    field.fill("Czq")
    chapter.locator(FIGURE).get_by_role("slider").press("ArrowLeft")
    chapter.locator(f"{FIGURE} .live-trace").hover()
    expect(field).to_have_value("Czq")
    field.press("End")
    field.press("Backspace")
    expect(complaint(chapter)).to_be_empty()
    expect(field).to_have_attribute("aria-invalid", "false")
    assert row(chapter, 0) == "Cz"


def test_a_link_takes_a_wrong_text_away(chapter: Page) -> None:
    chapter.get_by_label("sequence").fill("q")
    chapter.get_by_role("link", name="With a B first", exact=True).click()  # the sequence shown
    expect(chapter.get_by_label("sequence")).to_have_value("Bzyxxwzywxzzywxyxwzy")
    expect(complaint(chapter)).to_be_empty()


def test_the_same_complaint_is_written_once(chapter: Page) -> None:
    complaint(chapter).evaluate(
        """line => {
            window.writes = 0;
            const count = (all) => (writes += all.length);
            new MutationObserver(count).observe(line, { childList: true });
        }"""
    )
    field = chapter.get_by_label("sequence")
    field.fill("q")
    field.press_sequentially("qq")
    assert chapter.evaluate("writes") == 1


def test_start_again_shows_what_stood_there_first(chapter: Page) -> None:
    figure = chapter.locator(FIGURE)
    first = shown(chapter)
    chapter.get_by_role("link", name="fifteen of them", exact=True).click()
    figure.get_by_role("combobox", name="unit").select_option("unit 3")
    figure.get_by_label("sequence").fill("q")
    figure.get_by_role("button", name="Start again").click()
    assert shown(chapter) == first
    expect(figure.get_by_label("sequence")).to_have_value("Bzyxxwzywxzzywxyxwzy")


def test_the_step_is_moved_by_the_keyboard(chapter: Page, functions: Page) -> None:
    step = chapter.locator(FIGURE).get_by_role("slider")
    step.focus()
    for _ in range(10):
        step.press("ArrowLeft")
    now = functions.evaluate("runRecall('Bzyxxwzywxzzywxyxwzy')[9]")
    assert all(f"{name} {now[name][0]:.2f}" in shown(chapter) for name in "ifgoch")
    meters = chapter.locator(f"{FIGURE} meter")
    assert_allclose([m.evaluate("m => m.value") for m in meters.all()], now["p"], atol=1e-12)


def test_another_unit_has_another_trace(chapter: Page, functions: Page) -> None:
    chapter.get_by_role("combobox", name="unit").select_option("unit 3")
    c = functions.evaluate("runRecall('Bzyxxwzywxzzywxyxwzy')[19].c[3]")
    assert f"c {c:.2f}" in shown(chapter)


def test_a_gate_is_held_from_step_2_on(chapter: Page) -> None:
    chapter.get_by_role("combobox", name="from step 2").select_option("o = 0 in all units")
    assert "o 0.00" in shown(chapter)


LINKS = [
    ("With a B first", "DDDD" + 16 * "B"),
    ("Shut the input gates", 20 * "D"),
    ("an A", 20 * "A"),
    ("confuses it for a step only", "AD" + 19 * "A"),
    ("after B and A", 21 * "D"),
    ("A second B", "AD" + 20 * "D"),
    ("fifteen of them", 35 * "A"),
]


@pytest.mark.parametrize(("link", "says"), LINKS)
def test_a_link_shows_what_the_text_says(chapter: Page, link: str, says: str) -> None:
    chapter.get_by_role("link", name=link, exact=True).click()
    assert row(chapter, 1) == says


def ends(page: Page, starts: list[str], clamp: str = "none") -> dict[str, str]:
    """What the net says at the end of the chapter's distractors, by the symbols before them."""
    return page.evaluate(
        """([starts, clamp]) => Object.fromEntries(starts.map((start) => {
            const { p } = runRecall(`${start}${DISTRACTORS}`, clamp).at(-1);
            return [start, "ABCD"[p.indexOf(Math.max(...p))]];
        }))""",
        [starts, clamp],
    )


def test_four_of_the_twelve_pairs_end_in_another_answer(functions: Page) -> None:
    answers = ends(functions, [f"{a}{b}" for a, b in permutations("ABCD", 2)])
    others = {pair: answer for pair, answer in answers.items() if answer != pair[0]}
    assert len(answers) == 12
    assert others == {"BA": "D", "BD": "D", "CB": "B", "DA": "A"}


def test_with_the_input_gates_shut_only_a_b_is_lost_after_twenty_steps(functions: Page) -> None:
    answers = ends(functions, list("ABCD"), "i0")
    assert answers == {"A": "A", "B": "D", "C": "C", "D": "D"}


def test_d_is_the_answer_when_nothing_is_stored(functions: Page) -> None:
    assert functions.evaluate("RECALL.b_y.indexOf(Math.max(...RECALL.b_y))") == "ABCD".index("D")


def test_c_has_a_panel_of_its_own(chapter: Page) -> None:
    heights = {
        name: chapter.locator(f"{FIGURE} polyline.live-line-{name}").evaluate(
            "line => [...line.points].map(({ y }) => y)"
        )
        for name in "gch"
    }
    assert max(heights["g"] + heights["h"]) < min(heights["c"])


def test_c_rises_in_the_picture_as_it_grows(chapter: Page, functions: Page) -> None:
    c = np.array(functions.evaluate("runRecall('Bzyxxwzywxzzywxyxwzy').map(({ c }) => c[0])"))
    y = chapter.locator(f"{FIGURE} polyline.live-line-c").evaluate(
        "line => [...line.points].map(({ y }) => y)"
    )
    high = max(1, np.abs(c).max())  # the panel reaches from −high to high, 64 px
    assert_allclose(np.subtract(y[-1], y), 32 * (c - c[-1]) / high, atol=0.11)


def test_the_pointer_chooses_the_step(chapter: Page) -> None:
    picture = chapter.locator(f"{FIGURE} .live-trace")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box is not None
    chapter.mouse.move(box["x"] + box["width"] * 60 / 680, box["y"] + 60)
    assert chapter.locator(FIGURE).get_by_role("slider").input_value() == "1"


def test_a_long_sequence_fits_a_phone(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{site}/{CHAPTER}")
    page.get_by_label("sequence").fill("A" + 199 * "z")
    assert len(row(page, 0)) == 22
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
