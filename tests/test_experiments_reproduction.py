"""Results beside the published numbers: counts, means, intervals, and the table of them."""

import math
from typing import Any

import numpy as np
import pytest

from lstm_lib.experiments.reproduction import loss_table, summaries, table


def result(*met: int | None, name: str = "4", published: dict[str, int] | None = None) -> Any:
    """What `runner.run` returns of trials that met "stop" after these numbers of sequences."""
    return {
        "name": name,
        "weights": 93,
        "criteria": {"stop": "all right"},
        "published": {"stop": 100} if published is None else published,
        "published_success": 97,
        "rows": [{"seed": s, "met": {"stop": n}, "seconds": 1.5} for s, n in enumerate(met)],
    }


def test_trials_that_did_not_meet_the_criterion_count_as_trials_alone() -> None:
    (one,) = summaries([result(50, None, 150)])
    assert (one.solved, one.trials, one.mean, one.ratio) == (2, 3, 100, 1.0)


def test_the_interval_of_many_is_that_of_the_normal_distribution() -> None:
    n = np.random.default_rng(0).normal(100, 10, 400)
    (one,) = summaries([result(*n.tolist())])
    deviation = n.std() / math.sqrt(400)  # of the mean
    ends = ((one.low - n.mean()) / deviation, (one.high - n.mean()) / deviation)
    # Quantiles of 10,000 samples, where the normal density is .058: 5 standard errors.
    assert ends == pytest.approx((-1.96, 1.96), abs=5 * math.sqrt(0.025 * 0.975 / 10_000) / 0.058)


@pytest.mark.parametrize("met", [(), (50,), (None, 50)])
def test_fewer_than_two_have_no_interval(met: tuple[int | None, ...]) -> None:
    (one,) = summaries([result(None, *met)])
    assert math.isnan(one.low)
    assert math.isnan(one.high)


def test_without_a_published_number_there_is_no_ratio() -> None:
    (one,) = summaries([result(50, published={})])
    assert one.ratio is None


def test_the_time_is_that_of_all_trials() -> None:
    (one,) = summaries([result(50, 60, 70)])
    assert one.seconds == 4.5


def test_results_of_another_kind_have_no_summary() -> None:
    other = [{"name": "loss", "rows": [{"seed": 0, "loss": 0.1}]}]
    assert summaries(other) == []
    assert table(other) == ""


def test_the_table_says_ours_beside_the_published_number() -> None:
    line = table([result(150, 150)]).splitlines()[1]
    assert line.split() == [
        *("4", "93", "all", "right", "2/2", "150", "(150", "…", "150)"),
        *("100", "(97", "%)", "1.50", "3", "s"),
    ]


def test_a_second_criterion_has_a_line_of_its_own_without_name_weights_and_time() -> None:
    one = result(150, 150)
    one["criteria"]["later"], one["published"]["later"] = "really all", 200
    for row in one["rows"]:
        row["met"]["later"] = 250
    line = table([one]).splitlines()[2]
    assert line.split() == [
        *("really", "all", "2/2", "250", "(250", "…", "250)"),
        *("200", "(97", "%)", "1.25"),
    ]


def test_the_table_has_a_dash_and_no_ratio_where_nothing_was_solved() -> None:
    line = table([result(None)]).splitlines()[1]
    assert line.split()[4:] == ["0/1", "-", "100", "(97", "%)", "2", "s"]


@pytest.mark.parametrize(("trials", "time"), [(66, "  99 s"), (80, "  2 min")])
def test_the_table_says_longer_times_in_minutes(trials: int, time: str) -> None:
    assert table([result(*[50] * trials)]).splitlines()[1].endswith(time)


def test_losses_have_a_line_with_how_many_learnt_and_the_median() -> None:
    found = result(50, None, 60, name="ablations")
    del found["criteria"]
    for row, met, loss in zip(found["rows"], (160, None, 16), (0.25, None, 0.0125), strict=True):
        row["met"], row["loss"] = {"learnt": met}, loss  # None, not finite, is the largest
    heads, line = loss_table([result(50), found]).splitlines()
    assert heads.split() == ["experiment", "weights", "learnt", "median", "loss", "time"]
    assert line.split() == ["ablations", "93", "2/3", "0.25", "4", "s"]
    assert table([found]) == ""


def test_results_without_losses_have_no_table_of_them() -> None:
    assert loss_table([result(50)]) == ""
