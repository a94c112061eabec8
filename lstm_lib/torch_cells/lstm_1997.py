"""The LSTM of 1997 in torch: memory blocks without a forget gate (Hochreiter & Schmidhuber)::

    i_t = σ(x_t W_xi + u_{t-1} W_ui + b_i)            input gate, one a block
    g_t = 4 σ(x_t W_xg + u_{t-1} W_ug + b_g) − 2      candidate, one a cell
    o_t = σ(x_t W_xo + u_{t-1} W_uo + b_o)            output gate, one a block
    c_t = c_{t-1} + i_t ⊙ g_t                         cell state
    h_t = o_t ⊙ (2 σ(c_t) − 1)                        cell output
    u_t = [h_t i_t o_t]                               what the next step sees

The paper's truncated gradient is one word here: u_{t-1} is detached, so that derivatives pass from
step to step through c alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lstm_lib.torch_cells._cell import stack_gate

NAMES = ("W_xi", "W_xg", "W_xo", "W_ui", "W_ug", "W_uo", "b_i", "b_g", "b_o")


class State(NamedTuple):
    """What a step hands to the next one."""

    h: Tensor  #: (B, H)
    c: Tensor  #: (B, H)
    i: Tensor  #: (B, N)
    o: Tensor  #: (B, O), where O is N, or 0 without output gates


class Trace(NamedTuple):
    """Everything that the cell computed; row 0 is the start, also of the gates: they are seen."""

    h: Tensor  #: (T+1, B, H)  cell output
    c: Tensor  #: (T+1, B, H)  cell state
    i: Tensor  #: (T+1, B, N)  input gate
    g: Tensor  #: (T+1, B, H)  candidate, row 0 zero
    o: Tensor  #: (T+1, B, O)  output gate


class LSTM1997(nn.Module):
    """The cell of `numpy_cells.lstm_1997`, its weights as nine parameters of the same names.

    `output, state = LSTM1997(params._asdict())(x, state)`: x (T, B, D), output (T, B, H), state a
    `State`, zero where None.
    weights: the nine arrays by name, such as the Params of `numpy_cells.lstm_1997`; copied.
    truncated: the paper's gradient, as of `numpy_cells.lstm_1997.backward`. centred, squashed: as
    of its `forward`.
    Raises ValueError for names and shapes, TypeError for a dtype that does not fit.
    """

    W_xi: nn.Parameter  # (D, N)
    W_xg: nn.Parameter  # (D, H)
    W_xo: nn.Parameter  # (D, O)
    W_ui: nn.Parameter  # (R, N): R is H + N + O, or H, or 0
    W_ug: nn.Parameter  # (R, H)
    W_uo: nn.Parameter  # (R, O)
    b_i: nn.Parameter  # (N,) or (0,)
    b_g: nn.Parameter  # (H,) or (0,)
    b_o: nn.Parameter  # (O,) or (0,)

    def __init__(
        self,
        weights: Mapping[str, Any],
        *,
        truncated: bool = False,
        centred: bool = True,
        squashed: bool = True,
    ) -> None:
        super().__init__()
        names = [*weights] if isinstance(weights, Mapping) else type(weights).__name__
        if names != [*NAMES]:
            raise ValueError(f"weights must have the names {', '.join(NAMES)}, got {names}")
        if not torch.as_tensor(weights["W_xi"]).is_floating_point():
            raise TypeError(f"W_xi must be of a floating type, got {weights['W_xi'].dtype}")
        for name, array in weights.items():
            values = torch.as_tensor(array).detach().clone()
            self.register_parameter(name, nn.Parameter(values))
        self.truncated, self.centred, self.squashed = truncated, centred, squashed
        self._check_weights()

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        start = self._start(x, state)
        h, c, i, _, o = zip(*self._steps(x, *start), strict=True)
        return torch.stack(h), State(h[-1], c[-1], i[-1], o[-1])

    def trace(self, x: Tensor, state: State | None = None) -> Trace:
        """Run over x (T, B, D) and return the states and gates of every step."""
        start = self._start(x, state)
        h, c, i, g, o = (list(each) for each in zip(*self._steps(x, *start), strict=True))
        with_start = zip(start, (h, c, i, o), strict=True)
        states = State(*(torch.stack([first, *later]) for first, later in with_start))
        return Trace(states.h, states.c, states.i, stack_gate(g), states.o)

    def extra_repr(self) -> str:
        return f"truncated={self.truncated}, centred={self.centred}, squashed={self.squashed}"

    def _steps(
        self, x: Tensor, h: Tensor, c: Tensor, i: Tensor, o: Tensor
    ) -> Iterator[tuple[Tensor, ...]]:
        R = len(self.W_ui)
        for x_t in x:
            u = torch.cat([h, i, o], dim=-1)[:, :R]
            if self.truncated:
                u = u.detach()
            i = _sum(x_t @ self.W_xi + u @ self.W_ui, self.b_i).sigmoid()
            g = _sum(x_t @ self.W_xg + u @ self.W_ug, self.b_g).sigmoid()
            o = _sum(x_t @ self.W_xo + u @ self.W_uo, self.b_o).sigmoid()
            g = 4 * g - 2 if self.centred else g
            c = c + self._per_cell(i) * g
            h = self._per_cell(o) * (2 * c.sigmoid() - 1 if self.squashed else c)
            yield h, c, i, g, o

    def _per_cell(self, gate: Tensor) -> Tensor:
        """A gate's value for each cell of its block; 1 where cells have no such gate."""
        H, N = self.W_xg.shape[1], gate.shape[1]
        return gate.repeat_interleave(H // N, dim=1) if N else gate.new_ones(H)

    def _check_weights(self) -> None:
        for name in NAMES[:6]:
            if getattr(self, name).ndim != 2:
                raise ValueError(f"{name} must be a matrix, got {tuple(getattr(self, name).shape)}")
        (D, N), (R, _) = self.W_xi.shape, self.W_ui.shape
        H, O = self.W_xg.shape[1], self.W_xo.shape[1]
        if not (N and H and H % N == 0 and O in (0, N) and R in (0, H, H + N + O)):
            raise ValueError(
                "weights must be of N input gates, H = S·N cells, N or 0 output gates and R = 0, H "
                f"or H + gates recurrent units, got N={N}, H={H}, {O} output gates, R={R}"
            )
        matrices = [(rows, columns) for rows in (D, R) for columns in (N, H, O)]
        for name, wanted in zip(NAMES, [*matrices, (N,), (H,), (O,)], strict=True):
            weight = getattr(self, name)
            absent = name.startswith("b_") and weight.shape == (0,)
            if weight.shape != wanted and not absent:
                raise ValueError(f"{name} must be {wanted}, got {tuple(weight.shape)}")
            if weight.dtype != self.W_xi.dtype:
                raise TypeError(f"{name} must be {self.W_xi.dtype} as W_xi, got {weight.dtype}")

    def _start(self, x: Any, state: Any) -> State:
        """Check x, and return the state or zeros."""
        D, N = self.W_xi.shape
        if not isinstance(x, Tensor) or x.dtype != self.W_xi.dtype:
            came = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x must be a tensor of {self.W_xi.dtype} as the weights, got {came}")
        if x.ndim != 3 or x.shape[2] != D or len(x) == 0:
            raise ValueError(f"x must be (T, B, D={D}) with T ≥ 1, got {tuple(x.shape)}")
        B, H, O = x.shape[1], self.W_xg.shape[1], self.W_xo.shape[1]
        if state is None:
            return State(*(x.new_zeros(B, width) for width in (H, H, N, O)))
        if not isinstance(state, State):
            raise TypeError(f"state must be lstm_1997.State, got {type(state).__name__}")
        for name, width in zip(State._fields, (H, H, N, O), strict=True):
            values = getattr(state, name)
            if not isinstance(values, Tensor) or values.dtype != x.dtype:
                came = values.dtype if isinstance(values, Tensor) else type(values).__name__
                raise TypeError(f"state.{name} must be a tensor of {x.dtype} as x, got {came}")
            if values.shape != (B, width):
                raise ValueError(f"state.{name} must be {(B, width)}, got {tuple(values.shape)}")
        return state


def _sum(a: Tensor, bias: Tensor) -> Tensor:
    """a + bias, where there is a bias."""
    return a + bias if bias.numel() else a
