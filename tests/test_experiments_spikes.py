"""The spikes of 2002 as trials: nets with and without peepholes that are else the same."""

from dataclasses import replace

import pytest

from lstm_lib import recorded
from lstm_lib.experiments.spike_delays import EXPERIMENTS


@pytest.mark.parametrize("pair", [EXPERIMENTS[:2], EXPERIMENTS[2:]], ids=["F=10", "F=49"])
def test_a_pair_differs_in_the_peepholes_alone(pair) -> None:  # type: ignore[no-untyped-def]
    with_, without = pair
    assert [one.about()["weights"] for one in pair] == [17, 14]
    assert replace(without, name=with_.name, net=with_.net) == with_
    assert replace(without.net, peepholes=True) == with_.net


def test_what_takes_hours_is_run_only_where_asked_for() -> None:
    assert [one.task.F for one in EXPERIMENTS if one.long] == [49, 49]


def test_a_trial_is_judged_by_a_thousand_spikes() -> None:
    short = replace(EXPERIMENTS[0], limit=100)
    [row] = short.rows([0])
    assert (row["met"], row["sequences"]) == ({"test": None}, 100)
    assert short.about()["criteria"] == {"test": "0 of 1,000 tests off by .49"}


def test_what_is_recorded_is_of_the_descriptions_that_there_are() -> None:
    kept = {one["name"]: one for one in recorded.read("spike_delays")["experiments"]}
    assert list(kept) == [one.name for one in EXPERIMENTS if not one.long]
    for one in EXPERIMENTS[:2]:
        assert kept[one.name]["experiment"] == repr(one)
        assert len(kept[one.name]["rows"]) == one.seeds
