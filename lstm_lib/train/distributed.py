"""Several workers train one model: each goes through its share of the batch, all take one step.

`run` joins the workers that torchrun started, one process each, and wraps the model in
DistributedDataParallel (Li et al. 2020), which averages gradients. The loss of a batch is a mean;
where worker r of N has the part w_r of what it is the mean of (n_r / B of its sequences),

    L = Σ_r w_r L_r        ∂L/∂W = Σ_r w_r ∂L_r/∂W = (1/N) Σ_r ∂(N w_r L_r)/∂W

so each worker goes back from N·w_r·L_r, which is L_r where all shares are alike.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

TIMEOUT = timedelta(minutes=10)
"""How long a worker waits for another before it gives up (torchrun notices a dead one at once)."""


class Workers:
    """The processes that train one model, seen from worker number `rank` of `size`.

    joined: whether they are in a process group; else there is only this one, and nothing is sent.
    """

    def __init__(self, rank: int = 0, size: int = 1, *, joined: bool = False) -> None:
        self.rank, self.size, self.joined = rank, size, joined
        self.begin_update()

    def begin_update(self) -> None:
        """Forget the shares of the update before."""
        self.weight = None if self.size > 1 else 1.0  # w_r, known once `share` is called
        self.sequences = 0  # n_r

    def take(self, B: int) -> slice:
        """Which of B sequences are this worker's: in order, the first workers have one more."""
        if self.size > B:
            raise ValueError(
                f"a batch must have a sequence for each of {self.size} workers, got {B}"
            )
        each, more = divmod(B, self.size)
        start = self.rank * each + min(self.rank, more)
        return slice(start, start + each + (self.rank < more))

    def loss(self, own: Tensor) -> tuple[float, Tensor]:
        """The loss of the whole batch, and what this worker goes back from."""
        if not self.joined:
            return own.item(), own
        if self.weight is None:
            raise RuntimeError(
                f"all {self.size} workers would do the same work: in step, take each one's part "
                "of the batch by train.share"
            )
        whole = own.detach() * self.weight
        dist.all_reduce(whole)
        return whole.item(), own * (self.size * self.weight)

    def check_gradients(self, weights: Mapping[str, nn.Parameter]) -> None:
        """RuntimeError for a weight without a gradient: the sums of the others wait for it."""
        unused = [name for name, weight in weights.items() if weight.grad is None]
        if self.joined and unused:
            raise RuntimeError(
                "with several workers the loss must depend on every weight of the model, and does "
                f"not on {', '.join(unused)}: use them, or requires_grad_(False)"
            )

    def first_says(self, compute: Callable[[], float]) -> float:
        """What worker 0 computes; the others wait for it, so that all decide alike."""
        said: list[Any] = [compute() if self.rank == 0 else None]
        if self.joined:
            dist.broadcast_object_list(said)
        return said[0]

    def check_same_start(self, update: int) -> None:
        """RuntimeError unless all workers read the same checkpoint."""
        if not self.joined:
            return
        updates: list[Any] = [None] * self.size
        dist.all_gather_object(updates, update)
        if len(set(updates)) > 1:
            raise RuntimeError(
                f"all workers must start from one checkpoint, got those of updates {updates}: "
                "folder must be one that all machines share"
            )

    def check_state(self, state: Any) -> None:
        """ValueError unless the state's tensors hold this worker's sequences on axis 1."""
        for tensor in _tensors(state) if self.size > 1 else ():
            if tensor.ndim < 2 or tensor.shape[1] != self.sequences:
                raise ValueError(
                    "with several workers a state must be (layers, B, H), with this worker's "
                    f"{self.sequences} sequences on axis 1, got {tuple(tensor.shape)}"
                )

    def whole(self, state: Any) -> Any:
        """The state of all sequences for worker 0, which saves it; None for the others."""
        if self.size == 1:
            return state
        parts: list[Any] = [None] * self.size
        cpu = _each(state, lambda tensor: tensor.cpu())
        dist.gather_object(cpu, parts if self.rank == 0 else None)
        return _joined(parts) if self.rank == 0 else None

    def own(self, state: Any) -> Any:
        """This worker's part of a state of all sequences."""
        if self.size == 1:
            return state
        return _each(state, lambda tensor: tensor[:, self.take(tensor.shape[1])].clone())


_now = Workers()
"""The workers of the run that is going on; outside of one, this process alone."""
_runs = count(1)


