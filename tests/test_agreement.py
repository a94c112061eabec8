"""numpy_cells, torch_cells and torch.nn compute the same values and the same gradients."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from cells import (
    GRU,
    IN_NUMPY,
    LSTM,
    RNN,
    Family,
    as_arrays,
    draw_params,
    draw_state,
    state_dict,
    torch_state,
    torch_twins,
)
from hypothesis import given, settings

SIZES = [  # (T, B, D, H)
    (1, 1, 1, 1),
    (1, 3, 2, 4),
    (6, 1, 3, 5),
    (5, 2, 4, 1),
    (7, 3, 1, 6),
    (12, 4, 6, 3),
    (40, 2, 3, 8),
]
every_family = pytest.mark.parametrize("family", IN_NUMPY, ids=lambda family: family.name)
every_size = pytest.mark.parametrize("size", SIZES, ids=str)


class Case:
    """A cell with random weights, input, start and an L that is linear in all outputs."""

    def __init__(self, family: Family, size: tuple[int, int, int, int], seed: int = 0) -> None:
        T, B, D, H = size
        rng = np.random.default_rng(seed)
        self.family, self.params = family, draw_params(family, rng, D, H)
        self.x, self.state = rng.normal(size=(T, B, D)), draw_state(family, rng, B, H)
        self.dh, self.dstate = rng.normal(size=(T, B, H)), draw_state(family, rng, B, H)

    def numpy_gradients(self) -> Any:
        trace = self.family.numpy.forward(self.params, self.x, self.state)
        return self.family.numpy.backward(self.params, self.x, trace, self.dh, self.dstate)

    def loss(self, params: Any, x: np.ndarray, state: Any) -> float:
        trace = self.family.numpy.forward(params, x, state)
        last = (trace.h[-1], trace.c[-1]) if self.family.states == 2 else (trace.h[-1],)
        ends = sum(np.sum(a * d) for a, d in zip(last, as_arrays(self.dstate), strict=True))
        return float(np.sum(trace.h[1:] * self.dh) + ends)

    def torch_gradients(self, module: torch.nn.Module) -> dict[str, np.ndarray]:
        x, state = torch.tensor(self.x, requires_grad=True), torch_state(self.state, grad=True)
        output, last = module(x, state)
        arrived = torch_state(self.dstate)
        loss = (output * torch.tensor(self.dh)).sum()
        for a, d in zip(as_arrays(last), as_arrays(arrived), strict=True):
            loss = loss + (a * d).sum()
        loss.backward()
        gradients = {name: p.grad.numpy() for name, p in module.named_parameters()}
        gradients["x"] = x.grad.numpy()
        return gradients | {
            f"state[{k}]": s.grad.numpy()[0] for k, s in enumerate(as_arrays(state))
        }


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference, in units of the largest entry."""
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / np.abs(b).max())


def in_torch_form(case: Case, gradients: Any) -> dict[str, np.ndarray]:
    """The gradients of our parameters under torch's names: both biases have the same one."""
    params = gradients.params
    named = {"weight_ih_l0": params.W_x.T, "weight_hh_l0": params.W_h.T, "bias_ih_l0": params.b}
    named["bias_hh_l0"] = params.b.copy()
    if case.family.ours is GRU.ours:
        named["bias_hh_l0"][-len(params.b_hn) :] = params.b_hn
    states = {f"state[{k}]": s for k, s in enumerate(as_arrays(gradients.state))}
    return named | {"x": gradients.x} | states


def assert_same_values(case: Case) -> None:
    trace = case.family.numpy.forward(case.params, case.x, case.state)
    for module in torch_twins(case.family, case.params):
        output, last = module(torch.tensor(case.x), torch_state(case.state))
        expected = (trace.h[-1], trace.c[-1]) if case.family.states == 2 else (trace.h[-1],)
        np.testing.assert_allclose(output.detach().numpy(), trace.h[1:], rtol=0, atol=1e-12)
        for a, b in zip(as_arrays(last), expected, strict=True):
            np.testing.assert_allclose(a.detach().numpy()[0], b, rtol=0, atol=1e-12)


def assert_same_gradients(case: Case) -> None:
    ours = in_torch_form(case, case.numpy_gradients())
    for module in torch_twins(case.family, case.params):
        theirs = case.torch_gradients(module)
        assert theirs.keys() == ours.keys()
        for name, gradient in theirs.items():
            assert relative_error(ours[name], gradient) <= 1e-10, name


