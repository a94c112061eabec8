"""Trials of nets that learn on-line: when a criterion is met; the descriptions of 1997."""

import math
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from lstm_lib.experiments.original_1997 import EXPERIMENTS
from lstm_lib.experiments.trials import TESTED, AddedUp, Trials, _Curve, in_words
from lstm_lib.online import NETS, Net, Wiring
from lstm_lib.tasks.published import (
    Adding,
    Error,
    LongLag,
    Reber,
    Rule,
    TwoSequences,
)

BY_NAME = {one.name: one for one in EXPERIMENTS}
#: Its gates are half open from the start: it learns in so few sequences.
OPEN = Wiring(D=1, K=1, N=1)
TINY = Trials(name="tiny", task=TwoSequences(3, 3), net=OPEN, rate=2.0, limit=40, every=10)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let training sequences and tests have these largest errors, and lower means."""

    def set_(training: Any, test: float = 1.0) -> list[int]:
        tests = [0]
        errors = iter(training)

        def tested(self: Trials, net: Net, one: object) -> Error:
            tests[0] += 1
            return Error(test, test / 10)

        monkeypatch.setattr(Trials, "learn", lambda *_: Error(e := next(errors), e / 10))
        monkeypatch.setattr(Trials, "test", tested)
        return tests

    return set_


@pytest.fixture
def few_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """After training."""
    monkeypatch.setattr("lstm_lib.experiments.trials.TESTED", 20)


def test_a_trial_that_never_meets_the_criterion_ends_at_the_limit(always: Any) -> None:
    always([1.0] * 40, test=0.2)
    row = TINY.trial(0)
    assert row["met"] == {"ST1": None, "ST2": None}
    assert row["sequences"] == 40
    assert (row["wrong"], row["mean"]) == (TESTED, 0.02)
    assert row["curve"] == [(40, 0.1)]


def test_a_rule_on_tests_is_asked_after_every_so_many_sequences(always: Any) -> None:
    always([1.0] * 40, test=0.0)
    assert TINY.trial(0)["met"] == {"ST1": 10, "ST2": 10}


def test_an_exam_without_a_mistake_may_miss_the_bound_on_the_mean(always: Any) -> None:
    always([1.0] * 40, test=0.15)
    assert TINY.trial(0)["met"] == {"ST1": 10, "ST2": None}


def test_all_rules_are_held_to_the_same_exam(always: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    always([1.0] * 40)
    seen: dict[int, list[object]] = {}

    def passes(self: Trials, net: Net, rule: Rule, exam: Any) -> bool:
        seen.setdefault(len(seen), []).extend(exam)
        return len(seen) % 2 == 0  # ST1 fails, ST2 is met; then ST1 is asked alone

    monkeypatch.setattr(Trials, "_passes", passes)
    assert TINY.trial(0)["met"] == {"ST1": 30, "ST2": 10}
    assert all(a is b for a, b in zip(seen[0], seen[1], strict=True))
    assert seen[2][0] is not seen[0][0]  # the next one is drawn anew


def test_an_exam_ends_with_the_first_mistake_too_many(always: Any) -> None:
    tests = always([1.0] * 40)
    replace(TINY, task=TwoSequences(3, 3, variant="b")).trial(0)
    assert tests[0] == 4 * 2 * 6 + TESTED  # four times two rules, which six mistakes end


def test_a_rule_on_training_sequences_is_met_with_the_first_that_meets_it(always: Any) -> None:
    always([1.0, *[0.0] * 3000])
    adding = replace(TINY, task=Adding(22), net=NETS["4"], limit=3000)
    assert adding.trial(0)["met"] == {"stop": 2001}


def test_further_readings_are_noted_and_end_nothing(always: Any) -> None:
    always([0.5] * 40)
    readings = {"loose": Rule("training", 5, 1.0), "strict": Rule("training", 5, 0.1)}
    met = replace(TINY, readings=readings).trial(0)["met"]
    assert (met["loose"], met["strict"], met["ST1"]) == (5, None, None)


def test_no_trial_goes_on_for_a_further_reading_alone(always: Any) -> None:
    always([1.0] * 40, test=0.0)
    row = replace(TINY, readings={"strict": Rule("training", 5, 0.1)}).trial(0)
    assert (row["sequences"], row["met"]["strict"]) == (10, None)


@pytest.mark.usefixtures("few_tests")
def test_a_trial_of_a_seed_is_the_same_again() -> None:
    assert TINY.rows([3, 4]) == [TINY.trial(3), TINY.trial(4)]
    assert TINY.trial(3) != TINY.trial(4)


@pytest.mark.usefixtures("few_tests")
def test_a_trial_is_taught_with_noise_and_judged_without() -> None:
    weights, shown, _ = (np.random.default_rng(s) for s in np.random.SeedSequence(0).spawn(3))
    net, noisy = Net(TINY.net, weights, rate=2.0), replace(TINY, task=TwoSequences(3, 3, "c"))
    errors = []
    for _ in range(noisy.limit):
        one = noisy.task.draw(shown)
        end = np.array([len(one) - 1])
        out = net.learn(one.index, one.value, end, one.y[end])
        errors.append(abs(out[0, 0] - one.ideal[-1, 0]))
    assert noisy.trial(0)["curve"] == [(40, round(float(np.mean(errors)), 5))]


def test_a_net_is_taught_wherever_it_is_asked_and_judged_or_not() -> None:
    lag = replace(TINY, task=LongLag(5, random_middle=True), net=replace(NETS["2a"], D=6, K=6))
    net, by_hand = (Net(lag.net, np.random.default_rng(0), rate=1.0) for _ in range(2))
    one = lag.task.draw(np.random.default_rng(0))
    lag.learn(net, one)
    by_hand.learn(one.index, one.value, range(5), one.y)
    assert np.array_equal(net.W, by_hand.W)


@pytest.mark.usefixtures("few_tests")
def test_changes_that_are_added_up_are_the_same_where_one_target_is_asked_for() -> None:
    tiny = {field: getattr(TINY, field) for field in ("name", "task", "net", "rate", "limit")}
    assert AddedUp(**tiny).trial(0) == Trials(**tiny).trial(0)


@pytest.mark.usefixtures("few_tests")
def test_changes_that_are_added_up_differ_where_each_step_has_a_target() -> None:
    reber = {"name": "r", "task": Reber(), "net": NETS["1 3x2"], "rate": 0.5, "limit": 5}
    assert AddedUp(**reber).trial(0)["curve"] != Trials(**reber).trial(0)["curve"]


def strings(seed: int) -> list[bytes]:
    """Training and test strings of a trial of experiment 1."""
    rng = np.random.default_rng(0)
    _, exam = BY_NAME["1 4x1 rate 0.1"]._material(seed, rng, rng)
    return [one.index.tobytes() for one in exam()]


def test_ten_trials_of_experiment_1_share_a_pair_of_sets_and_then_comes_another() -> None:
    assert strings(0) == strings(9)
    assert strings(9) != strings(10)


def test_experiment_1_is_tested_on_the_strings_that_are_trained_on_and_on_others() -> None:
    rng = np.random.default_rng(0)
    draw, exam = BY_NAME["1 4x1 rate 0.1"]._material(0, rng, rng)
    train, test = set(strings(0)[:256]), set(strings(0)[256:])
    assert len(list(exam())) == 512
    assert {draw().index.tobytes() for _ in range(5000)} == train
    assert not train & test


def test_an_exam_of_a_task_is_drawn_anew_each_time() -> None:
    rng = np.random.default_rng(0)
    _, exam = TINY._material(0, rng, rng)
    one, two = ([one.value.tobytes() for one in islice(exam(), 5)] for _ in range(2))
    assert one != two
    assert len(list(exam())) == 256


def test_a_curve_is_the_mean_error_between_points_ever_further_apart() -> None:
    curve = _Curve(0)
    for n in range(1, 231):
        curve.add(float(n))
        if n == 100:
            assert curve.points() == [(100, 50.5)]
    assert curve.points() == [(100, 50.5), (150, 125.5), (225, 188.0), (230, 228.0)]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule("test", 10_000, 0.25), "0 of 10,000 tests off by .25"),
        (Rule("test", 512, 0), "0 of 512 tests wrong"),
        (Rule("test", 256, 0.2, 6, 0.04), "< 6 of 256 tests off by .2, mean < .04"),
        (Rule("training", 2000, 0.04, 13), "< 13 of 2,000 last off by .04"),
        (Rule("training", 2000, math.inf, mean_below=0.01), "mean < .01"),
    ],
)
def test_a_rule_is_said_in_words(rule: Rule, words: str) -> None:
    assert in_words(rule) == words


# Of tables 1 to 9, once more: weights, rate, sequences.
PUBLISHED = {
    "1 4x1 rate 0.1": (264, 0.1, [39_740]),
    "1 3x2 rate 0.1": (276, 0.1, [21_730]),
    "1 3x2 rate 0.2": (276, 0.2, [14_060]),
    "1 4x1 rate 0.5": (264, 0.5, [9_500]),
    "1 3x2 rate 0.5": (276, 0.5, [8_440]),
    "2a": (10_504, 1.0, [5_040]),
    "2b": (10_504, 1.0, [5_680]),
    "2c q=50 p=50": (364, 0.01, [30_000]),
    "2c q=100 p=100": (664, 0.01, [31_000]),
    "2c q=200 p=200": (1264, 0.01, [33_000]),
    "2c q=500 p=500": (3064, 0.01, [38_000]),
    "2c q=1000 p=1000": (6064, 0.01, [49_000]),
    "2c q=1000 p=500": (3064, 0.01, [49_000]),
    "2c q=1000 p=200": (1264, 0.01, [75_000]),
    "2c q=1000 p=100": (664, 0.01, [135_000]),
    "2c q=1000 p=50": (364, 0.01, [203_000]),
    "3a T=100 N=3": (102, 1.0, [27_380, 39_850]),
    "3a T=100 N=1": (102, 1.0, [58_370, 64_330]),
    "3a T=1000 N=3": (102, 1.0, [446_850, 452_460]),
    "3b T=100 N=3": (102, 1.0, [41_740, 43_250]),
    "3b T=100 N=1": (102, 1.0, [74_950, 78_430]),
    "3b T=1000 N=1": (102, 1.0, [481_060, 485_080]),
    "3c T=100 N=3": (102, 0.1, [269_650]),
    "3c T=100 N=1": (102, 0.1, [565_640]),
    "4 T=100": (93, 0.5, [74_000]),
    "4 T=500": (93, 0.5, [209_000]),
    "4 T=1000": (93, 0.5, [853_000]),
    "5": (93, 0.1, [482_000, 1_273_000]),
    "6a": (156, 0.5, [31_390]),
    "6b": (308, 0.1, [571_100]),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_literal_description_has_the_published_net_rate_and_numbers(name: str) -> None:
    about = BY_NAME[name].about()
    numbers = list(about["published"].values())
    assert (about["weights"], about["rate"], numbers) == PUBLISHED[name]


def test_every_description_is_literal_or_says_how_it_deviates() -> None:
    literal = {one.name for one in EXPERIMENTS if not one.note}
    assert literal == set(PUBLISHED)


def test_where_no_number_is_published_no_success_is() -> None:
    assert TINY.about()["published_success"] is None


@pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda one: one.name)
def test_every_criterion_with_a_published_number_is_one_of_the_task(one: Trials) -> None:
    assert set(one.published) == set(one.task.rules)


@pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda one: one.name)
def test_every_net_fits_its_task(one: Trials) -> None:
    assert (one.net.D, one.net.K) == (one.task.D, one.task.K)


def test_the_weaker_reading_of_experiment_4_is_its_bound_on_the_mean() -> None:
    one = BY_NAME["4 T=100"]
    weaker = replace(one.task.rules["stop"], tolerance=math.inf)
    assert one.readings == {"mean alone": weaker}


def test_the_input_gates_of_experiment_5_start_at_random() -> None:
    W = Net(BY_NAME["5"].net, np.random.default_rng(0), rate=1.0).W
    assert (np.abs(W) <= 0.1).all()
