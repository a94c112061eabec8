"""Runs: seeded, scheduled, validated; stopped anywhere and resumed, they end bit-identically."""

import dataclasses
import errno
import json
import math
import os
import re
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from lstm_lib import torch_cells, train
from lstm_lib.language import CharModel, Stream, bits_per_character, step_on
from lstm_lib.train.checkpoint import detached

TOKENS = np.random.default_rng(0).integers(0, 5, 90)
FULL = {
    "lr": 0.05, "schedule": "cosine", "warmup": 3, "weight_decay": 0.1, "seed": 7,
    "validate_every": 2, "save_every": 1,
}  # fmt: skip


class StopError(Exception):
    """Raised by a step where the test ends a run."""


def char_model(H=4, seed=0):
    """An LSTM with dropout: its updates draw random numbers and carry a state."""
    return CharModel(5, 3, H, dropout=0.3, generator=torch.Generator().manual_seed(seed))


def bits(model):
    return bits_per_character(model, [TOKENS[:30]], [TOKENS[30:33]])


def stopping_at(update, step):
    """The step, which raises when it comes to this update."""

    def stopped(model, now, state):
        if now == update:
            raise StopError
        return step(model, now, state)

    return stopped


def char_run(model, folder=None, stop_at=None, validate=bits, **options):
    """A run of `char_model` over a stream; stopped before update `stop_at` where one is given."""
    options = {"updates": 12} | FULL | options
    if folder is None:
        options["save_every"] = None
    config = train.Config(**options)
    step = step_on(Stream(TOKENS, T=4, B=3, seed=config.seed))
    step = step if stop_at is None else stopping_at(stop_at, step)
    return train.run(model, step, config, validate=validate, folder=folder, progress=False)


def same(a, b):
    """Whether two modules have the very same weights."""
    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


def one_weight(value=1.0):
    """A model that is one number, and the step whose loss is its square."""
    model = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.constant_(model.weight, value)
    return model, lambda model, update, state: ((model.weight**2).sum(), state)


# Configuration


def test_the_rate_rises_linearly_and_then_stays():
    config = train.Config(10, lr=0.4, warmup=4)
    assert [config.rate(n) for n in range(1, 11)] == pytest.approx([0.1, 0.2, 0.3] + [0.4] * 7)


def test_the_rate_falls_as_a_cosine_from_the_end_of_the_warmup_to_zero():
    config = train.Config(8, lr=2.0, schedule="cosine", warmup=2)
    rates = [config.rate(n) for n in range(1, 9)]
    half = math.sqrt(3) / 2  # cos 30°
    assert rates == pytest.approx([1, 2, 1 + half, 1.5, 1, 0.5, 1 - half, 0], abs=1e-12)


def test_a_run_takes_each_step_at_the_rate_of_the_schedule():
    rates, (model, _) = [], one_weight(100.0)

    def step(model, update, state):  # Adam's steps are lr where the gradient is always 1
        rates.append(model.weight.item())
        return model.weight.sum(), None

    config = train.Config(6, lr=0.5, schedule="cosine", warmup=2, clip=None)
    train.run(model, step, config, progress=False)
    taken = -np.diff([*rates, model.weight.item()])
    assert taken == pytest.approx([config.rate(n) for n in range(1, 7)], rel=1e-6, abs=1e-9)


def test_a_configuration_can_be_printed_and_read_back_and_not_be_changed():
    config = train.Config(5, lr=np.float32(0.5), clip=None)
    assert eval(repr(config), {"Config": train.Config}) == config
    assert "np." not in repr(config)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.lr = 1.0


WRONG = {
    "updates": [0, -1, 2.5, None, True],
    "lr": [0, -1, math.nan, math.inf, None],
    "clip": [0, -1, math.nan],
    "schedule": ["linear", None],
    "warmup": [-1, 10, 0.5],
    "weight_decay": [-1, math.nan, math.inf],
    "seed": [-1, 0.5, None],
    "threads": [0, None, 1.0],
    "validate_every": [0, 1.5],
    "patience": [0],
    "save_every": [0, -3],
}