def share(*parts: Any, axes: Sequence[int], terms: Any = None) -> tuple[Any, ...]:
    """This worker's sequences of a batch, to be called in the step of a run.

    parts: arrays or tensors of the same B sequences; axes: for each of them the axis that counts
    the sequences, 1 for x (T, B, D), 0 for y (B,). All workers must make the same batch (`rng_for`)
    and then take of it. terms: how many terms each sequence adds to the mean that is the loss,
    (B,), such as the lengths for `loss_over_steps`; None: all as many. With one worker, and
    outside of a run, the parts come back whole.

    Raises ValueError where the parts differ in B, there are more workers than sequences, this
    worker's sequences have no terms at all, or a second call in the same update would weigh the
    loss in another way; TypeError for what has no axes.
    """
    counts = []
    if not parts or len(axes) != len(parts):
        raise ValueError(f"axes must be one for each of {len(parts)} parts (1 or more), got {axes}")
    for part, axis in zip(parts, axes, strict=True):
        shape = getattr(part, "shape", None)
        if shape is None:
            raise TypeError(f"parts must be arrays or tensors, got {type(part).__name__}")
        if not 0 <= axis < len(shape):
            raise ValueError(f"axes must be 0 … {len(shape) - 1} for {tuple(shape)}, got {axis}")
        counts.append(shape[axis])
    if terms is not None:
        counts.append(len(terms))
    if len(set(counts)) > 1:
        raise ValueError(f"all parts (and terms) must hold the same B sequences, got {counts}")
    B = counts[0]
    mine = _now.take(B)
    _now.sequences = mine.stop - mine.start
    weight = _now.sequences / B if terms is None else float(sum(terms[mine])) / float(sum(terms))
    if not weight > 0:  # the mean over no terms is NaN, which no weight can make good
        raise ValueError(
            f"terms must be > 0 for one of each worker's sequences at least, got {terms[mine]} for "
            f"worker {_now.rank}: put the sequences in another order, or leave empty ones out"
        )
    if _now.weight not in (None, weight):
        raise ValueError(
            f"share was called before in this update, when this worker's part of the loss was "
            f"{_now.weight:.3g}, and now it would be {weight:.3g}: share all parts in one call"
        )
    _now.weight = weight
    pairs = zip(parts, axes, strict=True)
    return tuple(part[(slice(None),) * axis + (mine,)] for part, axis in pairs)


def rank() -> int:
    """The number of this process among those that torchrun started, 0 where it is alone."""
    return dist.get_rank() if dist.is_initialized() else int(os.environ.get("RANK", "0"))


def device() -> torch.device:
    """This worker's own GPU; the CPU unless every worker on this machine has one."""
    if torch.cuda.device_count() < int(os.environ.get("LOCAL_WORLD_SIZE", "1")):
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def join(model: nn.Module) -> Iterator[tuple[Workers, nn.Module]]:
    """The workers of a run, and the model that step is to call, whose gradients they average.

    The workers are those that torchrun started, else this process alone. They talk by NCCL where
    the model is on a GPU, and by gloo on the CPU. All start from worker 0's weights. A process
    group that is there already is used, and left as it is.
    """
    global _now
    before = _now
    start = not dist.is_initialized() and {"RANK", "WORLD_SIZE"} <= os.environ.keys()
    if start:
        _start(next(model.parameters()).device)
    try:
        if dist.is_initialized():
            _now = Workers(dist.get_rank(), dist.get_world_size(), joined=True)
            with _averaging(model) as averaged:
                yield _now, averaged
        else:
            _now = Workers()
            yield _now, model
    finally:
        _now = before
        if start:
            dist.destroy_process_group()


@contextmanager
def _averaging(model: nn.Module) -> Iterator[nn.Module]:
    """The model in DistributedDataParallel, taken apart at the end."""
    averaged = DistributedDataParallel(model)
    try:
        yield averaged
    finally:
        # If these outlived the process group, they would end it while they hold Python's lock, and
        # wait for ever for gloo's threads, which may need the lock to end.
        del averaged.reducer, averaged.logger


def _start(where: torch.device) -> None:
    """Join the process group; ValueError where workers would share a GPU."""
    backend, device_id = "gloo", None
    if where.type == "cuda":
        backend, device_id = "nccl", torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        if where != device_id:
            raise ValueError(
                f"the model of this worker must be on {device_id}, its own GPU, got {where}: "
                "use model.to(train.device())"
            )
        torch.cuda.set_device(device_id)
    store, rank, size = next(dist.rendezvous("env://", timeout=TIMEOUT))
    store.set_timeout(TIMEOUT)
    dist.init_process_group(
        backend,
        store=dist.PrefixStore(_name_of_this_run(), store),
        rank=rank,
        world_size=size,
        timeout=TIMEOUT,
        device_id=device_id,
    )


def _name_of_this_run() -> str:
    """What the workers leave their addresses under; in no earlier run, so that none is read twice.

    torchrun keeps them when it restarts its workers, and a new one that read the address of a dead
    one would wait for it. Restarts are counted by each machine for itself, so that only one
    machine can go by their number. For several, let torchrun keep nothing: start it with
    --rdzv-backend=c10d --rdzv-endpoint=HOST:PORT, and TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 in its
    environment. (The variable means nothing to its other way, --node-rank with --master-addr.)
    """
    one_machine = os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"]
    restarts = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") if one_machine else "0"
    return f"restart {restarts}, run {next(_runs)}"


def _tensors(state: Any) -> Iterator[Tensor]:
    """The tensors of a state, in order."""
    if isinstance(state, Tensor):
        yield state
    elif state is not None:
        for part in state:
            yield from _tensors(part)


def _each(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same state of changed tensors."""
    if state is None or isinstance(state, Tensor):
        return state if state is None else change(state)
    return tuple(_each(part, change) for part in state)


def _joined(parts: Sequence[Any]) -> Any:
    """One state of the states of all workers, their sequences side by side."""
    if parts[0] is None or isinstance(parts[0], Tensor):
        return None if parts[0] is None else torch.cat(list(parts), dim=1)
    return tuple(_joined(same) for same in zip(*parts, strict=True))
