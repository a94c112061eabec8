"""What the tables must show, and whether a record shows it."""

from typing import Any, NamedTuple

from benchmarks.contestants import REFERENCE
from benchmarks.memory import SHAPE
from benchmarks.problem import SHAPES
from lstm_lib.timing import geometric_mean

FAST = "numpy fast"
BATCHED = [shape for shape in SHAPES if shape.B >= 16 and shape.H <= 256]


class Aim(NamedTuple):
    """One aim and what was measured."""

    what: str
    target: str
    measured: str
    met: bool | None  #: None where the record does not hold what it asks for


def cpu(record: dict[str, Any]) -> list[Aim]:
    """The aims of NumPy on one thread against torch.nn.LSTM, and those of memory."""
    train, forward = (_ratios(record, mode) for mode in ("train", "forward"))
    single = {shape: ratio for shape, ratio in train.items() if shape[1] == 1}
    six = f"the {len(BATCHED)} shapes with B ≥ 16, H ≤ 256"
    mb = record["memory"]["mb"] if record["memory"]["shape"] == list(SHAPE) else {}
    return [
        _at_least(f"training, geometric mean of {six}", 1.15, _mean(train, BATCHED)),
        _at_least(f"training, worst of {six}", 0.9, _worst(train, BATCHED)),
        _at_least(f"training, geometric mean of all {len(SHAPES)}", 1.0, _mean(train, SHAPES)),
        _at_least("training, B = 1", 0.6, min(single.values(), default=None)),
        _at_least(f"forward, geometric mean of {six}", 0.95, _mean(forward, BATCHED)),
        _at_most("MB at T = 10,000, in segments", 70, _arrays(mb, f"{FAST}, segments")),
        _at_most("MB at T = 10,000", 410, _arrays(mb, FAST)),
    ]


def gpu(record: dict[str, Any]) -> list[Aim]:
    """The aims of the Triton kernels for a training step at T = 1024."""
    small, large, ceiling, loop = [], [], [], []
    halves = {
        tuple(race["shape"]): race["seconds"][REFERENCE][1]
        for race in record["races"]
        if race["dtype"] == "float16"
    }
    for race in record["races"]:
        shape, seconds = tuple(race["shape"]), race["seconds"]
        if race["dtype"] == "float16" or not {"triton", "loop", REFERENCE} <= set(seconds):
            continue
        (small if shape[3] <= 128 else large).append(race["ratio"]["triton"][1])
        loop.append(seconds["loop"][1] / seconds["triton"][1])
        if race["dtype"] == "bfloat16" and shape in halves:
            ceiling.append(halves[shape] / seconds["triton"][1])
    return [
        _at_least("triton, H ≤ 128, worst", 1.0, min(small, default=None)),
        _at_least("triton, H = 256 and 512, bfloat16, worst", 1.5, min(large, default=None)),
        _at_least("triton in bfloat16 / cuDNN in float16, worst", 0.6, min(ceiling, default=None)),
        _at_least("triton / loop, worst", 50, min(loop, default=None)),
        _at_most("contestants that failed", 0, len(record["failed"])),
    ]


def _ratios(record: dict[str, Any], mode: str) -> dict[tuple[int, ...], float]:
    """Shape -> median ratio of the fast NumPy on one thread."""
    return {
        tuple(race["shape"]): race["ratio"][FAST][1]
        for race in record["threads"]["1"]["races"]
        if race["mode"] == mode
    }


def _mean(ratios: dict[tuple[int, ...], float], shapes: Any) -> float | None:
    return geometric_mean([ratios[s] for s in shapes]) if set(shapes) <= set(ratios) else None


def _worst(ratios: dict[tuple[int, ...], float], shapes: Any) -> float | None:
    return min(ratios[s] for s in shapes) if set(shapes) <= set(ratios) else None


def _arrays(mb: dict[str, dict[str, float]], name: str) -> float | None:
    return mb.get(name, {}).get("arrays")


def _at_least(what: str, target: float, value: float | None) -> Aim:
    met = None if value is None else value >= target
    return Aim(what, f"≥ {target:g}", "–" if value is None else f"{value:.3g}", met)


def _at_most(what: str, target: float, value: float | None) -> Aim:
    met = None if value is None else value <= target
    return Aim(what, f"≤ {target:g}", "–" if value is None else f"{value:.3g}", met)
