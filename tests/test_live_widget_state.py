"""`widget` takes the values of a kernel, and says what it cannot take."""

import sys
from typing import Any

import numpy as np
import pytest

from lstm_lib.figures import live
from lstm_lib.figures.live.widget import widget
from lstm_lib.numpy_cells import lstm


def test_a_widget_carries_the_module_and_the_style_of_its_figure() -> None:
    made = widget("cell")
    assert made._esm == live.module("cell")
    assert made._css == live.CSS.read_text(encoding="utf-8")
    assert "live" in made._dom_classes


def test_arrays_become_lists_with_all_their_digits() -> None:
    params = lstm.init_params(np.random.default_rng(0), D=1, H=1)
    state = widget("cell", **params._asdict(), x=np.float32(0.5), f="free", h=np.int64(0)).state
    assert state["W_x"] == params.W_x.tolist()
    assert {type(state["x"]), type(state["h"])} == {float, int}
    assert state["f"] == "free"


def test_a_new_state_of_a_few_names_leaves_the_others() -> None:
    made = widget("cell", x=1, c=0.5)
    made.state = {"c": np.float64(2)}
    assert made.state == {"x": 1, "c": 2.0}


def test_truth_becomes_a_number() -> None:
    state = widget("latch", keep=True, i=np.array([True, False])).state
    assert (state["keep"], type(state["keep"])) == (1, int)
    assert [type(value) for value in state["i"]] == [int, int]


@pytest.mark.parametrize("wrong", [np.nan, [1.0, np.inf], None, ["a"], 1j, {"a": 1}, [[1], [1, 2]]])
def test_what_is_no_finite_number_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ValueError, match="c must be text, or numbers that are finite, got"):
        widget("cell", c=wrong)
    made = widget("cell", c=1)
    with pytest.raises(ValueError, match="c must be text, or numbers that are finite, got"):
        made.state = {"c": wrong}
    assert made.state == {"c": 1}


def test_a_name_that_is_no_state_is_refused_with_those_there_are_and_not_kept() -> None:
    refused = r"recall has no state 'T', 'u'; there are: seq, unit, t, clamp"
    with pytest.raises(ValueError, match=refused):
        widget("recall", T=3, u=1)
    made = widget("recall", t=3)
    with pytest.raises(ValueError, match=refused):
        made.state = {"T": 3, "u": 1}
    assert made.state == {"t": 3}


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no live figure 'cel'; there are: .*cell"):
        widget("cel")


def test_without_anywidget_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match="pip install anywidget"):
        widget("cell")
