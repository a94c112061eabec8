"""Which ways there are to compute a cell, what each consists of, and which can run where."""

from functools import partial
from importlib import import_module
from typing import Any

import torch

from lstm_lib.torch_cells import fused_gru, fused_lstm
from lstm_lib.torch_cells._cell import check_size
from lstm_lib.torch_cells.graph import replay
from lstm_lib.torch_cells.sequence import Backend

NAMES = ("loop", "fused", "graph", "triton", "auto")
FUSED: dict[str, Any] = {"lstm": fused_lstm, "gru": fused_gru}
NO_GPU = "no CUDA device is visible here"


def backends(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    H: int = 128,
    cell: str = "lstm",
) -> dict[str, str]:
    """Return for each backend "ok" where it can run, else why not and what would make it run.

    cell: "lstm" or "gru", with H hidden units, its weights of this dtype and on this device.
    """
    if not isinstance(cell, str) or cell not in FUSED:
        raise ValueError(f"cell must be 'lstm' or 'gru', got {cell!r}")
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise TypeError(f"dtype must be a floating type of torch, got {dtype}")
    device, H = torch.device(device), check_size("H", H)
    return {name: why_not(name, cell, device, dtype, H) or "ok" for name in NAMES[:-1]}


def check_name(name: Any) -> str:
    """Return the name of a backend; raise ValueError for any other."""
    if not isinstance(name, str) or name not in NAMES:
        names = ", ".join(map(repr, NAMES))
        raise ValueError(f"backend must be one of {names}, got {name!r}")
    return name


def choose(
    name: str, cell: str, device: torch.device, dtype: torch.dtype, H: int
) -> Backend | None:
    """Return the backend of this name; None is the loop.

    "auto" is triton on a CUDA device where it can run, and fused elsewhere. Raises RuntimeError
    where the backend cannot run, ValueError for another name.
    """
    if check_name(name) == "auto":
        name = "triton" if compiles(cell, device, dtype, H) else "fused"
    if reason := why_not(name, cell, device, dtype, H):
        raise RuntimeError(f"backend={name!r} cannot run here: {reason}")
    if name == "loop":
        return None
    if name == "triton":
        kernels = triton_kernels(cell)
        return Backend(name, kernels.forward, kernels.backward)
    loop = FUSED[cell]
    if name == "graph":
        return Backend(name, partial(replay, loop.forward), partial(replay, loop.backward))
    return Backend(name, loop.forward, loop.backward)


def why_not(name: str, cell: str, device: torch.device, dtype: torch.dtype, H: int) -> str | None:
    """Return what keeps a backend from running and what would make it run, or None."""
    no_gpu = not torch.cuda.is_available()
    if device.type == "cuda" and no_gpu:
        return f"{NO_GPU}: it takes a GPU and a build of torch for it"
    if name == "graph" and device.type != "cuda":
        how = NO_GPU if no_gpu else "move the cell and its input there, as by cell.to('cuda')"
        return f"CUDA graphs need a CUDA device, and this is {device}; {how}"
    return triton_kernels(cell).why_not(dtype, H, device) if name == "triton" else None


def compiles(cell: str, device: torch.device, dtype: torch.dtype, H: int) -> bool:
    """Whether Triton can compile its kernels here, not interpret them, which is for tests."""
    if device.type != "cuda":
        return False  # and triton need not be imported
    interpreted = import_module("lstm_lib.torch_cells._triton").INTERPRETED
    return not interpreted and why_not("triton", cell, device, dtype, H) is None


def triton_kernels(cell: str) -> Any:
    """The module with the kernels of a cell, imported only here, as it imports triton."""
    return import_module(f"lstm_lib.torch_cells.triton_{cell}")
