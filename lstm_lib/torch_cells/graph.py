"""CUDA graphs: a GPU repeats a recorded series of kernels without Python in between.

A step of a small cell takes the GPU a few microseconds and Python several times as long, so the
GPU waits. Recorded once for given shapes, the whole loop over the steps is started by one call
(Gray, "Getting started with CUDA graphs", NVIDIA 2019).
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

Run = Callable[..., tuple[Tensor, ...]]
Form = tuple[torch.Size, torch.dtype, torch.device]


def replay(run: Run, *inputs: Tensor | None) -> tuple[Tensor, ...]:
    """Return `run` of these inputs, recorded at the first call with tensors of their forms.

    The recordings used last are kept, eight of them, with their inputs and outputs. What is set
    while recording (TF32, for one) stays as it was then.
    """
    forms = (None if each is None else (each.shape, each.dtype, each.device) for each in inputs)
    return recording(run, *forms)(*inputs)


@lru_cache(maxsize=8)
def recording(run: Run, *forms: Form | None) -> "Recording":
    """Return the recording of `run` for inputs of these forms, made at the first call."""
    return Recording(run, *forms)


class Recording:
    """The kernels that run(*inputs) starts, for inputs of these forms.

    run: works on tensors of one CUDA device, waits for nothing on the CPU, needs no autograd.
    """

    def __init__(self, run: Run, *forms: Form | None) -> None:
        # A graph reads and writes the same addresses each time: these.
        self.inputs = [
            None if form is None else torch.zeros(form[0], dtype=form[1], device=form[2])
            for form in forms
        ]
        device = next(each.device for each in self.inputs if each is not None)
        self.graph, self.outputs = record(lambda: run(*self.inputs), device)

    def __call__(self, *inputs: Tensor | None) -> tuple[Tensor, ...]:
        for own, given in zip(self.inputs, inputs, strict=True):
            if own is not None and given is not None:
                own.copy_(given)
        self.graph.replay()
        return tuple(output.clone() for output in self.outputs)  # the next replay writes over them


def record(
    run: Callable[[], tuple[Tensor, ...]], device: torch.device
) -> tuple[torch.cuda.CUDAGraph, tuple[Tensor, ...]]:
    """Return the graph of run() and the tensors that each of its replays fills."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device):
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            run()  # cuBLAS sets itself up at its first call, and cannot while recording
        current.wait_stream(aside)
        with torch.cuda.graph(graph, stream=aside):
            outputs = run()
    return graph, outputs
