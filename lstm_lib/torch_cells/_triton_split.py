"""How the split Triton kernels divide the work over programs, and how these programs meet.

Each of n programs owns HB of the H units, with all their gates, for a tile of BB sequences, and
keeps those columns of W_h on chip. A step needs all of h_{t-1}, so the programs of a tile meet once
a step: each stores its part of h_t and adds 1 to a counter of the tile (`arrive`), and before the
next step it waits until the counter says that all n have (`wait`). They must all run at once for
that, else one waits for ever for another that has no processor: a cooperative launch starts all or
fails.

Where that can't be (a GPU with too few processors; Triton's interpreter, which runs one program
after another), the same kernel is launched once a step: the end of a launch is the barrier. So a
kernel takes the steps t_0 … t_1 − 1, with its state in memory before and after.
"""

from typing import Any, NamedTuple

import torch

from lstm_lib.torch_cells._triton import (
    FOR_WEIGHTS,
    Chip,
    batch_tile,
    chip,
    launch,
    precision,
    tl,
    triton,
)

KS = 8  # parts of a sum, and warps of a program
# One stage: h_{t-1} can't be loaded ahead of its step, and room for more would not fit on chip.
OPTIONS = {"num_warps": KS, "num_stages": 1}
# Sequences a tile, fewest and most, by the bytes a number. 16 fill a tile of the tensor cores and
# give each of the 256 threads one unit; float32 is multiplied on the ordinary units, whose time
# grows with each sequence. The most is what fits beside W_h.
TILES = {2: (16, 32), 4: (4, 8), 8: (8, 8)}


@triton.jit
def arrive(counter):
    tl.debug_barrier()  # every thread of this program has stored ...
    tl.atomic_add(counter, 1, sem="release")  # ... which whoever sees the count sees too


@triton.jit
def wait(counter, count):
    while tl.atomic_add(counter, 0, sem="acquire") < count:
        pass
    tl.debug_barrier()


class Share(NamedTuple):
    """How the work is divided: n programs a tile of sequences, `tiles` tiles."""

    HB: int  #: units a program
    BK: int  #: units a part of the sums
    BB: int  #: sequences a tile
    n: int
    tiles: int
    at_once: int  #: tiles whose programs can all run at the same time; 0: those of one can't


def divide(B: int, H: int, dtype: torch.dtype, gpu: Chip) -> Share:
    """Divide H units and B sequences over the processors of a GPU.

    16 units a program keep its matmul short, and fill two tiles of the tensor cores a gate. A part
    of a sum has at least 16 units, the shortest that the tensor cores take.
    """
    HP, HB = max(16 * KS, triton.next_power_of_2(H)), 16
    while 4 * HB * HP * dtype.itemsize > FOR_WEIGHTS * gpu.memory:
        HB //= 2
    n = triton.cdiv(H, HB)
    at_once = gpu.processors // n
    BB = batch_tile(B, *TILES[dtype.itemsize], at_once)
    return Share(HB, HP // KS, BB, n, triton.cdiv(B, BB), at_once)


def run(kernel: Any, tensors: tuple[Any, ...], B: int, H: int, steps: range) -> None:
    """Launch a kernel for all steps: once for as many tiles as run at once, or once a step."""
    like = tensors[0]
    share = divide(B, H, like.dtype, chip(like.device))
    arrived = torch.zeros(share.tiles, dtype=torch.int32, device=like.device)
    sizes = (B, H, share.HB, KS, share.BK, share.BB, precision())
    if share.at_once:
        for tile in range(0, share.tiles, share.at_once):
            grid = (share.n, min(share.at_once, share.tiles - tile))
            args = (*tensors, arrived, tile, 0, len(steps), *sizes, True)
            launch(kernel, grid, *args, **OPTIONS, launch_cooperative_grid=True)
    else:
        for t in steps:
            args = (*tensors, arrived, 0, t, t + 1, *sizes, False)
            launch(kernel, (share.n, share.tiles), *args, **OPTIONS)
