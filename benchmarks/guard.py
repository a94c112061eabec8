"""Did something become much slower? A warning for continuous integration, never a failure.

Compared are ratios to `torch.nn.LSTM` in the same process: they depend on the machine far less
than times do. Another processor and its BLAS still move them, so only a loss of more than half
is worth a word.
"""

from typing import Any

from benchmarks import race
from benchmarks.child import in_child
from benchmarks.problem import SHAPES

WATCHED = ("numpy fast", "torch fused")
MARGIN = 0.5  # of the recorded ratio


Ratios = dict[tuple[tuple[int, ...], str, str], float]  # (shape, mode, name) -> median


def medians(races: list[dict[str, Any]]) -> Ratios:
    """The ratios of those who are watched; races: as in a record."""
    return {
        (tuple(race["shape"]), race["mode"], name): race["ratio"][name][1]
        for race in races
        for name in WATCHED
        if name in race["ratio"]
    }


def verdicts(now: Ratios, kept: Ratios) -> list[str]:
    """One sentence for each ratio that fell below MARGIN of the recorded one.

    What is not in both is passed over.
    """
    found = []
    for shape, mode, name in [key for key in now if key in kept]:
        here, there = now[shape, mode, name], kept[shape, mode, name]
        if not here >= MARGIN * there:  # so that NaN is worth a word too
            sizes = ", ".join(map(str, shape))
            found.append(
                f"{name} at (T, B, D, H) = ({sizes}), {mode}: {here:.2f} of the speed "
                f"of torch.nn.LSTM, recorded {there:.2f}"
            )
    return found


def measure(seconds: float = 1.0) -> list[dict[str, Any]]:
    """Two small shapes, one thread, now."""
    return in_child(1, race.run, SHAPES[:2], 1, seconds)["races"]