@pytest.mark.parametrize(("name", "value"), [(n, value) for n in WRONG for value in WRONG[n]])
def test_a_value_out_of_range_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=name):
        train.Config(**{"updates": 10, "validate_every": 1} | {name: value})


def test_patience_needs_validation():
    with pytest.raises(ValueError, match="give validate_every too"):
        train.Config(10, patience=2)


@pytest.mark.parametrize("given", ["validate", "validate_every", "folder", "save_every"])
def test_what_belongs_together_is_given_together(given, tmp_path):
    values = {"validate": bits, "validate_every": 1, "folder": tmp_path, "save_every": 1}
    config = {n: values[n] for n in (given,) if n.endswith("every")}
    arguments = {n: values[n] for n in (given,) if not n.endswith("every")}
    model, step = one_weight()
    with pytest.raises(ValueError, match="belong together"):
        train.run(model, step, train.Config(3, **config), **arguments, progress=False)


# Resuming


@pytest.mark.parametrize("save_every", [1, 5])
def test_a_run_stopped_at_any_update_and_resumed_is_bit_identical(save_every, tmp_path):
    undisturbed = char_model()
    wanted = char_run(undisturbed, tmp_path / "whole", save_every=save_every)
    file = (tmp_path / "whole" / "checkpoint.safetensors").read_bytes()
    for stop_at in range(2, 13):
        folder, model = tmp_path / str(stop_at), char_model()
        with pytest.raises(StopError):
            char_run(model, folder, stop_at, save_every=save_every)
        model = char_model()
        got = char_run(model, folder, save_every=save_every)
        assert same(model, undisturbed)
        assert np.array_equal(got.history.loss, wanted.history.loss)
        assert np.array_equal(got.history.gradient_norm, wanted.history.gradient_norm)
        assert got[1:] == wanted[1:]
        # Adam's averages, the carried state and the last weights are all in here.
        assert (folder / "checkpoint.safetensors").read_bytes() == file


def test_checkpoints_change_nothing_in_a_run(tmp_path):
    with_folder, without = char_model(), char_model()
    char_run(with_folder, tmp_path)
    char_run(without)
    assert same(with_folder, without)


def test_a_resumed_run_starts_at_the_update_after_the_checkpoint(tmp_path):
    model, step = one_weight()
    updates = []

    def noted(model, update, state):
        updates.append(update)
        return step(model, update, state)

    config = train.Config(7, save_every=2)
    with pytest.raises(StopError):
        train.run(model, stopping_at(6, noted), config, folder=tmp_path, progress=False)
    train.run(one_weight()[0], noted, config, folder=tmp_path, progress=False)
    assert updates == [1, 2, 3, 4, 5, 5, 6, 7]


def test_a_finished_run_called_again_gives_its_result_without_an_update(tmp_path):
    first, second = char_model(), char_model(seed=1)
    wanted = char_run(first, tmp_path)
    got = char_run(second, tmp_path, stop_at=1)
    assert same(first, second)
    assert got[1:] == wanted[1:]
    assert np.array_equal(got.history.loss, wanted.history.loss)


def test_a_run_that_ended_by_patience_is_over_when_called_again(tmp_path):
    scores = iter([1.0, 2.0, 3.0])
    options = {"patience": 2, "validate": lambda model: next(scores)}
    wanted = char_run(char_model(), tmp_path, **options)
    assert char_run(char_model(), tmp_path, **options)[1:] == wanted[1:]
    assert wanted.stopped == "patience"


def test_running_averages_of_a_model_are_resumed_too(tmp_path):
    def model():
        return nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1, bias=False))

    def step(model, update, state):
        x = torch.as_tensor(train.rng_for(0, update).normal(size=(4, 2)), dtype=torch.float32)
        return model(x).square().sum(), None

    start = model().state_dict()
    models = [model(), model(), model()]
    for one in models:
        one.load_state_dict(start)
    config = train.Config(6, save_every=2)
    train.run(models[0], step, config, folder=tmp_path / "whole", progress=False)
    with pytest.raises(StopError):
        train.run(models[1], stopping_at(4, step), config, folder=tmp_path / "a", progress=False)
    train.run(models[2], step, config, folder=tmp_path / "a", progress=False)
    assert same(models[0], models[2])
    assert models[0][0].num_batches_tracked == 6


