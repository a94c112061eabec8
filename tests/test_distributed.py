"""Several workers train as one process does: the same losses and weights, wherever they go on.

Tolerances of 1e-12: in float64 a sum in another order differs by about 1e-16 of its terms.
"""

import json
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import torch
import torch.distributed as dist
from safetensors import safe_open
from workers import (
    Adding,
    Reader,
    Streaming,
    bits,
    characters,
    checkpoints_written,
    draws,
    going_on_from_its_own_folder,
    padded_step,
    raising_on_worker_1,
    reader_of_its_rank,
    shared_after_a_run,
    sharing_twice,
    together,
    torchrun_environment,
    trained,
    turned_state_step,
    twice,
    unused_weight,
    without_terms,
)

from lstm_lib import train
from lstm_lib.examples import time_workers
from lstm_lib.train import distributed
from lstm_lib.train.distributed import Workers

SHORT = train.Config(8, lr=0.05)
SAVED = train.Config(8, lr=0.05, schedule="cosine", save_every=1, validate_every=2)


def close(ours, theirs):
    """Whether two runs went the same way, up to rounding."""
    return all(
        np.allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-12)
        for name in ("loss", "gradient_norm", "weights", "validation")
    )


def same(ours, theirs):
    """Whether two runs went the same way to the last bit."""
    return all(
        np.array_equal(ours[name], theirs[name])
        for name in ("loss", "gradient_norm", "weights", "validation")
    )


# The same as one process


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("B", [6, 7])
def test_workers_go_the_way_of_one_process_with_the_whole_batch(workers, B):
    alone = trained(Reader, Adding(B), SHORT)
    assert alone["gradient_norm"].max() > SHORT.clip  # so that clipping is in it
    assert all(close(one, alone) for one in together(workers, trained, Reader, Adding(B), SHORT))


def test_all_workers_end_with_the_same_bits():
    first, second, third = together(3, trained, Reader, Adding(7), SHORT)
    assert same(first, second)
    assert same(first, third)


@pytest.mark.parametrize("workers", [2, 3])
def test_a_mean_over_sequences_of_different_lengths_is_that_of_the_whole_batch(workers):
    alone = trained(Reader, padded_step, SHORT)
    assert all(close(one, alone) for one in together(workers, trained, Reader, padded_step, SHORT))


def test_each_worker_carries_the_state_of_its_own_sequences():
    alone = trained(characters, Streaming(5), SHORT)
    assert all(close(one, alone) for one in together(2, trained, characters, Streaming(5), SHORT))


def test_workers_start_from_the_weights_of_the_first():
    alone = trained(Reader, Adding(), SHORT)
    ours = together(2, trained, reader_of_its_rank, Adding(), SHORT)
    assert all(close(one, alone) for one in ours)


def test_two_runs_one_after_the_other_join_anew():
    alone = twice(Reader, Adding(), SHORT)
    assert all(close(one, alone) for one in together(2, twice, Reader, Adding(), SHORT))


def test_dropout_differs_from_worker_to_worker():
    (alone,) = together(1, draws)
    first, second = together(2, draws)
    assert first == alone
    assert not set(first) & set(second)


# Validation and checkpoints


def test_only_the_first_worker_validates_and_all_end_together():
    config = train.Config(60, lr=0.5, validate_every=1, patience=3)
    alone = trained(characters, Streaming(5), config, validate=bits)
    assert alone["stopped"] == "patience"
    ours = together(2, partial(trained, validate=bits), characters, Streaming(5), config)
    assert [one["stopped"] for one in ours] == ["patience"] * 2
    assert all(close(one, alone) for one in ours)


def test_only_the_first_worker_writes(tmp_path):
    assert together(2, checkpoints_written, tmp_path) == [SAVED.updates, 0]


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3), (3, 2)])
def test_a_run_goes_on_with_another_number_of_workers(before, after, tmp_path):
    work = partial(trained, validate=bits, folder=tmp_path)
    alone = trained(characters, Streaming(5), SAVED, validate=bits, folder=tmp_path / "alone")
    stopped = together(before, work, characters, Streaming(5, stop=6), SAVED)
    assert [type(one) for one in stopped] == [InterruptedError] * before
    ours = together(after, work, characters, Streaming(5), SAVED)
    assert all(close(one, alone) for one in ours)


