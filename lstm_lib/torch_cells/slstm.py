"""The sLSTM in torch (Beck et al. 2024), for several seeds side by side.

Equations, names and shapes of the weights are those of `numpy_cells.slstm`, in its stabilised form.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lstm_lib.torch_cells.seeded import Seeded


class State(NamedTuple):
    """What a step hands to the next one, each (B, H) or (S, B, H)."""

    h: Tensor  #: hidden state
    c: Tensor  #: cell state
    n: Tensor  #: normaliser
    m: Tensor  #: stabiliser


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H) or (T+1, S, B, H); gates begin with 0."""

    h: Tensor  #: hidden state
    c: Tensor  #: cell state
    n: Tensor  #: normaliser
    m: Tensor  #: stabiliser
    i: Tensor  #: input gate as it is used, i'
    f: Tensor  #: forget gate as it is used, f'
    g: Tensor  #: candidate
    o: Tensor  #: output gate


class SLSTM(Seeded):
    """The cell of `numpy_cells.slstm`, as `Seeded` says; the state is a `State`.

    Where it is None it is zero but for m = −∞. forget: what the forget gate is, σ or exp.
    forget_bias: b_f at the start.
    """

    state_type, trace_type = State, Trace

    def __init__(
        self,
        D: int,
        H: int,
        *,
        forget: Literal["sigmoid", "exp"] = "sigmoid",
        forget_bias: float = 1.0,
        **options: Any,
    ) -> None:
        if forget not in ("sigmoid", "exp"):
            raise ValueError(f"forget must be 'sigmoid' or 'exp', got {forget!r}")
        self.forget, self.forget_bias = forget, float(forget_bias)
        super().__init__(D, H, **options)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W_x": (self.D, 4 * self.H), "W_h": (self.H, 4 * self.H), "b": (4 * self.H,)}

    def _set_biases(self, weights: dict[str, Tensor]) -> None:
        weights["b"][self.H : 2 * self.H] = self.forget_bias

    def _start(self, x: Tensor, state: Any) -> tuple[Tensor, ...]:
        h, c, n, m = super()._start(x, state)
        return h, c, n, m if state is not None else torch.full_like(m, -torch.inf)

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        (h, c, n, m), W_h = state, self._inside("W_h")
        for u_t in (u + self._inside("b")).unbind():
            log_i, a_f, a_g, a_o = torch.baddbmm(u_t, h, W_h).chunk(4, dim=-1)
            log_f = a_f if self.forget == "exp" else logsigmoid(a_f)
            before, m = m, torch.maximum(log_f + m, log_i)
            i, f = torch.exp(log_i - m), torch.exp(log_f + before - m)
            g, o = a_g.tanh(), a_o.sigmoid()
            c, n = torch.addcmul(f * c, i, g), torch.addcmul(i, f, n)
            h = o * c / n
            yield h, c, n, m, i, f, g, o
