"""The small tasks, the ablations on them, and the effect of a part."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_lib import recorded
from lstm_lib.experiments import ablations, small_tasks
from lstm_lib.experiments.ablations import CHOSEN, EXPERIMENTS, effect, losses
from lstm_lib.experiments.small_tasks import TASKS
from lstm_lib.family import FAMILY
from lstm_lib.tasks.published import EMBEDDED_REBER, SYMBOLS

DRAWN = [name for name in TASKS if name != "speakers"]  # whose data must be fetched first


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", DRAWN)
def test_a_task_asks_what_it_shows(name):
    task = TASKS[name]
    x, y, asked = task.draw(rng(), 5)
    assert (x.shape[1:], y.shape[2]) == ((5, task.D), task.K)
    assert asked.shape == y.shape[:2] == x.shape[:2]
    assert asked.any(axis=0).all()


def test_the_answer_to_adding_is_the_sum_of_what_is_marked():
    x, y, asked = small_tasks.adding(rng(), 50)
    assert asked[-1].all()
    assert not asked[:-1].any()
    np.testing.assert_allclose(y[-1, :, 0], (x[..., 0] * x[..., 1]).sum(axis=0), rtol=1e-6)


def test_the_answer_to_order_is_which_symbols_came_first_and_second():
    x, y, _ = small_tasks.order(rng(), 200)
    places = {}
    for b in range(200):
        shown = "".join("EBabcdXY"[k] for k in x[:, b].argmax(-1))
        assert (shown[0], shown[-1]) == ("E", "B")
        first, second = (t for t, symbol in enumerate(shown, start=1) if symbol in "XY")
        places.setdefault("first", set()).add(first)
        places.setdefault("second", set()).add(second)
        answer = ["XX", "XY", "YX", "YY"][y[-1, b].argmax()]
        assert answer == shown[first - 1] + shown[second - 1]
    assert places == {"first": {3, 4, 5, 6}, "second": {15, 16, 17, 18}}


def test_the_strings_that_are_held_out_are_of_the_grammar_and_none_is_learnt_from():
    learnt, held_out = (
        {"".join(SYMBOLS[k] for k in one.index[:, 0]) + "E" for one in each.sequences}
        for each in small_tasks._strings()
    )
    assert all(EMBEDDED_REBER.accepts(one) for one in learnt | held_out)
    assert not learnt & held_out


def test_the_best_answer_to_the_grammar_has_no_loss_above_the_least_possible():
    chances = TASKS["grammar"].held_out().y

    def best(x):
        return torch.from_numpy(chances)[:, None].clamp(min=1e-30).log()

    loss, wrong = TASKS["grammar"].test(best)
    assert loss == pytest.approx([0], abs=1e-6)
    assert wrong.tolist() == [0]


def test_whoever_knows_nothing_of_the_order_has_the_loss_of_four_classes():
    loss, wrong = TASKS["order"].test(lambda x: torch.zeros(len(x), 1, x.shape[1], 4))
    assert loss == pytest.approx([np.log(4)])
    assert wrong.tolist() == [1]  # a tie is no answer


def test_sums_are_wrong_where_they_are_off_by_the_published_tolerance():
    y = torch.from_numpy(TASKS["adding"].held_out().y)[:, None]
    loss, wrong = TASKS["adding"].test(lambda x: torch.cat([y, y + 0.0799, y - 0.0801], dim=1))
    assert wrong.tolist() == [0, 0, 1]
    assert loss == pytest.approx([0, 0.0799**2, 0.0801**2])


def test_every_variant_of_the_family_is_in_the_grid_of_every_task():
    chosen = {(one.task, one.variant) for one in EXPERIMENTS if one.lr == CHOSEN}
    assert {(task, name) for task in TASKS for name in [*FAMILY, "GRU", "MGU", "RNN"]} <= chosen


def test_a_longer_run_differs_from_one_at_the_lower_rate_in_its_updates_alone():
    named = {one.name: one for one in EXPERIMENTS}
    longer = [one for one in EXPERIMENTS if one.name.startswith("longer")]
    assert [one.variant for one in longer] == ["LSTM", *ablations.CHECKED]
    for one in longer:
        short = named[f"ablations adding {one.variant} rate {ablations.SLOWER}"]
        assert one == replace(short, name=one.name, updates=4 * short.updates)


@pytest.mark.parametrize("variant", ["LSTM", "NFG", "FGR", "GRU", "MGU", "RNN"])
def test_a_row_is_that_of_its_seed_whoever_is_beside_it(variant):
    small = ablations.Ablation(name="small", task="order", variant=variant, lr=0.01, updates=2)
    beside, alone = small.rows([4, 9]), small.rows([9])
    assert [row["seed"] for row in beside] == [4, 9]
    assert beside[1]["loss"] == pytest.approx(alone[0]["loss"], rel=1e-3)
    assert beside[1]["met"] == alone[0]["met"] == {"learnt": None}


def test_the_bias_of_the_sweep_is_where_the_forget_gate_starts():
    (one,) = [one for one in EXPERIMENTS if one.name == "forget-bias order -2"]
    H = ablations.H
    b = dict(zip("ifgo", one.cell([0]).b[0].split(H), strict=True))
    assert (b["f"] == -2).all()
    assert (b["i"] == 0).all()


def test_weights_are_counted_of_one_net():
    one = ablations.Ablation(name="small", task="adding", variant="RNN", lr=0.01, updates=1)
    D, H = 2, ablations.H
    assert one.about()["weights"] == H * (D + H + 1)
    assert replace(one, variant="LSTM").about()["weights"] == 4 * H * (D + H + 1)


def test_an_effect_is_the_geometric_mean_of_the_ratios_of_seeds():
    ratio, low, high = effect([2.0, 8.0], [1.0, 1.0])
    assert ratio == pytest.approx(4)
    assert (low, high) == pytest.approx((2, 8))


def test_seeds_that_differ_together_leave_no_doubt_about_the_effect():
    assert effect([3.0, 30.0, 0.3], [1.0, 10.0, 0.1]) == pytest.approx((3, 3, 3))


@pytest.mark.parametrize("loss", [[1.0, np.nan], [1.0, 0.0]])
def test_an_effect_of_losses_that_are_no_positive_numbers_is_refused(loss):
    with pytest.raises(ValueError, match="losses must be positive numbers"):
        effect(loss, [1.0, 1.0])


def test_losses_come_from_the_rate_that_was_chosen_by_task_and_variant():
    rows = [{"loss": 0.5}, {"loss": None}]
    one = {"name": "ablations order GRU", "task": "order", "variant": "GRU", "rows": rows}
    found = losses([{**one, "lr": CHOSEN}, {**one, "lr": 1.0, "rows": [{"loss": 7.0}]}])
    np.testing.assert_array_equal(found["order"]["GRU"], [0.5, np.nan])


def test_the_rate_is_that_at_which_most_seeds_of_the_lstm_learnt_and_the_soonest():
    for task in TASKS:
        found = {}
        for one in recorded.read("ablations")["experiments"]:
            if (one["name"].split()[0], one["task"], one["variant"]) == ("ablations", task, "LSTM"):
                learnt = [row["met"]["learnt"] for row in one["rows"]]
                n = [each for each in learnt if each]
                found[one["lr"]] = (-len(n), np.median([each or np.inf for each in learnt]))
        assert sorted(found) == list(ablations.RATES)
        assert min(found, key=found.__getitem__) == CHOSEN