@pytest.mark.parametrize("B", [6, 5])
def test_two_workers_that_go_on_end_bit_identically(B, tmp_path):
    config = train.Config(12, lr=0.05, save_every=1, validate_every=4)
    work = partial(trained, validate=bits)
    whole = together(2, partial(work, folder=tmp_path / "a"), characters, Streaming(B), config)
    work = partial(work, folder=tmp_path / "b")
    together(2, work, characters, Streaming(B, stop=8), config)
    ours = together(2, work, characters, Streaming(B), config)
    assert all(same(one, whole[0]) for one in ours)


def test_a_checkpoint_says_nothing_of_the_number_of_workers(tmp_path):
    kinds = []
    for workers in (1, 2):
        work = partial(trained, validate=bits, folder=tmp_path / str(workers))
        together(workers, work, characters, Streaming(5), SAVED)
        with safe_open(tmp_path / str(workers) / "checkpoint.safetensors", "pt") as file:
            record = json.loads(file.metadata()["record"])
            shapes = {name: file.get_tensor(name).shape for name in file.keys()}  # noqa: SIM118
        kinds.append((record.keys(), record["config"], record["state"], shapes))
    assert kinds[0] == kinds[1]


# Errors


@pytest.mark.parametrize(("step", "error", "message"), [
    (Adding(shared=False), RuntimeError, "all 2 workers would do the same work"),
    (Adding(B=1), ValueError, "must have a sequence for each of 2 workers, got 1"),
    (Adding(bad=[5]), FloatingPointError, "update 1: the loss is nan"),
    (turned_state_step, ValueError, r"this worker's 3 sequences on axis 1, got \(3, 6\)"),
    (sharing_twice, ValueError, "now it would be 0.6"),
    (without_terms, ValueError, r"got \[0, 0, 0\] for worker 0"),
])  # fmt: skip
def test_what_cannot_be_trained_together_is_refused_by_the_first_worker(step, error, message):
    refused, _ = together(2, trained, Reader, step, SHORT)
    with pytest.raises(error, match=message):
        raise refused


def test_a_weight_that_the_loss_does_not_depend_on_is_refused_by_its_name():
    for one in together(2, trained, unused_weight, Adding(), SHORT):
        with pytest.raises(RuntimeError, match=r"does not on unused\.weight: use them"):
            raise one


def test_a_loss_that_is_nan_on_one_worker_ends_all_of_them():
    ours = together(2, trained, Reader, Adding(bad=[5]), SHORT)
    assert [type(one) for one in ours] == [FloatingPointError] * 2


def test_a_worker_that_fails_does_not_leave_the_others_waiting():
    waiting, failed = together(2, trained, Reader, raising_on_worker_1, SHORT)
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(waiting, RuntimeError)


def test_workers_that_read_different_checkpoints_are_refused(tmp_path):
    for one in together(2, going_on_from_its_own_folder, tmp_path):
        with pytest.raises(RuntimeError, match=r"those of updates \[3, 0\]: folder must be one"):
            raise one


# What each one takes


@pytest.mark.parametrize("B", range(3, 9))
def test_shares_hold_each_sequence_once_and_differ_by_one_at_most(B):
    shares = [range(B)[Workers(rank, 3).take(B)] for rank in range(3)]
    assert [b for share in shares for b in share] == list(range(B))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_outside_of_a_run_the_parts_come_back_whole():
    x, y = np.ones((4, 3, 2)), torch.ones(3)
    ours = train.share(x, y, axes=(1, 0))
    assert np.array_equal(ours[0], x)
    assert torch.equal(ours[1], y)


def test_after_a_run_the_parts_come_back_whole():
    assert together(2, shared_after_a_run) == [list(range(6))] * 2


@pytest.mark.parametrize(("parts", "axes", "error", "message"), [
    ([], (), ValueError, "axes must be one for each of 0 parts"),
    ([np.ones((4, 3)), np.ones(3)], (1,), ValueError, "axes must be one for each of 2 parts"),
    ([np.ones((4, 3))], (2,), ValueError, r"axes must be 0 … 1 for \(4, 3\), got 2"),
    ([np.ones((4, 3)), np.ones(4)], (1, 0), ValueError, r"the same B sequences, got \[3, 4\]"),
    ([[1, 2]], (0,), TypeError, "parts must be arrays or tensors, got list"),
])  # fmt: skip
def test_parts_that_do_not_belong_together_are_refused(parts, axes, error, message):
    with pytest.raises(error, match=message):
        train.share(*parts, axes=axes)


