"""Exact cases and properties of the cells in NumPy."""

import ast
import inspect
import subprocess
import sys
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from cells import GRU, IN_NUMPY, LSTM, RNN, Family, as_arrays, draw_params, draw_state
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from lstm_lib.numpy_cells import gru, lstm, rnn, sigmoid

every_family = pytest.mark.parametrize("family", IN_NUMPY, ids=lambda family: family.name)
BIG = 1e3  # σ(±1000) is exactly 1 and 0 in float64


def lstm_with_gates(i: float, f: float, o: float, H: int = 3) -> lstm.Params:
    """An LSTM whose gates hang on their biases alone, with a candidate that is tanh(x)."""
    W_x = np.zeros((H, 4, H))
    W_x[:, 2] = np.eye(H)
    b = np.repeat([i, f, 0.0, o], H)
    return lstm.Params(W_x.reshape(H, 4 * H), np.zeros((H, 4 * H)), b)


def test_f_1_and_i_0_keep_c_for_1000_steps_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    c_0 = rng.normal(size=(2, 3))
    params = lstm_with_gates(-BIG, BIG, BIG)
    trace = lstm.forward(params, rng.normal(size=(1000, 2, 3)), (np.zeros((2, 3)), c_0))
    assert np.array_equal(trace.c, np.broadcast_to(c_0, (1001, 2, 3)))


def test_f_1_and_i_0_bring_the_gradient_back_over_1000_steps_to_the_last_bit() -> None:
    x = np.zeros((1000, 1, 3))
    params = lstm_with_gates(-BIG, BIG, BIG)
    trace = lstm.forward(params, x, (np.zeros((1, 3)), np.full((1, 3), 0.7)))
    arriving = np.array([[1.0, -2.0, 0.5]])
    gradients = lstm.backward(params, x, trace, np.zeros((1000, 1, 3)), (0 * arriving, arriving))
    assert np.array_equal(gradients.state[1], arriving)


def test_f_0_and_i_1_make_c_the_candidate() -> None:
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    trace = lstm.forward(lstm_with_gates(BIG, -BIG, BIG), x)
    assert np.array_equal(trace.c[1:], np.tanh(x))


def test_o_0_hides_the_cell_state() -> None:
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    trace = lstm.forward(lstm_with_gates(BIG, BIG, -BIG), x)
    assert np.all(trace.h == 0)
    assert np.all(trace.c[1:] != 0)


def test_z_1_keeps_the_state_of_a_gru_to_the_last_bit() -> None:
    h_0 = np.array([[0.3, -0.9]])
    params = gru.Params(np.ones((1, 6)), np.ones((2, 6)), np.repeat([0, BIG, 0.0], 2), np.ones(2))
    trace = gru.forward(params, np.ones((50, 1, 1)), h_0)
    assert np.array_equal(trace.h, np.broadcast_to(h_0, (51, 1, 2)))


def test_an_rnn_step_worked_by_hand() -> None:
    params = rnn.Params(np.array([[0.5]]), np.array([[2.0]]), np.array([-0.25]))
    trace = rnn.forward(params, np.array([[[1.0]], [[0.0]]]))
    h_1 = np.tanh(0.25)
    assert trace.h.ravel().tolist() == [0.0, h_1, np.tanh(2 * h_1 - 0.25)]


def test_an_lstm_step_worked_by_hand() -> None:
    params = lstm.Params(np.zeros((1, 4)), np.zeros((1, 4)), np.log([3.0, 9.0, 2.0, 4.0]))
    trace = lstm.forward(params, np.zeros((1, 1, 1)), (np.zeros((1, 1)), np.ones((1, 1))))
    i, f, g, o = 3 / 4, 9 / 10, 3 / 5, 4 / 5  # σ(ln k) = k/(k+1), tanh(ln 2) = 3/5
    step = [a[1, 0, 0] for a in (trace.i, trace.f, trace.g, trace.o, trace.c, trace.h)]
    c = f + i * g
    np.testing.assert_allclose(step, [i, f, g, o, c, o * np.tanh(c)], rtol=1e-15)


