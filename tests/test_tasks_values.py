"""Experiments 3 to 5 of 1997 and the spikes of 2002: lengths, numbers, marks, answers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lib.tasks import published

seeds = st.integers(0, 2**32 - 1)
unhurried = settings(deadline=None)  # time decides no test


def rng(seed=0):
    return np.random.default_rng(seed)


@unhurried
@given(T=st.integers(1, 60), seed=seeds)
def test_a_length_is_between_T_and_11_tenths_of_it(T, seed):
    assert T <= len(published.TwoSequences(T, 1).draw(rng(seed))) <= 1.1 * T


def test_both_ends_of_the_range_of_lengths_are_drawn():
    generator = rng()
    assert {len(published.Adding(100).draw(generator)) for _ in range(500)} == {*range(100, 111)}


@pytest.mark.parametrize(("variant", "answers"), [("a", (1, 0)), ("c", (0.2, 0.8))])
def test_the_first_N_numbers_tell_the_class(variant, answers):
    task = published.TwoSequences(20, 3, variant=variant)
    seen = set()
    for seed in range(20):
        one = task.draw(rng(seed))
        assert one.value[:3, 0].tolist() in ([1, 1, 1], [-1, -1, -1])
        assert abs(one.value[3, 0]) != 1
        assert one.ideal[-1, 0] == answers[0 if one.value[0, 0] == 1 else 1]
        seen.add(one.ideal[-1, 0])
    assert seen == set(answers)


@pytest.mark.parametrize("variant", ["a", "b", "c"])
def test_the_numbers_after_the_first_N_have_variance_a_fifth(variant):
    one = published.TwoSequences(20_000, 1, variant=variant).draw(rng())
    # Standard error of a Gaussian's variance: σ² √(2/n).
    assert np.var(one.value[1:]) == pytest.approx(0.2, abs=5 * 0.2 * math.sqrt(2 / 20_000))


def test_variant_b_adds_the_same_noise_to_the_first_N_numbers():
    task, generator = published.TwoSequences(4, 4, variant="b"), rng()
    drawn = [task.draw(generator) for _ in range(5000)]
    off = [one.value[:, 0] - (1 if one.y[-1, 0] == 1 else -1) for one in drawn]
    assert np.mean(off) == pytest.approx(0, abs=5 * math.sqrt(0.2 / 20_000))
    assert np.var(off) == pytest.approx(0.2, abs=5 * 0.2 * math.sqrt(2 / 20_000))


def test_variant_c_teaches_a_target_with_noise_and_judges_without():
    task, generator = published.TwoSequences(1, 1, variant="c"), rng()
    drawn = [task.draw(generator) for _ in range(5000)]
    noise = [one.y[-1, 0] - one.ideal[-1, 0] for one in drawn]
    assert np.var(noise) == pytest.approx(0.1, abs=5 * 0.1 * math.sqrt(2 / 5000))
    assert task.error(drawn[0], drawn[0].ideal).largest == 0


@pytest.mark.parametrize(
    ("kind", "lowest", "answer", "neutral"),
    [
        (published.Adding, -1, lambda a, b: 0.5 + (a + b) / 4, 0),
        (published.Multiplication, 0, lambda a, b: a * b, 1),
    ],
    ids=["adding", "multiplication"],
)
@unhurried
@given(T=st.integers(22, 80), seed=seeds)
def test_the_answer_can_be_computed_from_what_is_shown(kind, lowest, answer, neutral, T, seed):
    x, y = (one := kind(T).draw(rng(seed))).x, one.y[-1, 0]
    value, marker = x.T
    marked = np.flatnonzero(marker == 1)
    assert len(marked) == 2
    assert marked[0] < 10
    assert marked[1] < T // 2 - 1
    assert y == answer(*value[marked])
    assert value.min() >= lowest
    assert value.max() <= 1
    assert marker[-1] == -1
    assert not marker[np.setdiff1d(np.arange(1, len(one) - 1), marked)].any()
    if marked[0] == 0:
        assert value[0] == neutral
    else:
        assert marker[0] == -1


@pytest.mark.parametrize("kind", [published.Adding, published.Multiplication])
def test_the_marks_fall_on_the_first_ten_and_on_the_first_half(kind):
    generator, marks = rng(), np.zeros(60)
    n = 5000
    for _ in range(n):
        marks[np.flatnonzero(kind(60).draw(generator).x[:, 1] == 1)] += 1
    # The first mark: 1/10 on each of ten. The second: 1/28 on each of 29 that is not marked yet.
    expected = np.where(np.arange(29) < 10, 0.1 + 0.9 / 28, 1 / 28)
    assert marks[:29] / n == pytest.approx(expected, abs=5 * math.sqrt(0.13 * 0.87 / n))
    assert not marks[29:].any()


@unhurried
@given(F=st.integers(1, 60), spikes=st.integers(1, 8), seed=seeds)
def test_a_spike_comes_F_and_a_delay_after_the_one_before(F, spikes, seed):
    one = published.SpikeDelays(F, (0, 3), spikes).draw(rng(seed))
    at = np.flatnonzero(one.value) + 1
    assert np.array_equal(np.diff(at, prepend=0), F + one.y[at - 1, 0])
    assert np.array_equal(one.asked, one.value[:, 0] == 1)
    assert len(at) == spikes
    assert at[-1] == len(one)


@pytest.mark.parametrize(
    ("task", "score"),
    [(published.Adding(100), 1 / 24), (published.Multiplication(100), 7 / 144)],
    ids=repr,
)
def test_the_scores_usually_quoted_hold_where_the_first_pair_is_not_marked(task, score):
    generator, answers = rng(), []
    while len(answers) < 20_000:
        one = task.draw(generator)
        if one.value[0, 1] == -1:
            answers.append(one.y[-1, 0])
    off = (answers - np.mean(answers)) ** 2
    assert off.mean() == pytest.approx(score, abs=5 * off.std() / math.sqrt(len(off)))
    assert task.do_nothing != pytest.approx(score, rel=0.05)
