"""When a task counts as solved: rules, the window of the most recent sequences, bad arguments."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lib.tasks import published
from lstm_lib.tasks.published import Error, Rule, Window

RIGHT, WRONG = Error(0.01, 0.01), Error(0.5, 0.01)
unhurried = settings(deadline=None)  # time decides no test


def rng(seed=0):
    return np.random.default_rng(seed)


def rules(task):
    return {
        name: (rule.on, rule.count, rule.tolerance, rule.fewer_wrong_than, rule.mean_below)
        for name, rule in task.rules.items()
    }


@pytest.mark.parametrize(
    ("task", "published_rules"),
    [
        (published.Reber(), {"test": ("test", 512, 0, 1, np.inf)}),
        (published.LongLag(), {"test": ("test", 10_000, 0.25, 1, np.inf)}),
        (published.NoisyLag(), {"test": ("test", 10_000, 0.2, 1, np.inf)}),
        (
            published.TwoSequences(variant="a"),
            {"ST1": ("test", 256, 0.2, 1, np.inf), "ST2": ("test", 256, 0.2, 1, 0.01)},
        ),
        (
            published.TwoSequences(variant="b"),
            {"ST1": ("test", 256, 0.2, 6, np.inf), "ST2": ("test", 256, 0.2, 6, 0.04)},
        ),
        (published.TwoSequences(variant="c"), {"stop": ("test", 256, 0.1, 1, 0.015)}),
        (published.Adding(), {"stop": ("training", 2000, 0.04, 1, 0.01)}),
        (
            published.Multiplication(),
            {
                "140": ("training", 2000, 0.04, 140, np.inf),
                "13": ("training", 2000, 0.04, 13, np.inf),
            },
        ),
        (published.TemporalOrder(), {"stop": ("training", 2000, 0.3, 1, 0.1)}),
        (published.ContinualReber(300), {"test": ("test", 3340, 0.49, 1, np.inf)}),
        (published.SpikeDelays(spikes=100), {"test": ("test", 10, 0.49, 1, np.inf)}),
        (published.SpikeDelays(spikes=300), {"test": ("test", 4, 0.49, 1, np.inf)}),
    ],
    ids=repr,
)
def test_a_task_has_its_published_criteria(task, published_rules):
    assert rules(task) == published_rules


@pytest.mark.parametrize(("wrong", "met"), [(0, True), (2, True), (3, False)])
def test_a_rule_counts_the_wrong_sequences(wrong, met):
    rule = Rule("test", 10, 0.2, fewer_wrong_than=3)
    assert rule.met([WRONG] * wrong + [RIGHT] * (10 - wrong)) is met


@pytest.mark.parametrize(("largest", "met"), [(0.19, True), (0.2, False), (np.nan, False)])
def test_a_sequence_is_right_strictly_below_the_tolerance(largest, met):
    assert Rule("test", 1, 0.2).met([Error(largest, 0)]) is met


@pytest.mark.parametrize(("mean", "met"), [(0.02, True), (0.03, False), (np.nan, False)])
def test_a_rule_bounds_the_mean_of_the_mean_errors(mean, met):
    rule = Rule("test", 2, 1, mean_below=0.015)
    assert rule.met([Error(0, 0), Error(0, mean)]) is met


def test_a_rule_that_bounds_no_mean_allows_one_that_is_no_number():
    rule = Rule("test", 3, 0.2, fewer_wrong_than=2)
    assert rule.met([RIGHT, RIGHT, Error(np.nan, np.nan)])


def test_the_mean_error_is_over_all_outputs_and_the_largest_decides():
    task = published.TemporalOrder(2)
    one = task.draw(rng())
    outputs = one.y.copy()
    outputs[-1, 0] += 0.4
    outputs[0] = 9  # nothing is asked there
    assert task.error(one, outputs) == pytest.approx((0.4, 0.1))


def test_a_window_is_met_at_the_first_sequence_that_fills_it():
    window = Window(Rule("training", 5, 0.2))
    assert [window.add(RIGHT) for _ in range(6)] == [False] * 4 + [True] * 2
    assert window.seen == 6


def test_a_wrong_sequence_holds_a_window_up_until_it_has_left():
    window = Window(Rule("training", 5, 0.2))
    errors = [RIGHT, WRONG, *[RIGHT] * 6]
    assert [window.add(error) for error in errors].index(True) == 6


@unhurried
@given(
    largest=st.lists(st.sampled_from([0.0, 0.1, 0.3]), max_size=30),
    count=st.integers(1, 6),
    few=st.integers(1, 3),
    mean_below=st.sampled_from([0.05, 0.15, np.inf]),
)
def test_a_window_says_what_the_last_sequences_say(largest, count, few, mean_below):
    window = Window(Rule("training", count, 0.2, few, mean_below))
    for n in range(1, len(largest) + 1):
        last = largest[max(n - count, 0) : n]
        wrong, bound = sum(e >= 0.2 for e in last), np.mean(last) < mean_below
        expected = n >= count and wrong < few and bool(bound)
        assert window.add(Error(last[-1], last[-1])) is expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Rule("both", 1, 0.2), "on must be 'training' or 'test', got 'both'"),
        (lambda: Rule("test", 0, 0.2), "count must be at least 1, got 0"),
        (lambda: Rule("test", 1, 0.2, 0), "fewer_wrong_than must be at least 1, got 0"),
        (lambda: Rule("test", 3, 0.2).met([RIGHT]), "errors must be (count=3, 2), got (1, 2)"),
        (lambda: Window(Rule("test", 1, 0.2)), "rule must be one on training sequences, got Rule"),
        (lambda: published.LongLag(1), "p must be at least 2, got 1"),
        (lambda: published.NoisyLag(0, 1), "q must be at least 1, got 0"),
        (lambda: published.NoisyLag(1, 0), "p must be at least 1, got 0"),
        (lambda: published.TwoSequences(5, 0), "N must be at least 1, got 0"),
        (lambda: published.TwoSequences(2, 3), "T must be at least 3, got 2"),
        (lambda: published.TwoSequences(5, 1, "d"), "variant must be 'a', 'b' or 'c', got 'd'"),
        (lambda: published.Adding(21), "T must be at least 22, got 21"),
        (lambda: published.Multiplication(21), "T must be at least 22, got 21"),
        (lambda: published.TemporalOrder(4), "relevant must be 2 (task 6a) or 3 (6b), got 4"),
        (lambda: published.SpikeDelays(0), "F must be at least 1, got 0"),
        (lambda: published.SpikeDelays(spikes=0), "spikes must be at least 1, got 0"),
        (lambda: published.SpikeDelays(5, (1,)), "delays must be two or more, all different, got"),
        (lambda: published.SpikeDelays(5, (1, 1, 2)), "delays must be two or more, all different"),
        (lambda: published.SpikeDelays(5, (-1, 0)), "each of delays must be at least 0, got -1"),
        (lambda: published.Adding().batch(rng(), 0), "B must be at least 1, got 0"),
        (lambda: published.pad([]), "sequences must hold at least one sequence, got none"),
        (
            lambda: published.pad([published.LongLag(p).draw(rng()) for p in (2, 3)]),
            "sequences must have the same (D, K), got [(3, 3), (4, 4)]",
        ),
        (
            lambda: published.LongLag(3).error(published.LongLag(3).draw(rng()), [[1]]),
            "outputs must be (L=3, K=4), got (1, 1)",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: published.Adding(50.5), "T must be an integer, got 50.5"),
        (lambda: published.TwoSequences(3, True), "N must be an integer, got True"),
        (lambda: published.LongLag(3, at_end="no"), "at_end must be True or False, got 'no'"),
        (lambda: published.LongLag(3, 1), "random_middle must be True or False, got 1"),
        (lambda: published.Adding().batch(rng(), 2, dtype=int), "dtype must be a floating type"),
        *[
            (lambda task=task: task.draw(7), "rng must be a numpy.random.Generator")
            for task in (
                published.LongLag(),
                published.NoisyLag(),
                published.TwoSequences(),
                published.Adding(),
                published.TemporalOrder(),
                published.SpikeDelays(),
            )
        ],
    ],
)
def test_an_argument_of_the_wrong_type_is_named(call, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        call()
