"""Sequences of different lengths in one padded batch, in every backend."""

from typing import Any

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
)
from cells import FAMILIES, LSTM, Family
from torch import Tensor

SIZE = (7, 5, 2, 4)  # (T, B, D, H)
LENGTHS = torch.tensor([3, 7, 1, 6, 3])
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def padding(device: str = "cpu") -> Tensor:
    """(T, B), true after the end of a sequence."""
    return (torch.arange(7)[:, None] >= LENGTHS).to(device)


@both_families
@every_place
def test_values_and_gradients_are_those_of_torch_on_packed_sequences(
    place: Place, family: Family
) -> None:
    problem = Problem(family, SIZE)
    ours, theirs = (
        problem.run(problem.module(place), LENGTHS),
        problem.run(problem.theirs(), LENGTHS),
    )
    assert_same(ours, theirs, 1e-12)


def test_a_simple_recurrent_network_takes_lengths_too() -> None:
    ours, theirs = FAMILIES[0].ours(2, 4), FAMILIES[0].theirs(2, 4)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(SIZE[:3], generator=torch.Generator().manual_seed(0))
    expected = call(theirs, x, [torch.zeros(1, 5, 4)], LENGTHS)
    for a, b in zip(call(ours, x, [torch.zeros(1, 5, 4)], LENGTHS), expected, strict=True):
        assert distance(a, b) <= 8 * torch.finfo(torch.float32).eps  # roundings in a step


@both_families
@every_place
def test_the_output_in_the_padding_is_zero(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    output, *_ = call((module := problem.module(place)), *problem.inputs(module), LENGTHS)
    assert not output[padding(place.device)].any()
    assert output[~padding(place.device)].all()


@both_families
@every_place
def test_nan_in_the_padding_reaches_nothing(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    clean = problem.run(problem.module(place), LENGTHS)
    problem.x[padding()] = torch.nan
    assert_same(problem.run(problem.module(place), LENGTHS), clean, 0)


@both_families
@every_place
def test_a_gradient_of_nan_in_the_padding_reaches_nothing(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    clean = problem.run(problem.module(place), LENGTHS)
    module = problem.module(place)
    x, start = problem.inputs(module)
    output, *last = call(module, x, start, LENGTHS)
    noise = torch.where(padding(place.device), torch.nan, 0.0)[..., None]
    output.register_hook(lambda dh: dh + noise)
    problem.loss(output, *last).backward()
    for name, parameter in module.named_parameters():
        assert distance(parameter.grad.cpu(), clean[f"by {name}"]) == 0


@both_families
@every_place
def test_no_gradient_arrives_at_the_input_in_the_padding(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    by_x = problem.run(problem.module(place), LENGTHS)["by x"]
    assert not by_x[padding()].any()
    assert by_x[~padding()].all()


@both_families
@every_place
def test_sequences_that_fill_the_batch_need_no_lengths(place: Place, family: Family) -> None:
    problem = Problem(family, SIZE)
    with_lengths = problem.run(problem.module(place), torch.full((5,), 7))
    assert_same(with_lengths, problem.run(problem.module(place)), 1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@both_families
@every_place
def test_a_sequence_gives_the_same_alone_as_in_a_batch(
    place: Place, family: Family, dtype: torch.dtype
) -> None:
    problem = Problem(family, SIZE, dtype)
    module = problem.module(place)
    x, start = problem.inputs(module)
    _, *together = call(module, x, start, LENGTHS)
    for b, T in enumerate(LENGTHS):
        _, *alone = call(module, x[:T, b : b + 1], [each[:, b : b + 1] for each in start])
        for one, all_ in zip(alone, together, strict=True):
            # sums in another order, so the roundings of a step differ
            assert distance(one, all_[:, b : b + 1]) <= 8 * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.uint8], ids=str)
@both_families
@every_place
def test_any_type_of_integer_does(place: Place, family: Family, dtype: torch.dtype) -> None:
    problem = Problem(family, SIZE)
    module = problem.module(place)
    x, start = problem.inputs(module)
    output, *_ = call(module, x, start, LENGTHS.to(dtype))
    assert torch.equal(output, call(module, x, start, LENGTHS)[0])


FAULTS: dict[str, tuple[Any, type[Exception], str]] = {
    "a list": ([1, 2, 3, 4, 5], TypeError, "be (B=5,) integers in a torch tensor, got list"),
    "another B": (LENGTHS[:4], ValueError, "be (B=5,) integers, got (4,) torch.int64"),
    "a column": (LENGTHS[:, None], ValueError, "be (B=5,) integers, got (5, 1) torch.int64"),
    "floats": (LENGTHS / 1, ValueError, "be (B=5,) integers, got (5,) torch.float32"),
    "a mask": (LENGTHS > 1, ValueError, "be (B=5,) integers, got (5,) torch.bool"),
    "zero": (LENGTHS - 1, ValueError, "each be 1 … T = 7, got [2, 6, 0, 5, 2]"),
    "over T": (LENGTHS + 1, ValueError, "each be 1 … T = 7, got [4, 8, 2, 7, 4]"),
}


@pytest.mark.parametrize("fault", FAULTS)
@every_family
def test_wrong_lengths_are_named(family: Family, fault: str) -> None:
    lengths, kind, message = FAULTS[fault]
    with pytest.raises(kind) as caught:
        family.ours(2, 4)(torch.zeros(SIZE[:3]), None, lengths)
    assert str(caught.value) == f"lengths must {message}"


@both_families
def test_lengths_of_no_sequences_are_none_at_all(family: Family) -> None:
    lengths = torch.zeros(0, dtype=torch.int64)
    output, last = family.ours(2, 4)(torch.zeros(7, 0, 2), None, lengths)
    assert output.shape == (7, 0, 4)
    assert (last[0] if family is LSTM else last).shape == (1, 0, 4)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64], ids=str)
@every_place
def test_lengths_may_be_changed_before_backward(place: Place, dtype: torch.dtype) -> None:
    module = LSTM.ours(2, 3, backend=place.backend, device=place.device)
    x = torch.ones(4, 2, 2, device=place.device, requires_grad=True)
    lengths = torch.tensor([2, 4], dtype=dtype, device=place.device)
    by_x = []
    for after in ([2, 4], [4, 1]):
        output, _ = module(x, None, lengths)
        lengths.copy_(torch.tensor(after))
        by_x.append(torch.autograd.grad(output.sum(), x)[0])
        lengths.copy_(torch.tensor([2, 4]))
    assert torch.equal(*by_x)
