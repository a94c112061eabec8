"""The spikes of 2002 as trials: nets with and without peepholes that are else the same."""

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from lstm_lib import recorded
from lstm_lib.experiments.spike_delays import EXPERIMENTS
from lstm_lib.experiments.trials import Trials
from lstm_lib.online import Net
from lstm_lib.tasks.published import Rule


@pytest.mark.parametrize("pair", [EXPERIMENTS[:2], EXPERIMENTS[2:]], ids=["F=10", "F=49"])
def test_a_pair_differs_in_the_peepholes_alone(pair) -> None:  # type: ignore[no-untyped-def]
    with_, without = pair
    assert [one.about()["weights"] for one in pair] == [17, 14]
    assert replace(without, name=with_.name, net=with_.net) == with_
    assert replace(without.net, peepholes=True) == with_.net


def test_what_takes_hours_is_run_only_where_asked_for() -> None:
    assert [one.task.F for one in EXPERIMENTS if one.long] == [49, 49]


def test_a_trial_is_judged_by_a_thousand_spikes() -> None:
    short = replace(EXPERIMENTS[0], limit=100, watched=200)
    [row] = short.rows([0])
    assert (row["met"], row["sequences"]) == ({"test": None, "for good": None}, 100)
    assert short.about()["criteria"] == {
        "test": "0 of 1,000 tests off by .49",
        "for good": "0 of 1,000 tests off by .49, and no later test failed up to 200",
    }


@pytest.mark.parametrize(
    ("passed", "since"),
    [("-+-++", 400), ("+++++", 100), ("----+", 500), ("++++-", None), ("-----", None)],
)
def test_for_good_is_the_first_pass_that_no_failure_follows(
    passed: str, since: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = iter(passed)
    monkeypatch.setattr(Trials, "_passes", lambda *_: next(verdicts) == "+")
    assert replace(EXPERIMENTS[0], watched=500).for_good(0) == since


def test_the_net_that_is_watched_is_that_of_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[float]] = []

    def passes(self: Trials, net: Net, rule: Rule, exam: Any) -> bool:
        seen.append([*net.W.ravel(), *(one.y.sum() for one in islice(exam, 20))])
        return False

    monkeypatch.setattr(Trials, "_passes", passes)
    replace(EXPERIMENTS[0], limit=200, watched=200).trial(0)
    assert len(seen) == 4
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]


def test_what_is_recorded_is_of_the_descriptions_that_there_are() -> None:
    kept = {one["name"]: one for one in recorded.read("spike_delays")["experiments"]}
    assert list(kept) == [one.name for one in EXPERIMENTS if not one.long]
    for one in EXPERIMENTS[:2]:
        assert kept[one.name]["experiment"] == repr(one)
        assert len(kept[one.name]["rows"]) == one.seeds