def test_a_gru_step_worked_by_hand() -> None:
    params = gru.Params(np.zeros((1, 3)), np.zeros((1, 3)), np.log([3.0, 4.0, 1.0]), np.log([2.0]))
    trace = gru.forward(params, np.zeros((1, 1, 1)), np.full((1, 1), 0.5))
    r, z = 3 / 4, 4 / 5
    n = np.tanh(r * np.log(2))
    np.testing.assert_allclose(trace.h[1], [[(1 - z) * n + z * 0.5]], rtol=1e-15)


@every_family
def test_a_split_sequence_with_carried_state_gives_the_whole(family: Family) -> None:
    rng = np.random.default_rng(1)
    params, x = draw_params(family, rng, 3, 4), rng.normal(size=(9, 2, 3))
    whole = family.numpy.forward(params, x)
    first = family.numpy.forward(params, x[:4])
    carried = (first.h[-1], first.c[-1]) if family.states == 2 else first.h[-1]
    second = family.numpy.forward(params, x[4:], carried)
    for a, b, c in zip(whole, first, second, strict=True):
        np.testing.assert_allclose(np.concatenate([b, c[1:]]), a, rtol=0, atol=1e-15)


@every_family
def test_split_backward_passes_add_up_to_the_whole(family: Family) -> None:
    rng = np.random.default_rng(2)
    params, x, dh = (
        draw_params(family, rng, 3, 4),
        rng.normal(size=(9, 2, 3)),
        rng.normal(size=(9, 2, 4)),
    )
    cell = family.numpy
    whole = cell.backward(params, x, cell.forward(params, x), dh)
    first = cell.forward(params, x[:4])
    carried = (first.h[-1], first.c[-1]) if family.states == 2 else first.h[-1]
    late = cell.backward(params, x[4:], cell.forward(params, x[4:], carried), dh[4:])
    early = cell.backward(params, x[:4], first, dh[:4], late.state)
    for a, b, c in zip(whole.params, early.params, late.params, strict=True):
        np.testing.assert_allclose(b + c, a, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.concatenate([early.x, late.x]), whole.x, rtol=1e-12, atol=1e-14)


@every_family
def test_permuting_the_batch_permutes_the_trace(family: Family) -> None:
    rng = np.random.default_rng(3)
    params, x = draw_params(family, rng, 3, 4), rng.normal(size=(5, 6, 3))
    order = rng.permutation(6)
    for a, b in zip(
        family.numpy.forward(params, x), family.numpy.forward(params, x[:, order]), strict=True
    ):
        np.testing.assert_allclose(b, a[:, order], rtol=0, atol=1e-15)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_gates_lie_in_0_to_1_and_candidates_in_minus_1_to_1(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    x = size * rng.normal(size=(4, 2, 3))
    trace = lstm.forward(draw_params(LSTM, rng, 3, 4), x)
    other = gru.forward(draw_params(GRU, rng, 3, 4), x)
    for gate in (trace.i, trace.f, trace.o, other.r, other.z):
        assert np.all((gate[1:] > 0) & (gate[1:] < 1))
    assert max(np.abs(a).max() for a in (trace.g, trace.h, other.n, other.h)) < 1


@every_family
def test_row_0_of_the_gates_is_zero_and_of_the_states_is_the_start(family: Family) -> None:
    rng = np.random.default_rng(4)
    state = draw_state(family, rng, 2, 4)
    trace = family.numpy.forward(draw_params(family, rng, 3, 4), rng.normal(size=(5, 2, 3)), state)
    for name in family.gates:
        assert not getattr(trace, name)[0].any()
    for name, start in zip("hc", as_arrays(state), strict=False):
        assert np.array_equal(getattr(trace, name)[0], start)


@pytest.mark.parametrize("family", [LSTM, GRU], ids=lambda family: family.name)
def test_the_gates_of_a_trace_are_views_of_one_array(family: Family) -> None:
    rng = np.random.default_rng(5)
    trace = family.numpy.forward(draw_params(family, rng, 2, 3), rng.normal(size=(4, 2, 2)))
    bases = {id(getattr(trace, name).base) for name in family.gates}
    assert len(bases) == 1
    assert getattr(trace, family.gates[0]).base is not None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_family
def test_the_dtype_of_the_weights_is_kept_throughout(family: Family, dtype: Any) -> None:
    rng = np.random.default_rng(6)
    params = family.numpy.init_params(rng, 3, 4, dtype=dtype)
    x = rng.normal(size=(5, 2, 3)).astype(dtype)
    trace = family.numpy.forward(params, x)
    gradients = family.numpy.backward(params, x, trace, trace.h[1:])
    arrays = (*params, *trace, *gradients.params, gradients.x, *as_arrays(gradients.state))
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}


