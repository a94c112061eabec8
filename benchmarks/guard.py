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


def verdicts(now: list[dict[str, Any]], kept: list[dict[str, Any]]) -> list[str]:
    """One sentence for each watched contestant that fell below MARGIN of its recorded ratio.

    now, kept: races as in a record. A shape and mode that is not in both is passed over.
    """
    recorded = {(tuple(race["shape"]), race["mode"]): race["ratio"] for race in kept}
    found = []
    for each in now:
        before = recorded.get((tuple(each["shape"]), each["mode"]), {})
        for name in WATCHED:
            if name not in before or name not in each["ratio"]:
                continue
            here, there = each["ratio"][name][1], before[name][1]
            if here < MARGIN * there:
                sizes = ", ".join(map(str, each["shape"]))
                found.append(
                    f"{name} at (T, B, D, H) = ({sizes}), {each['mode']}: {here:.2f} of the speed "
                    f"of torch.nn.LSTM, recorded {there:.2f}"
                )
    return found


def measure(seconds: float = 1.0) -> list[dict[str, Any]]:
    """Two small shapes, one thread, now."""
    return in_child(1, race.run, SHAPES[:2], 1, seconds)["races"]
