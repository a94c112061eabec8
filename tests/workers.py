"""Models, steps and the processes that train them, for the tests of distributed training."""

import contextlib
import multiprocessing
import os
import socket

import numpy as np
import torch
from torch import nn

from lstm_lib import tasks, train
from lstm_lib.language import CharModel, Stream, bits_per_character
from lstm_lib.train import runs

TOKENS = np.random.default_rng(0).integers(0, 5, 400)
SEQUENCES = [np.random.default_rng(n).normal(size=(n, 2)) for n in (9, 2, 5, 7, 3, 8, 4)]
SECONDS_ALLOWED = 60

# A server that has imported what takes seconds forks the workers.
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["torch._dynamo", "lstm_lib.train.runs", "lstm_lib.language"])


def torchrun_environment(rank=0, size=1, port=None):
    """The variables that torchrun sets for one of its workers."""
    return {
        "RANK": str(rank), "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "localhost", "MASTER_PORT": str(port or free_port()),
    }  # fmt: skip


def free_port():
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return one.getsockname()[1]


def together(size, work, *arguments):
    """What `work` returns, or the error that it raises, in each of `size` workers."""
    port, workers = free_port(), []
    for rank in range(size):
        ours, theirs = _fork.Pipe(duplex=False)
        environment = torchrun_environment(rank, size, port)
        process = _fork.Process(target=_one, args=(theirs, environment, work, arguments))
        process.start()
        theirs.close()
        workers.append((process, ours))
    answers = [
        ours.recv() if ours.poll(SECONDS_ALLOWED) else TimeoutError("no answer")
        for _, ours in workers
    ]
    for process, _ in workers:
        process.join(SECONDS_ALLOWED)
        process.kill()
    return answers


def _one(answer, environment, work, arguments):
    os.environ.update(environment)
    torch.set_num_threads(1)
    try:
        result = work(*arguments)
    except Exception as error:  # the test looks at it
        result = error
    answer.send(result)
    answer.close()


def trained(new_model, step, config, *, validate=None, folder=None):
    """Train a new model; all that came out, in NumPy."""
    model = new_model()
    run = train.run(model, step, config, validate=validate, folder=folder, progress=False)
    return {
        "loss": run.history.loss,
        "gradient_norm": run.history.gradient_norm,
        "validation": run.validation,
        "stopped": run.stopped,
        "weights": np.concatenate([p.detach().numpy().ravel() for p in model.parameters()]),
    }


class Reader(nn.Module):
    """An LSTM in float64 whose output is read at each step."""

    def __init__(self, seed=0):
        super().__init__()
        self.cell = nn.LSTM(2, 4, dtype=torch.float64)
        self.readout = nn.Linear(4, 2, dtype=torch.float64)
        generator = torch.Generator().manual_seed(seed)
        for p in self.parameters():
            nn.init.uniform_(p, -0.5, 0.5, generator=generator)

    def forward(self, x):
        return self.readout(self.cell(x)[0])


def reader_of_its_rank():
    """A model that starts otherwise on each worker."""
    return Reader(seed=train.rank())


def unused_weight():
    """A model with a weight that nothing reads."""
    model = Reader()
    model.unused = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    return model


def characters(dropout=0.0):
    """A model of characters in float64."""
    generator = torch.Generator().manual_seed(0)
    return CharModel(5, 3, 4, dropout=dropout, generator=generator).double()


class Adding:
    """The step of the adding problem, B sequences; the target is the sum at every step."""

    def __init__(self, B=6, *, shared=True, bad=(), stop=0):
        self.B, self.shared, self.bad, self.stop = B, shared, bad, stop

    def __call__(self, model, update, state):
        if update == self.stop:
            raise InterruptedError(f"stopped before update {update}")
        x, y, _ = tasks.adding(train.rng_for(0, update), 6, self.B, dtype=np.float64)
        x[0, list(self.bad)] = np.nan
        x, y = torch.as_tensor(x), torch.as_tensor(y)
        if self.shared:
            x, y = train.share(x, y, axes=(1, 0))
        return (model(x) - y).square().mean(), None


class Streaming(Adding):
    """The step of a model of characters over a stream, whose state is carried."""

    def __call__(self, model, update, state):
        if update == self.stop:
            raise InterruptedError(f"stopped before update {update}")
        *batch, fresh = Stream(TOKENS, T=6, B=self.B, seed=0)(update)
        x, y = train.share(*batch, axes=(1, 1))
        logits, state = model(x, None if fresh else state)
        return nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten()), state


def padded_step(model, update, state):
    """A step whose loss is the mean over all steps of sequences of different lengths."""
    x, lengths = train.pad(SEQUENCES)
    x, own = train.share(x, lengths, axes=(1, 0), terms=lengths)
    return train.loss_over_steps(model(x), x.cumsum(0), own), None


def turned_state_step(model, update, state):
    """A step whose state has the sequences on the wrong axis."""
    loss, _ = Adding()(model, update, state)
    return loss, torch.zeros(3, 6)


def without_terms(model, update, state):
    """A step where the first worker's sequences have no steps."""
    train.share(torch.ones(6), axes=(0,), terms=[0, 0, 0, 1, 2, 3])
    raise AssertionError("a share of nothing was not refused")


def bits(model):
    """Bits a character; only worker 0 may be asked."""
    assert train.rank() == 0
    return bits_per_character(model, [TOKENS[:30]], [TOKENS[30:33]])


def sharing_twice(model, update, state):
    """A step that weighs its share in two ways."""
    train.share(torch.ones(6), axes=(0,))
    train.share(torch.ones(5), axes=(0,))
    raise AssertionError("the second share was not refused")


def raising_on_worker_1(model, update, state):
    """A step that fails on one worker only, in its third update."""
    if update == 3 and train.rank() == 1:
        raise ZeroDivisionError
    return Adding()(model, update, state)


def twice(*arguments):
    """Two runs one after the other: what came out of the second."""
    trained(*arguments)
    return trained(*arguments)


def draws():
    """A random number of each update."""
    seen = []

    def step(model, update, state):
        seen.append(torch.rand(()).item())
        return Adding()(model, update, state)

    trained(Reader, step, train.Config(4))
    return seen


def checkpoints_written(folder):
    """How many this worker wrote."""
    written = []
    really = runs.write_checkpoint
    runs.write_checkpoint = lambda *arguments: (written.append(1), really(*arguments))
    config = train.Config(8, lr=0.05, save_every=1)
    trained(characters, Streaming(), config, folder=folder)
    return len(written)


def going_on_from_its_own_folder(folder):
    """A run whose workers share no disk: only the first one has a checkpoint."""
    config = train.Config(8, save_every=3)
    if train.rank() == 0:
        torchrun = {name: os.environ.pop(name) for name in ("RANK", "WORLD_SIZE")}
        with contextlib.suppress(InterruptedError):
            trained(Reader, Adding(stop=5), config, folder=folder / "0")
        os.environ.update(torchrun)
    return trained(Reader, Adding(), config, folder=folder / str(train.rank()))


def shared_after_a_run():
    """What this worker takes of six numbers when its run is over."""
    trained(Reader, Adding(), train.Config(2))
    (mine,) = train.share(np.arange(6), axes=(0,))
    return mine.tolist()
