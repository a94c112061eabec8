"""What the three cells share: parameters of a one-layer `torch.nn` module, checks, padding."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


class Cell(nn.Module):
    """Four parameters, named and shaped as in `torch.nn`, drawn from U(−1/√H, 1/√H).

    D: inputs. H: hidden units. generator: the source of the draws (torch's own where None).
    Raises ValueError for sizes below 1.
    """

    blocks: int  # how many layers lie side by side: 1, 3 or 4
    backend: str = "loop"  # the only one of the RNN

    weight_ih_l0: nn.Parameter  # (blocks·H, D)
    weight_hh_l0: nn.Parameter  # (blocks·H, H)
    bias_ih_l0: nn.Parameter  # (blocks·H,)
    bias_hh_l0: nn.Parameter  # (blocks·H,)

    def __init__(
        self,
        D: int,
        H: int,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.D, self.H = D, H = check_size("D", D), check_size("H", H)
        if isinstance(dtype, torch.dtype) and not dtype.is_floating_point:
            raise TypeError(f"dtype must be a floating type, got {dtype}")
        bound = H**-0.5
        for name, shape in self._shapes().items():
            values = torch.empty(shape, device=device, dtype=dtype)
            parameter = nn.Parameter(values.uniform_(-bound, bound, generator=generator))
            self.register_parameter(name, parameter)

    def extra_repr(self) -> str:
        backend = "" if self.backend == "loop" else f", backend={self.backend!r}"
        return f"D={self.D}, H={self.H}{backend}"

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters' names and shapes."""
        wide = self.blocks * self.H
        matrices = {"weight_ih_l0": (wide, self.D), "weight_hh_l0": (wide, self.H)}
        return {**matrices, "bias_ih_l0": (wide,), "bias_hh_l0": (wide,)}

    def _check_input(self, x: Any) -> None:
        """Raise unless x is (T, B, D) with T ≥ 1, of the weights' dtype and device.

        And unless the weights are as they were made: `torch.func.functional_call` takes any, torch
        would stretch some to fit, and a GPU's kernel reads past the end of others.
        """
        for weight, shape in self._shapes().items():
            if (came := getattr(self, weight).shape) != shape:
                raise ValueError(f"{weight} must be {shape}, got {tuple(came)}")
        self._check("x", x, f"(T, B, D={self.D})")
        if x.ndim != 3 or x.shape[2] != self.D:
            raise ValueError(f"x must be (T, B, D={self.D}), got {tuple(x.shape)}")
        if x.shape[0] == 0:
            raise ValueError(f"x must have at least one step (T ≥ 1), got {tuple(x.shape)}")

    def _check_state(self, name: str, state: Any, x: Tensor) -> Tensor:
        """Return the start (B, H) from `torch.nn`'s (1, B, H), or zeros where it is None."""
        B = x.shape[1]
        if state is None:
            return x.new_zeros(B, self.H)
        wanted = f"(1, B={B}, H={self.H})"
        self._check(name, state, wanted)
        if state.shape != (1, B, self.H):
            raise ValueError(f"{name} must be {wanted}, got {tuple(state.shape)}")
        return state[0]

    def _check_lengths(self, lengths: Any, x: Tensor) -> Tensor | None:
        """Return the steps of each sequence as (B,) int32 on the device of x, or None."""
        if lengths is None:
            return None
        T, B, _ = x.shape
        wanted = f"lengths must be (B={B},) integers"
        if not isinstance(lengths, Tensor):
            raise TypeError(f"{wanted} in a torch tensor, got {type(lengths).__name__}")
        if lengths.shape != (B,) or lengths.dtype not in INTEGERS:
            raise ValueError(f"{wanted}, got {tuple(lengths.shape)} {lengths.dtype}")
        if B > 0 and (lengths.min() < 1 or lengths.max() > T):
            raise ValueError(f"lengths must each be 1 … T = {T}, got {lengths.tolist()}")
        # A copy, since backward reads them too.
        return lengths.to(x.device, torch.int32, copy=True)

    def _check(self, name: str, tensor: Any, wanted: str) -> None:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a torch tensor {wanted}, got {type(tensor).__name__}")
        weight = self.weight_ih_l0
        if tensor.dtype != weight.dtype:
            raise TypeError(f"{name} must be {weight.dtype} as the weights, got {tensor.dtype}")
        if tensor.device != weight.device:
            raise ValueError(
                f"{name} must be on {weight.device} as the weights, got {tensor.device}"
            )


def check_size(name: str, size: Any) -> int:
    """Return a positive integer as an int."""
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{name} must be a positive integer, got {size!r}")
    return int(size)


def stack_gate(values: list[Tensor]) -> Tensor:
    """Return a gate's values as (T+1, B, H), row 0 zero: there is no gate before the first step."""
    return torch.stack([torch.zeros_like(values[0]), *values])


def padding(live: Tensor, T: int) -> Tensor:
    """(T, B, 1), true at the steps after the end of a sequence; live: lengths (B,)."""
    return (torch.arange(T, device=live.device)[:, None] >= live)[..., None]


def zero_padding(values: Tensor, live: Tensor | None) -> Tensor:
    """(T, B, ·) with zeros in the padding, whose values then reach nothing, as no gradient does.

    A product with 0 would not do: a NaN would stay NaN.
    """
    return values if live is None else values.masked_fill(padding(live, len(values)), 0)


def at_end(states: Sequence[Tensor], live: Tensor | None) -> Tensor:
    """The state at the last step of each sequence, (1, B, H); states: (B, H) after each step."""
    if live is None:
        return states[-1][None]
    rows = torch.arange(len(live), device=live.device)
    return torch.stack(list(states))[live.long() - 1, rows][None]


def by_step(*arrays: Tensor | None) -> list[tuple[Any, ...]]:
    """The rows of all arrays (T, …) that belong to one step, for each step; None has None.

    The views of a whole array are made by one call: indexing in a loop costs as much as a step.
    """
    rows = (repeat(None) if array is None else array.unbind() for array in arrays)
    return list(zip(*rows, strict=False))
