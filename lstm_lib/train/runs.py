"""A training run that can be killed and resumed: seeded, scheduled, validated, checkpointed.

Everything random in update number n is drawn from (seed, n): batches by `rng_for`, dropout by
torch's generators, seeded anew before each update. So a run that resumes from a checkpoint has
nothing to restore but weights, Adam's averages and the carried state, and ends with the very bits
of a run that was never disturbed (on one machine, with the same versions and threads, and at most
two workers: DistributedDataParallel adds in another order from its second update on, which three
numbers notice and two do not).
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lstm_lib.files import check_writable
from lstm_lib.train.checkpoint import (
    Checkpoint,
    detached,
    read_checkpoint,
    write_checkpoint,
)
from lstm_lib.train.distributed import Workers, join
from lstm_lib.train.history import History, Recorder, check_rates, loss_not_finite
from lstm_lib.train.torch_loop import _clip

Step = Callable[[nn.Module, int, Any], tuple[Tensor, Any]]
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Config:
    """All that decides a run beside the model and the data; print it to keep it with a result.

    lr: of Adam, at its highest. schedule: "constant", or "cosine" to 0 at the last update
    (Loshchilov & Hutter 2017), both after a linear rise over the first `warmup` updates. clip:
    largest norm of the whole gradient. weight_decay: decoupled (AdamW). validate_every, save_every:
    updates between validations and checkpoints. patience: validations without a new best before
    the run ends. threads: of torch on the CPU; sums come out in another order with another number.

    Raises ValueError, naming the field, for a value out of range.
    """

    updates: int
    lr: float = 2e-3
    schedule: str = "constant"
    warmup: int = 0
    clip: float | None = 1.0
    weight_decay: float = 0.0
    seed: int = 0
    threads: int = 1
    validate_every: int | None = None
    patience: int | None = None
    save_every: int | None = None

    def __post_init__(self) -> None:
        check_rates(self.lr, self.clip)
        for name in ("lr", "clip", "weight_decay"):
            if getattr(self, name) is not None:  # NumPy's numbers cannot be written as JSON
                object.__setattr__(self, name, float(getattr(self, name)))
        for name in ("updates", "threads", "validate_every", "patience", "save_every"):
            value = getattr(self, name)
            if value is None and name not in ("updates", "threads"):
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {SCHEDULES}, got {self.schedule!r}")
        if not isinstance(self.warmup, int) or not 0 <= self.warmup < self.updates:
            raise ValueError(f"warmup must be 0 … {self.updates - 1}, got {self.warmup!r}")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed must be an integer from 0 on, got {self.seed!r}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay must be 0 or more, got {self.weight_decay!r}")
        if self.patience is not None and self.validate_every is None:
            raise ValueError("patience counts validations: give validate_every too")

    def rate(self, update: int) -> float:
        """The learning rate of update 1, 2, … `updates`."""
        if update <= self.warmup:
            return self.lr * update / self.warmup
        if self.schedule == "constant":
            return self.lr
        done = (update - self.warmup) / (self.updates - self.warmup)
        return self.lr * (1 + math.cos(math.pi * done)) / 2


class Run(NamedTuple):
    """What happened in a run."""

    history: History
    validation: list[tuple[int, float]]  #: (update, score) of each validation
    best_update: int | None  #: whose weights the model has now; None: those of the last update
    stopped: str  #: "all updates done" or "patience"


def rng_for(seed: int, update: int) -> np.random.Generator:
    """The generator that belongs to one update of a run: same numbers, same draws."""
    return np.random.default_rng([seed, update])


class _Job(NamedTuple):
    """What stays the same in a run."""

    model: nn.Module
    trained: nn.Module  # the model, or what averages its gradients over the workers
    weights: dict[str, nn.Parameter]
    adam: torch.optim.Optimizer
    step: Step
    validate: Callable[[nn.Module], float] | None
    config: Config
    workers: Workers


def run(
    model: nn.Module,
    step: Step,
    config: Config,
    *,
    validate: Callable[[nn.Module], float] | None = None,
    folder: str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Train `model` in place, on the device it is on.

    step: (model, update, state) to (loss, state). It makes the batch of this update (from
    `rng_for`, so that it depends on nothing else) and returns a scalar loss and the state to carry
    on, None or tensors (in tuples); the state comes back in the next update cut from its graph,
    which is truncated backpropagation through time. validate: model to a score, lower is better;
    the model ends with the weights that scored best. folder: for checkpoints, written as one file
    by renaming; where it holds one of this configuration the run goes on from there.

    Started by torchrun, all workers train this one model: step takes its worker's part of the batch
    by `share` and is given the model in DistributedDataParallel (call it; what else it has is in
    `model.module`). Losses and weights are those of one process with the whole batch, up to
    rounding; dropout draws other numbers. Of a state, which must be (layers, B, H), each worker
    carries its sequences. The loss must depend on every weight that requires a gradient. Worker 0
    validates, while the others wait for ten minutes at most, writes checkpoints and shows the bar.
    A checkpoint tells nothing of the number of workers, and a run may go on with another.

    Raises ValueError for a checkpoint of another configuration or model, or a damaged one;
    FloatingPointError, naming the update, for a loss or gradient that is not finite or a score
    that is NaN; RuntimeError where several workers would all do the same work, or their loss does
    not depend on a weight; OSError where the folder cannot be written, at once or when a disk fills
    up: the model keeps the weights of its last update, the folder the checkpoint before.
    """
    if (validate is None) != (config.validate_every is None):
        raise ValueError("validate and config.validate_every belong together: give both or none")
    if (folder is None) != (config.save_every is None):
        raise ValueError("folder and config.save_every belong together: give both or none")
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not weights:
        raise ValueError("model must have a parameter that requires a gradient, it has none")
    adam = torch.optim.AdamW(weights.values(), lr=config.lr, weight_decay=config.weight_decay)
    now = Checkpoint(asdict(config))
    path = None if folder is None else Path(folder) / "checkpoint.safetensors"
    if path is not None:
        check_writable(path.parent)
    if path is not None and path.exists():
        now = read_checkpoint(path, asdict(config), model, adam)
    with join(model) as (workers, trained):
        job = _Job(model, trained, weights, adam, step, validate, config, workers)
        history = _go_on(job, now, path, progress)
    if now.best is not None:
        model.load_state_dict(now.best)
    history = History(history.loss, history.gradient_norm, history.seconds, now.stopped)
    return Run(history, now.validation, now.best_update, now.stopped)


