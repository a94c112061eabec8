"""The synthetic tasks: exact targets, closed forms, and arguments that don't fit."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lib import tasks

TASKS = [tasks.recall_first, tasks.adding, tasks.copy, tasks.latch]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_recall_first_asks_for_the_symbol_of_step_1():
    batch = tasks.recall_first(rng(), 30, 50)
    assert np.array_equal(batch.y, batch.x[0].argmax(axis=-1))


def test_recall_first_shows_symbols_only_at_step_1():
    x = tasks.recall_first(rng(), 30, 50, symbols=3, distractors=5).x
    assert x.shape == (30, 50, 8)
    assert np.all(x.sum(axis=-1) == 1)
    assert not x[0, :, 3:].any()
    assert not x[1:, :, :3].any()


def test_recall_first_draws_every_symbol_and_distractor_about_equally_often():
    x = tasks.recall_first(rng(), 11, 4000).x
    # Standard errors: 0.007 for symbols, 0.002 for distractors.
    assert x[0].mean(axis=0)[:4] == pytest.approx(0.25, abs=0.03)
    assert x[1:].mean(axis=(0, 1))[4:] == pytest.approx(0.25, abs=0.01)


def test_adding_marks_one_step_in_each_half():
    marker = tasks.adding(rng(), 9, 200).x[..., 1]
    assert np.array_equal(marker[:4].sum(axis=0), np.ones(200))
    assert np.array_equal(marker[4:].sum(axis=0), np.ones(200))
    assert marker.any(axis=1).all(), "some step is never marked"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adding_asks_for_the_sum_of_the_marked_values_to_the_last_bit(dtype):
    batch = tasks.adding(rng(), 20, 100, dtype=dtype)
    value, marked = batch.x[..., 0], batch.x[..., 1] == 1
    for b in range(100):
        first, second = value[marked[:, b], b]
        assert batch.y[b, 0] == first + second


def test_adding_draws_values_uniformly_between_0_and_1():
    value = tasks.adding(rng(), 50, 1000).x[..., 0]
    assert 0 <= value.min() < 0.01 < 0.99 < value.max() <= 1
    assert value.var() == pytest.approx(1 / 12, rel=0.02)


def test_copy_is_symbols_then_blanks_then_a_cue_then_blanks():
    x = tasks.copy(rng(), 7, 20, symbols=5, length=3).x
    shown = x.argmax(axis=-1)
    assert x.shape == (13, 20, 7)
    assert np.all(shown[:3] < 5)
    assert np.all(shown[3:9] == 5)
    assert np.all(shown[9] == 6)
    assert np.all(shown[10:] == 5)


def test_copy_asks_for_blanks_and_then_for_the_symbols_in_order():
    batch = tasks.copy(rng(), 7, 20, symbols=5, length=3)
    assert np.all(batch.y[:10] == 5)
    assert np.array_equal(batch.y[10:], batch.x[:3].argmax(axis=-1))


def test_copy_of_ten_symbols_after_a_thousand_steps_has_the_published_do_nothing_score():
    # Bai et al. (2018), table 1, report .0204 for an LSTM: that is this score.
    assert tasks.copy(rng(), 1000, 1).do_nothing == pytest.approx(0.02039, abs=5e-6)


def test_latch_holds_what_a_step_by_step_latch_holds():
    batch = tasks.latch(rng(), 40, 30, pulse=0.2)
    bit = np.zeros(30)
    for (sets, resets), y in zip(batch.x.transpose(0, 2, 1), batch.y[..., 0], strict=True):
        bit = np.where(sets == 1, 1, np.where(resets == 1, 0, bit))
        assert np.array_equal(y, bit)


def test_latch_never_sets_and_resets_at_once():
    x = tasks.latch(rng(), 100, 100, pulse=1).x
    assert np.all(x.sum(axis=-1) == 1)


def test_latch_pulses_as_often_as_asked():
    x = tasks.latch(rng(), 100, 500, pulse=0.3).x
    assert x.mean(axis=(0, 1)) == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("task", [tasks.adding, tasks.latch])
def test_the_closed_form_is_the_error_of_the_best_constant_answer(task):
    batch = task(rng(), 12, 40_000, dtype=np.float64)
    # Over the sequences, the mean is the constant with the least squared error (a step, if any).
    measured = batch.y.var(axis=-2).mean()
    assert batch.do_nothing == pytest.approx(measured, rel=0.015)


@pytest.mark.parametrize("pulse", [0.01, 0.1, 1.0])
def test_the_closed_form_of_latch_holds_for_rare_and_certain_pulses(pulse):
    batch = tasks.latch(rng(), 20, 40_000, pulse=pulse, dtype=np.float64)
    assert batch.do_nothing == pytest.approx(batch.y.var(axis=-2).mean(), rel=0.03)


@pytest.mark.parametrize("task", [tasks.recall_first, tasks.copy])
def test_the_closed_form_is_the_cross_entropy_of_the_best_constant_distribution(task):
    batch = task(rng(), 12, 40_000)
    steps = np.atleast_2d(batch.y)
    entropy = 0.0
    for y in steps:  # the best constant distribution is that of the classes
        share = np.bincount(y) / y.size
        entropy -= np.sum(share[share > 0] * np.log(share[share > 0])) / len(steps)
    assert batch.do_nothing == pytest.approx(entropy, rel=0.001)


def test_recall_first_scores_guessing_at_the_logarithm_of_the_alphabet():
    assert tasks.recall_first(rng(), 5, 2, symbols=7).do_nothing == math.log(7)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_batch(task):
    one, two = task(rng(3), 20, 4), task(rng(3), 20, 4)
    assert np.array_equal(one.x, two.x)
    assert np.array_equal(one.y, two.y)


@pytest.mark.parametrize("task", TASKS)
def test_another_seed_gives_another_batch(task):
    assert not np.array_equal(task(rng(3), 20, 4).x, task(rng(4), 20, 4).x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("task", TASKS)
def test_the_input_has_the_dtype_asked_for(task, dtype):
    batch = task(rng(), 20, 4, dtype=dtype)
    assert batch.x.dtype == dtype
    assert batch.y.dtype in (dtype, np.int64)


@pytest.mark.parametrize("task", TASKS)
@settings(deadline=None)
@given(T=st.integers(2, 30), B=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_shapes_fit_together_for_any_size(task, T, B, seed):
    batch = task(rng(seed), T, B)
    assert batch.x.ndim == 3
    assert batch.x.shape[:2] == ((T + 20, B) if task is tasks.copy else (T, B))
    assert batch.y.shape[0] in (B, batch.x.shape[0])
    assert np.isfinite(batch.x).all()


@pytest.mark.parametrize(
    ("task", "arguments", "message"),
    [
        (tasks.recall_first, {"T": 0, "B": 1}, "T must be at least 1, got 0"),
        (tasks.recall_first, {"T": 5, "B": 1, "symbols": 1}, "symbols must be at least 2, got 1"),
        (tasks.recall_first, {"T": 5, "B": 1, "distractors": 0}, "distractors must be at least 1"),
        (tasks.adding, {"T": 1, "B": 1}, "T must be at least 2, got 1"),
        (tasks.copy, {"T": 0, "B": 1}, "T must be at least 1, got 0"),
        (tasks.copy, {"T": 5, "B": 1, "symbols": 1}, "symbols must be at least 2, got 1"),
        (tasks.copy, {"T": 5, "B": 1, "length": 0}, "length must be at least 1, got 0"),
        (tasks.latch, {"T": 0, "B": 1}, "T must be at least 1, got 0"),
        (tasks.latch, {"T": 5, "B": 1, "pulse": 0}, r"pulse must be .* in \(0, 1\], got 0"),
        (tasks.latch, {"T": 5, "B": 1, "pulse": 1.1}, r"pulse must be .* got 1\.1"),
        (tasks.latch, {"T": 5, "B": 1, "pulse": math.nan}, r"pulse must be .* got nan"),
        *[(task, {"T": 5, "B": 0}, "B must be at least 1, got 0") for task in TASKS],
    ],
)
def test_a_value_out_of_range_is_named(task, arguments, message):
    with pytest.raises(ValueError, match=message):
        task(rng(), **arguments)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"T": 5.5}, r"T must be an integer, got 5\.5"),
        ({"B": "4"}, "B must be an integer, got '4'"),
        ({"dtype": int}, "dtype must be a floating type, got int64"),
        ({"rng": 0}, r"rng must be a numpy.random.Generator .* got 0"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(task, arguments, message):
    with pytest.raises(TypeError, match=message):
        task(**{"rng": rng(), "T": 5, "B": 4, **arguments})


def test_importing_tasks_train_and_probes_does_not_import_torch():
    code = (
        "import sys; import lstm_lib.tasks.published, lstm_lib.train, lstm_lib.probes;"
        "lstm_lib.train.fit_numpy; raise SystemExit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
