"""Results beside the published numbers: counts, means, intervals, and the table of them."""

import math
from typing import Any

import numpy as np
import pytest

from lstm_lib.experiments.reproduction import summaries, table


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


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        (one,) = summaries([result(*map(float, rng.normal(100, 10, 30)))])
        covered += one.low <= 100 <= one.high
    # 95 % of 200, less about a percent and a half that a bootstrap of 30 lacks; 5 standard errors.
    assert covered / 200 == pytest.approx(0.935, abs=5 * math.sqrt(0.06 * 0.94 / 200))


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
    assert summaries([{"name": "loss", "rows": [{"seed": 0, "loss": 0.1}]}]) == []


def test_the_table_says_ours_beside_the_published_number() -> None:
    line = table([result(150, 150)]).splitlines()[1]
    assert line.split() == [
        *("4", "93", "all", "right", "2/2", "150", "(150", "…", "150)"),
        *("100", "(97", "%)", "1.50", "3", "s"),
    ]


def test_the_table_has_a_dash_where_nothing_was_solved() -> None:
    assert table([result(None)]).splitlines()[1].split()[4:6] == ["0/1", "-"]
