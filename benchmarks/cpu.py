"""The whole measurement on the CPU: races, cost against size, roofline, memory."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks import limits, memory, race
from benchmarks.child import in_child
from benchmarks.problem import SHAPES, Shape


class Settings(NamedTuple):
    """What to measure, and how long."""

    shapes: Sequence[Shape]
    seconds: dict[int, float]  #: threads -> seconds a mode at a shape, at least 5 rounds
    grid: dict[str, list[Shape]]  #: cost against T, B, H
    grid_seconds: float  #: a point of the grid
    limit_seconds: float  #: a ceiling of the roofline
    memory: Shape


FULL = Settings(SHAPES, {1: 6.0, 2: 2.0}, limits.SCALING, 1.0, 0.2, memory.SHAPE)
QUICK = Settings(
    SHAPES[:3],
    {1: 0.5},
    {axis: shapes[:4] for axis, shapes in limits.SCALING.items()},
    0.05,
    0.05,
    memory.SHAPE._replace(T=500),
)


def run(settings: Settings = FULL) -> dict[str, Any]:
    """Measure everything, each part in a process of its own."""
    threads = {
        str(n): in_child(n, race.run, settings.shapes, n, seconds)
        for n, seconds in settings.seconds.items()
    }
    roofline = in_child(1, limits.roofline, settings.shapes, settings.limit_seconds)
    for step in roofline["steps"]:
        step["measured_us"] = measured(threads["1"]["races"], step)
    return {
        "absent": threads["1"].pop("absent"),
        "threads": threads,
        "scaling": in_child(1, limits.scaling, settings.grid, settings.grid_seconds),
        "roofline": roofline,
        "memory": {"shape": list(settings.memory), "mb": memory.run(settings.memory)},
    }


def measured(races: list[dict[str, Any]], step: dict[str, Any]) -> dict[str, float]:
    """µs a step of the race at the same shape in the same mode, for those who are bounded."""
    same = next(r for r in races if (r["shape"], r["mode"]) == (step["shape"], step["mode"]))
    T = step["shape"][0]
    return {name: round(same["seconds"][name][1] / T * 1e6, 2) for name in limits.RACERS}
