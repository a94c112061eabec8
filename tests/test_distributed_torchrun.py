"""The example as a reader starts it: by torchrun, with workers that are killed or fail."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors import safe_open

from lstm_lib.examples import train_adding

UPDATES = 200
SECONDS_ALLOWED = 120
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
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


def start(*command):
    """A process with an environment in which workers do not share the cores."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def ending(folder):
    """The record of a run and its weights."""
    with safe_open(folder / "checkpoint.safetensors", "pt") as file:
        record = json.loads(file.metadata()["record"])
        return record, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """How two workers end, and what they said."""
    folder = tmp_path_factory.mktemp("undisturbed")
    said, errors = start(*TORCHRUN, *EXAMPLE, folder).communicate(timeout=SECONDS_ALLOWED)
    assert errors == ""
    return (*ending(folder), said)


def test_two_workers_of_torchrun_end_as_one_process_does(undisturbed, tmp_path, capsys):
    train_adding.main([f"--updates={UPDATES}", f"--folder={tmp_path}"])
    record, tensors, said = undisturbed
    alone, wanted = ending(tmp_path)
    # Rounding of 1e-16 grew a hundredfold in these updates; how far depends on the machine.
    assert np.allclose(record["loss"], alone["loss"], rtol=1e-9)
    assert all(torch.allclose(tensors[n], wanted[n], rtol=1e-9, atol=1e-12) for n in wanted)
    assert said.splitlines()[-1] == capsys.readouterr().out.splitlines()[-1]


def test_a_killed_worker_is_started_anew_and_the_run_ends_with_the_same_bits(undisturbed, tmp_path):
    process = start(*TORCHRUN, "--max-restarts=1", *EXAMPLE, tmp_path)
    said = [process.stdout.readline() for _ in range(2)]
    pids = dict(re.fullmatch(r"worker (\d) is process (\d+)\n", line).groups() for line in said)
    until = time.monotonic() + SECONDS_ALLOWED
    while not (tmp_path / "checkpoint.safetensors").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(int(pids["1"]), signal.SIGKILL)
    rest, errors = process.communicate(timeout=SECONDS_ALLOWED)
    assert process.returncode == 0, errors
    assert rest.count("is process") == 2
    record, tensors, _ = undisturbed
    ours, weights = ending(tmp_path)
    assert ours == record
    assert all(torch.equal(weights[name], tensors[name]) for name in tensors)


def test_an_error_in_one_worker_ends_all_of_them(tmp_path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    process = start(*TORCHRUN, str(script))
    _, errors = process.communicate(timeout=SECONDS_ALLOWED)  # a million updates take hours
    assert process.returncode == 1
    assert "ZeroDivisionError: worker 1 had enough" in errors
