"""The same race where the process keeps its memory: how much of the result is the system's doing.

glibc gives large blocks back to the system when they are freed, and a block asked for again comes
as zeroed pages, one fault each. `fast_lstm` avoids that (`out=`, one block for all it needs); torch
does not. With these variables glibc keeps everything, for both.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks import race
from benchmarks.child import in_child
from benchmarks.limits import RACERS
from benchmarks.problem import SHAPES, Shape

KEEP = {
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "200000000",
}


def run(shapes: Sequence[Shape] = SHAPES, seconds: float = 4.0) -> dict[str, Any]:
    """Race `fast_lstm` and `torch.nn.LSTM` on one thread; seconds: a mode at a shape."""
    found = in_child(1, race.run, shapes, 1, seconds, 5, RACERS, variables=KEEP)
    return {"variables": KEEP, "clock": found["clock"], "races": found["races"]}
