"""The gated recurrent unit in torch (Cho et al. 2014, with the reset after the matmul)::

    r_t = σ(x_t W_xr + h_{t-1} W_hr + b_r)                      reset gate
    z_t = σ(x_t W_xz + h_{t-1} W_hz + b_z)                      update gate
    n_t = tanh(x_t W_xn + b_n + r_t ⊙ (h_{t-1} W_hn + b_hn))    candidate
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}                       hidden state

In torch's names [W_xr W_xz W_xn] = weight_ih_l0ᵀ and W_h = weight_hh_l0ᵀ; b_r and b_z are sums
of two biases, b_n is the last third of bias_ih_l0 and b_hn that of bias_hh_l0.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

from lstm_lib.torch_cells._backends import check_name, choose
from lstm_lib.torch_cells._cell import Cell, at_end, stack_gate, zero_padding
from lstm_lib.torch_cells.sequence import GRUSequence


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of the gates is zero."""

    h: Tensor  #: hidden state
    r: Tensor  #: reset gate
    z: Tensor  #: update gate
    n: Tensor  #: candidate


class GRU(Cell):
    """The cell of `torch.nn.GRU(D, H)`, written out; gives what that gives.

    `output, h_n = GRU(D, H)(x, h_0, lengths)`: x (T, B, D), output (T, B, H), h_0 and h_n
    (1, B, H). lengths, backend and errors as in `LSTM`.
    """

    blocks = 3

    def __init__(self, D: int, H: int, *, backend: str = "loop", **options: Any) -> None:
        super().__init__(D, H, **options)
        self.backend = check_name(backend)

    def forward(
        self, x: Tensor, state: Tensor | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        self._check_input(x)
        start, live = self._check_state("state", state, x), self._check_lengths(lengths, x)
        x = zero_padding(x, live)
        backend = choose(self.backend, "gru", x.device, x.dtype, self.H)
        if backend is None:
            h = [h for h, *_ in self._steps(x, start)]
            return zero_padding(torch.stack(h), live), at_end(h, live)
        b_rz, b_hn = self.bias_hh_l0.split([2 * self.H, self.H])
        u = linear(x, self.weight_ih_l0, self.bias_ih_l0 + pad(b_rz, (0, self.H)))
        outputs = GRUSequence.apply(backend, u, self.weight_hh_l0.T, b_hn, start, live)
        output, h_n = (each.to(x.dtype) for each in outputs)  # under autocast u is in half
        return zero_padding(output, live), h_n[None]

    def trace(self, x: Tensor, state: Tensor | None = None) -> Trace:
        """Run over x (T, B, D) and return the states and gates of every step."""
        self._check_input(x)
        start = self._check_state("state", state, x)
        h, *gates = (list(each) for each in zip(*self._steps(x, start), strict=True))
        r, z, n = (stack_gate(gate) for gate in gates)
        return Trace(torch.stack([start, *h]), r, z, n)

    def _steps(self, x: Tensor, h: Tensor) -> Iterator[tuple[Tensor, ...]]:
        a = x @ self.weight_ih_l0.T + self.bias_ih_l0  # all steps at once
        for a_t in a:
            a_r, a_z, a_n = a_t.chunk(3, dim=-1)
            u_r, u_z, u_n = (h @ self.weight_hh_l0.T + self.bias_hh_l0).chunk(3, dim=-1)
            r, z = torch.sigmoid(a_r + u_r), torch.sigmoid(a_z + u_z)
            n = torch.tanh(a_n + r * u_n)
            h = (1 - z) * n + z * h
            yield h, r, z, n
