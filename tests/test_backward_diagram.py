"""The picture of the backward pass: each arrow an equation's dependency, each factor its slope."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from lstm_lib import figures
from lstm_lib.figures.equations import LSTM
from lstm_lib.figures.graph import DIRECT, FACTORS

AT = {"i_t": 0.7, "f_t": 0.9, "g_t": -0.4, "o_t": 0.6, "c_{t-1}": 0.8, "c_t": 0.44}
AT |= {"f_t ⊙ c_{t-1}": 0.72, "i_t ⊙ g_t": -0.28, "tanh(c_t)": np.tanh(0.44)}
APPLY = {"times": lambda a, b: a * b, "plus": lambda a, b: a + b, "squash": np.tanh}


def arrows_of(diagram):
    root = ElementTree.fromstring(diagram.svg)
    return {
        (g.get("data-from"), g.get("data-to")): g[0].get("stroke")
        for g in root.iter()
        if g.get("class") == "edge"
    }


def value(factor):
    """The number that a factor stands for, computed from its text."""
    text = factor.replace("−", "-").replace("g_t²", "g_t*g_t").replace("_t(1", "_t*(1")
    text = text.replace("tanh²(c_t)", "tanh(c_t)*tanh(c_t)")
    text = re.sub(r"(?<!\w)([ifgoc])_(\{t-1\}|t)", lambda m: f"at['{m[0]}']", text)
    return eval(text, {"at": AT, "tanh": np.tanh})


def test_every_arrow_of_the_cell_is_there_the_other_way_round():
    forward = figures.cell_diagram().edges
    backward = figures.backward_diagram()
    assert {(b, a) for a, b in forward} == set(arrows_of(backward)) == backward.edges


@pytest.mark.parametrize("node", [node for node in LSTM if node.kind in APPLY], ids=lambda n: n[0])
def test_the_factor_on_an_arrow_is_the_slope_of_its_operation(node):
    inputs = [AT[name] for name in node.inputs]
    for k, source in enumerate(node.inputs):
        up, down = (
            APPLY[node.kind](*(v + e * (n == k) for n, v in enumerate(inputs)))
            for e in (1e-6, -1e-6)
        )
        factor = FACTORS.get((node.name, source), "1")
        assert value(factor) == pytest.approx((up - down) / 2e-6, rel=1e-8), (node.name, source)


@pytest.mark.parametrize(
    "node", [node for node in LSTM if node.kind == "layer"], ids=lambda n: n[0]
)
def test_the_factor_below_a_layer_is_the_slope_of_its_activation(node):
    out = AT[node.name]
    slope = 1 - out**2 if node.operator == "tanh" else out * (1 - out)
    assert value(FACTORS[node.name, "h_{t-1}"]) == pytest.approx(slope, rel=1e-12)


def test_every_factor_is_written_once():
    root = ElementTree.fromstring(figures.backward_diagram().svg)
    texts = [t for t in root.iter() if t.get("class") == "factor"]
    assert sorted(t.get("data-factor") for t in texts) == sorted(
        [*FACTORS.values(), "W_h^T", "W_x^T"]
    )
    for t in texts:
        assert "".join(t.itertext()) == re.sub(r"[_{}^]", "", t.get("data-factor")).replace(
            "-", "−"
        )


def test_a_subscript_is_lowered_and_what_follows_it_stands_on_the_line_again():
    root = ElementTree.fromstring(figures.backward_diagram().svg)
    (text,) = (t for t in root.iter() if t.get("data-factor") == "i_t(1 − i_t)")
    assert [part.text for part in text] == ["i", "t", "(1 − i", "t", ")"]
    heights = np.cumsum([float(part.get("dy")) for part in text])
    assert heights == pytest.approx([0, 4.2, 0, 4.2, 0])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("direct", DIRECT),
        ("others", {e for e in figures.backward_diagram().edges - DIRECT if e[1] != "x_t"}),
    ],
)
def test_a_highlight_greys_all_other_ways(part, expected):
    coloured = {
        e for e, c in arrows_of(figures.backward_diagram(highlight=part)).items() if c != "#868E96"
    }
    assert coloured == expected


def test_the_direct_path_leads_from_cell_state_to_cell_state_past_one_factor():
    assert [FACTORS[edge] for edge in DIRECT if edge in FACTORS] == ["f_t"]
    followed, at = [], "next c"
    while at in dict(DIRECT):
        followed.append(at := dict(DIRECT)[at])
    assert followed == ["c_t", "f_t ⊙ c_{t-1}", "c_{t-1}"]


def test_an_unknown_highlight_is_an_error_that_names_the_argument():
    with pytest.raises(ValueError, match=r"^highlight: expected direct or others, got 'cell'"):
        figures.backward_diagram(highlight="cell")