# Checkpoints that do not fit, and disks that do not take them


def interrupted(folder, **options):
    """A folder with the checkpoint of update 5."""
    with pytest.raises(StopError):
        char_run(char_model(), folder, stop_at=6, **options)
    return folder / "checkpoint.safetensors"


def test_a_checkpoint_of_another_configuration_is_refused_and_kept(tmp_path):
    file = interrupted(tmp_path)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"another configuration \(lr 0\.05 → 0\.1, seed 7 → 8\)"):
        char_run(char_model(), tmp_path, lr=0.1, seed=8)
    assert file.read_bytes() == before


def test_a_checkpoint_of_another_model_is_refused_naming_the_weights(tmp_path):
    interrupted(tmp_path)
    model, start = char_model(H=6), char_model(H=6)
    with pytest.raises(ValueError, match=r"lstm.bias_hh_l0 \(16, 'float32'\) → \(24, 'float32'\)"):
        char_run(model, tmp_path)
    assert same(model, start)


def test_a_checkpoint_of_a_model_with_other_weights_trained_is_refused(tmp_path):
    interrupted(tmp_path)
    model = char_model()
    model.embedding.weight.requires_grad = False
    with pytest.raises(ValueError, match="other weights of it were trained"):
        char_run(model, tmp_path)


def cut(content, share):
    return content[: int(len(content) * share)]


def flipped(content):
    """One bit of the last number is another."""
    return content[:-1] + bytes([content[-1] ^ 1])


