"""Nets of several seeds, trained side by side: each as if it were alone."""

import numpy as np
import pytest
import torch
from torch import nn

from lstm_lib import tasks, train
from lstm_lib.torch_cells import Variant
from lstm_lib.train.side_by_side import (
    ANSWERS,
    Curves,
    Examples,
    SeedsReader,
    clip_each,
    fit_side_by_side,
)

T, B, H = 6, 5, 4


def adding(rng):
    """`tasks.adding`, in sequences of 4 to 6 steps: seeds differ in the longest."""
    steps = int(rng.integers(4, T + 1))
    batch = tasks.adding(rng, steps, B)
    y, asked = np.zeros((steps, B, 1), np.float32), np.zeros((steps, B), bool)
    y[-1], asked[-1] = batch.y, True
    return Examples(batch.x, y, asked)


def model(seeds):
    return SeedsReader(Variant(2, H, seeds=seeds), H, 1, seeds)


def fit(net, seeds, draw=adding, **options):
    options = {"answer": "values", "updates": 12, "lr": 0.03, "progress": False, **options}
    return fit_side_by_side(net, draw, seeds, **options)


def test_a_seed_learns_beside_others_what_it_learns_alone():
    beside, alone = model([3, 7, 1]), model([7])
    both, one = fit(beside, [3, 7, 1], clip=0.3), fit(alone, [7], clip=0.3)
    assert both.loss[:, 1] == pytest.approx(one.loss[:, 0], rel=1e-4)
    for ours, own in zip(beside.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(ours[1], own[0], rtol=1e-3, atol=1e-5)


def test_a_seed_that_becomes_nan_leaves_the_others_as_they_are():
    with_nan, without = model([0, 1]), model([0, 1])
    with torch.no_grad():
        with_nan.b_y[0] = torch.nan
    curves, clean = fit(with_nan, [0, 1]), fit(without, [0, 1])
    assert np.isnan(curves.loss[:, 0]).all()
    assert (curves.loss[:, 1] == clean.loss[:, 1]).all()


def test_it_is_the_loop_of_fit_for_one_net():
    seeds, net = [2], model([2])
    curves = fit(net, seeds, draw=lambda rng: adding_of_six(rng), clip=0.2)
    plain = Plain(model([2]))
    numbers = iter(range(1, 13))

    def batches():
        batch = adding_of_six(train.rng_for(2, next(numbers)))
        return batch.x, batch.y[-1]

    other = train.fit(plain, batches, updates=12, lr=0.03, clip=0.2, device="cpu", progress=False)
    assert curves.loss[:, 0] == pytest.approx(other.loss, rel=1e-5)


def adding_of_six(rng):
    batch = tasks.adding(rng, T, B)
    y, asked = np.zeros((T, B, 1), np.float32), np.zeros((T, B), bool)
    y[-1], asked[-1] = batch.y, True
    return Examples(batch.x, y, asked)


class Plain(nn.Module):
    """One net of those with seeds, as `train.fit` takes it."""

    def __init__(self, nets):
        super().__init__()
        self.nets = nets

    def forward(self, x):
        return self.nets(x)[-1, 0]


def test_each_seed_is_clipped_by_the_norm_of_all_its_own_weights():
    weights = [nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(2, 1, 2))]
    weights[0].grad = torch.tensor([[3.0, 0, 0], [0.1, 0, 0]])
    weights[1].grad = torch.tensor([[[4.0, 0]], [[0, 0.2]]])
    clip_each(weights, 1.0)
    torch.testing.assert_close(weights[0].grad, torch.tensor([[0.6, 0, 0], [0.1, 0, 0]]))
    torch.testing.assert_close(weights[1].grad, torch.tensor([[[0.8, 0]], [[0, 0.2]]]))


def test_what_is_not_asked_changes_nothing():
    def noisy(rng):
        x, y, asked = adding_of_six(rng)
        return Examples(x, np.where(asked[..., None], y, np.float32(99)), asked)

    clean, other = model([0]), model([0])
    assert (fit(clean, [0], adding_of_six).loss == fit(other, [0], noisy).loss).all()
    assert all((a == b).all() for a, b in zip(clean.parameters(), other.parameters(), strict=True))


def test_training_ends_when_every_seed_has_met_the_criterion_and_says_when():
    def watch(update, answers, examples):
        assert answers.shape[1:] == (2, B, 1)
        assert [one.x.shape[0] for one in examples] == [T, T]
        return np.array([update >= 2, update >= 4])

    curves = fit(model([0, 1]), [0, 1], adding_of_six, watch=watch)
    assert curves.met.tolist() == [2, 4]
    assert len(curves.loss) == 4


def test_the_first_update_below_a_target_is_that_of_the_mean_of_the_last_20():
    loss = np.full((50, 3), 2.0)
    loss[30:, 0] = 0
    loss[:, 1] = 0.5
    curves = Curves(loss, np.zeros(3, np.int64), 0.0)
    assert curves.below(1.0).tolist() == [40, 20, 0]


@pytest.mark.parametrize(
    ("answer", "outputs", "y", "loss"),
    [
        ("values", [1.0, 3.0], [0.0, 1.0], 2.5),
        ("one of K", [0.0, 0.0], [1.0, 0.0], np.log(2)),
        ("yes or no", [0.0, 0.0], [1.0, 0.0], np.log(2)),
        ("logistic", [0.0, 0.0], [1.0, 0.0], 0.25),
    ],
)
def test_the_losses_are_those_that_their_names_say(answer, outputs, y, loss):
    value = ANSWERS[answer].loss(torch.tensor([outputs]), torch.tensor([y]))
    assert value.item() == pytest.approx(loss)


def test_an_unknown_answer_is_refused_naming_those_that_there_are():
    with pytest.raises(ValueError, match=r"answer must be one of \['values'.*, got 'numbers'"):
        fit(model([0]), [0], answer="numbers")


def test_weights_without_the_axis_over_seeds_are_refused():
    with pytest.raises(ValueError, match=r"leading axis of 3 seeds, got \[2\]"):
        fit(model([0, 1]), [0, 1, 2])
