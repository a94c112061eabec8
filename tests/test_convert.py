"""Weights keep their meaning on the way between frameworks, and the page tells the same data."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import framework_equations
import numpy as np
import pytest
import torch
from torch import nn

from lstm_lib import torch_cells
from lstm_lib.convert import CONVENTIONS, convert_weights, from_torch, switchboard, to_torch
from lstm_lib.numpy_cells import gru, lstm, rnn

PAGE = Path(__file__).parents[1] / "book" / "conventions.md"
T, B, D, H = 6, 2, 3, 5
CELLS = {"lstm": lstm, "gru": gru, "rnn": rnn}
HAVE = [(cell, name) for cell in CELLS for name in CONVENTIONS if cell in CONVENTIONS[name].layouts]
PAIRS = [
    (cell, source, target)
    for (cell, source), (other, target) in itertools.product(HAVE, HAVE)
    if cell == other
    and CONVENTIONS[source].layouts[cell].reset == CONVENTIONS[target].layouts[cell].reset
]


def draw(cell, rng, dtype=np.float64):
    """Weights of our own cell, biases too."""
    params = CELLS[cell].init_params(rng, D, H, dtype=dtype)
    return type(params)(*(rng.normal(0, 0.5, a.shape).astype(dtype) for a in params))


def draw_for(cell, name, rng):
    """Weights of a framework's cell: those of ours, or of Haiku's and d2l's own kind of GRU."""
    if CONVENTIONS[name].layouts[cell].reset != "before":
        return convert_weights(draw(cell, rng)._asdict(), "lstm_lib", name, cell=cell)
    shapes = {"w_i": (D, 3 * H), "w_h": (H, 3 * H), "b": (3 * H,)}
    haiku = {key: rng.normal(0, 0.5, shape) for key, shape in shapes.items()}
    return convert_weights(haiku, "haiku", name, cell=cell)


def run(cell, name, weights, x):
    """Every h of the framework's own equations, from a zero state."""
    if name == "lstm_lib":
        return CELLS[cell].forward(CELLS[cell].Params(**weights), x).h[1:]
    step = getattr(framework_equations, f"{name}_{cell}")
    h, c, outputs = np.zeros((B, H)), np.zeros((B, H)), []
    for x_t in x:
        h, c = step(weights, x_t, h, c)
        outputs.append(h)
    return np.stack(outputs)


