"""What bounds a step: how cost grows with T, B and H, and the ceilings of this machine."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.contestants import OURS, REFERENCE
from benchmarks.problem import Shape, draw
from lstm_lib.timing import interleave, quartiles, slope

RACERS = ("numpy fast", REFERENCE)
SCALING = {
    "T": [Shape(T, 16, 32, 64) for T in (64, 128, 256, 512, 1024, 2048, 4096)],
    "B": [Shape(64, B, 64, 64) for B in (1, 4, 16, 32, 64, 128, 256)],
    "H": [Shape(32, 16, H, H) for H in (32, 64, 128, 256, 512, 1024)],  # D = H: all of W grows
}
FLOAT = 4  # bytes


def scaling(grid: dict[str, list[Shape]], seconds: float) -> dict[str, Any]:
    """Seconds of a training step along T, B and H, one thread, and the exponent at the end.

    "slope" is p of seconds ~ n^p over the last three points: 1 is linear, 2 quadratic.
    """
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for axis, shapes in grid.items():
        medians: dict[str, list[float]] = {name: [] for name in RACERS}
        for shape in tqdm(shapes, desc=f"cost against {axis}", unit="size"):
            problem = draw(shape)
            calls = {name: OURS[name](problem).train for name in RACERS}
            times = interleave(calls, clock=time.process_time, seconds=seconds, rounds=3)
            for name, own in times.items():
                medians[name].append(quartiles(own)[1])
        n = [getattr(shape, axis) for shape in shapes]
        slopes = {name: round(slope(n, own), 2) for name, own in medians.items()}
        found[axis] = {"n": n, "shapes": [list(s) for s in shapes], "seconds": medians,
                       "slope": slopes}  # fmt: skip
    return found


def best(call: Callable[[], Any], seconds: float) -> float:
    """The shortest time of a call: a ceiling is what the machine can do, not what it does."""
    return min(interleave({"": call}, clock=time.process_time, seconds=seconds)[""])


def ceilings(seconds: float) -> dict[str, float]:
    """The rates of one thread, float32: matmul, memory, tanh, and what an empty call costs."""
    rng = np.random.default_rng(0)
    gemm = 0.0
    for n in (256, 512, 1024):
        a, b = (rng.normal(size=(n, n)).astype(np.float32) for _ in range(2))
        out = np.empty_like(a)
        gemm = max(gemm, 2 * n**3 / best(partial(np.matmul, a, b, out), seconds))
    source = np.ones(2**24, np.float32)  # 64 MB: no cache holds it
    target = np.empty_like(source)
    copy = 2 * source.nbytes / best(partial(np.copyto, target, source), seconds)
    values = rng.normal(size=2**14).astype(np.float32)  # 64 kB: stays in the cache
    tanh = best(partial(np.tanh, values, np.empty_like(values)), seconds) / values.size
    a, b, out = (np.ones(1, np.float32) for _ in range(3))

    def hundred() -> None:
        for _ in range(100):
            np.multiply(a, b, out)

    numbers = {
        "matmul_gflops": gemm / 1e9,
        "copy_gb_s": copy / 1e9,
        "tanh_ns": tanh * 1e9,
        "call_us": best(hundred, seconds) / 100 * 1e6,
    }
    return {name: float(f"{number:.3g}") for name, number in numbers.items()}


def step_matmuls(shape: Shape, seconds: float) -> dict[str, float]:
    """µs of the matmuls that a step waits for, at their own shape, forward and training.

    The faster of one matmul and of the same in blocks of rows: OpenBLAS multiplies small
    matrices without copying them first.
    """
    _, B, D, H = shape
    rng = np.random.default_rng(0)

    def timed(rows: int, inner: int) -> float:
        W, z = (rng.normal(size=s).astype(np.float32) for s in ((rows, inner), (inner, B)))
        found = [best(partial(np.dot, W, z, np.empty((rows, B), np.float32)), seconds)]
        for blocks in (2, 4, 8, 16, 32, 64):
            if rows % blocks == 0:
                parts = W.reshape(blocks, -1, inner)
                out = np.empty((blocks, rows // blocks, B), np.float32)
                found.append(best(partial(np.matmul, parts, z, out), seconds))
        return min(found) * 1e6

    forward = timed(4 * H, H + D)
    return {"forward": forward, "train": forward + timed(H, 4 * H)}


def step_bounds(
    shape: Shape, mode: str, rates: dict[str, float], own: dict[str, float]
) -> dict[str, float]:
    """What one step takes at least, in µs, part by part, on a machine with these ceilings.

    rates: of `ceilings`. own: of `step_matmuls`. The parts follow each other on one thread. Their
    sum is a yardstick and no strict bound: matrices small enough not to be packed are multiplied
    some per cent faster than large ones, and memory traffic may hide behind the rest or in a cache.
    """
    _, B, D, H = shape
    training = mode == "train"
    # Forward 2 · 4H · (D + H) · B; backward twice that: one matmul for what goes further back
    # (to h and x), one for the weights.
    flops = 8 * H * (D + H) * B * (3 if training else 1)
    at_peak = flops / rates["matmul_gflops"] / 1e3
    # The weights' matmuls of all steps are one large one, at the peak rate.
    waited = 8 * H * (D + H) * B + (8 * H * H * B if training else 0)
    own_shape = max(0.0, own[mode] - waited / rates["matmul_gflops"] / 1e3)
    # What must pass the memory where all else stays in the cache: forward reads x and writes h, c
    # and four gates; backward reads these, x and dh, and writes dx.
    floats = (6 * H + D) * B + (7 * H + 2 * D) * B * training
    # Besides the matmuls, whose times hold theirs: 2 tanh, 5 products and sums; backward 5 more.
    calls = 7 + 5 * training
    return {
        "matmul, peak rate": at_peak,
        "matmul, own shape": own_shape,
        "tanh": 5 * H * B * rates["tanh_ns"] / 1e3,
        "memory": floats * FLOAT / rates["copy_gb_s"] / 1e3,
        "calls": calls * rates["call_us"],
    }


def roofline(shapes: Sequence[Shape], seconds: float) -> dict[str, Any]:
    """The ceilings of one thread, and for each shape the bounds of a step in both modes."""
    rates = ceilings(seconds)
    steps = []
    for shape in tqdm(shapes, desc="roofline", unit="shape"):
        own = step_matmuls(shape, seconds)
        for mode in ("forward", "train"):
            bounds = step_bounds(shape, mode, rates, own)
            steps.append({"shape": list(shape), "mode": mode,
                          "bounds_us": {k: round(v, 3) for k, v in bounds.items()}})  # fmt: skip
    return {"ceilings": rates, "steps": steps}
