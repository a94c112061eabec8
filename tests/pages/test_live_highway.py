"""The gradient highway: its gradients are those of `lstm_lib`, and the page shows them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import Browser, Page, expect

from lstm_lib import gradients
from lstm_lib.numpy_cells import gru, lstm, rnn

NAME = "highway"
# Of the figure, for the page of the fixture `functions`.
FUNCTIONS = "HIGHWAY, shares, states, stateGradients"

pytestmark = [pytest.mark.pages]
CELLS = {"RNN": rnn, "GRU": gru, "LSTM": lstm}
D, H, T = 3, 5, 12
CHAPTER = "notebooks/05_backpropagation.html"


@pytest.fixture
def chapter(browser: Browser, site: str) -> Iterator[Page]:
    """The page of the chapter."""
    page = browser.new_page()
    page.goto(f"{site}/{CHAPTER}")
    yield page
    page.close()


def problem(name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """Weights of a cell, large enough for its layers to bend, an input and dL/dh_T."""
    rng = np.random.default_rng(3)
    start = CELLS[name].init_params(rng, D, H)
    params = type(start)(*(rng.normal(0, 0.8, w.shape) for w in start))
    return params, rng.normal(size=(T, 1, D)), rng.normal(size=H)


def in_browser(page: Page, name: str) -> dict[str, np.ndarray]:
    """The gradients by all states as the browser computes them, (T+1, H)."""
    params, x, dh = problem(name)
    weights = {field: w.tolist() for field, w in params._asdict().items()}
    rows = page.evaluate(
        "([cell, params, x, dh]) => stateGradients(cell, params, states(cell, params, x), dh)",
        [name, weights, x[:, 0].tolist(), dh.tolist()],
    )
    return {key: np.array([row[key] for row in rows]) for key in rows[1]}


@pytest.mark.parametrize("name", CELLS)
def test_the_gradients_are_those_of_the_library(functions: Page, name: str) -> None:
    params, x, dh = problem(name)
    at_end = np.zeros((T, 1, H))
    at_end[-1] = dh
    ours = gradients.state_gradients(CELLS[name], params, x, at_end)
    theirs = in_browser(functions, name)
    largest = np.abs(ours.h).max()
    assert_allclose(theirs["dh"], ours.h[:, 0], rtol=1e-12, atol=1e-12 * largest)
    if ours.c is not None:
        # The way through h_k counts in the dc_k of the library; the figure holds h_k.
        run = lstm.forward(params, x)
        held = ours.c - ours.h * run.o * (1 - np.tanh(run.c) ** 2)
        assert_allclose(theirs["dc"], held[:, 0], rtol=1e-12, atol=1e-12 * largest)


@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_by_the_start_is_what_a_nudge_measures(functions: Page, name: str) -> None:
    params, x, dh = problem(name)
    weights = {field: w.tolist() for field, w in params._asdict().items()}
    measured = functions.evaluate(
        """([cell, params, x, dh]) => ["h", "c"].map((part) => dh.map((_, n) => {
            const zero = dh.map(() => 0);
            const loss = (nudge) => {
              const start = { h: [...zero], c: [...zero] };
              start[part][n] = nudge;
              const { h } = states(cell, params, x, start).at(-1);
              return h.reduce((sum, value, k) => sum + dh[k] * value, 0);
            };
            return (loss(1e-5) - loss(-1e-5)) / 2e-5;
        }))""",
        [name, weights, x[:, 0].tolist(), dh.tolist()],
    )
    derived = in_browser(functions, name)
    # Central differences: the step squared is 1e-10, rounding 1e-16 / 1e-5.
    assert_allclose(derived["dh"][0], measured[0], rtol=1e-6, atol=1e-9)
    if name == "LSTM":
        assert_allclose(derived["dc"][0], measured[1], rtol=1e-6, atol=1e-9)


def shares(page: Page, *, b: float, z: float, radius: float, volume: float) -> dict[str, Any]:
    """‖∂h_T/∂(h_k, c_k)‖ / √H of the figure's own cells: products of the steps' Jacobians."""
    data = page.evaluate("HIGHWAY")
    cells = {n: [np.array(w, dtype=float) for w in data[n.lower()].values()] for n in CELLS}
    units = len(data["lstm"]["W_h"])
    cells["RNN"][1] *= radius
    cells["GRU"][2][units : 2 * units] = z
    cells["LSTM"][2][units : 2 * units] = b
    x = volume * np.array(data["x"])[:, None]
    return {name: norms(CELLS[name], weights, x, units) for name, weights in cells.items()}


def norms(cell: Any, weights: list[np.ndarray], x: np.ndarray, units: int) -> np.ndarray:
    """The norms of one cell, whose backward pass of a step gives a row of the step's Jacobian."""
    params = cell.Params(*weights)
    trace = cell.forward(params, x)
    parts = 2 if "c" in trace._fields else 1
    product = np.eye(units, parts * units)
    sizes = [np.linalg.norm(product)]
    for k in range(len(x), 0, -1):
        step = type(trace)(*(field[k - 1 : k + 1] for field in trace))
        rows = []
        for unit in np.eye(parts * units):
            state = np.split(unit[None], parts, axis=1)
            sent = state[0] if parts == 1 else tuple(state)
            none = np.zeros((1, 1, units))
            before = cell.backward(params, x[k - 1 : k], step, none, sent).state
            rows.append(np.concatenate([before] if parts == 1 else before, axis=1)[0])
        product = product @ np.array(rows)
        sizes.insert(0, np.linalg.norm(product))
    return np.array(sizes) / np.sqrt(units)


