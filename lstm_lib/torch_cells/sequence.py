"""The LSTM and the GRU as one differentiable operation over a whole sequence.

Autograd sees the recurrence as one node. Its forward and backward pass are a pair of functions,
of which there are several, each a backend; what is the same for all of them is here. The
projection u = x W_x + b stays outside, so that autograd gives dW_x, db and dx. Each gradient is
cast by autograd to the dtype of what it belongs to.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function


class Backend(NamedTuple):
    """How to run a cell over a sequence; the signatures are those in `fused_lstm`, `fused_gru`."""

    name: str
    forward: Callable[..., tuple[Tensor, ...]]
    backward: Callable[..., tuple[Tensor, ...]]


class LSTMSequence(Function):
    """(u, W_h, h_0, c_0) → (h_1 … h_T, h_T, c_T), in the dtype of u."""

    @staticmethod
    def forward(
        ctx: Any,
        backend: Backend,
        u: Tensor,
        W_h: Tensor,
        h_0: Tensor,
        c_0: Tensor,
        live: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        u, W_h, h_0, c_0 = alike(u, W_h, h_0, c_0)
        h, c, gates = backend.forward(u, W_h, h_0, c_0, live)
        ctx.backend = backend
        ctx.save_for_backward(W_h, h, c, gates, live)
        # Copies, so that writing into an output changes nothing that backward reads.
        return h[1:].clone(), h[-1].clone(), c[-1].to(u.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, dh: Tensor, dh_T: Tensor, dc_T: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives(ctx.backend)
        W_h, h, c, gates, live = ctx.saved_tensors
        da, dh_0, dc_0 = ctx.backend.backward(*alike(dh, dh_T, dc_T), W_h, c, gates, live)
        dW_h = h[:-1].flatten(0, 1).T @ da.flatten(0, 1)  # one matmul for all steps
        return None, da, dW_h, dh_0, dc_0, None


class GRUSequence(Function):
    """(u, W_h, b_hn, h_0) → (h_1 … h_T, h_T), in the dtype of u."""

    @staticmethod
    def forward(
        ctx: Any,
        backend: Backend,
        u: Tensor,
        W_h: Tensor,
        b_hn: Tensor,
        h_0: Tensor,
        live: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        u, W_h, b_hn, h_0 = alike(u, W_h, b_hn, h_0)
        h, gates = backend.forward(u, W_h, b_hn, h_0, live)
        ctx.backend = backend
        ctx.save_for_backward(W_h, h, gates, live)
        return h[1:].clone(), h[-1].clone()  # copies, as in the LSTM

    @staticmethod
    def backward(ctx: Any, dh: Tensor, dh_T: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives(ctx.backend)
        W_h, h, gates, live = ctx.saved_tensors
        da, dm, dh_0 = ctx.backend.backward(*alike(dh, dh_T), W_h, h, gates, live)
        before, H = h[:-1].flatten(0, 1).T, h.shape[-1]
        by_rz, by_m = da[..., : 2 * H].flatten(0, 1), dm.flatten(0, 1)  # what h W_h adds to
        dW_h = torch.cat([before @ by_rz, before @ by_m], dim=1)
        return None, da, dW_h, by_m.sum(0), dh_0, None


def alike(first: Tensor, *others: Tensor) -> list[Tensor]:
    """All contiguous and in the dtype of the first: under autocast the others are in another."""
    return [each.to(first.dtype).contiguous() for each in (first, *others)]


def refuse_second_derivatives(backend: Backend) -> None:
    """Raise RuntimeError where autograd would record the backward pass (create_graph=True)."""
    if torch.is_grad_enabled():
        raise RuntimeError(
            f"backend={backend.name!r} has no second derivatives (create_graph=True): "
            "autograd takes them through backend='loop'"
        )
