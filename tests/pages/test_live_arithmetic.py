"""The cells that live figures compute in the browser are those of `numpy_cells`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from lstm_lib.figures import live
from lstm_lib.numpy_cells import gru, lstm, rnn
from lstm_lib.numpy_cells.activations import sigmoid

pytestmark = [pytest.mark.pages]
CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm}
# D, H, T, and how large weights and inputs are. Large ones saturate the layers, and then a step
# may turn a difference of one rounding into a larger one: few of them.
SIZES = [(1, 1, 1, 1), (1, 1, 999, 1), (3, 5, 300, 1), (9, 8, 50, 1), (2, 4, 3, 30), (3, 2, 2, 999)]

RUN = """([cell, params, x, start]) => {
    const step = { rnn: rnnStep, gru: gruStep, lstm: lstmStep }[cell];
    const states = [];
    let state = start;
    for (const now of x) {
        const { h, c } = state;
        state = cell === "lstm" ? step(now, h, c, params) : step(now, h, params);
        states.push(state);
    }
    return states;
}"""


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Iterator[Page]:
    """An empty page that knows the cells."""
    page = browser.new_page()
    text = (live.HERE / "arithmetic.js").read_text(encoding="utf-8")
    page.add_script_tag(content=text.replace("\nexport ", "\n"))
    yield page
    page.close()


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("D", "H", "T", "scale"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_a_run_has_the_numbers_of_numpy(
    functions: Page, name: str, D: int, H: int, T: int, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = CELLS[name].init_params(rng, D, H)
    params = type(weights)(*(scale * rng.permuted(w) for w in weights))
    x, states = scale * rng.normal(size=(T, 1, D)), rng.normal(size=(2, 1, H))
    start: Any = tuple(states) if name == "lstm" else states[0]
    trace = CELLS[name].forward(params, x, start)
    given = {field: w.tolist() for field, w in params._asdict().items()}
    began = {"h": states[0, 0].tolist(), "c": states[1, 0].tolist()}
    steps = functions.evaluate(RUN, [name, given, x[:, 0].tolist(), began])
    for field, ours in trace._asdict().items():
        theirs = np.array([step[field] for step in steps])
        np.testing.assert_allclose(theirs, ours[1:, 0], rtol=0, atol=1e-12, err_msg=field)


def test_sigmoid_is_that_of_numpy_where_exp_overflows(functions: Page) -> None:
    z = np.array([-1e308, -1e4, -745.0, -40.0, -1e-300, 0.0, 1e-9, 40.0, 1e4, 1e308])
    theirs = np.array(functions.evaluate("z => z.map(sigmoid)", z.tolist()))
    np.testing.assert_allclose(theirs, sigmoid(z), rtol=1e-14, atol=0)
