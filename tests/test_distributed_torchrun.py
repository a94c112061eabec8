"""The example as a reader starts it: by torchrun, with workers that are killed or fail."""

import json
import os
import re
import signal
import time
from typing import NamedTuple

import numpy as np
import pytest
import torch

from lstm_lib import train
from lstm_lib.examples import plain_workers, train_adding
from lstm_lib.examples.launch import saved, torchrun

UPDATES = 200
SECONDS_ALLOWED = 120
EXAMPLE = ["-m", "lstm_lib.examples.train_adding", f"--updates={UPDATES}", "--folder"]
FAILING = """
from lstm_lib import train
from lstm_lib.examples import train_adding

def step(model, update, state):
    if train.rank() == 1 and update == 5:
        raise ZeroDivisionError("worker 1 had enough")
    return train_adding.step(model, update, state)

train.run(train_adding.new_model(), step, train.Config(10**6))
"""


class Start(NamedTuple):
    """Which process a worker is, and its first update."""

    process: int
    update: int


def begun(line):
    """The number of a worker, and its start, of the line it says at once."""
    found = re.fullmatch(r"worker (\d), process (\d+), begins with update (\d+)\n?", line)
    rank, process, update = map(int, found.groups())
    return rank, Start(process, update)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """How two workers end, and what they said."""
    folder = tmp_path_factory.mktemp("undisturbed")
    said, errors = torchrun(*EXAMPLE, folder).communicate(timeout=SECONDS_ALLOWED)
    assert errors == ""
    return (*saved(folder), said)


def test_two_workers_of_torchrun_end_as_one_process_does(undisturbed, tmp_path, capsys):
    train_adding.main([f"--updates={UPDATES}", f"--folder={tmp_path}"])
    record, tensors, said = undisturbed
    alone, wanted = saved(tmp_path)
    # Rounding of 1e-16 grew a hundredfold in these updates; how far depends on the machine.
    assert np.allclose(record["loss"], alone["loss"], rtol=1e-9)
    assert all(torch.allclose(tensors[n], wanted[n], rtol=1e-9, atol=1e-12) for n in wanted)
    assert said.splitlines()[-1] == capsys.readouterr().out.splitlines()[-1]


def test_a_killed_worker_is_started_anew_and_the_run_ends_with_the_same_bits(undisturbed, tmp_path):
    process = torchrun("--max-restarts=1", *EXAMPLE, tmp_path)
    first = dict(begun(process.stdout.readline()) for _ in range(2))
    until = time.monotonic() + SECONDS_ALLOWED
    while not (tmp_path / "checkpoint.safetensors").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(first[1].process, signal.SIGKILL)
    rest, errors = process.communicate(timeout=SECONDS_ALLOWED)
    assert process.returncode == 0, errors
    anew = dict(begun(line) for line in rest.splitlines()[:2])
    assert {one.process for one in first.values()}.isdisjoint(one.process for one in anew.values())
    assert [first[rank].update for rank in (0, 1)] == [1, 1]
    assert anew[0].update == anew[1].update > 10  # the checkpoint's, not the run's first
    record, tensors, _ = undisturbed
    ours, weights = saved(tmp_path)
    assert ours == record
    assert all(torch.equal(weights[name], tensors[name]) for name in tensors)


def test_an_error_in_one_worker_ends_all_of_them(tmp_path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    process = torchrun(script)
    _, errors = process.communicate(timeout=SECONDS_ALLOWED)  # a million updates take hours
    assert process.returncode == 1
    assert "ZeroDivisionError: worker 1 had enough" in errors


def test_workers_written_by_hand_go_the_way_of_one_process():
    said, errors = torchrun("-m", "lstm_lib.examples.plain_workers").communicate(
        timeout=SECONDS_ALLOWED
    )
    assert errors == ""
    config = train.Config(plain_workers.UPDATES, lr=1e-2)
    alone = train.run(train_adding.new_model(), train_adding.step, config, progress=False)
    # Rounding of 1e-16 that has had fifty updates to grow.
    assert np.allclose(json.loads(said), alone.history.loss, rtol=1e-12)
