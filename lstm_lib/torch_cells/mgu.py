"""The minimal gated unit in torch (Zhou et al. 2016), for several seeds side by side.

Equations, names and shapes of the weights are those of `numpy_cells.mgu`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_lib.torch_cells.seeded import Seeded


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H) or (T+1, S, B, H); gates begin with 0."""

    h: Tensor  #: hidden state
    f: Tensor  #: the gate
    g: Tensor  #: candidate


class MGU(Seeded):
    """The cell of `numpy_cells.mgu`, as `Seeded` says; the state is h, (B, H) or (S, B, H)."""

    trace_type = Trace

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W_x": (self.D, 2 * self.H), "W_h": (self.H, 2 * self.H), "b": (2 * self.H,)}

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        (h,) = state
        W_hf, W_hg = self._inside("W_h").chunk(2, dim=-1)
        for u_t in (u + self._inside("b")).unbind():
            a_f, a_g = u_t.chunk(2, dim=-1)
            f = torch.baddbmm(a_f, h, W_hf).sigmoid()
            g = torch.baddbmm(a_g, f * h, W_hg).tanh()
            h = (1 - f) * h + f * g
            yield h, f, g
