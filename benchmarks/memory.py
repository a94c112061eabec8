"""The memory of one training step above its inputs, each contestant in a process of its own."""

import tracemalloc
from pathlib import Path

from tqdm import tqdm

from benchmarks.child import in_child
from benchmarks.contestants import OURS, Builder, numpy_cell
from benchmarks.problem import Answer, Contestant, Problem, Shape, draw
from lstm_lib.numpy_cells import fast_lstm, segmented

SHAPE = Shape(10_000, 16, 32, 64)
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def segments(problem: Problem) -> Contestant:
    """`fast_lstm` in segments: a state every few steps is kept, the rest is computed again."""
    params, x, dh = problem

    def train() -> Answer:
        kept = segmented.forward(params, x, cell=fast_lstm)
        gradients = segmented.backward(params, x, kept, dh, cell=fast_lstm)
        return Answer(kept.h[1:], gradients.x, *gradients.params)

    return Contestant(lambda: segmented.forward(params, x, cell=fast_lstm).h[1:], train)


BUILDERS: dict[str, Builder] = {
    **OURS,
    "numpy fast": numpy_cell(fast_lstm),  # with a trace of its own: that is what is measured
    "numpy fast, segments": segments,
}


def run(shape: Shape) -> dict[str, dict[str, float]]:
    """MB at the peak of forward + backward, outputs included, inputs and weights not.

    "arrays": what NumPy had allocated (tracemalloc; torch's memory is not seen by it).
    "resident": by how much the process grew, of all that the system counts as in use; only on
    Linux, which tells it.
    """
    names = tqdm(BUILDERS, desc="memory", unit="contestant")
    return {name: in_child(1, peak, name, shape) for name in names}


def peak(name: str, shape: Shape) -> dict[str, float]:
    """The peak of one contestant, in this process."""
    build = BUILDERS[name]
    build(draw(Shape(4, *shape[1:]))).train()  # libraries loaded, threads and buffers made
    contestant = build(draw(shape))
    found = {}
    if RESET.exists():
        RESET.write_text("5")  # the highest so far is forgotten
        before = _status("VmRSS")
        contestant.train()
        found["resident"] = round((_status("VmHWM") - before) / 1e6, 1)
    if name.startswith("numpy"):
        tracemalloc.start()
        contestant.train()
        found["arrays"] = round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
        tracemalloc.stop()
    return found


def _status(field: str) -> int:
    """A number of /proc/self/status in bytes; there it is in kB of 1024 bytes."""
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
