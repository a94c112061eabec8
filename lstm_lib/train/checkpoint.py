"""What a training run needs to go on, in one safetensors file whose metadata holds the record.

One file, written beside its place, flushed and renamed: whoever is killed in the middle leaves the
checkpoint before it whole. safetensors holds numbers and text only, so reading one runs no code.
"""

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from lstm_lib.files import write_atomically

RECORD = ("config", "update", "loss", "gradient_norm", "validation", "best_update", "stopped")


@dataclass
class Checkpoint:
    """Where a run stands after `update` updates."""

    config: dict[str, Any]
    update: int = 0
    loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best_update: int | None = None
    stopped: str = ""
    state: Any = None  # carried to the next update: None, a tensor, or a tuple of these
    best: dict[str, Tensor] | None = None  # the weights of best_update


def detached(state: Any) -> Any:
    """The same tensors without the graph that made them; TypeError for what no state can be."""
    if state is None or isinstance(state, Tensor):
        return state if state is None else state.detach()
    if isinstance(state, tuple | list):
        return tuple(detached(part) for part in state)
    raise TypeError(
        f"the state must be None, a tensor or a tuple of these, got {type(state).__name__}"
    )


def write_checkpoint(
    path: Path, now: Checkpoint, model: nn.Module, adam: torch.optim.Optimizer
) -> None:
    """Replace the checkpoint at `path`; the old one stays whole until the new one is."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for index, averages in adam.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value for name, value in averages.items()}
    tensors |= {f"best.{name}": value for name, value in (now.best or {}).items()}
    shape = _flatten(now.state, tensors, "state")
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    record = {name: getattr(now, name) for name in RECORD}
    record |= {"state": shape, "crc32": _checksum(whole)}
    write_atomically(path, save(whole, {"record": json.dumps(record)}))


def read_checkpoint(
    path: Path, config: dict[str, Any], model: nn.Module, adam: torch.optim.Optimizer
) -> Checkpoint:
    """Load weights and Adam's averages in place and return the rest.

    Raises ValueError where the file is damaged or belongs to another configuration or model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads(file.metadata()["record"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            now = Checkpoint(**{name: record[name] for name in RECORD})
            if record.get("crc32", wanted := _checksum(tensors)) != wanted:
                raise ValueError("the checksum of its numbers is another")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it to start anew") from error
    weights = _part(tensors, "model.")
    _refuse_others(path, now.config, config, "configuration")
    _refuse_others(path, _kinds(weights), _kinds(model.state_dict()), "model")
    averages: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "adam.").items():
        index, key = name.split(".")
        averages.setdefault(int(index), {})[key] = value
    trained = [p.shape for group in adam.param_groups for p in group["params"]]
    for k, average in averages.items():
        if k >= len(trained) or average["exp_avg"].shape != trained[k]:
            raise ValueError(f"{path} is of another model: other weights of it were trained")
    model.load_state_dict(weights)
    adam.load_state_dict({**adam.state_dict(), "state": averages})
    device = next(model.parameters()).device
    now.validation = [(update, score) for update, score in now.validation]
    now.state = _unflatten(record["state"], tensors, device)
    now.best = _part(tensors, "best.") or None
    return now


def _refuse_others(path: Path, there: dict[str, Any], mine: dict[str, Any], what: str) -> None:
    """ValueError, naming what differs, unless both are the same."""
    changed = ", ".join(
        f"{name} {there.get(name, 'absent')!r} → {mine.get(name, 'absent')!r}"
        for name in mine | there
        if there.get(name, "absent") != mine.get(name, "absent")
    )
    if changed:
        raise ValueError(f"{path} is of another {what} ({changed}): use another folder")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start so, named by the rest."""
    return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}


def _kinds(weights: dict[str, Tensor]) -> dict[str, Any]:
    """The shape and dtype of each, to compare and to show."""
    return {
        name: (*value.shape, str(value.dtype).removeprefix("torch."))
        for name, value in weights.items()
    }


def _checksum(tensors: dict[str, Tensor]) -> int:
    """CRC-32 of all numbers: safetensors notices a file cut short, but not a bit that fell over."""
    crc = 0
    for name in sorted(tensors):
        crc = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes(), crc)
    return crc


def _flatten(state: Any, tensors: dict[str, Tensor], name: str) -> Any:
    """Add a state's tensors under names; return its shape, with the names in their places."""
    if state is None:
        return None
    if isinstance(state, Tensor):
        tensors[name] = state
        return name
    return [_flatten(part, tensors, f"{name}.{k}") for k, part in enumerate(state)]


def _unflatten(shape: Any, tensors: dict[str, Tensor], device: torch.device) -> Any:
    """The state whose shape `_flatten` returned."""
    if shape is None:
        return None
    if isinstance(shape, str):
        return tensors[shape].to(device)
    return tuple(_unflatten(part, tensors, device) for part in shape)
