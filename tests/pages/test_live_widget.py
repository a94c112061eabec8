"""A figure as a widget: the module runs over a model as Jupyter's, and both sides see the state."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from lstm_lib.figures import live
from lstm_lib.figures.live.widget import STATE, widget
from lstm_lib.figures.svg import number_text
from lstm_lib.numpy_cells import lstm

pytestmark = [pytest.mark.pages]

# The state that the first slider of a figure moves.
SLIDERS = {
    "cell": "x",
    "highway": "b",
    "latch": "keep",
    "meter": "lag",
    "recall": "t",
    "text": "k",
}
# What anywidget gives to `render`; `sent` is what would go to Python.
SHOW = """async ([text, state]) => {
    const model = {
        state, sent: [], listeners: [],
        get() { return this.state; },
        set(_, value) { this.state = value; },
        save_changes() { this.sent.push(structuredClone(this.state)); },
        on(event, listener) { if (event === "change:state") this.listeners.push(listener); },
        fromPython(state) { this.state = state; this.listeners.forEach((listener) => listener()); },
    };
    const blob = new Blob([text], { type: "text/javascript" });
    const { default: figure } = await import(URL.createObjectURL(blob));
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    figure.render({ model, el });
    window.model = model;
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that must not complain."""
    complaints: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []


def show(page: Page, name: str, **state: Any) -> None:
    """Render a figure as JupyterLab does, from what `widget` would send there."""
    page.evaluate(SHOW, [live.module(name), widget(name, **state).state])


@pytest.mark.parametrize("name", live.NAMES)
def test_every_figure_runs_as_a_widget_and_tells_its_state(page: Page, name: str) -> None:
    show(page, name)
    assert page.locator("button, input, select").count() > 0
    assert tuple(page.evaluate("Object.keys(model.sent.at(-1))")) == STATE[name]


@pytest.mark.parametrize("name", live.NAMES)
def test_a_slider_of_every_figure_tells_python_and_hears_from_it(page: Page, name: str) -> None:
    show(page, name)
    slider = page.get_by_role("slider").first
    before = page.evaluate("model.state")
    start = slider.input_value()
    slider.press("ArrowLeft")
    after = page.evaluate("model.sent.at(-1)")
    assert [key for key in after if after[key] != before[key]] == [SLIDERS[name]]
    page.evaluate("(state) => model.fromPython(state)", before)
    assert slider.input_value() == start


def test_the_cell_has_the_weights_of_python(page: Page) -> None:
    params = lstm.init_params(np.random.default_rng(4), D=1, H=1)
    show(page, "cell", **params._asdict(), x=-1, h=0.0, c=2.0)
    start = (np.zeros((1, 1)), np.full((1, 1), 2.0))
    trace = lstm.forward(params, np.full((1, 1, 1), -1.0), start)
    for term in "ifgoch":
        shown = page.locator(f'[data-term="{term}_t"]').text_content()
        assert shown == number_text(getattr(trace, term)[1].item())


def test_what_python_sets_arrives_in_the_figure(page: Page) -> None:
    show(page, "cell")
    page.evaluate("model.fromPython({ f: 0, c: -2 })")
    assert page.locator('[data-term="f_t ⊙ c_{t-1}"]').text_content() == "0.00"
    assert page.locator('[data-term="c_{t-1}"]').text_content() == "−2.00"
    assert page.locator('[data-term="x_t"]').text_content() == "1.00"


def test_what_the_reader_does_arrives_in_python(page: Page) -> None:
    show(page, "cell")
    page.get_by_role("button", name="Next step").click()
    made = widget("cell", c=0.5)
    made.state = page.evaluate("model.sent.at(-1)")
    assert made.state["c"] == pytest.approx(0.9, abs=1e-12)
    assert made.state["sequence"] == "ones"


def test_a_wrong_state_is_refused_where_the_reader_looks(page: Page) -> None:
    show(page, "cell")
    page.evaluate("model.fromPython({ f: 3 })")
    assert page.get_by_role("alert").text_content() == 'f must be "free" or from 0 to 1, got 3'
    assert page.locator('[data-term="f_t"]').text_content() == "0.90"
    page.evaluate("model.fromPython({ f: 0 })")
    assert page.get_by_role("alert").text_content() == ""
    assert page.locator('[data-term="f_t"]').text_content() == "0.00"


def test_a_wrong_start_is_refused_too_and_the_figure_starts_as_on_the_page(page: Page) -> None:
    show(page, "cell", W_x=np.ones((1, 8)))
    complaint = page.get_by_role("alert").text_content() or ""
    assert complaint.startswith("W_x must be 4 numbers (i, f, g, o; D = H = 1), got [[1,1,1,")
    assert page.locator('[data-term="c_t"]').text_content() == "0.90"
    assert page.evaluate("model.sent") == []


def test_a_state_that_the_figure_has_not_is_refused_with_those_it_has(page: Page) -> None:
    show(page, "cell")
    page.evaluate("model.fromPython({ W: [1] })")
    complaint = page.get_by_role("alert").text_content() or ""
    assert complaint.startswith("no state W: this figure has x,h,c,W_x,")