@pytest.mark.parametrize(("cell", "source", "target"), PAIRS)
def test_converted_weights_compute_the_same_by_each_frameworks_own_equations(cell, source, target):
    rng = np.random.default_rng(0)
    weights, x = draw_for(cell, source, rng), rng.standard_normal((T, B, D))
    converted = convert_weights(weights, source, target, cell=cell)
    expected = run(cell, source, weights, x)
    np.testing.assert_allclose(run(cell, target, converted, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("cell", "source", "target"), PAIRS)
def test_weights_come_back_from_every_framework(cell, source, target):
    weights = draw_for(cell, source, np.random.default_rng(1))
    there = convert_weights(weights, source, target, cell=cell)
    back = convert_weights(there, target, source, cell=cell)
    exact = "haiku" not in (source, target) or cell != "lstm"  # elsewhere nothing is added
    assert back.keys() == weights.keys()
    for name in weights:
        np.testing.assert_allclose(back[name], weights[name], rtol=0, atol=0 if exact else 1e-15)


def test_two_biases_are_summed_where_there_is_room_for_one():
    weights = draw_for("lstm", "pytorch", np.random.default_rng(2))
    weights["bias_hh_l0"] = weights["bias_ih_l0"] + 1
    b = convert_weights(weights, "pytorch", "lstm_lib")["b"]
    np.testing.assert_array_equal(b, weights["bias_ih_l0"] + weights["bias_hh_l0"])


def test_two_biases_stay_apart_where_there_is_room_for_two():
    weights = draw_for("lstm", "pytorch", np.random.default_rng(2))
    weights["bias_hh_l0"] = weights["bias_ih_l0"] + 1
    back = convert_weights(convert_weights(weights, "pytorch", "onnx"), "onnx", "pytorch")
    np.testing.assert_array_equal(back["bias_hh_l0"], weights["bias_hh_l0"])


def test_converted_arrays_share_no_memory_with_the_given():
    weights = draw("lstm", np.random.default_rng(0))._asdict()
    converted = convert_weights(weights, "lstm_lib", "keras")
    assert not any(np.shares_memory(a, b) for a in weights.values() for b in converted.values())


def test_converting_keeps_float32():
    weights = draw("gru", np.random.default_rng(0), np.float32)._asdict()
    converted = convert_weights(weights, "lstm_lib", "onnx", cell="gru")
    assert {array.dtype for array in converted.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("source", "target", "cell", "message"),
    [
        ("theano", "keras", "lstm", "source must be one of .*'pytorch'.*got 'theano'"),
        ("keras", "theano", "lstm", "target must be one of .*'pytorch'.*got 'theano'"),
        ("lstm_lib", "keras", "mgu", "cell must be one of .*'rnn'.*got 'mgu'"),
        ("lstm_lib", "haiku", "rnn", "'haiku' has no rnn .*ReLU"),
        ("lstm_lib", "haste", "rnn", "'haste' has no rnn .*IndRNN"),
        ("lstm_lib", "cs231n", "gru", "'cs231n' has no gru"),
        ("lstm_lib", "d2l", "gru", "no exact map .*after .*before"),
        ("haiku", "keras", "gru", "no exact map .*before .*after"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(source, target, cell, message):
    with pytest.raises(ValueError, match=message):
        convert_weights({}, source, target, cell=cell)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"b": None}, TypeError, "b must be a NumPy array of float64, as W_x, got NoneType"),
        ({"b": np.zeros(4 * H, np.int64)}, TypeError, "b must be .*got int64"),
        ({"b": np.zeros(4 * H, np.float32)}, TypeError, "b must be .*got float32"),
        ({"b": np.zeros((1, 4 * H))}, ValueError, r"b must be \(4H\), got \(1, 20\)"),
        ({"W_x": np.zeros((D, 4))}, ValueError, r"W_x must be \(D, 4H\) = \(3, 20\), got \(3, 4\)"),
        ({"W_x": np.zeros((0, 4 * H))}, ValueError, r"W_x .* must have D ≥ 1 and .*got \(0, 20\)"),
        ({"W_x": torch.zeros(D, 4 * H)}, TypeError, "W_x must be a NumPy .*floats, got Tensor"),
        ({"bias": np.zeros(4 * H)}, ValueError, r"missing \[\], extra \['bias'\]"),
    ],
)
def test_a_wrong_array_is_named(change, error, message):
    weights = draw("lstm", np.random.default_rng(0))._asdict() | change
    with pytest.raises(error, match=message):
        convert_weights(weights, "lstm_lib", "keras")


def test_a_haiku_matrix_without_room_for_an_input_is_named():
    weights = {"w": np.zeros((H, 4 * H)), "b": np.zeros(4 * H)}
    with pytest.raises(ValueError, match=r"w \(D\+H, 4H\) .* must have D ≥ 1 and H ≥ 1"):
        convert_weights(weights, "haiku", "keras")


def test_params_are_not_taken_for_a_dict():
    with pytest.raises(TypeError, match="weights must be a dict of arrays, got Params"):
        convert_weights(draw("lstm", np.random.default_rng(0)), "lstm_lib", "keras")


def test_a_switchboard_of_no_kind_of_cell_is_refused():
    with pytest.raises(ValueError, match=r"cell must be one of .*'lstm'.*, got 'LSTM'"):
        switchboard("LSTM")


def test_a_missing_array_is_named():
    with pytest.raises(ValueError, match=r"missing \['W_h', 'b'\], extra \[\]"):
        convert_weights({"W_x": np.zeros((D, 4 * H))}, "lstm_lib", "keras")


MODULES = [nn.LSTM, nn.GRU, nn.RNN, torch_cells.LSTM, torch_cells.GRU, torch_cells.RNN]


