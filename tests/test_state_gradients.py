"""Gradients by every state against central differences, and the checker against wrong ones."""

import numpy as np
import pytest

from lstm_lib.gradients import check_gradients, state_gradients
from lstm_lib.numpy_cells import gru, lstm, rnn

CELLS = [rnn, lstm, gru]
T, B, D, H = 5, 2, 3, 4


def setting(cell):
    rng = np.random.default_rng(3)
    params = cell.Params(*(rng.normal(0, 0.7, p.shape) for p in cell.init_params(rng, D, H)))
    x, dh, last = (rng.normal(size=s) for s in ((T, B, D), (T, B, H), (2, B, H)))
    return params, x, dh, (last[0], last[1])


def end_of(cell, trace):
    return (trace.h[-1], trace.c[-1]) if cell is lstm else (trace.h[-1],)


def loss_from(cell, params, x, dh, dstate, k, state):
    """Σ h·dh over the steps k … T plus the last state's part, where `state` is after step k."""
    loss = np.sum(state[0] * dh[k - 1]) if k else 0.0
    if k < T:
        trace = cell.forward(params, x[k:], state if cell is lstm else state[0])
        loss += np.sum(trace.h[1:] * dh[k:])
        state = end_of(cell, trace)
    return loss + sum(np.sum(s * d) for s, d in zip(state, dstate, strict=False))


@pytest.mark.parametrize("k", range(T + 1))
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_by_a_hidden_state_is_what_a_nudge_of_it_does(cell, k):
    params, x, dh, last = setting(cell)
    dstate = last if cell is lstm else last[0]
    trace = cell.forward(params, x)
    at_k = {"h": trace.h[k]} | ({"c": trace.c[k]} if cell is lstm else {})

    def loss(state):
        return loss_from(cell, params, x, dh, last, k, tuple(state.values()))

    given = state_gradients(cell, params, x, dh, dstate)
    gradients = {"h": given.h[k]}
    if cell is lstm:  # here h_k is held fixed, so the part through it is taken off
        gradients["c"] = given.c[k] - given.h[k] * trace.o[k] * (1 - np.tanh(trace.c[k]) ** 2)
    assert check_gradients(loss, at_k, gradients).ok


@pytest.mark.parametrize("k", range(1, T + 1))
def test_the_gradient_by_a_cell_state_counts_the_way_through_its_hidden_state(k):
    params, x, dh, last = setting(lstm)
    trace = lstm.forward(params, x)

    def loss(state):
        c = state["c"]
        return loss_from(lstm, params, x, dh, last, k, (trace.o[k] * np.tanh(c), c))

    by_c = state_gradients(lstm, params, x, dh, last).c[k]
    assert check_gradients(loss, {"c": trace.c[k]}, {"c": by_c}).ok


@pytest.mark.parametrize("cell", CELLS)
def test_row_0_is_the_gradient_of_the_start_that_backward_gives(cell):
    params, x, dh, _ = setting(cell)
    rng = np.random.default_rng(0)
    h, c = rng.normal(size=(2, B, H))
    state = (h, c) if cell is lstm else h
    expected = cell.backward(params, x, cell.forward(params, x, state), dh).state
    ours = state_gradients(cell, params, x, dh, state=state)
    pairs = [(ours.h, expected[0]), (ours.c, expected[1])] if cell is lstm else [(ours.h, expected)]
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine[0], theirs, rtol=1e-12, atol=1e-14)
    assert (ours.c is None) == (cell is not lstm)


def cubes(arrays):
    return float(np.sum(arrays["a"] ** 3) + 2 * np.sum(arrays["b"]))


def right():
    a = np.array([[1.0, -2.0], [0.5, 3.0]])
    return {"a": a, "b": np.ones(3)}, {"a": 3 * a**2, "b": np.full(3, 2.0)}


@pytest.mark.parametrize("cell", CELLS)
def test_the_backward_pass_of_every_cell_is_found_right(cell):
    params, x, dh, _ = setting(cell)
    gradients = cell.backward(params, x, cell.forward(params, x), dh).params
    check = check_gradients(lambda p: np.sum(cell.forward(p, x).h[1:] * dh), params, gradients)
    assert check.ok
    assert str(check).startswith("right: no entry is off by more than ")


def test_the_entry_that_is_furthest_off_is_named_with_both_values():
    arrays, gradients = right()
    gradients["a"][1, 0] += 0.5
    gradients["b"][2] += 0.01
    check = check_gradients(cubes, arrays, gradients)
    assert (check.ok, check.worst) == (False, "a[1, 0]")
    assert check.given == 1.25
    assert check.measured == pytest.approx(0.75, abs=1e-8)
    assert check.error == pytest.approx(0.5 / 27, rel=1e-6)
    assert str(check) == "wrong: a[1, 0] is given as 1.250000, measured 0.750000"


def test_an_array_with_small_derivatives_is_judged_by_its_own_scale():
    arrays, gradients = right()
    small = {"a": arrays["a"] * 1e-4, "b": arrays["b"]}
    gradients["a"] = 3 * small["a"] ** 2 * 1.1
    loss = lambda p: float(np.sum(p["a"] ** 3) + 2e-9 * np.sum(p["b"]))  # noqa: E731
    gradients["b"] = np.full(3, 2e-9)
    assert check_gradients(loss, small, gradients).worst.startswith("a")
    assert not check_gradients(loss, small, gradients).ok


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_wrong(bad):
    arrays, gradients = right()
    gradients["b"][1] = bad
    gradients["a"][0, 0] = 99.0
    check = check_gradients(cubes, arrays, gradients)
    assert (check.ok, check.worst) == (False, "b[1]")


def test_what_is_only_rounding_is_no_error():
    arrays = {"a": np.array([1.0, 0.3, -0.7])}
    loss = lambda p: 1e6 + 1e-3 * float(np.sum(p["a"]))  # noqa: E731
    assert check_gradients(loss, arrays, {"a": np.full(3, 1e-3)}).ok


def test_arrays_that_may_not_be_written_are_checked_in_a_copy():
    arrays, gradients = right()
    arrays["a"].flags.writeable = False
    assert check_gradients(cubes, arrays, gradients).ok


def test_only_so_many_entries_are_measured_and_the_arrays_stay_as_they_were():
    arrays, gradients = right()
    before, calls = {name: array.copy() for name, array in arrays.items()}, []

    def counted(p):
        calls.append(1)
        return cubes(p)

    assert check_gradients(counted, arrays, gradients, entries=2).ok
    assert len(calls) == 1 + 2 * (2 + 2)
    assert all(np.array_equal(arrays[name], before[name]) for name in arrays)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gradients": {"a": np.ones((2, 2))}}, ValueError, "must have the names a, b, got a"),
        ({"gradients": {"a": np.ones(4), "b": np.ones(3)}}, ValueError, r"of a must be \(2, 2\)"),
        ({"gradients": [1.0]}, TypeError, "gradients must be a named tuple or a dict of arrays"),
        ({"loss": lambda _: np.nan}, ValueError, "loss must be finite, got nan"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_so(change, error, message):
    arrays, gradients = right()
    with pytest.raises(error, match=message):
        check_gradients(**({"loss": cubes, "arrays": arrays, "gradients": gradients} | change))


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.ones(3, np.float32), TypeError, "b must be float64 to be checked, got float32"),
        (np.ones(0), ValueError, r"b must have at least one entry, got shape \(0,\)"),
    ],
)
def test_an_array_that_cannot_be_nudged_is_named(array, error, message):
    arrays, gradients = right()
    with pytest.raises(error, match=message):
        check_gradients(cubes, arrays | {"b": array}, gradients | {"b": array})
