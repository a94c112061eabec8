"""Those that race on the CPU: ours, `torch.nn.LSTM`, and the peers that are installed."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import torch
from torch import nn

from benchmarks import tutorial
from benchmarks.problem import Answer, Contestant, Problem
from lstm_lib import convert, torch_cells
from lstm_lib.numpy_cells import fast_lstm, lstm

Builder = Callable[[Problem], Contestant]
REFERENCE = "torch.nn"


def numpy_cell(cell: ModuleType, *, over: bool = False) -> Builder:
    """A module of `numpy_cells` with the names of `lstm`.

    over: it writes over its trace of the call before, as a training loop would let it.
    """

    def build(problem: Problem) -> Contestant:
        params, x, dh = problem
        options = {"out": cell.forward(params, x)} if over else {}

        def train() -> Answer:
            trace = cell.forward(params, x, **options)
            gradients = cell.backward(params, x, trace, dh)
            return Answer(trace.h[1:], gradients.x, *gradients.params)

        return Contestant(lambda: cell.forward(params, x, **options).h[1:], train)

    return build


def torch_module(
    make: Callable[[int, int], nn.Module],
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Builder:
    """A module with the parameters of `torch.nn.LSTM(D, H)`, on a device, in a dtype.

    Its forward keeps nothing for a backward pass, which makes it about 15 % faster.
    """

    def build(problem: Problem) -> Contestant:
        module = make(problem.x.shape[2], problem.dh.shape[2])
        module.load_state_dict(convert.to_torch(problem.params).state_dict())
        module.to(device, dtype)
        x, dh = (torch.from_numpy(array).to(device, dtype) for array in problem[1:])
        x.requires_grad_()
        weights = module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0

        def forward() -> torch.Tensor:
            with torch.no_grad():
                return module(x)[0]

        def train() -> Answer:
            h = module(x)[0]
            dx, dW_x, dW_h, db = torch.autograd.grad(h, (x, *weights), dh)
            return Answer(h.detach(), dx, dW_x.T, dW_h.T, db)

        return Contestant(forward, train)

    return build


def our_torch(backend: str, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Builder:
    """`torch_cells.LSTM` with one of its backends."""
    return torch_module(lambda D, H: torch_cells.LSTM(D, H, backend=backend), device, dtype)


OURS: dict[str, Builder] = {
    "numpy tutorial": tutorial.build,
    "numpy plain": numpy_cell(lstm),
    "numpy fast": numpy_cell(fast_lstm, over=True),
    REFERENCE: torch_module(nn.LSTM),
    "torch loop": our_torch("loop"),
    "torch fused": our_torch("fused"),
}

# Name -> our module with a function `build`, and what must be installed for it.
PEERS = {
    "onnxruntime": ("benchmarks.peer_onnx", ("onnx", "onnxruntime")),
    "jax": ("benchmarks.peer_jax", ("jax",)),
    "numba": ("benchmarks.peer_numba", ("numba",)),
}


def gather() -> tuple[dict[str, Builder], dict[str, str]]:
    """All contestants that can race here, and why the others cannot, each by name."""
    there, absent = dict(OURS), {}
    for name, (module, needs) in PEERS.items():
        try:
            there[name] = import_module(module).build
        except ImportError as error:
            if error.name is None or error.name.partition(".")[0] not in needs:
                raise  # installed, and broken: that is no absence
            absent[name] = f"{error.name} is not installed"
    return there, absent
