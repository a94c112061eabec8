"""Mini-batches of sequences of different lengths: padded, and then masked or packed.

Shorter sequences are filled up with zeros to the length of the longest. A cell that reads from
left to right does not see the padding before the sequence is over, so it is enough to leave out
what came after: that is masking. Packing, of `torch.nn`, does not compute it in the first place.
Both give the same numbers and the same gradients.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from lstm_lib.train.torch_loop import Loss, _tensor, default_loss


class Padded(NamedTuple):
    """Sequences side by side, zeros where one is over."""

    x: Tensor  #: (T, B, D), T the length of the longest; (T, B) where a step is one number
    lengths: Tensor  #: (B,) int64, each 1 … T


def pad(sequences: Sequence[Any]) -> Padded:
    """Put B sequences, each (T_i, D), side by side; targets (T_i,) likewise.

    Arrays or tensors, T_i ≥ 1, with the same D, dtype and device. Raises ValueError, naming the
    sequence, where they are not.
    """
    if len(sequences) == 0:
        raise ValueError("sequences must hold at least one sequence, got none")
    tensors = [_tensor(sequence) for sequence in sequences]
    first = tensors[0]
    if first.ndim not in (1, 2):
        raise ValueError(f"sequences must each be (T_i, D) or (T_i,), got {tuple(first.shape)}")
    for k, one in enumerate(tensors):
        if one.ndim != first.ndim or one.shape[1:] != first.shape[1:]:
            wanted = ", ".join(["T_i", *map(str, first.shape[1:])])
            raise ValueError(
                f"sequences[{k}] must be ({wanted}) as the first, got {tuple(one.shape)}"
            )
        if len(one) == 0:
            raise ValueError(f"sequences[{k}] must have at least one step, got {tuple(one.shape)}")
        if one.dtype != first.dtype or one.device != first.device:
            raise ValueError(
                f"sequences[{k}] must be {first.dtype} on {first.device} as the first, "
                f"got {one.dtype} on {one.device}"
            )
    lengths = torch.tensor([len(one) for one in tensors], device=first.device)
    return Padded(pad_sequence(tensors), lengths)


def mask(lengths: Any, T: int) -> Tensor:
    """(T, B), true at the steps that belong to a sequence, false in its padding.

    lengths: (B,) integers. Raises ValueError unless each is 1 … T.
    """
    lengths = _tensor(lengths)
    if lengths.ndim != 1 or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise ValueError(
            f"lengths must be (B,) integers, got {tuple(lengths.shape)} {lengths.dtype}"
        )
    if len(lengths) == 0 or lengths.min() < 1 or lengths.max() > T:
        raise ValueError(f"lengths must each be 1 … T = {T}, got {lengths.tolist()}")
    return torch.arange(T, device=lengths.device)[:, None] < lengths


def last_step(output: Any, lengths: Any) -> Tensor:
    """The output at the last step of each sequence: (T, B, H) to (B, H)."""
    output, lengths, _ = _fitting(output, lengths)
    return output[lengths.long() - 1, torch.arange(len(lengths), device=output.device)]


def mean_over_steps(output: Any, lengths: Any) -> Tensor:
    """The mean of the output over the steps of each sequence: (T, B, H) to (B, H)."""
    output, lengths, real = _fitting(output, lengths)
    # A factor of 0 would leave a NaN of the padding NaN.
    return output.masked_fill(~real[..., None], 0).sum(0) / lengths[:, None]


def loss_over_steps(prediction: Any, y: Any, lengths: Any, loss: Loss | None = None) -> Tensor:
    """The mean loss over the steps of all sequences: a step counts alike in each of them.

    prediction: (T, B, K). y: (T, B) classes or (T, B, K) values, as `pad` gives them. loss: as in
    `fit`; it is given the N steps that are no padding, (N, K) and (N,) or (N, K).
    """
    prediction, lengths, real = _fitting(prediction, lengths, "prediction")
    y = _tensor(y).to(prediction.device)
    if y.shape[:2] != real.shape:
        raise ValueError(f"y must be {tuple(real.shape)}, as the prediction, got {tuple(y.shape)}")
    return (loss or default_loss)(prediction[real], y[real])


def packed(cell: nn.RNNBase, padded: Padded) -> tuple[Tensor, Tensor]:
    """Run a cell of `torch.nn` over the sequences, without computing anything in the padding.

    Returns the output (T, B, H), zero in the padding, and the last hidden state of the top layer
    (B, H). Of a cell that reads both ways H is doubled, and the last state of the way back is that
    at the first step. Raises TypeError for a cell that cannot be packed, ValueError for lengths
    that do not fit x.
    """
    if not isinstance(cell, nn.RNNBase):
        raise TypeError(
            f"cell must be torch.nn.RNN, LSTM or GRU, got {type(cell).__name__}: "
            "mask its output instead"
        )
    if cell.batch_first:
        raise ValueError("cell must be time-major: batch_first must be False, got True")
    x, lengths, _ = _fitting(*padded, "padded.x")
    # torch wants the lengths on the CPU, and in falling order unless told.
    pack = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
    output, state = cell(pack)
    h = state[0] if isinstance(state, tuple) else state  # an LSTM's is (h, c)
    last = torch.cat([*h[-2:]], dim=-1) if cell.bidirectional else h[-1]
    return pad_packed_sequence(output, total_length=len(x))[0], last


def minibatches(rng: np.random.Generator, n: int, B: int) -> list[NDArray[np.int64]]:
    """Numbers 0 … n − 1 in a random order, B at a time: one epoch. The last may be fewer.

    In a run that resumes, epoch e takes `rng_for(seed, e)`. Raises ValueError unless n and B are
    at least 1.
    """
    for name, value in {"n": n, "B": B}.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be a positive integer, got {value!r}")
    order = rng.permutation(int(n))
    return [order[k : k + B] for k in range(0, int(n), int(B))]


def _fitting(output: Any, lengths: Any, name: str = "output") -> tuple[Tensor, Tensor, Tensor]:
    """Output (T, B, H), lengths (B,) and mask (T, B) as tensors on one device, checked."""
    output = _tensor(output)
    if output.ndim != 3:
        raise ValueError(f"{name} must have three axes (T, B, ·), got {tuple(output.shape)}")
    lengths = _tensor(lengths).to(output.device)
    real = mask(lengths, len(output))
    if len(lengths) != output.shape[1]:
        raise ValueError(
            f"lengths must be one for each of the B = {output.shape[1]} sequences of {name}, "
            f"got {len(lengths)}"
        )
    return output, lengths, real
