"""The tasks of 1997 to 2002: what all have in common, and those of symbols (2 and 6)."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lib.tasks import published

TASKS = [
    published.Reber(),
    published.LongLag(6),
    published.LongLag(6, random_middle=True),
    published.LongLag(6, random_middle=True, at_end=True),
    published.LongLag(6, at_end=True),
    published.NoisyLag(5, 3),
    published.TwoSequences(20, 1),
    published.TwoSequences(20, 3, variant="b"),
    published.TwoSequences(20, 3, variant="c"),
    published.Adding(30),
    published.Multiplication(30),
    published.TemporalOrder(2),
    published.TemporalOrder(3),
    published.ContinualReber(30),
    published.SpikeDelays(4, (0, 1, 5), spikes=3),
]
SCORED = [task for task in TASKS if task.do_nothing is not None]
seeds = st.integers(0, 2**32 - 1)
# Of section 5.6, once more.
PLACES = {2: [(10, 20), (50, 60)], 3: [(10, 20), (33, 43), (66, 76)]}
unhurried = settings(deadline=None)  # time decides no test


def rng(seed=0):
    return np.random.default_rng(seed)


def shown(sequence):
    return sequence.index[:, 0].tolist()


@pytest.mark.parametrize("task", TASKS, ids=repr)
@unhurried
@given(seed=seeds)
def test_every_sequence_has_its_shapes_and_asks_for_something(task, seed):
    one = task.draw(rng(seed))
    assert one.x.shape == (len(one), task.D)
    assert one.y.shape == one.ideal.shape == (len(one), task.K)
    assert one.asked.any()
    assert not one.y[~one.asked].any()
    assert not (one.judged & ~one.asked).any(), "judged where nothing is taught"


@pytest.mark.parametrize("task", TASKS, ids=repr)
@unhurried
@given(seed=seeds)
def test_the_ideal_answer_is_right_by_every_rule(task, seed):
    one = task.draw(rng(seed))
    error = task.error(one, one.ideal)
    for rule in task.rules.values():
        assert rule.met(np.tile(error, (rule.count, 1)))


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_the_same_seed_gives_the_same_batch_and_another_one_another(task):
    one, two, other = (task.batch(rng(seed), 30) for seed in (3, 3, 4))
    assert np.array_equal(one.x, two.x)
    assert np.array_equal(one.y, two.y)
    assert not np.array_equal(one.y, other.y)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_batch_is_its_sequences_side_by_side_and_then_zeros(task):
    batch = task.batch(rng(), 5, dtype=np.float64)
    for b, one in enumerate(batch.sequences):
        L = batch.lengths[b]
        assert np.array_equal(batch.x[:L, b], one.x)
        assert np.array_equal(batch.y[:L, b], one.y)
        assert np.array_equal(batch.asked[:L, b], one.asked)
        assert not batch.x[L:, b].any()
        assert not batch.asked[L:, b].any()
    assert batch.x.shape == (max(batch.lengths), 5, task.D)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_task_is_the_same_in_another_process(task):
    assert pickle.loads(pickle.dumps(task)) == task


@pytest.mark.parametrize("task", SCORED, ids=repr)
def test_the_closed_form_is_the_error_of_the_best_constant_answer(task):
    n, generator = 4000, rng()
    drawn = [task.draw(generator) for _ in range(n)]
    wanted = np.array([one.ideal[one.judged] for one in drawn])
    if isinstance(task, published.SpikeDelays):  # one constant, whichever spike it is
        wanted = wanted.reshape(n * task.spikes, 1, 1)
    off = ((wanted - wanted.mean(axis=0)) ** 2).mean(axis=(1, 2))
    # Five standard errors; the mean itself is off by as many at most, which takes 25/n of it.
    tolerance = 5 * off.std() / math.sqrt(n) + 25 * task.do_nothing / n
    assert off.mean() == pytest.approx(task.do_nothing, abs=tolerance)


def test_long_lag_is_the_same_first_and_last_symbol_around_all_others():
    ends = set()
    for seed in range(20):
        one = published.LongLag(6).draw(rng(seed))
        symbols = [*shown(one), int(one.y[-1].argmax())]
        assert symbols[1:-1] == [0, 1, 2, 3, 4]
        assert symbols[0] == symbols[-1]
        ends.add(symbols[0])
    assert ends == {5, 6}


@unhurried
@given(p=st.integers(2, 20), seed=seeds)
def test_long_lag_asks_at_every_step_for_the_next_symbol(p, seed):
    one = published.LongLag(p, random_middle=True).draw(rng(seed))
    assert len(one) == p
    assert one.asked.all()
    assert one.y.argmax(axis=1)[:-1].tolist() == shown(one)[1:]
    assert max(shown(one)[1:], default=0) < p - 1


def test_long_lag_with_a_random_middle_is_judged_at_the_end_only():
    task = published.LongLag(6, random_middle=True)
    one = task.draw(rng())
    answer = np.zeros_like(one.y)
    answer[-1] = one.y[-1]
    assert task.error(one, answer) == (0, 0)
    assert published.LongLag(6).draw(rng()).judged.all()


def test_long_lag_asks_and_judges_the_last_step_alone_where_it_is_told_to():
    one = published.LongLag(6, at_end=True).draw(rng())
    assert one.asked.tolist() == one.judged.tolist() == [False] * 5 + [True]
    assert one.y.any(axis=1).tolist() == one.asked.tolist()
    assert one.y[-1].argmax() == shown(one)[0]


@unhurried
@given(q=st.integers(1, 20), p=st.integers(1, 20), seed=seeds)
def test_noisy_lag_is_b_then_x_or_y_then_distractors_then_e(q, p, seed):
    one = published.NoisyLag(q, p).draw(rng(seed))
    b, kept, *distractors, e = shown(one)
    assert (b, e) == (p + 1, p)
    assert kept - (p + 2) == one.y[-1].argmax()
    assert len(distractors) >= q
    assert max(distractors) < p
    assert one.asked.tolist() == [False] * (len(one) - 1) + [True]


def test_noisy_lag_goes_on_with_probability_9_in_10():
    generator = rng()
    k = np.array([len(published.NoisyLag(3, 2).draw(generator)) - 6 for _ in range(5000)])
    assert k.min() == 0
    assert k.mean() == pytest.approx(9, abs=5 * math.sqrt(90 / 5000))  # variance .9/.1²


@pytest.mark.parametrize("relevant", [2, 3])
@unhurried
@given(seed=seeds)
def test_temporal_order_places_X_and_Y_and_names_their_order(relevant, seed):
    task = published.TemporalOrder(relevant)
    one = task.draw(rng(seed))
    symbols = "".join(task.SYMBOLS[k] for k in shown(one))
    places = [t for t, symbol in enumerate(symbols, start=1) if symbol in "XY"]
    assert 100 <= len(symbols) <= 110
    assert (symbols[0], symbols[-1]) == ("E", "B")
    assert set(symbols[1:-1]) <= set("abcdXY")
    assert len(places) == relevant
    for place, (first, last) in zip(places, PLACES[relevant], strict=True):
        assert first <= place <= last
    order = "".join(symbols[t - 1] for t in places).replace("X", "0").replace("Y", "1")
    assert one.y[-1].tolist() == np.eye(2**relevant)[int(order, 2)].tolist()


@pytest.mark.parametrize("relevant", [2, 3])
def test_temporal_order_draws_every_class_place_and_letter(relevant):
    task, generator = published.TemporalOrder(relevant), rng()
    n = 3000
    drawn = [task.draw(generator) for _ in range(n)]
    share = np.bincount([one.y[-1].argmax() for one in drawn]) / n
    K = task.K
    assert share == pytest.approx(1 / K, abs=5 * math.sqrt((1 / K) * (1 - 1 / K) / n))
    places = {t for one in drawn for t in np.flatnonzero(one.index[:, 0] >= 6) + 1}
    assert places == {t for a, b in PLACES[relevant] for t in range(a, b + 1)}
    assert {k for one in drawn for k in shown(one)} == set(range(8))
