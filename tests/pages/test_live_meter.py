"""The information meter: real networks, an honest probe, and what the text says of them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lib.figures.__main__ import METER
from lstm_lib.numpy_cells import lstm, rnn

NAME = "meter"
# Of the figure, for the page of the fixture `functions`.
FUNCTIONS = (
    "START, random, spectralRadius, orthogonalMatrix, drawAll, "
    "runStates, probeAnswers, meterAnswers, shareRight"
)

pytestmark = [pytest.mark.pages]
CHAPTER = "notebooks/01_rnn_limits.html"
FIGURE = "#fig-01-touch"
# Long enough for a busy machine to compute the networks: the time decides nothing.
expect.set_options(timeout=60_000)
H = {"RNN": 32, "LSTM": 16}
STATES: dict[str, dict[str, Any]] = {
    "as it opens": {},
    "radius 1.5 and bias 0": {"radius": 1.5, "bias": 0},
    "orthogonal and closed": {"orthogonal": 1, "closed": 1, "seed": 2},
}


@pytest.fixture(scope="module")
def opened(browser: Browser, site: str) -> Iterator[Page]:
    """The page of the chapter, at the figure."""
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    page.locator(f"{FIGURE} .live").scroll_into_view_if_needed()
    expect(line(page)).to_have_text(re.compile("Right at lag"))
    yield page
    page.close()


@pytest.fixture
def chapter(opened: Page, functions: Page) -> Page:
    """The same page, with the figure as it opens."""
    start = functions.evaluate("START")
    opened.locator(f"{FIGURE} .live").evaluate(
        "(el, detail) => el.dispatchEvent(new CustomEvent('live:set', { detail }))", start
    )
    computed(opened)
    return opened


def computed(page: Page) -> None:
    """Wait until the curves are those of the networks that were asked for."""
    expect(page.locator(f"{FIGURE} .live")).to_have_attribute("aria-busy", "false")


def line(page: Page) -> Locator:
    """What the figure says in words."""
    return page.locator(f"{FIGURE} [role=status]")


def drawn(page: Page, state: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """The inputs (T, B, D) and the weights that the figure draws for a state."""
    all_ = page.evaluate("(state) => drawAll({ ...START, ...state })", state)
    x = np.eye(8)[np.array(all_["sequences"]).T]
    return x, {cell: {k: np.array(v, float) for k, v in all_[cell].items()} for cell in H}


def states(page: Page, cell: str, state: dict[str, Any]) -> np.ndarray:
    """The states (T, B, 32) that the figure computes."""
    # As one text: Playwright takes ten seconds to hand over so many numbers.
    code = """([cell, state]) => {
        const drawn = drawAll({ ...START, ...state });
        return JSON.stringify(runStates(cell, drawn[cell], drawn.sequences));
    }"""
    return np.array(json.loads(page.evaluate(code, [cell, state])))


def share_right(answers: np.ndarray, y: np.ndarray) -> float:
    """The share of right answers on the held-out sequences."""
    return float(np.mean(answers == y[240:]))


def read_by_numpy(rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The answers of a ridge regression on the labels, for the rows from 240 on."""
    seen = rows[:240]
    deviation = seen.std(axis=0)
    z = (rows - seen.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    targets = np.eye(4)[y[:240]]
    W = np.linalg.solve(z[:240].T @ z[:240] + np.eye(32), z[:240].T @ targets)
    return (z[240:] @ W).argmax(axis=-1)


def test_the_random_numbers_are_those_of_mulberry32(functions: Page) -> None:
    def mulberry32(a: int) -> float:
        z = (a ^ a >> 15) * (a | 1) % 2**32
        z ^= (z + (z ^ z >> 7) * (z | 61)) % 2**32
        return (z ^ z >> 14) / 2**32

    drawn = functions.evaluate("(() => { const u = random(7); return [u(), u(), u()]; })()")
    assert drawn == [mulberry32((7 + k * 0x6D2B79F5) % 2**32) for k in (1, 2, 3)]


@pytest.mark.parametrize("size", [1, 2, 5, 32])
def test_the_spectral_radius_is_that_of_the_eigenvalues(functions: Page, size: int) -> None:
    W = np.random.default_rng(size).normal(size=(size, size))
    largest = np.abs(np.linalg.eigvals(W)).max()
    assert_allclose(functions.evaluate("spectralRadius", W.tolist()), largest, rtol=1e-10)


def test_the_spectral_radius_of_what_dies_out_is_zero(functions: Page) -> None:
    assert functions.evaluate("spectralRadius([[0, 1], [0, 0]])") == 0


def test_an_orthogonal_matrix_keeps_every_length(functions: Page) -> None:
    Q = np.array(functions.evaluate("orthogonalMatrix(random(3), 32)"))
    assert_allclose(Q @ Q.T, np.eye(32), atol=1e-14)


def test_the_networks_are_drawn_as_numpy_cells_draws_them(functions: Page) -> None:
    _, weights = drawn(functions, {"radius": 0.7, "bias": 2})
    for cell, own in weights.items():
        assert np.abs(own["W_x"]).max() <= H[cell] ** -0.5
        assert abs(own["W_x"].mean()) < 0.02
    assert np.abs(np.linalg.eigvals(weights["RNN"]["W_h"])).max() == pytest.approx(0.7)
    assert_array_equal(weights["LSTM"]["b"].reshape(4, 16)[:, 0], [0, 2, 0, 0])


def test_closed_input_gates_are_exactly_shut_to_distractors_and_to_nothing_else(
    functions: Page,
) -> None:
    x, weights = drawn(functions, {"closed": 1})
    trace = lstm.forward(lstm.Params(**weights["LSTM"]), x)
    assert (trace.i[1] > 0.2).all()
    assert (trace.i[2:] == 0).all()
    _, other = drawn(functions, {"closed": 0})
    assert_array_equal(weights["LSTM"]["W_x"][:, 16:], other["LSTM"]["W_x"][:, 16:])


def test_each_symbol_begins_as_many_sequences_and_distractors_follow(functions: Page) -> None:
    x, _ = drawn(functions, {})
    shown = x.argmax(axis=-1)
    assert shown.shape == (30, 360)
    for part in (shown[0, :240], shown[0, 240:]):
        assert_array_equal(np.bincount(part, minlength=8), [len(part) / 4] * 4 + [0] * 4)
    assert set(shown[1:].ravel()) == {4, 5, 6, 7}


@pytest.mark.parametrize("name", STATES)
def test_the_states_are_those_of_the_library(functions: Page, name: str) -> None:
    x, weights = drawn(functions, STATES[name])
    h = rnn.forward(rnn.Params(**weights["RNN"]), x).h[1:]
    assert_allclose(states(functions, "RNN", STATES[name]), h, rtol=0, atol=1e-12)
    trace = lstm.forward(lstm.Params(**weights["LSTM"]), x)
    both = np.concatenate([trace.h, trace.c], axis=-1)[1:]
    assert_allclose(states(functions, "LSTM", STATES[name]), both, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", H)
def test_the_answers_are_those_of_the_same_probe_in_numpy(functions: Page, cell: str) -> None:
    rows = states(functions, cell, {})
    y = np.arange(360) % 4
    code = "([states, y]) => JSON.parse(states).map((rows) => probeAnswers(rows, y, 240))"
    theirs = functions.evaluate(code, [json.dumps(rows.tolist()), y.tolist()])
    assert_array_equal(theirs, [read_by_numpy(row, y) for row in rows])


def test_the_probe_does_not_look_at_the_labels_it_is_scored_on(functions: Page) -> None:
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(360, 32)), np.arange(360) % 4
    answers = functions.evaluate("([x, y]) => probeAnswers(x, y, 240)", [rows.tolist(), y.tolist()])
    assert share_right(np.array(answers), y) < 0.25 + 3 * np.sqrt(0.25 * 0.75 / 120)


def test_the_counts_of_the_still_picture_are_those_of_the_figure_as_it_opens(
    functions: Page,
) -> None:
    code = """(cell) => {
        const drawn = drawAll(START);
        return meterAnswers(cell, drawn[cell], drawn.sequences);
    }"""
    for cell, right in METER.items():
        assert np.trace(functions.evaluate(code, cell), axis1=1, axis2=2).tolist() == right


def slider(page: Page, name: str) -> Locator:
    """The slider of a name."""
    return page.locator(f"{FIGURE} .live-slider", has_text=name).locator("input")


def percents(page: Page, cell: str) -> list[int]:
    """The answers of a network in the table."""
    texts = page.locator(f"{FIGURE} tr.live-of-{cell} td").all_inner_texts()
    return [int(text.removesuffix(" %")) for text in texts]


def test_nothing_is_computed_before_somebody_looks(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    cells = page.locator(f"{FIGURE} tr.live-of-RNN td")
    assert set(cells.all_inner_texts()) == {""}
    page.locator(f"{FIGURE} .live").scroll_into_view_if_needed()
    expect(cells.first).to_have_text(re.compile("%"))
    page.close()


def test_the_table_shows_the_answers_for_the_symbol_and_the_lag(
    chapter: Page, functions: Page
) -> None:
    chapter.get_by_role("button", name="first symbol C").click()
    for _ in range(4):
        slider(chapter, "lag").press("ArrowLeft")
    y = np.arange(360) % 4
    for cell in H:
        answers = read_by_numpy(states(functions, cell, {})[8], y)
        shares = np.bincount(answers[y[240:] == 2], minlength=4) / 30
        assert percents(chapter, cell) == [round(100 * share) for share in shares]
    expect(chapter.locator(f"{FIGURE} caption")).to_have_text(
        "Answers at lag 8, only where the first symbol was C"
    )
    expect(chapter.locator(f"{FIGURE} code")).to_have_text(re.compile("^C[w-z]{8}·{21}$"))


def test_the_radius_is_moved_by_the_keyboard(chapter: Page, functions: Page) -> None:
    for _ in range(6):
        slider(chapter, "spectral radius").press("ArrowRight")
    y = np.arange(360) % 4
    rows = states(functions, "RNN", {"radius": 1.2})[12]
    share = share_right(read_by_numpy(rows, y), y)
    expect(line(chapter)).to_contain_text(f"RNN {round(100 * share)} %")


@pytest.mark.parametrize(
    ("link", "right"),
    [
        ("radius to 0.5", "Right at lag 8 over all symbols: RNN 23 %"),
        ("radius 1.5", "Right at lag 29 over all symbols: RNN 46 %"),
        ("orthogonal network", "Right at lag 11 over all symbols: RNN 100 %"),
        ("forget bias of 0", "Right at lag 8 over all symbols: RNN 76 %, LSTM 41 %"),
        ("3", "Right at lag 29 over all symbols: RNN 28 %, LSTM 90 %"),
        ("Close the input gates", "Right at lag 29 over all symbols: RNN 28 %, LSTM 100 %"),
    ],
)
def test_a_link_in_the_text_shows_what_the_text_says(chapter: Page, link: str, right: str) -> None:
    chapter.locator("a.live-link", has_text=link).last.click()
    expect(line(chapter)).to_contain_text(right)


def test_the_order_that_the_text_names_holds_in_the_first_twelve_draws(functions: Page) -> None:
    code = """([cell, state]) => [...Array(12).keys()].map((k) => {
        const drawn = drawAll({ ...START, ...state, seed: k + 1 });
        return meterAnswers(cell, drawn[cell], drawn.sequences).map(shareRight);
    })"""

    def shares(cell: str, **state: float) -> np.ndarray:
        return np.array(functions.evaluate(code, [cell, state]))  # (12, T)

    kept = shares("LSTM", bias=3)[:, 29]
    assert_allclose([kept.min(), kept.max()], [0.70, 0.96], atol=0.005)
    large = shares("RNN", radius=1.5)[:, 29]
    assert_allclose([large.min(), large.max()], [0.30, 0.725])
    small, middle = shares("LSTM", bias=0), shares("RNN", radius=0.9)
    assert (small.mean(axis=1) < middle.mean(axis=1)).all()
    assert (small[:, 8] < middle[:, 8]).all()
    orthogonal = shares("RNN", orthogonal=1)
    assert ((orthogonal < 1).argmax(axis=1) > (middle < 1).argmax(axis=1)).all()
    assert (shares("LSTM", bias=0, closed=1) == 1).all()


def test_what_closed_gates_leave_of_the_first_symbol_is_as_small_as_the_text_says(
    functions: Page,
) -> None:
    x, weights = drawn(functions, {"bias": 0, "closed": 1})
    c = lstm.forward(lstm.Params(**weights["LSTM"]), x).c
    assert np.abs(c[-1]).mean() == pytest.approx(1.4e-10, rel=0.05)


def test_a_slider_that_moves_is_followed_at_once_and_the_curves_come_when_it_rests(
    chapter: Page,
) -> None:
    wait = chapter.locator(f"{FIGURE} .live-wait")
    expect(wait).to_be_hidden()
    # In one go: between two calls of Playwright a busy machine may take longer than the pause.
    seen = chapter.evaluate(
        """(figure) => {
            const live = document.querySelector(`${figure} .live`);
            const input = live.querySelector("fieldset input");
            const curve = () => live.querySelector(".live-of-RNN polyline").getAttribute("points");
            const before = curve();
            const steps = [1, 1.1, 1.2].map((value) => {
                input.value = value;
                input.dispatchEvent(new Event("input"));
                const sign = getComputedStyle(live.querySelector(".live-wait")).visibility;
                return [curve() === before, live.ariaBusy, sign];
            });
            return { steps, radius: live.querySelector("fieldset output").textContent };
        }""",
        FIGURE,
    )
    assert seen == {"steps": [[True, "true", "visible"]] * 3, "radius": "1.20"}
    expect(wait).to_be_hidden()
    expect(line(chapter)).to_contain_text("Right at lag 12 over all symbols: RNN")


def test_an_orthogonal_network_is_free_of_mistakes_for_longer(functions: Page) -> None:
    y = np.arange(360) % 4

    def first_mistake(state: dict[str, Any]) -> int:
        rows = states(functions, "RNN", state)
        return next(t for t, row in enumerate(rows) if share_right(read_by_numpy(row, y), y) < 1)

    assert first_mistake({"orthogonal": 1}) == 12
    assert first_mistake({"radius": 0.9}) == 6


def test_an_orthogonal_network_has_no_other_radius_to_set(chapter: Page) -> None:
    radius = slider(chapter, "spectral radius")
    chapter.get_by_label("orthogonal, with weak inputs").check()
    expect(radius).to_be_disabled()
    assert radius.input_value() == "1"
    chapter.get_by_label("orthogonal, with weak inputs").uncheck()
    expect(radius).to_be_enabled()
    assert radius.input_value() == "0.9"


def test_new_networks_are_other_networks(chapter: Page) -> None:
    before = chapter.locator(f"{FIGURE} .live-of-RNN polyline").get_attribute("points")
    chapter.get_by_role("button", name="New networks").click()
    computed(chapter)
    after = chapter.locator(f"{FIGURE} .live-of-RNN polyline").get_attribute("points")
    assert before != after


def test_the_draw_is_named_and_a_new_start_returns_to_the_first(chapter: Page) -> None:
    chapter.get_by_role("button", name="New networks").click()
    expect(line(chapter)).to_contain_text("Draw 2.")
    chapter.get_by_role("button", name="first symbol C").click()
    chapter.locator(FIGURE).get_by_role("button", name="Start again").click()
    shares = ", ".join(f"{cell} {round(METER[cell][12] / 1.2)} %" for cell in H)
    expect(line(chapter)).to_have_text(
        f"Right at lag 12 over all symbols: {shares}; chance is 25 %. Draw 1."
    )
    expect(chapter.locator(f"{FIGURE} caption")).to_contain_text("was A")


@pytest.mark.parametrize("cell", H)
def test_the_curves_are_drawn_upwards_from_none_to_all(chapter: Page, cell: str) -> None:
    text = chapter.locator(f"{FIGURE} .live-of-{cell} polyline").get_attribute("points")
    assert text
    heights = [float(point.split(",")[1]) for point in text.split(" ")]
    none, all_ = (
        float(chapter.locator(f"{FIGURE} svg text", has_text=mark).get_attribute("y") or 0) - 4
        for mark in ("0.0", "1.0")
    )
    assert all_ < none
    assert_allclose(heights, none + (all_ - none) * np.array(METER[cell]) / 120)


def test_the_pointer_on_the_plot_chooses_the_lag(chapter: Page) -> None:
    plot = chapter.locator(f"{FIGURE} svg[role=img]")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] * 300 / 360, "y": box["height"] / 2})
    assert slider(chapter, "lag").input_value() == "29"


def test_nothing_is_wider_than_a_phone(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{site}/{CHAPTER}")
    page.locator(f"{FIGURE} .live").scroll_into_view_if_needed()
    expect(page.locator(f"{FIGURE} tr.live-of-RNN td").first).to_have_text(re.compile("%"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