@pytest.mark.parametrize("b", [-2.0, 5.0])
def test_the_roads_are_the_norms_that_numpy_gives(functions: Page, b: float) -> None:
    ours = shares(functions, b=b, z=-b, radius=1.1, volume=0.5)
    theirs = functions.evaluate(f"shares({{ b: {b}, z: {-b}, radius: 1.1, x: 0.5 }})")
    for name in CELLS:
        assert_allclose(theirs[name], ours[name], rtol=1e-12)
        assert theirs[name][-1] == pytest.approx(1, rel=1e-15)


def test_the_radius_of_the_stored_rnn_is_one(functions: Page) -> None:
    W_h = np.array(functions.evaluate("HIGHWAY.rnn.W_h"))
    # Its weights have four decimals.
    assert np.abs(np.linalg.eigvals(W_h)).max() == pytest.approx(1, abs=1e-3)


def send(page: Page, state: dict[str, Any]) -> None:
    """Give the figure a state, as a link does."""
    page.locator("figure.live-highway .live").evaluate(
        "(el, detail) => el.dispatchEvent(new CustomEvent('live:set', { detail }))", state
    )


def numbers(page: Page, name: str) -> list[str]:
    """The row of the table that a cell has on the page."""
    row = page.locator(".live-numbers tr", has_text=name).first
    return [text.replace("\u00a0", " ") for text in row.locator("td").all_inner_texts()]


def test_the_page_shows_the_numbers_of_the_cells(chapter: Page) -> None:
    assert [numbers(chapter, name)[1] for name in CELLS] == [
        "8.8 · 10⁻¹³",
        "3.1 · 10⁻¹⁰",
        "1.1 · 10⁻⁴",
    ]


def test_the_forget_bias_is_moved_by_the_keyboard(chapter: Page, functions: Page) -> None:
    slider = chapter.get_by_label("LSTM: forget bias")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    share = shares(functions, b=1.5, z=0, radius=0.58, volume=1)["LSTM"]
    assert float(numbers(chapter, "LSTM")[2]) == pytest.approx(
        (share[0] / share[20]) ** (1 / 20), abs=0.005
    )
    expect(chapter.locator("figure.live-highway [role=status]")).to_contain_text(
        "step 20 gets: RNN"
    )


LINKS = [  # what the text says, of the numbers at step 0 and the factor
    ("Set the forget bias to 5", "LSTM", ["0.57", "1.07"]),
    ("or to −2", "LSTM", ["1.5 · 10⁻²⁶", "0.23"]),
    ("the bias 5 too", "GRU", ["0.76", "0.99"]),
    ("the bias 5 too", "LSTM", ["0.57", "1.07"]),
    ("take the input away", "LSTM", ["29", "1.12"]),
    ("against 7 %", "LSTM", ["0.57", "1.07"]),
]


