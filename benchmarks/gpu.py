"""The race on a GPU: the backends of `torch_cells.LSTM` beside cuDNN, in the same dtype."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from benchmarks.contestants import REFERENCE, Builder, our_torch, torch_module
from benchmarks.problem import Answer, Contestant, Problem, Shape, check, draw
from lstm_lib import torch_cells
from lstm_lib.timing import compare, interleave

BACKENDS = ("loop", "fused", "graph", "triton")
T, BATCHES = 1024, (16, 64, 128)
# float16 is there as the ceiling: cuDNN has its fastest kernels for it alone. D = H.
GRID = [
    (Shape(T, B, H, H), dtype)
    for H, dtypes in {
        64: ("float32", "bfloat16", "float16"),
        128: ("float32", "bfloat16", "float16"),
        256: ("bfloat16", "float16"),
        512: ("bfloat16", "float16"),
    }.items()
    for dtype in dtypes
    for B in BATCHES
]
# float32 tells a right equation from a wrong one (see `check`). Of the 16-bit types only gross
# errors show: where autograd adds up the T parts of dW_h in bfloat16, its rounding alone made 6 %.
BOUNDS = {"float32": 1e-3, "bfloat16": 0.2, "float16": 0.2}


def run(
    grid: Sequence[tuple[Shape, str]] = GRID,
    *,
    device: str = "cuda",
    seconds: float = 2.0,
    rounds: int = 5,
) -> dict[str, Any]:
    """Time a training step at every shape and dtype of the grid; see `interleave`.

    float32 is IEEE everywhere: TF32 is off for cuDNN and for matmuls. Who breaks, or gives another
    answer than the float64 loop, is not timed but listed under "failed", and so is a race that
    breaks: no failure loses what was measured before. Raises RuntimeError where there is no such
    device.
    """
    check_device(device)
    about_device, clock = describe(device), clock_of(device)
    absent: dict[str, str] = {}
    races: list[dict[str, Any]] = []
    failed: list[list[Any]] = []
    with ieee():
        for shape, dtype in tqdm(grid, desc=device, unit="shape"):
            builders, why_not = field(shape, dtype, device)
            absent |= why_not
            about = {"shape": list(shape), "mode": "train", "dtype": dtype}
            try:
                there, errors, broken = enter(builders, shape, dtype, device)
                failed += [[name, list(shape), dtype, why] for name, why in broken.items()]
                if REFERENCE in there:
                    calls = {name: each.train for name, each in there.items()}
                    times = interleave(calls, clock=clock, seconds=seconds, rounds=rounds)
                    races.append({**about, "errors": errors, **compare(times, REFERENCE)})
            except Exception as failure:  # whose, is not known
                failed.append(["the race", list(shape), dtype, reason(failure)])
    return {"device": about_device, "absent": absent, "failed": failed, "races": races}


def check_device(device: str = "cuda") -> None:
    """Raise RuntimeError where there is no such device."""
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(
            "`python -m benchmarks gpu` needs a CUDA device, and torch "
            f"{torch.__version__} sees none: run it on a machine with an NVIDIA GPU and a build "
            "of torch for CUDA"
        )


@contextmanager
def ieee() -> Iterator[None]:
    """No TF32 in the block, in cuDNN and in matmuls."""
    places = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [place.allow_tf32 for place in places]
    for place in places:
        place.allow_tf32 = False
    try:
        yield
    finally:
        for place, allowed in zip(places, before, strict=True):
            place.allow_tf32 = allowed


def reason(failure: Exception) -> str:
    """What a failure says, with its kind."""
    return f"{type(failure).__name__}: {failure}"


def enter(
    builders: dict[str, Builder], shape: Shape, dtype: str, device: str
) -> tuple[dict[str, Contestant], dict[str, float], dict[str, str]]:
    """Those that give the right answer, everyone's error, and what stopped the others."""
    problem = rounded(draw(shape), dtype)
    answer = solve(problem, device)
    there, errors, broken = {}, {}, {}
    for name, build in builders.items():
        try:
            contestant = build(problem)
            error = check(name, contestant, answer, bound=BOUNDS[dtype], as_array=in_float64)
        except Exception as failure:  # whatever a compiler or a driver raises
            broken[name] = reason(failure)
        else:
            there[name], errors[name] = contestant, float(f"{error:.2g}")
    return there, errors, broken


def field(shape: Shape, dtype: str, device: str) -> tuple[dict[str, Builder], dict[str, str]]:
    """Who can race at this shape in this dtype, and why the other backends cannot."""
    kind = getattr(torch, dtype)
    can = torch_cells.backends(device, kind, shape.H)
    there = {REFERENCE: torch_module(nn.LSTM, device, kind)}
    absent = {}
    for name in BACKENDS:
        if can[name] == "ok":
            there[name] = our_torch(name, device, kind)
        else:
            absent[name] = can[name]
    return there, absent


def rounded(problem: Problem, dtype: str) -> Problem:
    """The problem with its numbers rounded to `dtype`: then all compute the same function."""

    def through(array: np.ndarray) -> np.ndarray:
        return torch.from_numpy(array).to(getattr(torch, dtype)).float().numpy()

    params, x, dh = problem
    return Problem(type(params)(*map(through, params)), through(x), through(dh))


def solve(problem: Problem, device: str) -> Answer:
    """The answer in float64 by `torch_cells`' loop on the device.

    On a processor `numpy_cells` would take minutes at the larger shapes; that the two are equal
    is tested in tests/test_agreement.py.
    """
    return our_torch("loop", device, torch.float64)(problem).train()


def in_float64(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor for the comparison, left on its device."""
    return tensor.detach().double()


def clock_of(device: str) -> Callable[[], float]:
    """Elapsed time, read when the device has finished what it was given."""

    def clock() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def describe(device: str) -> dict[str, Any]:
    """The device and what drives it."""
    if device != "cuda":
        return {"name": device}
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "memory_gb": round(properties.total_memory / 1e9),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
