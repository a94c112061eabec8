"""Where the backends of the torch cells can be tested, and one run that shows all they give."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from cells import GRU, LSTM, Family, as_arrays, draw_params, draw_state, state_dict
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstm_lib import torch_cells

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


class Place(NamedTuple):
    """A backend on a device."""

    backend: str
    device: str


def places(*names: str) -> pytest.MarkDecorator:
    """Parametrize a test with these backends on each device, skipped where one cannot run."""
    params = []
    for device in DEVICES:
        for name, can in torch_cells.backends(device).items():
            if name in names and (name, device) != ("graph", "cpu"):  # never; see test_torch_graph
                skip = pytest.mark.skipif(can != "ok", reason=can)
                params.append(pytest.param(Place(name, device), marks=skip, id=f"{name}-{device}"))
    return pytest.mark.parametrize("place", params)


every_place = places("loop", "fused", "graph", "triton")
every_place_but_the_loop = places("fused", "graph", "triton")
both_families = pytest.mark.parametrize("family", [LSTM, GRU], ids=lambda family: family.name)


class Problem:
    """Random weights, input and start, and an L that is linear in the output and last states.

    All numbers are of this dtype, so that a float64 computation with them is what a computation in
    the dtype itself is to be compared with.
    """

    def __init__(
        self, family: Family, size: tuple[int, int, int, int], dtype: torch.dtype = torch.float64
    ) -> None:
        T, B, D, H = size
        rng = np.random.default_rng(size)
        self.family, self.size, self.dtype = family, size, dtype

        def rounded(array: np.ndarray) -> np.ndarray:
            return torch.tensor(array).to(dtype).double().numpy()

        self.params = family.numpy.Params(*map(rounded, draw_params(family, rng, D, H)))
        self.x, self.dh = rounded(rng.normal(size=(T, B, D))), rounded(rng.normal(size=(T, B, H)))
        self.state = [rounded(a) for a in as_arrays(draw_state(family, rng, B, H))]
        self.dstate = [rounded(a) for a in as_arrays(draw_state(family, rng, B, H))]

    def module(self, place: Place) -> Any:
        """The module of `torch_cells` with these weights."""
        backend, device = place
        _, _, D, H = self.size
        module = self.family.ours(D, H, backend=backend, device=device, dtype=self.dtype)
        module.load_state_dict(state_dict(self.family, self.params))
        return module

    def theirs(self) -> Any:
        """The module of `torch.nn` with these weights, in float64 on the CPU."""
        _, _, D, H = self.size
        module = self.family.theirs(D, H, dtype=torch.float64)
        module.load_state_dict(state_dict(self.family, self.params))
        return module

    def inputs(self, module: nn.Module) -> tuple[Tensor, list[Tensor]]:
        """x and the start, (1, B, H) each, as the module takes them, waiting for gradients."""
        x, *start = (_as(module, a).requires_grad_() for a in (self.x, *self.state))
        return x, [each[None] for each in start]

    def expected(self) -> dict[str, Tensor]:
        """What `run` gives, from `numpy_cells` in float64."""
        cell, state, dstate = self.family.numpy, _state(self.state), _state(self.dstate)
        trace = cell.forward(self.params, self.x, state)
        by = cell.backward(self.params, self.x, trace, self.dh, dstate)
        weights = state_dict(self.family, by.params)
        both = 2 * self.size[3] if self.family is GRU else 4 * self.size[3]
        weights["bias_hh_l0"][:both] = weights["bias_ih_l0"][:both]
        last = [trace.h[-1], trace.c[-1]] if self.family is LSTM else [trace.h[-1]]
        start = as_arrays(by.state)
        return _named(*(torch.tensor(a) for a in (trace.h[1:], by.x)), last, start, weights)

    def run(self, module: Any, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Output, last states and the gradients of L by all that goes in, in float64 on the CPU."""
        x, start = self.inputs(module)
        output, *last = call(module, x, start, lengths)
        for each in (x, *start):
            each.retain_grad()
        self.loss(output, *last).backward()
        weights = {name: p.grad for name, p in module.named_parameters()}
        assert output.dtype == last[-1].dtype == x.dtype
        return _named(output, x.grad, last, [each.grad for each in start], weights)

    def loss(self, output: Tensor, *last: Tensor) -> Tensor:
        """The L whose derivatives by the output and the last states are dh and dstate."""
        pairs = zip((output, *last), (self.dh, *self.dstate), strict=True)
        return torch.stack([(a * torch.tensor(d).to(a)).sum() for a, d in pairs]).sum()


def call(
    module: Any, x: Tensor, start: list[Tensor], lengths: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Return output and last states of a cell; one of `torch.nn` is given the sequences packed."""
    if isinstance(module, nn.RNNBase):
        pack = pack_padded_sequence(x, lengths, enforce_sorted=False)
        pack, last = module(pack, _state(start))
        output = pad_packed_sequence(pack, total_length=len(x))[0]
    else:
        output, last = module(x, _state(start), lengths)
    return output, *as_arrays(last)


def assert_same(ours: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    """Assert of each tensor that ‖ours − expected‖ ≤ tolerance · ‖expected‖."""
    assert ours.keys() == expected.keys()
    for name, tensor in ours.items():
        assert distance(tensor, expected[name]) <= tolerance, name


def distance(a: Tensor, b: Tensor) -> float:
    """‖a − b‖ / ‖b‖."""
    assert a.shape == b.shape
    return float((a - b).detach().norm() / b.detach().norm())


def _as(module: Any, array: np.ndarray) -> Tensor:
    return torch.tensor(array).to(module.weight_hh_l0)


def _state(arrays: Any) -> Any:
    """The arrays in the form of a state: a pair, or the array alone."""
    return tuple(arrays) if len(arrays) == 2 else arrays[0]


def _named(output: Any, by_x: Any, last: Any, by_start: Any, weights: Any) -> dict[str, Tensor]:
    """All in one dictionary, in float64 on the CPU."""
    tensors = {"output": output, "by x": by_x}
    for k, (state, gradient) in enumerate(zip(last, by_start, strict=True)):
        B, H = state.shape[-2:]
        tensors |= {f"last {k}": torch.as_tensor(state).reshape(B, H)}
        tensors |= {f"by start {k}": torch.as_tensor(gradient).reshape(B, H)}
    tensors |= {f"by {name}": gradient for name, gradient in weights.items()}
    return {name: a.detach().double().cpu() for name, a in tensors.items()}
