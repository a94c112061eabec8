"""CUDA graphs: a GPU repeats a recorded series of kernels without Python in between.

A step of a small cell takes the GPU a few microseconds and Python several times as long, so the
GPU waits. Recorded once for given shapes, the whole loop over the steps is started by one call
(Gray, "Getting started with CUDA graphs", NVIDIA 2019).
"""

from collections.abc import Callable
from functools import lru_cache
from threading import Lock

import torch
from torch import Tensor

Run = Callable[..., tuple[Tensor, ...]]
Form = tuple[torch.Size, torch.dtype, torch.device]
ONE_AT_A_TIME = Lock()
"""Two threads that fill the inputs of one recording would get each other's results, and what one
thread does can spoil what another is recording."""


def replay(run: Run, *inputs: Tensor | None) -> tuple[Tensor, ...]:
    """Return `run` of these inputs, recorded at the first call with tensors of their forms.

    The recordings used last are kept, eight of them, with their inputs and outputs, one for each
    stream that asks: what is submitted to two streams may run at the same time. What is set while
    recording (TF32, for one) stays as it was then. Threads may call it.
    """
    forms = [None if each is None else (each.shape, each.dtype, each.device) for each in inputs]
    stream = stream_of(next(each.device for each in inputs if each is not None))
    with ONE_AT_A_TIME:
        return recording(run, stream, *forms)(*inputs)


@lru_cache(maxsize=8)
def recording(run: Run, stream: int, *forms: Form | None) -> "Recording":
    """Return the recording of `run` for a stream and these forms, made at the first call."""
    return Recording(run, *forms)


def stream_of(device: torch.device) -> int:
    """The number of the stream to which this thread submits on a device."""
    return torch.cuda.current_stream(device).cuda_stream


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
