"""All backends of a torch cell compute the same, forward and backward."""

from typing import Any

import numpy as np
import pytest
import torch
from backends import (
    Place,
    Problem,
    assert_same,
    both_families,
    call,
    distance,
    every_place,
    every_place_but_the_loop,
)
from cells import GRU, LSTM, Family, as_arrays
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call

SIZE = (6, 3, 2, 5)  # (T, B, D, H)
SIZES = [(1, 1, 1, 1), (1, 3, 2, 4), (5, 1, 3, 33), (6, 17, 2, 5), (4, 2, 1, 64)]
every_size = pytest.mark.parametrize("size", SIZES, ids=str)


@every_size
@both_families
@every_place
def test_values_and_all_gradients_agree_with_numpy(place: Place, family: Family, size: Any) -> None:
    problem = Problem(family, size)
    assert_same(problem.run(problem.module(place)), problem.expected(), 1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@every_size
@both_families
@every_place
def test_lower_precision_costs_a_few_roundings(
    place: Place, family: Family, size: Any, dtype: torch.dtype
) -> None:
    problem = Problem(family, size, dtype)
    # About eight roundings lie between a number and those of the next step that follow from it;
    # those of different steps are independent, and the gates soon forget them.
    tolerance = 8 * torch.finfo(dtype).eps
    assert_same(problem.run(problem.module(place)), problem.expected(), tolerance)


@every_place_but_the_loop
def test_in_half_precision_a_cell_state_keeps_small_terms(place: Place) -> None:
    b = [0, 50, 2**-9, 0]  # f = 1 and i ⊙ g = 2^-10; in bfloat16 1 + 2^-10 is 1
    assert abs(last_of_one_unit(LSTM, place, b, T=64) - (1 + 64 * 2**-10)) <= 2**-8


@every_place_but_the_loop
def test_in_half_precision_the_state_of_a_gru_keeps_small_terms(place: Place) -> None:
    b = [0, -np.log(2**-8), 50]  # z ≈ 1 - 2^-8 and n = 1; in bfloat16 h would stay at 2
    far = last_of_one_unit(GRU, place, b, T=256, h_0=2) - 1
    assert abs(far - (1 - 2**-8) ** 256) <= 2**-6  # two roundings at 2^-8, and that of b and z


def last_of_one_unit(family: Family, place: Place, b: Any, T: int, h_0: float = 1) -> float:
    """The last state after T steps, in bfloat16, of a cell that has biases alone."""
    module = family.ours(1, 1, backend=place.backend, device=place.device, dtype=torch.bfloat16)
    biases = {"bias_ih_l0": torch.tensor(b)}
    zeros = {name: torch.zeros_like(p) for name, p in module.named_parameters()}
    module.load_state_dict(zeros | biases)
    x = torch.zeros(T, 1, 1, dtype=torch.bfloat16, device=place.device)
    _, *last = call(module, x, [x.new_full((1, 1, 1), h_0)] * family.states)
    return float(last[-1].detach())


@both_families
def test_the_stretches_of_the_fused_backward_pass_join(family: Family) -> None:
    problem = Problem(family, (20, 64, 2, 128))  # on a CPU eight steps at a time
    assert_same(problem.run(problem.module(Place("fused", "cpu"))), problem.expected(), 1e-12)


@both_families
@every_place_but_the_loop
def test_a_start_of_none_is_zero(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)
    given, *_ = call(module, x, [torch.zeros_like(each) for each in start])
    assert torch.equal(module(x)[0], given)


@pytest.mark.parametrize("part", ["output", "last state"])
@both_families
@every_place_but_the_loop
def test_the_loss_may_use_a_part_of_what_comes_back(
    place: Place, family: Family, part: str
) -> None:
    problem = Problem(family, SIZE)
    gradients = []
    for each in (place, Place("loop", place.device)):
        module = problem.module(each)
        x, start = problem.inputs(module)
        output, *last = call(module, x, start)
        used = output if part == "output" else last[-1]
        inputs = (x, *start, *module.parameters())
        gradients.append(torch.autograd.grad(used.square().sum(), inputs))
    for a, b in zip(*gradients, strict=True):
        assert distance(a, b) <= 1e-12


LAYOUTS = {
    "batch first": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "every second step": lambda x: x.repeat_interleave(2, dim=0)[::2],
    "every second input": lambda x: x.repeat_interleave(2, dim=2)[..., ::2],
    "features first": lambda x: x.permute(2, 0, 1).contiguous().permute(1, 2, 0),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@both_families
@every_place
def test_the_layout_of_the_input_does_not_matter(place: Place, family: Family, layout: str) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, _ = problem.inputs(module)
    strided = LAYOUTS[layout](x)
    assert not strided.is_contiguous()
    assert distance(module(strided)[0], module(x)[0]) <= 1e-14


@both_families
@every_place
def test_the_layout_of_the_start_and_of_the_gradient_does_not_matter(
    place: Place, family: Family
) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)
    strided = [each.transpose(1, 2).contiguous().transpose(1, 2) for each in start]
    gradients = []
    for given, contiguous in ((strided, False), (start, True)):
        output, *_ = call(module, x, given)
        dh = torch.linspace(-1, 1, 5).to(output).expand_as(output)  # stride 0 but for the units
        dh = dh.contiguous() if contiguous else dh
        gradients.append(torch.autograd.grad(output, (x, *start, *module.parameters()), dh))
    for a, b in zip(*gradients, strict=True):
        assert distance(a, b) <= 1e-14


@both_families
@every_place_but_the_loop
def test_an_input_that_needs_no_gradient_gets_none(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x = problem.inputs(module)[0].detach()
    module(x)[0].sum().backward()
    assert x.grad is None
    assert module.weight_hh_l0.grad.norm() > 0


WEIGHTS = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]


@pytest.mark.parametrize("frozen", WEIGHTS)
@both_families
@every_place_but_the_loop
def test_a_frozen_weight_changes_no_other_gradient(
    place: Place, family: Family, frozen: str
) -> None:
    problem = Problem(family, SIZE)
    module, expected = problem.module(place), problem.expected()
    module.get_parameter(frozen).requires_grad_(False)
    problem.loss(*call(module, *problem.inputs(module))).backward()
    assert module.get_parameter(frozen).grad is None
    for name in set(WEIGHTS) - {frozen}:
        gradient = module.get_parameter(name).grad.cpu()
        assert distance(gradient, expected[f"by {name}"]) <= 1e-12


@both_families
@every_place
def test_without_autograd_the_values_are_the_same(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, _ = problem.inputs(module)
    with torch.no_grad():
        output, _ = module(x)
    assert not output.requires_grad
    assert torch.equal(output, module(x)[0])


@both_families
@every_place
def test_writing_into_what_comes_back_changes_no_gradient(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)
    (expected,) = torch.autograd.grad(problem.loss(*call(module, x, start)), x)
    outputs = call(module, x, start)
    L = problem.loss(*outputs)
    with torch.no_grad():
        for each in outputs:
            each.zero_()
    assert torch.equal(torch.autograd.grad(L, x)[0], expected)


@both_families
@every_place
def test_what_comes_back_may_be_written_into_before_it_is_used(
    place: Place, family: Family
) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)
    thrice = [3 * each for each in call(module, x, start)]
    in_place = [each.mul_(3) for each in call(module, x, start)]
    for a, b in zip(thrice, in_place, strict=True):
        assert torch.equal(a, b)
    by_x = [torch.autograd.grad(problem.loss(*outputs), x)[0] for outputs in (thrice, in_place)]
    assert torch.equal(*by_x)


@both_families
@every_place
def test_a_graph_that_is_kept_gives_the_same_gradients_twice(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    L = problem.loss(*call(module, *problem.inputs(module)))
    once, again = (torch.autograd.grad(L, module.weight_hh_l0, retain_graph=True) for _ in "12")
    assert torch.equal(once[0], again[0])


@both_families
@every_place
def test_two_runs_before_their_backward_passes_keep_apart(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)

    def gradient(L: Tensor) -> Tensor:
        return torch.autograd.grad(L, module.weight_hh_l0)[0]

    alone = [gradient(problem.loss(*call(module, k * x, start))) for k in (1, 2)]
    losses = [problem.loss(*call(module, k * x, start)) for k in (1, 2)]
    assert all(torch.equal(gradient(L), a) for L, a in zip(losses, alone, strict=True))


@both_families
@every_place
def test_a_batch_of_no_sequences_comes_back_empty(place: Place, family: Family) -> None:
    module = Problem(family, SIZE).module(place)
    x = torch.zeros(4, 0, 2, dtype=torch.float64, device=place.device, requires_grad=True)
    output, _ = module(x)
    output.sum().backward()
    assert output.shape == (4, 0, 5)
    assert not module.weight_hh_l0.grad.any()


@both_families
@every_place
def test_nan_in_the_input_reaches_its_own_sequence_alone(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x = problem.inputs(module)[0].detach()
    clean = module(x)[0].detach()
    x[2, 1] = torch.nan
    output = module(x)[0].detach()
    assert output[2:, 1].isnan().all()
    output[2:, 1] = clean[2:, 1]
    assert torch.equal(output, clean)


@both_families
@every_place
def test_autocast_costs_the_roundings_of_half_precision(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE, torch.float32)
    module = problem.module(place)
    x, _ = problem.inputs(module)
    with torch.autocast(place.device, torch.bfloat16):
        output, _ = module(x)
    (dx,) = torch.autograd.grad(output.sum(), x)
    (exact,) = torch.autograd.grad(module(x)[0].sum(), x)
    assert output.dtype == dx.dtype == torch.float32
    assert 0 < distance(dx, exact) <= 8 * torch.finfo(torch.bfloat16).eps  # as above


def flat(family: Family, backend: str, lengths: Tensor | None = None) -> Any:
    """A small cell as a function of x, its start and its weights alone, and values for these."""
    problem = Problem(family, (3, 2, 2, 3))
    module = problem.module(Place(backend, "cpu"))
    names = [name for name, _ in module.named_parameters()]
    x, start = problem.inputs(module)

    def run(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        state, weights = others[: len(start)], others[len(start) :]
        inputs = (x, state if family is LSTM else state[0], lengths)
        output, last = functional_call(module, dict(zip(names, weights, strict=True)), inputs)
        return output, *as_arrays(last)

    return run, tuple(each.detach().requires_grad_() for each in (x, *start, *module.parameters()))


@pytest.mark.parametrize("lengths", [None, torch.tensor([1, 3])], ids=["whole", "lengths"])
@both_families
def test_fused_gradients_agree_with_central_differences(
    family: Family, lengths: Tensor | None
) -> None:
    assert gradcheck(*flat(family, "fused", lengths))


@both_families
def test_the_loop_has_second_derivatives(family: Family) -> None:
    assert gradgradcheck(*flat(family, "loop", torch.tensor([1, 3])))


@both_families
@every_place_but_the_loop
def test_second_derivatives_are_refused_with_the_way_to_get_them(
    place: Place, family: Family
) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)
    L = problem.loss(*call(module, x, start))
    message = rf"backend='{place.backend}' has no second derivatives .* backend='loop'"
    with pytest.raises(RuntimeError, match=message):
        torch.autograd.grad(L, x, create_graph=True)