@every_family
def test_neither_pass_changes_its_arguments(family: Family) -> None:
    rng = np.random.default_rng(7)
    params, x = draw_params(family, rng, 3, 4), rng.normal(size=(5, 2, 3))
    state, dh = draw_state(family, rng, 2, 4), rng.normal(size=(5, 2, 4))
    trace = family.numpy.forward(params, x, state)
    given = (*params, x, *as_arrays(state), dh, *trace)
    before = [a.copy() for a in given]
    family.numpy.backward(params, x, trace, dh, state)
    family.numpy.forward(params, x, state)
    assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))


@every_family
def test_init_params_is_a_function_of_its_generator(family: Family) -> None:
    a, b, c = (family.numpy.init_params(np.random.default_rng(s), 3, 4) for s in (0, 0, 1))
    assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))
    assert not np.array_equal(a.W_h, c.W_h)
    assert np.abs(a.W_h).max() <= 4**-0.5


def test_the_forget_bias_stands_in_the_second_quarter_alone() -> None:
    b = lstm.init_params(np.random.default_rng(0), 3, 2, forget_bias=2.5).b
    assert b.tolist() == [0, 0, 2.5, 2.5, 0, 0, 0, 0]
    assert lstm.init_params(np.random.default_rng(0), 3, 2).b[2:4].tolist() == [1, 1]


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.7])
def test_the_spectral_radius_asked_for_is_the_one_drawn(radius: float) -> None:
    W_h = rnn.init_params(np.random.default_rng(0), 3, 20, spectral_radius=radius).W_h
    assert np.abs(np.linalg.eigvals(W_h)).max() == pytest.approx(radius, rel=1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(hnp.arrays(np.float64, 5, elements=st.floats(-700, 700)))
def test_sigmoid_is_1_over_1_plus_exp_minus_z(z: np.ndarray) -> None:
    np.testing.assert_allclose(sigmoid(z), 1 / (1 + np.exp(-z)), rtol=1e-15)


def test_sigmoid_neither_overflows_nor_hides_nan() -> None:
    z = np.array([-np.inf, -1e4, 0, 1e4, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(sigmoid(z), np.array([0, 0, 0.5, 1, 1, np.nan], np.float32))


def test_nan_in_one_sequence_reaches_its_own_later_steps_alone() -> None:
    rng = np.random.default_rng(8)
    for family in (RNN, LSTM, GRU):
        x = rng.normal(size=(6, 3, 2))
        x[2, 1, 0] = np.nan
        h = family.numpy.forward(draw_params(family, rng, 2, 4), x).h
        assert np.isnan(h[3:, 1]).all()
        assert not np.isnan(h[:, [0, 2]]).any()
        assert not np.isnan(h[:3]).any()


@pytest.mark.parametrize("module", ["lstm_lib.numpy_cells", "lstm_lib"])
def test_the_numpy_cells_import_neither_torch_nor_matplotlib(module: str) -> None:
    code = f"import sys, {module}; print({{'torch', 'matplotlib', 'sklearn'}} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("module", [rnn, lstm, gru], ids=lambda module: module.__name__)
def test_the_equations_stand_in_the_docstring_in_the_order_of_the_code(module: Any) -> None:
    equations = [
        line.split("=")[0].strip()
        for line in module.__doc__.splitlines()
        if line.startswith("    ")
    ]
    tree = ast.parse(inspect.getsource(module.forward))
    loop = next(node for node in ast.walk(tree) if isinstance(node, ast.For))
    names = [
        name.id
        for statement in loop.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load) and len(name.id) == 1
    ]
    written = [f"{name}_t" for name in names if name != "t"]
    assert written == equations
