"""The LSTM with a state kept every few steps gives what the plain one gives, in less memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lib.numpy_cells import gru, lstm, segmented


def setting(T, B=2, D=3, H=4, dtype=np.float64):
    rng = np.random.default_rng(T)
    params = lstm.init_params(rng, D, H, dtype=dtype)
    x, dh = rng.normal(size=(T, B, D)).astype(dtype), rng.normal(size=(T, B, H)).astype(dtype)
    state, dstate = ((rng.normal(size=(B, H)).astype(dtype),) * 2 for _ in range(2))
    return params, x, dh, state, dstate


@settings(max_examples=25, deadline=None)
@given(T=st.integers(1, 70), every=st.one_of(st.none(), st.integers(1, 35)))
def test_states_and_gradients_are_those_of_the_plain_cell_for_any_segment(T, every):
    params, x, dh, state, dstate = setting(T)
    trace = lstm.forward(params, x, state)
    kept = segmented.forward(params, x, state, every=every)
    np.testing.assert_allclose(kept.h, trace.h, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(kept.c, trace.c[: -1 : kept.every], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(kept.c_T, trace.c[-1], rtol=1e-12, atol=1e-14)
    plain = lstm.backward(params, x, trace, dh, dstate)
    ours = segmented.backward(params, x, kept, dh, dstate)
    pairs = zip(
        (*ours.params, ours.x, *ours.state), (*plain.params, plain.x, *plain.state), strict=True
    )
    for mine, expected in pairs:
        np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-12)


def test_start_and_end_may_be_left_out_as_in_the_plain_cell():
    params, x, dh, _, _ = setting(10)
    plain = lstm.backward(params, x, lstm.forward(params, x), dh)
    ours = segmented.backward(params, x, segmented.forward(params, x), dh)
    np.testing.assert_allclose(ours.x, plain.x, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("T", "every", "segments"), [(1, 1, 1), (9, 1, 9), (70, 2, 35), (150, 3, 50)]
)
def test_a_segment_is_a_quarter_of_the_root_of_the_length(T, every, segments):
    params, x, *_ = setting(T)
    kept = segmented.forward(params, x)
    assert (kept.every, len(kept.c)) == (every, segments)


def test_float32_stays_float32():
    params, x, dh, state, dstate = setting(10, dtype=np.float32)
    kept = segmented.forward(params, x, state)
    gradients = segmented.backward(params, x, kept, dh, dstate)
    arrays = (*kept[:3], *gradients.params, gradients.x, *gradients.state)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def peak(work):
    """The most memory that `work` held at once, in arrays of the size of x."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_beyond_output_and_gradients_almost_nothing_is_held():
    params, x, dh, _, _ = setting(2500, B=4, D=8, H=8, dtype=np.float32)
    ours = peak(lambda: segmented.backward(params, x, segmented.forward(params, x), dh))
    plain = peak(lambda: lstm.backward(params, x, lstm.forward(params, x), dh))
    assert ours < 1.15 * (x.nbytes + dh.nbytes) < plain / 4


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"every": 0}, ValueError, "every must be a positive integer, got 0"),
        ({"x": np.zeros((5, 3))}, ValueError, r"x must be \(T, B, D=3\), got \(5, 3\)"),
        ({"state": np.zeros((2, 4))}, TypeError, "state must be a pair"),
        ({"cell": gru}, ValueError, r"cell must be the module lstm or fast_lstm, got .*\.gru"),
        ({"cell": "lstm"}, ValueError, "cell must be the module lstm or fast_lstm, got 'lstm'"),
    ],
)
def test_forward_names_the_argument_that_does_not_fit(change, error, message):
    params, x, *_ = setting(5)
    with pytest.raises(error, match=message):
        segmented.forward(**({"params": params, "x": x} | change))


def test_backward_asks_for_what_forward_kept_of_the_same_sequence():
    params, x, dh, _, _ = setting(5)
    kept = segmented.forward(params, x)
    with pytest.raises(ValueError, match=r"kept.h must be \(T\+1=5, B=2, H=4\), got \(6, 2, 4\)"):
        segmented.backward(params, x[:4], kept, dh[:4])
    with pytest.raises(ValueError, match=r"dh must be \(T=5, B=2, H=4\), got \(4, 2, 4\)"):
        segmented.backward(params, x, kept, dh[:4])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"every": 3}, ValueError, r"kept.c must be \(⌈T/every⌉=2, B=2, H=4\), got \(3, 2, 4\)"),
        ({"every": 0}, ValueError, "kept.every must be a positive integer, got 0"),
        ({"every": True}, ValueError, "kept.every must be a positive integer, got True"),
        ({"c": np.zeros((2, 2, 4))}, ValueError, r"kept.c must be .*, got \(2, 2, 4\)"),
        ({"c": np.zeros((3, 2, 4), "f4")}, TypeError, "kept.c must be float64"),
    ],
)
def test_backward_names_what_was_changed_in_what_was_kept(change, error, message):
    params, x, dh, _, _ = setting(5)
    kept = segmented.forward(params, x, every=2)._replace(**change)
    with pytest.raises(error, match=message):
        segmented.backward(params, x, kept, dh)


def test_backward_refuses_a_trace_and_another_cell():
    params, x, dh, _, _ = setting(5)
    kept = segmented.forward(params, x)
    with pytest.raises(TypeError, match=r"kept must be segmented\.Kept, got lstm\.Trace"):
        segmented.backward(params, x, lstm.forward(params, x), dh)
    with pytest.raises(ValueError, match="cell must be the module lstm or fast_lstm, got None"):
        segmented.backward(params, x, kept, dh, cell=None)
