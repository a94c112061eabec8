"""The fast NumPy cells: what they promise beyond giving what the readable cells give.

That they do give it, in values, gradients, errors and odd sizes, is tested where the readable ones
are: `test_agreement`, `test_numpy_cells`, `test_bad_input`.
"""

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from cells import (
    FAMILIES,
    FAST,
    FAST_LSTM,
    LSTM,
    Family,
    as_arrays,
    draw_params,
    draw_state,
    torch_twins,
)

from lstm_lib.numpy_cells import _feature_major as feature_major
from lstm_lib.numpy_cells import fast_lstm, lstm, segmented

every_fast = pytest.mark.parametrize("family", FAST, ids=lambda family: family.name)
# Large enough that the products of a step are cut: of 10^6 multiplications and more.
CUT = (3, 64, 5, 128)  # T, B, D, H


def case(family: Family, size: tuple[int, int, int, int], dtype: Any = float) -> Any:
    """Weights, x, start, and the gradients that arrive, all drawn."""
    T, B, D, H = size
    rng = np.random.default_rng(3)
    params = draw_params(family, rng, D, H, dtype)
    x, dh = (rng.normal(size=(T, B, n)).astype(dtype) for n in (D, H))
    state, dstate = (draw_state(family, rng, B, H, dtype) for _ in range(2))
    return params, x, state, dh, dstate


def both_passes(cell: Any, case: Any, **options: Any) -> list[np.ndarray]:
    """All that both passes return, as one list of arrays."""
    params, x, state, dh, dstate = case
    trace = cell.forward(params, x, state, **options)
    gradients = cell.backward(params, x, trace, dh, dstate, **options)
    return [*trace, *gradients.params, gradients.x, *as_arrays(gradients.state)]