@every_size
@every_family
def test_outputs_and_last_states_agree_to_1e_12(family: Family, size: Any) -> None:
    assert_same_values(Case(family, size))


@every_size
@every_family
def test_all_gradients_agree_to_1e_10(family: Family, size: Any) -> None:
    assert_same_gradients(Case(family, size))


sizes = st.tuples(*(st.integers(1, n) for n in (9, 4, 5, 7)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(IN_NUMPY), sizes, st.integers(0, 2**32 - 1))
def test_values_and_gradients_agree_for_drawn_sizes(family: Family, size: Any, seed: int) -> None:
    case = Case(family, size, seed)
    assert_same_values(case)
    assert_same_gradients(case)


@every_family
def test_every_field_of_the_trace_agrees(family: Family) -> None:
    case = Case(family, (6, 2, 3, 4))
    ours, _ = torch_twins(family, case.params)
    expected = family.numpy.forward(case.params, case.x, case.state)
    trace = ours.trace(torch.tensor(case.x), torch_state(case.state))
    assert trace._fields == expected._fields
    for a, b in zip(trace, expected, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b, rtol=0, atol=1e-12)


@every_family
def test_gradients_agree_with_central_differences_to_1e_7(family: Family) -> None:
    case = Case(family, (4, 2, 3, 3))
    gradients = case.numpy_gradients()
    inputs = (*case.params, case.x, *as_arrays(case.state))
    exact = (*gradients.params, gradients.x, *as_arrays(gradients.state))
    for k, gradient in enumerate(exact):
        estimate = np.empty_like(gradient)
        for index in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [a.copy() for a in inputs]
                moved[k][index] += step
                params = family.numpy.Params(*moved[: len(case.params)])
                x, *state = moved[len(case.params) :]
                ends.append(case.loss(params, x, tuple(state) if len(state) == 2 else state[0]))
            estimate[index] = (ends[0] - ends[1]) / 2e-5
        assert relative_error(gradient, estimate) <= 1e-7


@every_family
def test_float32_agrees_with_torch_to_a_few_roundings(family: Family) -> None:
    rng = np.random.default_rng(0)
    params = draw_params(family, rng, 5, 16, np.float32)
    x = rng.normal(size=(30, 4, 5)).astype(np.float32)
    trace = family.numpy.forward(params, x)
    for module in torch_twins(family, params):
        output, _ = module(torch.tensor(x))
        # 30 steps of sums over 21 terms, each rounded at 6e-8
        np.testing.assert_allclose(output.detach().numpy(), trace.h[1:], rtol=0, atol=3e-6)


@every_family
def test_a_state_dict_moves_between_ours_and_torch_in_both_directions(family: Family) -> None:
    ours, theirs = family.ours(3, 5), family.theirs(3, 5)
    x = torch.randn(7, 2, 3, generator=torch.Generator().manual_seed(0))
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x)[0], theirs(x)[0], rtol=0, atol=1e-6)
    other = family.theirs(3, 5)
    ours.load_state_dict(other.state_dict())
    torch.testing.assert_close(ours(x)[0], other(x)[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@every_family
def test_half_precision_works_in_torch_cells_as_in_torch(family: Family, dtype: Any) -> None:
    ours, theirs = family.ours(3, 5).to(dtype), family.theirs(3, 5).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    # values below 1 after 6 steps, each rounded at 2^-8 (bfloat16) or 2^-11
    tolerance = 6 * torch.finfo(dtype).eps
    torch.testing.assert_close(ours(x)[0], theirs(x)[0], rtol=0, atol=tolerance)


def test_the_loss_of_a_case_depends_on_all_that_goes_in() -> None:
    """Guards the guards: an L that ignored an argument would let a wrong zero gradient pass."""
    for family in (RNN, LSTM, GRU):
        gradients = Case(family, (3, 2, 2, 2)).numpy_gradients()
        arrays = (*gradients.params, gradients.x, *as_arrays(gradients.state))
        assert all(np.abs(a).min() > 0 for a in arrays)
        assert set(state_dict(family, gradients.params)) == set(
            dict(family.theirs(2, 2).named_parameters())
        )
