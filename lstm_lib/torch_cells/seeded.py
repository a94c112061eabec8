"""The RNN and the GRU of `numpy_cells`, for several seeds side by side.

Equations, names and shapes of the weights are those of `numpy_cells.rnn` and `numpy_cells.gru`.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from lstm_lib.torch_cells import gru, rnn
from lstm_lib.torch_cells._seeded import Seeded


class SeededRNN(Seeded):
    """One tanh layer, repeated, as `Seeded` says; the state is h (B, H) or (S, B, H)."""

    trace_type = rnn.Trace

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W_x": (self.D, self.H), "W_h": (self.H, self.H), "b": (self.H,)}

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        (h,), W_h = state, self._inside("W_h")
        for u_t in (u + self._inside("b")).unbind():
            h = torch.baddbmm(u_t, h, W_h).tanh()
            yield (h,)


class SeededGRU(Seeded):
    """The GRU with the reset after the matmul, as `Seeded` says; the state is h as of the RNN."""

    trace_type = gru.Trace

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        D, H = self.D, self.H
        return {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,), "b_hn": (H,)}

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        (h,), W_h, b_hn = state, self._inside("W_h"), self._inside("b_hn")
        for u_t in (u + self._inside("b")).unbind():
            a_rz, a_n = u_t.split([2 * self.H, self.H], dim=-1)
            from_rz, from_n = (h @ W_h).split([2 * self.H, self.H], dim=-1)
            r, z = (a_rz + from_rz).sigmoid().chunk(2, dim=-1)
            n = torch.tanh(a_n + r * (from_n + b_hn))
            h = (1 - z) * n + z * h
            yield h, r, z, n
