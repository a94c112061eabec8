"""The race on the CPU: all contestants at each shape, forward and training, in one process."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from threadpoolctl import threadpool_info
from tqdm import tqdm

from benchmarks.contestants import REFERENCE, gather
from benchmarks.problem import Shape, check, draw, solve
from lstm_lib.timing import compare, interleave

# OpenBLAS and OpenMP workers spin for some ten milliseconds after their work, on the other core.
SPINNING = 0.03


def run(
    shapes: Sequence[Shape],
    threads: int,
    seconds: float,
    rounds: int = 5,
    only: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Race at every shape; see `interleave` for seconds (a mode at a shape) and rounds.

    only: the names of those that race; None: all that are installed.

    One thread is measured in CPU time of the process, which other processes do not disturb;
    several in elapsed time, since waiting for each other is part of what threads cost.
    Raises RuntimeError where a contestant does not give the answer of the float64 reference.
    """
    torch.set_num_threads(threads)
    clock, pause = (time.process_time, 0.0) if threads == 1 else (time.perf_counter, SPINNING)
    builders, absent = gather()
    builders = {name: build for name, build in builders.items() if only is None or name in only}
    races, errors = [], []
    title = f"{threads} thread{'s' * (threads > 1)}"
    for shape in tqdm(shapes, desc=title, unit="shape"):
        problem = draw(shape)
        answer = solve(problem)
        field = {name: build(problem) for name, build in builders.items()}
        errors.append({name: check(name, each, answer) for name, each in field.items()})
        del answer
        for mode in ("forward", "train"):
            calls = {name: getattr(each, mode) for name, each in field.items()}
            calls = {name: call for name, call in calls.items() if call is not None}
            times = interleave(calls, clock=clock, seconds=seconds, rounds=rounds, pause=pause)
            races.append({"shape": list(shape), "mode": mode, **compare(times, REFERENCE)})
    return {
        "clock": "CPU time of the process" if threads == 1 else "elapsed time",
        "absent": absent,
        "errors": [{name: float(f"{e:.2g}") for name, e in each.items()} for each in errors],
        "libraries": libraries(),
        "races": races,
    }


def libraries() -> list[str]:
    """The libraries with threads of their own that are loaded: which, how many threads, kernel."""
    found = []
    for info in threadpool_info():
        words = [info["internal_api"], info["version"], info.get("architecture")]
        found.append(" ".join(str(w) for w in words if w) + f", {info['num_threads']} threads")
    return sorted(found)
