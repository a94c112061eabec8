"""Cells with an axis over seeds: what they share, and the RNN and the GRU.

Small nets of several seeds are computed side by side: every weight has a leading axis over S
seeds, and a step is one batched matmul. Inside there always is such an axis, (S, B, units), of
length 1 where no seeds were given.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lstm_lib.torch_cells import gru, rnn
from lstm_lib.torch_cells._cell import check_size


class Seeded(nn.Module):
    """A cell whose weights have the names and shapes of its twin in `numpy_cells`.

    `output, state = cell(x, state)`: x (T, B, D), output (T, B, H), state as of the twin, zero
    where None. seeds: S numbers, or S for 0 … S−1. All weights then have a leading axis S, x is
    (T, B, D) for all seeds or (T, S, B, D), output and states are (T, S, B, H) and (S, B, H); the
    weights of seed s are drawn from a generator of its own, so they do not depend on the others.
    generator: the source of the draws where there are no seeds (torch's own where None).
    Matrices start from U(−1/√H, 1/√H), biases from zero unless said, gains from one.
    Raises ValueError for a size, shape, seed or device and TypeError for a dtype that does not fit.
    """

    state_type: ClassVar[Any] = None  # what a step hands on, a NamedTuple; None: h alone
    trace_type: ClassVar[Any]  # a NamedTuple of all that `_steps` yields

    W_x: nn.Parameter

    def __init__(
        self,
        D: int,
        H: int,
        *,
        seeds: int | Sequence[int] | None = None,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.D, self.H = check_size("D", D), check_size("H", H)
        if isinstance(dtype, torch.dtype) and not dtype.is_floating_point:
            raise TypeError(f"dtype must be a floating type, got {dtype}")
        if not isinstance(generator, torch.Generator | None):
            raise TypeError(f"generator must be a torch.Generator, got {generator!r}")
        self.seeds = check_seeds(seeds)
        if self.seeds is None:
            drawn = self._draw(generator, dtype)
        elif generator is not None:
            raise ValueError("generator must be None where seeds are given: each has its own")
        else:
            each = [self._draw(torch.Generator().manual_seed(s), dtype) for s in self.seeds]
            drawn = {name: torch.stack([one[name] for one in each]) for name in each[0]}
        for name, values in drawn.items():
            self.register_parameter(name, nn.Parameter(values.to(device)))

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        start, columns = self._walk(x, state)
        last = [self._outside(column[-1]) for column in columns[: len(start)]]
        output = self._outside(torch.stack(columns[0]))
        return output, last[0] if self.state_type is None else self.state_type(*last)

    def trace(self, x: Tensor, state: Any = None) -> Any:
        """Run over x and return the states and gates of every step; row 0 is the start."""
        start, columns = self._walk(x, state)
        first = [*start, *(torch.zeros_like(gate[0]) for gate in columns[len(start) :])]
        rows = zip(first, columns, strict=True)
        return self.trace_type(
            *(self._outside(torch.stack([row, *column])) for row, column in rows)
        )

    def extra_repr(self) -> str:
        seeds = "" if self.seeds is None else f", seeds={self.seeds}"
        return f"D={self.D}, H={self.H}{seeds}"

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of one net's weights, by name."""
        raise NotImplementedError

    def _steps(self, u: Tensor, *state: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Yield the state and then the gates of each step, from u = x W_x (T, S, B, columns)."""
        raise NotImplementedError

    def _walk(self, x: Any, state: Any) -> tuple[tuple[Tensor, ...], list[tuple[Tensor, ...]]]:
        """Return the start, and what each array of state and gates is at all steps."""
        u, start = self._from_x(x), self._start(x, state)
        return start, list(zip(*self._steps(u, *start), strict=True))

    def _widths(self) -> tuple[int, ...]:
        """How many units each array of the state has."""
        return (self.H,) * (len(self.state_type._fields) if self.state_type is not None else 1)

    def _set_biases(self, weights: dict[str, Tensor]) -> None:
        """Change the biases of one net from zero to where they start."""

    def _draw(
        self, generator: torch.Generator | None, dtype: torch.dtype | None
    ) -> dict[str, Tensor]:
        bound, weights = self.H**-0.5, {}
        source = generator.device if generator is not None else None
        for name, shape in self._shapes().items():
            values = torch.zeros(shape, dtype=dtype, device=source)
            if name.startswith("gain"):
                values.fill_(1)
            elif not name.startswith("b"):
                values.uniform_(-bound, bound, generator=generator)
            weights[name] = values
        self._set_biases(weights)
        return weights

    def _inside(self, name: str) -> Tensor:
        """A weight with the axis over seeds; vectors (S, 1, columns), to be added to (S, B, ·)."""
        weight: Tensor = getattr(self, name)
        weight = weight[None] if self.seeds is None else weight
        return weight if weight.ndim == 3 else weight[:, None]

    def _outside(self, values: Tensor) -> Tensor:
        """(…, S, B, units), or (…, B, units) where there are no seeds."""
        return values.squeeze(-3) if self.seeds is None else values

    def _from_x(self, x: Any) -> Tensor:
        """Check x and return x W_x, of all steps at once, as (T, S, B, columns)."""
        x = self._check_input(x)
        rows = x.flatten(0, 1) if x.ndim == 3 else x.transpose(0, 1).flatten(1, 2)
        u = rows @ self._inside("W_x")  # (S, T·B, columns)
        return u.unflatten(1, (len(x), x.shape[-2])).transpose(0, 1)

    def _check_input(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor) or x.dtype != self.W_x.dtype:
            came = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x must be a tensor of {self.W_x.dtype} as the weights, got {came}")
        S = 0 if self.seeds is None else len(self.seeds)
        beside = f" or (T, S={S}, B, D={self.D})" if S else ""
        fits = x.ndim == 3 or (S and x.ndim == 4 and x.shape[1] == S)
        if not fits or x.shape[-1] != self.D or len(x) == 0:
            wanted = f"(T, B, D={self.D}){beside} with T ≥ 1"
            raise ValueError(f"x must be {wanted}, got {tuple(x.shape)}")
        if x.device != self.W_x.device:
            raise ValueError(f"x must be on {self.W_x.device} as the weights, got {x.device}")
        return x

    def _start(self, x: Tensor, state: Any) -> tuple[Tensor, ...]:
        """Return the arrays of the state (S, B, units), zeros where it is None."""
        beside, B = () if self.seeds is None else (len(self.seeds),), x.shape[-2]
        if state is None:
            S = len(self.seeds) if self.seeds is not None else 1
            return tuple(x.new_zeros(S, B, width) for width in self._widths())
        if self.state_type is None:
            state, names = (state,), ["state"]
        elif isinstance(state, self.state_type):
            names = [f"state.{name}" for name in self.state_type._fields]
        else:
            raise TypeError(
                f"state must be a {self.state_type.__name__}, got {type(state).__name__}"
            )
        for name, values, width in zip(names, state, self._widths(), strict=True):
            if not isinstance(values, Tensor) or values.dtype != x.dtype:
                came = values.dtype if isinstance(values, Tensor) else type(values).__name__
                raise TypeError(f"{name} must be a tensor of {x.dtype} as x, got {came}")
            if values.shape != (wanted := (*beside, B, width)):
                raise ValueError(f"{name} must be {wanted}, got {tuple(values.shape)}")
        return tuple(each if beside else each[None] for each in state)


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


def check_seeds(seeds: Any) -> tuple[int, ...] | None:
    """Return the seeds as different integers from 0 on, or None."""
    if seeds is None:
        return None
    if isinstance(seeds, int | np.integer) and not isinstance(seeds, bool):
        return tuple(range(check_size("seeds", seeds)))
    numbers = tuple(seeds) if isinstance(seeds, Sequence) else ()
    right = all(isinstance(s, int | np.integer) and not isinstance(s, bool) for s in numbers)
    fits = right and numbers and min(numbers) >= 0 and max(numbers) < 2**64  # what torch takes
    if not fits or len(set(numbers)) < len(numbers):
        raise ValueError(f"seeds must be different integers ≥ 0, or how many, got {seeds!r}")
    return tuple(int(s) for s in numbers)
