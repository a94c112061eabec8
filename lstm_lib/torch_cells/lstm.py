"""The LSTM with a forget gate in torch (Hochreiter & Schmidhuber 1997; Gers et al. 2000)::

    i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i)         input gate
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)         forget gate
    g_t = tanh(x_t W_xg + h_{t-1} W_hg + b_g)      candidate
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)         output gate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t                cell state
    h_t = o_t ⊙ tanh(c_t)                          hidden state

In torch's names [W_xi W_xf W_xg W_xo] = weight_ih_l0ᵀ, W_h = weight_hh_l0ᵀ and
b = bias_ih_l0 + bias_hh_l0.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstm_lib.torch_cells._backends import check_name, choose
from lstm_lib.torch_cells._cell import Cell, at_end, stack_gate, zero_padding
from lstm_lib.torch_cells.sequence import LSTMSequence

State = tuple[Tensor, Tensor]


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); row 0 of the gates is zero."""

    h: Tensor  #: hidden state
    c: Tensor  #: cell state
    i: Tensor  #: input gate
    f: Tensor  #: forget gate
    g: Tensor  #: candidate
    o: Tensor  #: output gate


class LSTM(Cell):
    """The cell of `torch.nn.LSTM(D, H)`, written out; gives what that gives.

    `output, (h_n, c_n) = LSTM(D, H)(x, (h_0, c_0), lengths)`: x (T, B, D), output (T, B, H), states
    (1, B, H). lengths: (B,) integers, each 1 … T, where the sequences are padded: the output is
    then zero in the padding, and h_n, c_n are those at the last step of each sequence.
    forget_bias: b_f at the start, 1 unless said (`torch.nn` draws it about 0).
    backend: how the same is computed, in `torch_cells`; the attribute may be set at any time.
    Raises TypeError for a dtype and ValueError for a shape, device or length that does not fit,
    RuntimeError where the backend cannot run, with what it lacks.
    """

    blocks = 4

    def __init__(
        self, D: int, H: int, *, forget_bias: float = 1.0, backend: str = "loop", **options: Any
    ) -> None:
        super().__init__(D, H, **options)
        self.backend = check_name(backend)
        with torch.no_grad():  # the two biases are only ever used as their sum
            self.bias_ih_l0[self.H : 2 * self.H] = forget_bias
            self.bias_hh_l0[self.H : 2 * self.H] = 0

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        self._check_input(x)
        start, live = self._start(x, state), self._check_lengths(lengths, x)
        x = zero_padding(x, live)
        backend = choose(self.backend, "lstm", x.device, x.dtype, self.H)
        if backend is None:
            h, c = zip(*(step[:2] for step in self._steps(x, *start)), strict=True)
            return zero_padding(torch.stack(h), live), (at_end(h, live), at_end(c, live))
        u = linear(x, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        outputs = LSTMSequence.apply(backend, u, self.weight_hh_l0.T, *start, live)
        output, h_n, c_n = (each.to(x.dtype) for each in outputs)  # under autocast u is in half
        return zero_padding(output, live), (h_n[None], c_n[None])

    def trace(self, x: Tensor, state: State | None = None) -> Trace:
        """Run over x (T, B, D) and return the states and gates of every step."""
        self._check_input(x)
        start = self._start(x, state)
        h, c, *gates = (list(each) for each in zip(*self._steps(x, *start), strict=True))
        i, f, g, o = (stack_gate(gate) for gate in gates)
        return Trace(torch.stack([start[0], *h]), torch.stack([start[1], *c]), i, f, g, o)

    def _steps(self, x: Tensor, h: Tensor, c: Tensor) -> Iterator[tuple[Tensor, ...]]:
        a = x @ self.weight_ih_l0.T + self.bias_ih_l0 + self.bias_hh_l0  # all steps at once
        for a_t in a:
            i, f, g, o = (a_t + h @ self.weight_hh_l0.T).chunk(4, dim=-1)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            h = o * c.tanh()
            yield h, c, i, f, g, o

    def _start(self, x: Tensor, state: Any) -> State:
        if state is None:
            state = (None, None)
        if not isinstance(state, tuple | list) or len(state) != 2:
            came = tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__
            wanted = f"each (1, B={x.shape[1]}, H={self.H})"
            raise TypeError(f"state must be a pair (h_0, c_0), {wanted}, got {came}")
        h, c = (self._check_state(f"state[{k}]", state[k], x) for k in (0, 1))
        return h, c