# What an update costs


def test_the_costs_of_an_update_are_found_from_its_times():
    costs = time_workers.Cost(update=1e-3, step=2e-6, sequence=5e-6)
    sizes = [(16, B) for B in (2, 8, 64)] + [(1, 2), (256, 2)]
    times = [(T, B, costs.update + T * (costs.step + B * costs.sequence)) for T, B in sizes]
    assert np.allclose(time_workers.fit(times), costs, rtol=1e-9)


def test_a_time_counts_in_proportion_to_itself():
    even = [(1, 1, 1.0), (1, 1, 2.0), (1, 3, 100.0), (4, 2, 100.0)]
    found = time_workers.fit(even)
    assert np.isclose(sum(found), (1 + 1 / 2) / (1 + 1 / 4), rtol=1e-9)


# One worker in this process, and the machine


@pytest.fixture
def one_worker(monkeypatch):
    """The environment that torchrun gives the only worker."""
    for name, value in torchrun_environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("one_worker")
def test_one_worker_goes_the_way_of_a_plain_process_bit_for_bit(monkeypatch, tmp_path):
    ours = trained(characters, Streaming(5), SAVED, validate=bits, folder=tmp_path / "a")
    monkeypatch.delenv("RANK")
    plain = trained(characters, Streaming(5), SAVED, validate=bits, folder=tmp_path / "b")
    assert same(ours, plain)


@pytest.mark.usefixtures("one_worker")
@pytest.mark.parametrize("stop", [0, 3])
def test_the_process_group_is_gone_afterwards(stop):
    seen = []

    def step(model, update, state):
        seen.append(dist.is_initialized())
        return Adding(stop=stop)(model, update, state)

    with pytest.raises(InterruptedError) if stop else nullcontext():
        train.run(Reader(), step, SHORT, progress=False)
    assert all(seen)
    assert not dist.is_initialized()


@pytest.mark.usefixtures("one_worker")
def test_a_process_group_that_was_there_stays():
    dist.init_process_group("gloo")
    trained(Reader, Adding(), SHORT)
    assert dist.is_initialized()
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_worker")
def test_a_model_can_be_trained_by_itself_after_a_run_of_workers():
    model, step = Reader(), Adding()
    train.run(model, step, SHORT, progress=False)
    loss, _ = step(model, 9, None)
    loss.backward()
    assert model.cell.weight_hh_l0.grad.abs().sum() > 0


@pytest.mark.parametrize(("gpus", "here", "wanted"), [
    (0, 1, "cpu"), (1, 2, "cpu"), (2, 2, "cuda:1"), (4, 2, "cuda:1"),
])  # fmt: skip
def test_each_worker_has_a_gpu_or_none_has(gpus, here, wanted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(here))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert train.device() == torch.device(wanted)


def test_without_torchrun_a_process_is_the_first(monkeypatch):
    assert train.rank() == 0
    monkeypatch.setenv("RANK", "3")
    assert train.rank() == 3


@pytest.mark.usefixtures("one_worker")
def test_workers_on_gpus_talk_by_nccl_each_on_its_own(monkeypatch):
    asked = {}
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: asked.update(device=device))
    monkeypatch.setattr(dist, "init_process_group", lambda by, **more: asked.update(more, by=by))
    distributed._start(torch.device("cuda:0"))
    assert asked["by"] == "nccl"
    assert asked["device"] == asked["device_id"] == torch.device("cuda:0")


@pytest.mark.parametrize(("here", "restart"), [("2", "3"), ("1", "0")])
def test_no_two_runs_have_one_name_and_restarts_count_on_one_machine(here, restart, monkeypatch):
    values = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": here, "TORCHELASTIC_RESTART_COUNT": "3"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    first, second = distributed._name_of_this_run(), distributed._name_of_this_run()
    assert first != second
    assert first.startswith(f"restart {restart}, run ")


def test_a_model_on_the_gpu_of_another_worker_is_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(ValueError, match=r"must be on cuda:1, its own GPU, got cuda:0: use model"):
        distributed._start(torch.device("cuda:0"))