@pytest.mark.parametrize("make", MODULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_torch_module_and_its_params_compute_the_same(make, dtype):
    torch.manual_seed(0)
    module, x = make(D, H, dtype=dtype), torch.randn(T, B, D, dtype=dtype)
    h = CELLS[make.__name__.lower()].forward(from_torch(module), x.numpy()).h
    tolerance = 1e-12 if dtype == torch.float64 else 1e-6
    np.testing.assert_allclose(h[1:], module(x)[0].detach().numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_params_come_back_from_a_torch_module_to_the_last_bit(cell, dtype):
    params = draw(cell, np.random.default_rng(3), dtype)
    back = from_torch(to_torch(params))
    assert type(back) is type(params)
    for ours, theirs in zip(params, back, strict=True):
        np.testing.assert_array_equal(theirs, ours)
        assert theirs.dtype == dtype


@pytest.mark.parametrize("cell", CELLS)
def test_the_torch_module_has_the_sizes_and_trains(cell):
    module = to_torch(draw(cell, np.random.default_rng(3)))
    assert (module.input_size, module.hidden_size, module.num_layers) == (D, H, 1)
    module(torch.randn(T, B, D, dtype=torch.float64))[0].sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_the_torch_modules_second_bias_is_zero():
    assert not to_torch(draw("lstm", np.random.default_rng(3))).bias_hh_l0.any()


def test_the_torch_grus_second_bias_holds_b_hn_alone():
    params = draw("gru", np.random.default_rng(3))
    bias = to_torch(params).bias_hh_l0.detach().numpy()
    np.testing.assert_array_equal(bias, np.concatenate([np.zeros(2 * H), params.b_hn]))


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_module_without_biases_has_zero_ones_in_params(make):
    params = from_torch(make(D, H, bias=False))
    assert not any(bias.any() for bias in params[2:])


def test_params_share_no_memory_with_the_module():
    module = nn.LSTM(D, H)
    params = from_torch(module)
    before = params.W_x.copy()
    with torch.no_grad():
        module.weight_ih_l0.zero_()
    np.testing.assert_array_equal(params.W_x, before)


def test_making_a_torch_module_leaves_the_random_generator_alone():
    before = torch.get_rng_state()
    to_torch(draw("lstm", np.random.default_rng(0)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.LSTM(D, H, num_layers=2), "num_layers=1, got 2"),
        (nn.GRU(D, H, bidirectional=True), "bidirectional=False, got True"),
        (nn.LSTM(D, H, proj_size=2), "proj_size=0, got 2"),
        (nn.RNN(D, H, nonlinearity="relu"), "nonlinearity='tanh', got 'relu'"),
    ],
)
def test_an_option_that_numpy_cells_lack_is_named(module, message):
    with pytest.raises(ValueError, match=f"module must have {message}"):
        from_torch(module)


def test_another_module_is_refused():
    with pytest.raises(TypeError, match=r"module must be .*torch_cells, got Linear"):
        from_torch(nn.Linear(D, H))


def test_a_half_precision_module_is_refused():
    with pytest.raises(TypeError, match=r"weight_ih_l0 must be float32 or float64, got .*16"):
        from_torch(nn.LSTM(D, H, dtype=torch.bfloat16))


def test_other_things_than_params_are_refused():
    with pytest.raises(TypeError, match=r"params must be the Params of .*got dict"):
        to_torch(draw("lstm", np.random.default_rng(0))._asdict())


def test_half_precision_params_are_refused():
    params = draw("lstm", np.random.default_rng(0))
    with pytest.raises(TypeError, match="W_x must be float32 or float64, got float16"):
        to_torch(lstm.Params(*(array.astype(np.float16) for array in params)))


def test_importing_convert_does_not_import_torch():
    code = "import sys, lstm_lib.convert; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def markdown(rows):
    """The rows as a table of MyST Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@pytest.mark.parametrize("cell", CELLS)
def test_the_conventions_page_shows_the_data(cell):
    tables = re.findall(r"(?:^\|.*\|\n)+", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert markdown(switchboard(cell)) + "\n" in tables


def test_the_example_on_the_conventions_page_runs():
    example = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict = {}
    exec(example.group(1), names)
    assert names["keras"]["bias"].shape == (2, 15)


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)
def test_the_conventions_page_names_every_source(convention):
    assert f"- **{convention.title}**: {convention.source}.\n" in PAGE.read_text(encoding="utf-8")
