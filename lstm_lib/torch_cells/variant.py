"""The LSTM's variants in torch, for several seeds side by side.

The equations are those of `numpy_cells.variant`; a `family.Design` says which of the parts a cell
has. Autograd derives the gradient.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from lstm_lib.family import Design
from lstm_lib.torch_cells.seeded import Seeded


class State(NamedTuple):
    """What a step hands to the next one, with an axis S before B where there are seeds."""

    h: Tensor  #: (B, R), R units: H, or those of the projection
    c: Tensor  #: (B, H)
    q: Tensor  #: (B, Q) the gates, where gates see gates; else (B, 0)


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H), h (T+1, B, R), or (T+1, S, B, …).

    A gate without weights is there too, with its value. Row 0 is the start: zero for the gates,
    unless gates see gates.
    """

    h: Tensor  #: hidden state
    c: Tensor  #: cell state
    i: Tensor  #: input gate
    f: Tensor  #: forget gate
    g: Tensor  #: candidate
    o: Tensor  #: output gate


class Variant(Seeded):
    """Any cell of the family; its parameters are those of `Design.shapes` that are not empty.

    `output, state = Variant(D, H, design, seeds=…)(x, state)`, as `Seeded` says; the state is a
    `State`, and h and output are R wide where there is a projection.
    forget_bias: as in `numpy_cells.variant.init_params`.
    """

    state_type, trace_type = State, Trace

    def __init__(
        self,
        D: int,
        H: int,
        design: Design = Design(),  # noqa: B008 - it is frozen
        *,
        forget_bias: float = 1.0,
        **options: Any,
    ) -> None:
        if not isinstance(design, Design):
            raise TypeError(f"design must be a family.Design, got {type(design).__name__}")
        self.design, self.forget_bias = design, float(forget_bias)
        super().__init__(D, H, **options)

    def trace(self, x: Tensor, state: Any = None) -> Trace:
        """Run over x and return the states and gates of every step; row 0 is the start."""
        (h, c, q), (hs, cs, _, *gates) = self._walk(x, state)
        zero = torch.zeros_like(c)
        first = self._by_gate(q, self.design.seen) if q.shape[-1] else {}
        starts = [h, c, *(first.get(gate, zero) for gate in "ifgo")]
        rows = zip(starts, (hs, cs, *gates), strict=True)
        return Trace(*(self._outside(torch.stack([row, *column])) for row, column in rows))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, {self.design}"

    def _by_gate(self, values: Tensor, gates: str) -> dict[str, Tensor]:
        """The units of each of these gates, from (…, units)."""
        return dict(zip(gates, values.split(self.H, dim=-1), strict=True))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = self.design.shapes(self.D, self.H).items()
        return {name: shape for name, shape in shapes if 0 not in shape}

    def _widths(self) -> tuple[int, ...]:
        q = len(self.design.seen) * self.H if self.design.gate_recurrence else 0
        return self.design.projection or self.H, self.H, q

    def _set_biases(self, weights: dict[str, Tensor]) -> None:
        b = dict(zip(self.design.gates, weights["b"].split(self.H), strict=True))
        if self.design.coupled:
            b["i"].fill_(-self.forget_bias)
        elif self.design.forget_gate:
            b["f"].fill_(self.forget_bias)

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        h, c, q = state
        design, W_h, W_q = self.design, self._inside("W_h"), self._from_gates()
        p = self._by_gate(self._inside("p"), self.design.seen) if "p" in self._parameters else {}
        one = torch.ones_like(c)
        for u_t in (self._scaled(u, "gain_x") + self._inside("b")).unbind():
            if design.layer_norm:
                a = u_t + self._scaled(h @ W_h, "gain_h")
            else:
                a = torch.baddbmm(u_t, h, W_h)
            s = self._by_gate(a if W_q is None else torch.baddbmm(a, q, W_q), design.gates)
            i = _gate("i", s, p, c, one)
            f = 1 - i if design.coupled else _gate("f", s, p, c, one)
            g = s["g"].tanh() if design.input_activation else s["g"]
            c = torch.addcmul(f * c, i, g)
            o = _gate("o", s, p, c, one)
            m = self._scaled(c, "gain_c") + self._inside("b_c") if design.layer_norm else c
            h = o * (m.tanh() if design.output_activation else m)
            if design.projection:
                h = h @ self._inside("W_r")
            if W_q is not None:
                gates = {"i": i, "f": f, "o": o}
                q = torch.cat([gates[gate] for gate in self.design.seen], dim=-1)
            yield h, c, q, i, f, g, o

    def _from_gates(self) -> Tensor | None:
        """W_q with columns of zeros for the candidate, which sees no gates."""
        if "W_q" not in self._parameters:
            return None
        W_q = self._inside("W_q")
        columns = self._by_gate(W_q, self.design.seen)
        columns["g"] = W_q.new_zeros(*W_q.shape[:2], self.H)
        return torch.cat([columns[gate] for gate in self.design.gates], dim=-1)

    def _scaled(self, values: Tensor, gain: str) -> Tensor:
        """Normalise over the units and multiply by a gain, where there is layer norm."""
        if not self.design.layer_norm:
            return values
        return self._inside(gain) * layer_norm(values, values.shape[-1:])  # adds 1e-5 to variances


def _gate(
    name: str, sums: dict[str, Tensor], p: dict[str, Tensor], c: Tensor, one: Tensor
) -> Tensor:
    """σ of the sum of a gate, which may see c; 1 where it has no weights."""
    if name not in sums:
        return one
    return (torch.addcmul(sums[name], p[name], c) if p else sums[name]).sigmoid()
