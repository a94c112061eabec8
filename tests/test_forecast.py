"""Windows, baselines, ridge and the recurrent forecaster."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_lib.forecast import (
    Forecaster,
    Split,
    Task,
    fit_ridge,
    future,
    mae,
    mae_by_step,
    past,
    persistence,
    predict,
    seasonal_naive,
    train_forecaster,
)
from lstm_lib.train.runs import Config

COUNT = np.arange(100.0)


def season(predicts: str = "value", lags: int = 8) -> Task:
    """A noisy season of 8 steps around two levels, 400 values, the next 4 to be forecast."""
    t = np.arange(400)
    noise = np.random.default_rng(0).normal(size=400)
    values = 50 + 10 * np.sin(2 * np.pi * t / 8) + 10 * (t // 20 % 2) + noise
    return Task(values, Split(240, 300, 400), lags, 4, 8, predicts)


def test_a_window_ends_just_before_its_origin_and_the_future_starts_there() -> None:
    assert past(COUNT, np.array([10, 20]), 3).tolist() == [[7, 8, 9], [17, 18, 19]]
    assert future(COUNT, np.array([10, 20]), 2).tolist() == [[10, 11], [20, 21]]


def test_persistence_repeats_the_last_value() -> None:
    assert persistence(COUNT, np.array([10]), 3).tolist() == [[9, 9, 9]]


def test_seasonal_naive_says_what_was_there_a_period_ago() -> None:
    assert seasonal_naive(COUNT, np.array([10]), 3, 4).tolist() == [[6, 7, 8]]


def test_seasonal_naive_beyond_a_period_repeats_it_and_never_sees_the_future() -> None:
    assert seasonal_naive(COUNT, np.array([10]), 5, 2).tolist() == [[8, 9, 8, 9, 8]]


def test_mae_is_the_mean_of_the_absolute_errors() -> None:
    assert mae([[1.0, 2.0]], [[2.0, 5.0]]) == 2.0
    assert mae_by_step([[1.0, 2.0], [1.0, 2.0]], [[2.0, 5.0], [4.0, 2.0]]).tolist() == [2.0, 1.5]


@pytest.mark.parametrize("predicts", ["value", "change", "deviation"])
def test_no_future_crosses_the_end_of_its_part(predicts: str) -> None:
    task = season(predicts)
    for part, begin, end in (("train", 0, 240), ("validation", 240, 300), ("test", 300, 400)):
        origins = task.origins(part)
        assert origins[0] >= max(begin, task.begin + task.lags)
        assert origins[-1] + task.horizon == end


@pytest.mark.parametrize("predicts", ["value", "change", "deviation"])
def test_what_comes_after_the_training_part_changes_no_scale(predicts: str) -> None:
    task = season(predicts)
    values = task.values.copy()
    values[240:] *= 100
    other = replace(task, values=values)
    assert other.scale == task.scale
    assert np.array_equal(other.inputs[:240], task.inputs[:240])


def test_what_comes_after_the_validation_part_changes_no_ridge() -> None:
    task = season()
    values = task.values.copy()
    values[300:] *= 100
    fits = fit_ridge(task), fit_ridge(replace(task, values=values))
    assert np.array_equal(fits[0].model.coef_, fits[1].model.coef_)
    assert fits[0].alpha == fits[1].alpha


def test_ridge_takes_the_alpha_that_is_best_in_validation() -> None:
    task = season(lags=40)
    alphas = (1e-3, 1e3)
    validation = task.origins("validation")
    truth = future(task.values, validation, task.horizon)
    scores = {a: mae(fit_ridge(task, (a,)).predict(task, validation), truth) for a in alphas}
    assert fit_ridge(task, alphas).alpha == min(scores, key=scores.__getitem__)


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("predicts", ["value", "change", "deviation"])
def test_ridge_finds_a_sum_of_two_waves(predicts: str, horizon: int) -> None:
    values = 5 + np.sin(np.arange(200.0)) + np.cos(0.7 * np.arange(200.0))
    task = Task(values, Split(120, 160, 200), 6, horizon, 5, predicts)
    origins = task.origins("test")
    said = fit_ridge(task, (1e-9,)).predict(task, origins)
    assert said.shape == (len(origins), horizon)
    assert np.allclose(said, future(values, origins, horizon), rtol=0, atol=1e-3)


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_a_forecaster_never_sees_what_comes_after_its_origin(cell: str) -> None:
    task = season("deviation")
    model = Forecaster(4, 5, cell)
    values = task.values.copy()
    values[350:] += 100
    changed = replace(task, values=values)
    before, after = (predict(model, one, np.array([350])) for one in (task, changed))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("predicts", ["value", "change", "deviation"])
def test_a_network_that_says_nothing_gives_the_reference(predicts: str) -> None:
    task = season(predicts)
    model = Forecaster(4, 5)
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.zeros_(model.head.bias)
    origins = task.origins("test")
    assert np.array_equal(predict(model, task, origins), task.reference(origins))


def test_the_answer_of_the_last_step_does_not_depend_on_how_many_are_asked_for() -> None:
    model = Forecaster(4, 5)
    x = torch.linspace(-1, 1, 12).reshape(6, 2, 1)
    assert torch.allclose(model(x, last=3)[-1], model(x)[0], rtol=0, atol=1e-6)


def test_fewer_lags_are_the_last_steps_of_the_window() -> None:
    task = season("deviation")
    model = Forecaster(4, 5)
    origin = np.array([350])
    window = torch.from_numpy(task.inputs[347:350, None, None]).float()
    said = predict(model, task, origin, lags=3) - task.reference(origin)
    assert np.allclose(said / task.scale, model(window)[0].detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("predicts", ["value", "deviation"])
def test_training_beats_what_the_network_is_added_to(predicts: str) -> None:
    task = season(predicts)
    model = Forecaster(4, 12, seed=1)
    run = train_forecaster(
        model, task, Config(updates=120, lr=0.02, validate_every=40), progress=False
    )
    test = task.origins("test")
    truth = future(task.values, test, 4)
    assert mae(predict(model, task, test), truth) < 0.9 * mae(task.reference(test), truth)
    assert len(run.validation) == 3


class Echo(Forecaster):
    """Says, times a gain, what it reads."""

    def __init__(self, gain: float) -> None:
        super().__init__(1, 1)
        self.gain = torch.nn.Parameter(torch.tensor(gain))

    def forward(self, x: torch.Tensor, last: int = 1) -> torch.Tensor:
        """Give (last, B, 1)."""
        return self.gain * x[-last:]


def test_every_answer_in_training_is_compared_with_its_own_future() -> None:
    # The deviation of t² from two steps ago rises by 4 a step: an echo is wrong by 4 everywhere.
    task = Task(np.arange(120.0) ** 2, Split(80, 100, 120), 4, 1, 2, "deviation")
    spread = (4.0 * np.arange(2, 80) - 4).std()
    echo = Echo(spread / task.scale)
    run = train_forecaster(echo, task, Config(updates=1, lr=1e-9), progress=False)
    assert run.history.loss[0] == pytest.approx(4 / task.scale, rel=1e-4)


def test_the_same_seed_gives_the_same_weights() -> None:
    one, same, other = (Forecaster(4, 5, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)


def test_an_unknown_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="cell must be RNN, GRU or LSTM, got 'lstm'"):
        Forecaster(4, 5, "lstm")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicts": "level"}, "predicts must be one of .*, got 'level'"),
        ({"split": Split(300, 240, 400)}, "split must rise and end by 400"),
        ({"split": Split(240, 300, 401)}, "split must rise and end by 400"),
        ({"split": Split(240, 242, 400)}, "split: validation has no place"),
    ],
)
def test_a_task_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(season(), **change)  # type: ignore[arg-type]
