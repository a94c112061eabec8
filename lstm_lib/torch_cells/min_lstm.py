"""The minLSTM in torch (Feng et al. 2024), for several seeds side by side.

Equations, names and shapes of the weights are those of `numpy_cells.min_lstm`. No gate waits for a
state, so all states come from a scan over time.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lstm_lib.torch_cells.seeded import Seeded


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H) or (T+1, S, B, H); gates begin with 0."""

    h: Tensor  #: hidden state
    i: Tensor  #: input gate, normalised
    f: Tensor  #: forget gate, normalised: 1 − i
    g: Tensor  #: candidate


class MinLSTM(Seeded):
    """The cell of `numpy_cells.min_lstm`, as `Seeded` says; the state is h, (B, H) or (S, B, H).

    forget_bias: b_f at the start.
    """

    trace_type = Trace

    def __init__(self, D: int, H: int, *, forget_bias: float = 1.0, **options: Any) -> None:
        self.forget_bias = float(forget_bias)
        super().__init__(D, H, **options)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W_x": (self.D, 3 * self.H), "b": (3 * self.H,)}

    def _set_biases(self, weights: dict[str, Tensor]) -> None:
        weights["b"][self.H : 2 * self.H] = self.forget_bias

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        a_i, a_f, g = (u + self._inside("b")).chunk(3, dim=-1)
        ratio = logsigmoid(a_f) - logsigmoid(a_i)  # f̃ / ĩ itself would be 0 / 0 far out
        i, f = torch.sigmoid(-ratio), torch.sigmoid(ratio)
        h = scan(f, i * g, *state)
        yield from zip(h, i, f, g, strict=True)


def scan(f: Tensor, u: Tensor, start: Tensor) -> Tensor:
    """h_t = f_t ⊙ h_{t-1} + u_t for all t, in ⌈log₂ T⌉ rounds, as `numpy_cells.min_lstm.scan`.

    f, u: (T, …). start: h_0, (…).
    """
    u = torch.cat([torch.addcmul(u[:1], f[:1], start), u[1:]])
    stride = 1
    while stride < len(f):  # nothing in place: autograd still needs each round
        u = torch.cat([u[:stride], torch.addcmul(u[stride:], f[stride:], u[:-stride])])
        f = torch.cat([f[:stride], f[stride:] * f[:-stride]])
        stride *= 2
    return u