def assert_close(ours: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    for a, b in zip(ours, expected, strict=True):
        assert np.abs(a - b).max() <= tolerance * np.abs(b).max()


@pytest.mark.parametrize("blocked", [True, False, None])
@every_fast
def test_products_in_pieces_and_whole_give_what_the_readable_cell_gives(
    family: Family, blocked: bool | None
) -> None:
    given = case(family, CUT)
    readable = family.name.removeprefix("fast_")
    expected = both_passes(next(f.numpy for f in FAMILIES if f.name == readable), given)
    assert_close(both_passes(family.numpy, given, blocked=blocked), expected, 1e-12)


@every_fast
def test_several_chunks_of_steps_with_a_shorter_one_give_the_whole(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = case(family, (11, 3, 2, 4))
    expected = both_passes(family.numpy, given)
    monkeypatch.setattr(feature_major, "COLUMNS", 9)  # chunks of 3, 3, 3 and 2 steps
    assert feature_major.steps_a_chunk(11, 3) == 3
    assert_close(both_passes(family.numpy, given), expected, 1e-13)


def test_a_chunk_has_about_as_many_columns_as_a_cache_takes_and_no_small_rest() -> None:
    assert feature_major.steps_a_chunk(1000, 64) == 12  # 84 chunks of 12 · 64 = 768
    assert feature_major.steps_a_chunk(35, 20) == 35  # 700 columns: all in one
    assert feature_major.steps_a_chunk(40, 20) == 20  # 800: two halves, not 38 and 2
    assert feature_major.steps_a_chunk(7, 5000) == 1


def test_a_product_is_cut_where_pieces_can_be_small_and_are_faster_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    W = np.ones((512, 200))
    monkeypatch.setattr(feature_major, "pieces_are_faster", lambda dtype: dtype == np.float64)
    assert feature_major.product(W, 64, None).shape == (8, 64, 64)
    assert feature_major.product(W.astype(np.float32), 64, None).shape == (512, 64)
    assert feature_major.product(W, 64, False).shape == (512, 64)
    assert feature_major.product(W.astype(np.float32), 64, True).shape == (8, 64, 64)


@pytest.mark.parametrize(
    ("rows", "K", "B"),
    [
        (512, 200, 2),  # small as it is
        (512, 20_000, 1),  # a matrix times a vector is not packed
        (514, 200, 64),  # 514 = 2 · 257: no piece is small
        (64, 2000, 256),  # a small piece would have one row
    ],
)
def test_a_product_stays_whole_where_pieces_would_not_help(rows: int, K: int, B: int) -> None:
    assert feature_major.product(np.ones((rows, K)), B, True).shape == (rows, B)


def test_which_way_is_faster_is_tried_once_for_each_dtype() -> None:
    tried = feature_major.pieces_are_faster
    tried.cache_clear()
    answers = [tried(np.dtype(kind)) for kind in ("f4", "f4", "f8", "f8")]
    assert answers[0] is answers[1]
    assert set(answers) <= {True, False}
    assert (tried.cache_info().misses, tried.cache_info().hits) == (2, 2)


@every_fast
def test_a_trace_given_as_out_is_written_over_and_the_result_is_the_same(family: Family) -> None:
    params, x, state, *_ = case(family, (5, 3, 2, 4))
    expected = [a.copy() for a in family.numpy.forward(params, x, state)]
    old = family.numpy.forward(params, np.full_like(x, 7.0))
    new = family.numpy.forward(params, x, state, out=old)
    assert all(np.array_equal(a, b) for a, b in zip(new, expected, strict=True))
    assert new.columns is old.columns


@pytest.mark.parametrize("rows", [slice(1, None), slice(None, -1), slice(None, 0, -1)], ids=str)
@every_fast
def test_input_and_start_can_be_views_of_the_trace_that_is_written_over(
    family: Family, rows: slice
) -> None:
    params, x, state, *_ = case(family, (5, 3, 4, 4))  # D = H: h can be the next layer's input
    old = family.numpy.forward(params, x, state)
    for k in range(4):
        h_0 = (old.h[0], old.h[1], old.h[-1], feature_major.to_rows(old.columns[1, 4:-1]))[k]
        start = (h_0, old.h[0]) if family.states == 2 else h_0
        copies = tuple(a.copy() for a in start) if family.states == 2 else start.copy()
        expected = [a.copy() for a in family.numpy.forward(params, old.h[rows].copy(), copies)]
        old = family.numpy.forward(params, old.h[rows], start, out=old)
        assert all(np.array_equal(a, b) for a, b in zip(old, expected, strict=True))


@every_fast
def test_backward_reads_the_input_that_the_trace_holds_and_no_other(family: Family) -> None:
    params, x, state, dh, _ = case(family, (5, 3, 2, 4))
    trace = family.numpy.forward(params, x, state)
    expected = family.numpy.backward(params, x, trace, dh)
    came = family.numpy.backward(params, x + 1, trace, dh)
    assert all(np.array_equal(a, b) for a, b in zip(came.params, expected.params, strict=True))


@every_fast
def test_out_of_other_sizes_or_another_kind_is_refused_by_name(family: Family) -> None:
    params, x, *_ = case(family, (5, 3, 2, 4))
    other = family.numpy.forward(params, x[:4])
    with pytest.raises(ValueError, match=r"out must be .* columns \(6, 7, 3\) float64, got \(5, 7"):
        family.numpy.forward(params, x, out=other)
    with pytest.raises(TypeError, match=f"out must be a {family.name}.Trace, got numpy.ndarray"):
        family.numpy.forward(params, x, out=x)


@every_fast
def test_a_trace_without_the_arrays_behind_it_is_refused(family: Family) -> None:
    params, x, state, dh, _ = case(family, (5, 3, 2, 4))
    made = family.numpy.forward(params, x, state)
    for bare in (made._replace(h=made.h), family.numpy.Trace(*made)):
        message = (
            "must be a trace as forward returns it: this one has no columns, as after _replace"
        )
        with pytest.raises(ValueError, match=f"trace {message}"):
            family.numpy.backward(params, x, bare, dh)
        with pytest.raises(ValueError, match=f"out {message}"):
            family.numpy.forward(params, x, out=bare)


@every_fast
def test_the_trace_of_an_input_of_another_width_is_refused(family: Family) -> None:
    params, x, _, dh, _ = case(family, (5, 3, 2, 4))
    narrow, short, *_ = case(family, (5, 3, 1, 4))  # h is as wide, and the gates are
    trace = family.numpy.forward(narrow, short)
    message = r"trace must be .* its columns \(6, 7, 3\) float64, got \(6, 6, 3\) float64"
    with pytest.raises(ValueError, match=message):
        family.numpy.backward(params, x, trace, dh)


@every_fast
def test_out_that_cannot_be_written_as_one_piece_is_refused(family: Family) -> None:
    params, x, *_ = case(family, (5, 3, 2, 4))
    trace = family.numpy.forward(params, x)
    columns = trace.columns
    trace.columns = np.asfortranarray(columns)
    with pytest.raises(ValueError, match=r"out\.columns must be C-contiguous and writeable"):
        family.numpy.forward(params, x, out=trace)
    trace.columns = columns
    columns.flags.writeable = False
    with pytest.raises(ValueError, match=r"out\.columns must be C-contiguous and writeable"):
        family.numpy.forward(params, x, out=trace)


@pytest.mark.parametrize("blocked", ["yes", 1, 0.0])
@every_fast
def test_blocked_is_true_false_or_none(family: Family, blocked: Any) -> None:
    params, x, *_ = case(family, (5, 3, 2, 4))
    with pytest.raises(TypeError, match=f"blocked must be True, False or None, got {blocked!r}"):
        family.numpy.forward(params, x, blocked=blocked)


def test_carved_arrays_start_at_a_cache_line_and_do_not_overlap() -> None:
    shapes = [(3, 5), (1,), (7, 2, 2)]
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        arrays = feature_major.carve(dtype, *shapes)
        assert [(a.shape, a.dtype) for a in arrays] == [(shape, dtype) for shape in shapes]
        assert [a.ctypes.data % feature_major.LINE for a in arrays] == [0, 0, 0]
        for k, a in enumerate(arrays):
            a[...] = k
        assert [set(a.ravel()) for a in arrays] == [{0}, {1}, {2}]


def test_float32_is_as_close_to_float64_as_torch_is() -> None:
    given = case(FAST_LSTM, (50, 16, 20, 64))
    params, x, *_ = given
    exact = lstm.forward(params, x).h[1:]
    single = lstm.Params(*(weights.astype(np.float32) for weights in params))
    ours = fast_lstm.forward(single, x.astype(np.float32)).h[1:]
    *_, module = torch_twins(LSTM, single)
    theirs = module(torch.tensor(x.astype(np.float32)))[0].detach().numpy()
    # The same sums in another order: neither is better by more than chance.
    assert np.abs(ours - exact).mean() < 1.5 * np.abs(theirs - exact).mean()


@every_fast
def test_a_trace_of_another_cell_is_refused(family: Family) -> None:
    params, x, state, dh, _ = case(family, (3, 2, 2, 4))
    readable = family.numpy.Trace.__base__
    trace = readable(*family.numpy.forward(params, x, state))
    name = family.name.removeprefix("fast_")
    with pytest.raises(TypeError, match=f"trace must be {family.name}.Trace, got {name}.Trace"):
        family.numpy.backward(params, x, trace, dh)


@every_fast
def test_a_second_backward_pass_gives_the_same_bits(family: Family) -> None:
    params, x, state, dh, dstate = case(family, (9, 4, 3, 5))
    trace = family.numpy.forward(params, x, state)
    first, second = (family.numpy.backward(params, x, trace, dh, dstate) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first.params, second.params, strict=True))
    assert np.array_equal(first.x, second.x)


def test_segments_of_the_fast_lstm_give_what_the_whole_gives() -> None:
    params, x, state, dh, dstate = case(FAST_LSTM, (50, 3, 2, 4))
    expected = lstm.backward(params, x, lstm.forward(params, x, state), dh, dstate)
    kept = segmented.forward(params, x, state, every=7, cell=fast_lstm)
    ours = segmented.backward(params, x, kept, dh, dstate, cell=fast_lstm)
    assert_close(
        [*ours.params, ours.x, *ours.state], [*expected.params, expected.x, *expected.state], 1e-12
    )


def test_1000_steps_need_little_memory_and_in_segments_hardly_any() -> None:
    rng = np.random.default_rng(0)
    params = lstm.init_params(rng, 32, 64, dtype=np.float32)
    x, dh = (rng.standard_normal((1000, 16, n), dtype=np.float32) for n in (32, 64))
    peaks = []
    for every in (1000, None):  # one segment, or of √T / 4 steps
        tracemalloc.start()
        kept = segmented.forward(params, x, every=every, cell=fast_lstm)
        gradients = segmented.backward(params, x, kept, dh, cell=fast_lstm)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    results = (kept.h.nbytes + gradients.x.nbytes) / 1e6
    assert results < peaks[0] < 41  # a tenth of what 10,000 steps may take
    assert results < peaks[1] < results + 2
