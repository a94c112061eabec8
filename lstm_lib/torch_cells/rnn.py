"""The simple recurrent network in torch (Elman 1990)::

    h_t = tanh(x_t W_x + h_{t-1} W_h + b)

In torch's names W_x = weight_ih_l0ᵀ, W_h = weight_hh_l0ᵀ and b = bias_ih_l0 + bias_hh_l0.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_lib.torch_cells._cell import Cell, at_end, zero_padding


class Trace(NamedTuple):
    """The hidden state at every step; h[0] is the start."""

    h: Tensor  #: (T+1, B, H)


class RNN(Cell):
    """One tanh layer, repeated; gives what `torch.nn.RNN(D, H)` gives.

    `output, h_n = RNN(D, H)(x, h_0, lengths)`: x (T, B, D), output (T, B, H), h_0 and h_n
    (1, B, H). lengths: (B,) integers, each 1 … T, where the sequences are padded: the output is
    then zero in the padding, and h_n is that at the last step of each sequence.
    Raises TypeError for a dtype and ValueError for a shape, device or length that does not fit.
    """

    blocks = 1

    def forward(
        self, x: Tensor, state: Tensor | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        self._check_input(x)
        start, live = self._check_state("state", state, x), self._check_lengths(lengths, x)
        h = list(self._steps(zero_padding(x, live), start))
        return zero_padding(torch.stack(h), live), at_end(h, live)

    def trace(self, x: Tensor, state: Tensor | None = None) -> Trace:
        """Run over x (T, B, D) and return every hidden state."""
        self._check_input(x)
        start = self._check_state("state", state, x)
        return Trace(torch.stack([start, *self._steps(x, start)]))

    def _steps(self, x: Tensor, h: Tensor) -> Iterator[Tensor]:
        a = x @ self.weight_ih_l0.T + self.bias_ih_l0 + self.bias_hh_l0  # all steps at once
        for a_t in a:
            h = torch.tanh(a_t + h @ self.weight_hh_l0.T)
            yield h