DAMAGES = {
    "empty": lambda content: b"",
    "cut in its header": lambda content: cut(content, 0.05),
    "cut in its numbers": lambda content: cut(content, 0.9),
    "longer": lambda content: content + b"0",
    "a bit": flipped,
    "no safetensors": lambda content: b"PK" * 500,
    "no record": lambda content: content.replace(b'"record"', b'"rekord"', 1),
    "half a record": lambda content: content.replace(b'\\"best_update', b'\\"worst_update'[:13], 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_with_what_to_do(damage, tmp_path):
    file = interrupted(tmp_path)
    spoilt = DAMAGES[damage](file.read_bytes())
    assert spoilt != file.read_bytes()
    file.write_bytes(spoilt)
    model = char_model()
    with pytest.raises(ValueError, match=re.escape(f"{file} is damaged") + ".* to start anew"):
        char_run(model, tmp_path)
    assert same(model, char_model())


def test_a_folder_that_cannot_be_written_is_an_error_before_the_first_update(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write in .*file.checkpoints"):
        char_run(char_model(), tmp_path / "file" / "checkpoints", stop_at=1)


def test_a_full_disk_names_the_file_and_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    file = interrupted(tmp_path)
    before = file.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    model = char_model()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device") as error:
            char_run(model, tmp_path)
    assert error.value.errno == errno.ENOSPC
    assert str(file) in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file.read_bytes() == before
    assert not same(model, char_model())  # it keeps its last update


def test_a_run_goes_on_when_the_disk_has_room_again(tmp_path, monkeypatch):
    undisturbed, model = char_model(), char_model()
    char_run(undisturbed, tmp_path / "whole")
    interrupted(tmp_path / "a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *paths: os.stat(tmp_path / "missing"))
        with pytest.raises(OSError, match="cannot write"):
            char_run(model, tmp_path / "a")
    char_run(model, tmp_path / "a")
    assert same(model, undisturbed)


def test_a_checkpoint_holds_numbers_and_a_record_that_is_json(tmp_path):
    with safe_open(interrupted(tmp_path), framework="pt") as file:
        record = json.loads(file.metadata()["record"])
    assert record["update"] == 5
    assert record["config"]["seed"] == 7
    assert len(record["loss"]) == 5


# Validation and early stopping


def scored(scores, **options):
    """A run of one weight whose validations give these scores; and the weight at each of them."""
    (model, step), weights, scores = one_weight(5.0), [], iter(scores)

    def validate(model):
        weights.append(model.weight.item())
        return next(scores)

    config = train.Config(**{"updates": 12, "lr": 0.1, "validate_every": 2} | options)
    run = train.run(model, step, config, validate=validate, progress=False)
    return run, model.weight.item(), weights


def test_the_weights_that_scored_best_come_back():
    run, weight, weights = scored([3, 1, 2, 1, 5, 4])
    assert weight == weights[1] != weights[-1]
    assert run.best_update == 4
    assert run.validation == [(2, 3), (4, 1), (6, 2), (8, 1), (10, 5), (12, 4)]
    assert run.stopped == run.history.stopped == "all updates done"


def test_the_best_weights_come_back_where_a_run_was_stopped_after_them(tmp_path):
    scores, weights = iter([3, 1, 2, 4, 5]), []

    def validate(model):
        weights.append(model.weight.item())
        return next(scores)

    (model, step), config = one_weight(5.0), train.Config(10, validate_every=2, save_every=2)
    options = {"validate": validate, "folder": tmp_path, "progress": False}
    with pytest.raises(StopError):
        train.run(model, stopping_at(7, step), config, **options)
    model = one_weight()[0]
    assert train.run(model, step, config, **options).best_update == 4
    assert model.weight.item() == weights[1] != weights[-1]


def test_a_run_ends_when_patience_validations_brought_no_new_best():
    run, weight, weights = scored([3, 2, 4, 1, 2, 2, 0], patience=2)
    assert run.stopped == run.history.stopped == "patience"
    assert len(run.history.loss) == run.validation[-1][0] == 12
    assert weight == weights[3]
    run, *_ = scored([3, 2, 2, 4, 1], patience=2)
    assert len(run.history.loss) == 8


def test_the_last_update_is_always_validated():
    run, *_ = scored([3, 2, 1], validate_every=5)
    assert [update for update, _ in run.validation] == [5, 10, 12]


def test_without_validation_the_last_weights_stay():
    model, step = one_weight()
    run = train.run(model, step, train.Config(3, lr=0.1), progress=False)
    assert model.weight.item() == pytest.approx(0.7, abs=0.01)
    assert (run.validation, run.best_update) == ([], None)


def test_validation_sees_the_model_in_evaluation_mode_without_gradients():
    seen = []

    def validate(model):
        seen.append((model.training, model.dropout.training, torch.is_grad_enabled()))
        return 0.0

    char_run(char_model(), validate=validate, updates=4)
    assert seen == [(False, False, False)] * 2


def test_a_score_that_is_nan_is_an_error_that_names_the_update():
    with pytest.raises(FloatingPointError, match="update 4: validate returned nan"):
        scored([1, math.nan])


# Carried state and truncated backpropagation


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU, nn.RNN, torch_cells.LSTM, torch_cells.GRU])
def test_a_stream_read_in_pieces_with_its_state_gives_the_outputs_of_one_long_sequence(cell):
    cell = cell(2, 3, dtype=torch.float64)
    x = torch.as_tensor(np.random.default_rng(0).normal(size=(20, 4, 2)))
    with torch.no_grad():
        wanted = cell(x)[0]
    pieces = []

    def step(model, update, state):
        output, state = model(x[5 * update - 5 : 5 * update], state)
        pieces.append(output.detach())
        return 0 * output.sum(), state

    train.run(cell, step, train.Config(4), progress=False)
    assert torch.allclose(torch.cat(pieces), wanted, rtol=1e-12, atol=1e-14)


def test_the_gradient_ends_where_the_state_was_carried_over():
    cell = nn.LSTM(2, 3, dtype=torch.float64)
    x = torch.as_tensor(np.random.default_rng(0).normal(size=(10, 4, 2)))
    with torch.no_grad():
        h, c = cell(x[:5])[1]
    whole, cut_off = (
        torch.autograd.grad(output.sum(), list(cell.parameters()))
        for output in (cell(x)[0][5:], cell(x[5:], (h, c))[0])
    )
    sizes = [float(torch.cat([g.flatten() for g in each]).norm()) for each in (whole, cut_off)]

    def step(model, update, state):
        output, state = model(x[5 * update - 5 : 5 * update], state)
        return (update - 1) * output.sum(), state  # no gradient, so no step, in the first update

    run = train.run(cell, step, train.Config(2, clip=None), progress=False)
    assert run.history.gradient_norm == pytest.approx([0, sizes[1]], rel=1e-12)
    assert sizes[0] != pytest.approx(sizes[1], rel=1e-3)


def test_a_state_may_be_tensors_in_tuples_and_lists():
    a, b = (torch.ones(2, requires_grad=True) * 2 for _ in "ab")
    state = detached([a, (b, None)])
    assert not state[0].requires_grad
    assert not state[1][0].requires_grad
    assert state[1][1] is None


@pytest.mark.parametrize("state", [{"h": torch.ones(1)}, "h", (1.0,)], ids=["dict", "str", "float"])
def test_what_cannot_be_a_state_is_refused_at_once(state):
    model, _ = one_weight()
    with pytest.raises(TypeError, match="the state must be None, a tensor or a tuple of these"):
        train.run(model, lambda *_: (model.weight.sum(), state), train.Config(3), progress=False)


# Seeds, threads and what is left behind


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    models = [char_model() for _ in range(3)]
    for model, seed in zip(models, (7, 7, 8), strict=True):
        char_run(model, seed=seed)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def test_a_run_does_not_depend_on_the_random_numbers_drawn_before_it():
    models = [char_model() for _ in range(2)]
    for model in models:
        torch.rand(3)
        char_run(model)
    assert same(*models)


def test_batches_are_a_function_of_seed_and_update():
    first, again, later, other = (
        train.rng_for(*n).random(4).tolist() for n in ((0, 1), (0, 1), (0, 2), (1, 1))
    )
    assert first == again
    assert first not in (later, other)


@pytest.mark.parametrize("stop_at", [None, 3])
def test_global_random_numbers_and_threads_are_afterwards_as_before(stop_at, monkeypatch):
    model = char_model()
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    with pytest.raises(StopError) if stop_at else nullcontext():
        char_run(model, stop_at=stop_at)
    assert threads == [1, 3]
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("stop_at", [None, 3])
def test_each_part_of_a_model_is_left_in_the_mode_it_came_in(stop_at):
    model, step = one_weight()
    model.part = nn.Dropout()
    model.part.eval()
    step = step if stop_at is None else stopping_at(stop_at, step)
    with pytest.raises(StopError) if stop_at else nullcontext():
        train.run(model, step, train.Config(4), progress=False)
    assert model.training
    assert not model.part.training
    assert model.weight.grad is None


@pytest.mark.parametrize(("loss", "error", "message"), [
    (lambda w: w.sum() * math.nan, FloatingPointError, "update 1: the loss is nan"),
    (lambda w: (w - 1).abs().sqrt().sum(), FloatingPointError, "the gradient of weight has norm"),
    (lambda w: w.repeat(2, 1), ValueError, r"a scalar loss, got one of \(2, 1\)"),
])  # fmt: skip
def test_a_loss_that_cannot_be_trained_on_is_an_error_and_leaves_the_weights(loss, error, message):
    model, _ = one_weight()
    with pytest.raises(error, match=message):
        train.run(model, lambda *_: (loss(model.weight), None), train.Config(3), progress=False)
    assert model.weight.item() == 1


def test_a_model_without_weights_to_train_is_refused():
    with pytest.raises(ValueError, match="must have a parameter that requires a gradient"):
        train.run(nn.Dropout(), lambda *_: None, train.Config(3), progress=False)