@pytest.mark.parametrize(("link", "name", "expected"), LINKS)
def test_a_link_shows_what_the_text_says_after_any_other(
    chapter: Page, link: str, name: str, expected: list[str]
) -> None:
    for other, *_ in LINKS:
        chapter.get_by_role("link", name=other).click()
        chapter.get_by_role("link", name=link).click()
        assert numbers(chapter, name)[1:] == expected


def test_with_bias_5_no_less_comes_back_by_the_gru_than_by_the_lstm(functions: Page) -> None:
    roads = functions.evaluate("shares({ b: 5, z: 5, radius: 0.58, x: 1 })")
    assert (np.array(roads["GRU"]) >= roads["LSTM"]).all()


def test_the_pointer_chooses_the_step(chapter: Page) -> None:
    roads = chapter.locator(".live-roads")
    roads.scroll_into_view_if_needed()
    box = roads.bounding_box()
    assert box is not None
    chapter.mouse.move(box["x"] + box["width"] - 9, box["y"] + 60)
    assert chapter.get_by_label("step to look at").input_value() == "40"
    assert [numbers(chapter, name)[0] for name in CELLS] == ["1.0", "1.0", "1.0"]


def test_a_road_is_as_wide_as_the_logarithm_of_what_arrives(chapter: Page) -> None:
    points = chapter.locator(".live-road-LSTM polygon").get_attribute("points")
    assert points is not None
    heights = np.array([pair.split(",") for pair in points.split()], dtype=float)[:, 1]
    above, below = heights[:41], heights[:40:-1]
    assert_allclose((below - above)[-1], 2 + 3.5 * 8, rtol=1e-9)  # all of it: 10⁰ over 10⁻⁸
    assert_allclose((below - above)[0], 2 + 3.5 * (np.log10(1.0658e-4) + 8), rtol=1e-4)


def test_the_gauge_is_as_thick_as_the_road_of_the_number_beside_it(chapter: Page) -> None:
    gauge = chapter.locator(".live-road-gauge").evaluate_all(
        "all => all.map((rect) => [Number(rect.getAttribute('height')), "
        "rect.nextSibling.textContent])"
    )
    powers = {"10²": 2, "1": 0, "10⁻²": -2, "10⁻⁴": -4, "10⁻⁶": -6}
    assert [name for _, name in gauge] == list(powers)
    assert_allclose([high for high, _ in gauge], [2 + 3.5 * (p + 8) for p in powers.values()])


def test_a_road_ends_where_a_hundred_millionth_arrives(chapter: Page, functions: Page) -> None:
    state = {"b": -2, "z": 0, "radius": 0.58, "x": 1}
    send(chapter, state)
    for name, share in functions.evaluate("state => shares(state)", state).items():
        points = chapter.locator(f".live-road-{name} polygon").get_attribute("points")
        assert points is not None
        assert len(points.split()) == 2 * sum(value > 1e-8 for value in share), name


def test_start_again_shows_what_stood_there_first(chapter: Page) -> None:
    first = [numbers(chapter, name) for name in CELLS]
    send(chapter, {"b": 5, "z": 5, "radius": 1.3, "x": 0, "k": 3})
    chapter.locator("figure.live-highway").get_by_role("button", name="Start again").click()
    assert [numbers(chapter, name) for name in CELLS] == first


def test_the_table_has_a_name(chapter: Page) -> None:
    expect(chapter.get_by_role("table", name="Share of the gradient")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_widest_road_leaves_its_name_free(chapter: Page, width: int) -> None:
    chapter.set_viewport_size({"width": width, "height": 800})
    send(chapter, {"b": 5, "z": 5, "radius": 1.3, "x": 0})
    for name in CELLS:
        road, text = (
            chapter.locator(f".live-road-{name} {part}").bounding_box()
            for part in ("polygon", "text")
        )
        assert road is not None
        assert text is not None
        assert text["y"] + text["height"] <= road["y"] + 3  # the box reaches 3 px below capitals


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_is_wider_than_a_phone(browser: Browser, site: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{site}/{CHAPTER}")
    send(page, {"b": -2, "z": -2, "radius": 0.1, "x": 2, "k": 0})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
