"""Nets that get their cells later (experiments 2a and 2b)."""

from dataclasses import replace
from itertools import count

import numpy as np

from lstm_lib.experiments.constructed import Constructed
from lstm_lib.online import NETS, Net
from lstm_lib.tasks.published import LongLag, Rule

TASK = LongLag(5)
SMALL = Constructed(
    name="small",
    task=TASK,
    net=replace(NETS["2a"], D=6, K=6),
    rate=4.0,
    limit=20_000,
    every=500,
    gate=-3.0,
)


def before_and_after(experiment, draw=None):
    """The net's weights, how many sequences came before the cells, and the weights then."""
    rng = np.random.default_rng(0)
    net = Net(experiment.net, rng, rate=experiment.rate)
    W, V = net.W.copy(), net.V.copy()
    n = experiment.prepare(net, draw or (lambda: TASK.draw(rng)))
    return net, W, V, n


def test_the_cells_come_in_with_the_weights_that_were_drawn_and_the_gate_lower():
    net, W, _, _ = before_and_after(SMALL)
    gates = net.wiring.columns.i
    lower = np.zeros_like(W)
    lower[:6, gates] = -3
    np.testing.assert_array_equal(net.W, W + lower)


def test_before_that_the_outputs_learn_from_the_inputs_and_the_cells_say_nothing():
    net, _, V, _ = before_and_after(SMALL)
    np.testing.assert_array_equal(net.V[6:], V[6:])  # from the cell, and the bias that is not there
    assert (net.V[:5] != V[:5]).any(axis=1).all()


def test_the_cells_come_in_when_a_block_is_hardly_better_than_the_one_before():
    shown = count()
    error = lambda one: 0.9 ** (next(shown) // 10)  # noqa: E731  # each block by a tenth

    class Watched(Constructed):
        def learn(self, net, one):
            return TASK.error(one, np.full(one.y.shape, error(one)))

    options = {"block": 10, "name": "w", "task": TASK, "net": SMALL.net, "rate": 1.0}
    never = Watched(settled=0.99, limit=200, **options)
    assert before_and_after(never)[3] == 200  # the limit
    assert before_and_after(Watched(settled=0.5, limit=200, **options))[3] == 20


def test_a_short_lag_is_learnt_with_the_gate_closed_at_the_start():
    (row,) = SMALL.rows([0])
    assert row["met"]["test"] is not None
    assert row["met"]["test"] % 100 == 0
    assert row["wrong"] == 0


def test_sequences_before_the_cells_count_too():
    easy = replace(SMALL, task=_Easy(5), limit=5000, every=1)
    (row,) = easy.rows([0])
    assert row["met"]["test"] > 100
    assert row["curve"][0][0] == row["met"]["test"]


class _Easy(LongLag):
    rules = {"test": Rule("test", 1, 2.0)}  # noqa: RUF012  # whatever a net answers