def _go_on(job: _Job, now: Checkpoint, path: Path | None, progress: bool) -> History:
    """Train from where the run stands to its end."""
    config, workers = job.config, job.workers
    workers.check_same_start(now.update)
    now.state = workers.own(now.state)
    bar = Recorder(
        config.updates, target=None, patience=None, progress=progress and workers.rank == 0
    )
    with _surroundings(job.model, config.threads), bar:
        bar.resume(now.loss, now.gradient_norm)
        while not now.stopped:
            now.update += 1
            now.state = _update(job, now, bar)
            if job.validate is not None:
                _validate(job, job.validate, now)
            if now.update == config.updates:
                now.stopped = now.stopped or "all updates done"
            if path is not None and (now.stopped or now.update % (config.save_every or 1) == 0):
                now.loss, now.gradient_norm = bar.loss, bar.gradient_norm
                whole = replace(now, state=workers.whole(now.state))
                if workers.rank == 0:
                    write_checkpoint(path, whole, job.model, job.adam)
        return bar.history()


def _update(job: _Job, now: Checkpoint, bar: Recorder) -> Any:
    """One update; returns the state to carry on, cut from its graph."""
    config, workers = job.config, job.workers
    seed = int(rng_for(config.seed, now.update).integers(2**63))
    torch.manual_seed(seed + workers.rank)  # dropout differs from worker to worker
    for group in job.adam.param_groups:
        group["lr"] = config.rate(now.update)
    job.adam.zero_grad()
    workers.begin_update()
    loss, state = job.step(job.trained, now.update, now.state)
    if loss.numel() != 1:
        raise ValueError(f"step must return a scalar loss, got one of {tuple(loss.shape)}")
    value, share_of_loss = workers.loss(loss)
    if not math.isfinite(value):
        raise loss_not_finite(now.update, value, [])
    share_of_loss.backward()
    workers.check_gradients(job.weights)
    norm = _clip(job.weights, config.clip, now.update)
    job.adam.step()
    bar.record(value, norm)
    workers.check_state(state := detached(state))
    return state


def _validate(job: _Job, validate: Callable[[nn.Module], float], now: Checkpoint) -> None:
    """Validate where it is time to; keep the best weights; end the run where patience is out."""
    config, model = job.config, job.model
    if now.update % (config.validate_every or 1) and now.update < config.updates:
        return
    model.eval()
    with torch.no_grad():
        score = job.workers.first_says(lambda: float(validate(model)))
    model.train()
    if math.isnan(score):  # it would be neither better nor worse than any other
        raise FloatingPointError(f"update {now.update}: validate returned {score}")
    now.validation.append((now.update, score))
    if now.best_update is None or score < min(old for _, old in now.validation[:-1]):
        now.best_update = now.update
        now.best = {name: value.detach().clone() for name, value in model.state_dict().items()}
    since_best = sum(update > now.best_update for update, _ in now.validation)
    if config.patience is not None and since_best >= config.patience:
        now.stopped = "patience"


@contextmanager
def _surroundings(model: nn.Module, threads: int) -> Iterator[None]:
    """Training mode, threads and random numbers of a run; all as they were, whatever happens."""
    before = torch.get_num_threads()
    modes = {module: module.training for module in model.modules()}
    devices = [p.device for p in model.parameters() if p.device.type == "cuda"][:1]
    with torch.random.fork_rng(devices):
        try:
            torch.set_num_threads(threads)
            model.train()
            yield
        finally:
            torch.set_num_threads(before)
            for module, mode in modes.items():
                module.training = mode
            model.zero_grad(set_to_none=True)
