"""Sequences of different lengths: masked, packed or one by one, they give the same numbers."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lstm_lib import torch_cells, train

D, H, K = 3, 4, 2
LENGTHS = [5, 1, 7, 7, 3]
THEIRS = [nn.RNN, nn.GRU, nn.LSTM]
OURS = [torch_cells.RNN, torch_cells.GRU, torch_cells.LSTM]


def ragged(lengths=LENGTHS, D=D, seed=0):
    """Random sequences of these lengths, and a class for each of their steps."""
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(T, D)) for T in lengths]
    return x, [rng.integers(K, size=T) for T in lengths]


def close(a, b):
    return torch.allclose(a, b, rtol=1e-10, atol=1e-14)


def drawn(kind, **options):
    """A cell with weights drawn from a seed of its own."""
    cell = kind(D, H, dtype=torch.float64, **options)
    generator = torch.Generator().manual_seed(1)
    for p in cell.parameters():
        nn.init.normal_(p, std=0.5, generator=generator)
    return cell


def one_by_one(cell, x):
    """Each sequence run alone, which needs neither padding nor lengths: outputs (T_i, H)."""
    return [cell(torch.as_tensor(one)[:, None])[0][:, 0] for one in x]


READINGS = {
    "the last state": lambda outputs: torch.stack([out[-1] for out in outputs]),
    "the mean": lambda outputs: torch.stack([out.mean(0) for out in outputs]),
}
MASKED = {"the last state": train.last_step, "the mean": train.mean_over_steps}


def gradients(cell, value):
    """The gradient of each weight for a value that weighs its entries differently."""
    weight = torch.linspace(-1, 2, value.numel(), dtype=value.dtype).reshape(value.shape)
    return torch.autograd.grad((weight * value).sum(), list(cell.parameters()))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("kind", [*THEIRS, *OURS])
def test_masking_gives_what_each_sequence_gives_alone_with_its_gradients(kind, reading):
    cell, (x, _) = drawn(kind), ragged()
    padded = train.pad(x)
    alone = READINGS[reading](one_by_one(cell, x))
    masked = MASKED[reading](cell(padded.x)[0], padded.lengths)
    assert close(masked, alone)
    assert all(map(close, gradients(cell, masked), gradients(cell, alone)))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("kind", THEIRS)
def test_packing_gives_what_masking_gives_with_its_gradients(kind, reading):
    cell, padded = drawn(kind), train.pad(ragged()[0])
    masked = MASKED[reading](cell(padded.x)[0], padded.lengths)
    packed = MASKED[reading](train.packed(cell, padded)[0], padded.lengths)
    assert close(packed, masked)
    assert all(map(close, gradients(cell, packed), gradients(cell, masked)))


@pytest.mark.parametrize("kind", THEIRS)
def test_the_last_state_that_packing_returns_is_that_of_masking(kind):
    cell, padded = drawn(kind, num_layers=2), train.pad(ragged()[0])
    h = train.packed(cell, padded)[1]
    masked = train.last_step(cell(padded.x)[0], padded.lengths)
    assert close(h, masked)
    assert all(map(close, gradients(cell, h), gradients(cell, masked)))


@pytest.mark.parametrize("kind", THEIRS)
def test_the_loss_of_all_steps_is_the_same_packed_masked_and_alone(kind):
    cell, (x, y) = drawn(kind), ragged()
    padded, targets = train.pad(x), train.pad(y).x
    readout = nn.Linear(H, K, dtype=torch.float64)
    alone = F.cross_entropy(
        readout(torch.cat(one_by_one(cell, x))), torch.cat([torch.as_tensor(one) for one in y])
    )
    for output in (cell(padded.x)[0], train.packed(cell, padded)[0]):
        loss = train.loss_over_steps(readout(output), targets, padded.lengths)
        assert close(loss, alone)
        for weights in (cell, readout):
            wanted = torch.autograd.grad(alone, weights.parameters(), retain_graph=True)
            got = torch.autograd.grad(loss, weights.parameters(), retain_graph=True)
            assert all(map(close, got, wanted))


@pytest.mark.parametrize("kind", OURS)
def test_our_cells_give_the_masked_loss_of_the_sequences_alone(kind):
    cell, (x, y) = drawn(kind), ragged()
    padded, targets = train.pad(x), train.pad(y).x
    alone = F.cross_entropy(
        torch.cat(one_by_one(cell, x)), torch.cat([torch.as_tensor(one) for one in y])
    )
    loss = train.loss_over_steps(cell(padded.x)[0], targets, padded.lengths)
    assert close(loss, alone)
    assert all(map(close, gradients(cell, loss), gradients(cell, alone)))


def test_a_cell_that_reads_both_ways_ends_backwards_at_the_first_step():
    cell, (x, _) = drawn(nn.LSTM, bidirectional=True), ragged()
    outputs = one_by_one(cell, x)
    alone = torch.stack([torch.cat([out[-1, :H], out[0, H:]]) for out in outputs])
    assert close(train.packed(cell, train.pad(x))[1], alone)


def test_padding_is_zero_after_each_sequence_and_leaves_it_as_it_is():
    x, _ = ragged()
    padded = train.pad(x)
    assert padded.x.shape == (7, 5, D)
    assert padded.lengths.tolist() == LENGTHS
    for k, one in enumerate(x):
        assert np.array_equal(padded.x[: len(one), k], one)
        assert not padded.x[len(one) :, k].any()


def test_the_mask_is_true_at_the_steps_of_a_sequence():
    assert train.mask([2, 1, 3], 3).int().tolist() == [[1, 1, 1], [1, 0, 1], [0, 0, 1]]


def test_arrays_with_negative_strides_and_tensors_are_padded_alike():
    x, _ = ragged()
    flipped = [one[::-1] for one in x]
    tensors = [torch.as_tensor(one.copy()) for one in flipped]
    assert torch.equal(train.pad(flipped).x, train.pad(tensors).x)


def test_what_stands_in_the_padding_changes_nothing_even_if_it_is_nan():
    x, y = ragged()
    padded, targets = train.pad(x), train.pad(y).x
    spoilt = padded.x.masked_fill(~train.mask(padded.lengths, 7)[..., None], float("nan"))
    for read in MASKED.values():
        assert torch.equal(read(spoilt, padded.lengths), read(padded.x, padded.lengths))
    losses = [train.loss_over_steps(z, targets, padded.lengths) for z in (spoilt, padded.x)]
    assert torch.equal(*losses)


def test_a_loss_over_steps_takes_values_and_another_loss():
    z, y = torch.zeros(3, 2, 1), torch.ones(3, 2, 1)
    y[1:, 1] = 1000
    assert train.loss_over_steps(z, y, [3, 1]) == 1
    assert train.loss_over_steps(z, 2 * y, [3, 1], F.l1_loss) == 2


def test_minibatches_of_one_epoch_name_each_sequence_once_in_a_random_order():
    batches = train.minibatches(np.random.default_rng(0), 10, 4)
    order = np.concatenate(batches)
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(order) == list(range(10))
    assert list(order) != list(range(10))


def test_the_same_generator_gives_the_same_minibatches():
    first, second, other = (
        np.concatenate(train.minibatches(train.rng_for(0, epoch), 20, 3)) for epoch in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


A = np.zeros((4, 3))
UNFIT = {
    "no sequence": (lambda: train.pad([]), "at least one sequence, got none"),
    "an empty sequence": (lambda: train.pad([A, A[:0]]), "sequences[1] must have at least one"),
    "another D": (lambda: train.pad([A, A[:, :2]]), "sequences[1] must be (T_i, 3) as the first"),
    "another dtype": (lambda: train.pad([A, A.astype("f")]), "sequences[1] must be torch.float64"),
    "single numbers": (lambda: train.pad([1.0]), "(T_i, D) or (T_i,), got ()"),
    "batches": (lambda: train.pad([A[None]]), "(T_i, D) or (T_i,), got (1, 4, 3)"),
    "steps against numbers": (lambda: train.pad([A, A[:, 0]]), "sequences[1] must be (T_i, 3)"),
    "length NaN": (lambda: train.mask([1, float("nan")], 3), "lengths must be (B,) integers"),
    "length 0": (lambda: train.mask([1, 0], 3), "1 … T = 3, got [1, 0]"),
    "length beyond T": (lambda: train.mask([4], 3), "1 … T = 3, got [4]"),
    "no length": (lambda: train.mask(np.zeros(0, int), 3), "1 … T = 3, got []"),
    "a table of lengths": (lambda: train.mask([[1]], 3), "(B,) integers, got (1, 1)"),
    "truths for lengths": (lambda: train.mask([True], 3), "integers, got (1,) torch.bool"),
    "lengths of others": (lambda: train.last_step(A[None], [1]), "the B = 4 sequences of output"),
    "a flat output": (lambda: train.mean_over_steps(A, [1, 2, 3]), "three axes (T, B, ·)"),
    "a short y": (
        lambda: train.loss_over_steps(np.zeros((4, 2, 3)), np.zeros((3, 2), int), [4, 1]),
        "y must be (4, 2), as the prediction, got (3, 2)",
    ),
    "batch first": (
        lambda: train.packed(nn.GRU(3, 2, batch_first=True), train.pad([A])),
        "batch_first must be False",
    ),
    "lengths beyond x": (
        lambda: train.packed(nn.GRU(3, 2), train.Padded(torch.zeros(2, 1, 3), torch.tensor([3]))),
        "1 … T = 2, got [3]",
    ),
    "no n": (lambda: train.minibatches(np.random.default_rng(0), 0, 3), "n must be a positive"),
    "half a B": (lambda: train.minibatches(np.random.default_rng(0), 5, 2.5), "B must be a posi"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_is_a_value_error_that_says_what_came(case):
    call, message = UNFIT[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_a_cell_that_cannot_be_packed_is_refused_by_name():
    with pytest.raises(TypeError, match=r"torch.nn.RNN, LSTM or GRU, got Module"):
        train.packed(nn.Module(), train.pad([A]))
