"""What `variant` is put together from: layer normalisation, columns by gate, argument checks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lstm_lib.family import Design
from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells._arguments import Array

EPSILON = 1e-5  # added to variances, as in the code of Ba et al. and in torch.nn.LayerNorm


def normalised(z: Array) -> Array:
    """N(z): z brought to mean 0 and variance 1 over the last axis."""
    return (z - z.mean(-1, keepdims=True)) * _inverse_deviation(z)


def scaled(z: Array, gain: Array) -> Array:
    """gain ⊙ N(z), or z where the gain is empty."""
    return gain * normalised(z) if gain.size else z


def scaled_backward(dy: Array, z: Array, gain: Array) -> Array:
    """The derivative of L by z, from that by y = scaled(z, gain).

    Adding a number to all of z, or stretching it, changes no N(z): these directions are taken out.
    """
    if not gain.size:
        return dy
    n, dn = normalised(z), dy * gain
    along = (dn * n).mean(-1, keepdims=True)
    return _inverse_deviation(z) * (dn - dn.mean(-1, keepdims=True) - along * n)


def _inverse_deviation(z: Array) -> Array:
    return 1 / np.sqrt(z.var(-1, keepdims=True) + EPSILON)


def by_gate(array: Array, gates: str) -> dict[str, Array]:
    """Views of the last axis, gate by gate; no gates where it is empty."""
    if not array.shape[-1]:
        return {}
    return dict(zip(gates, np.split(array, len(gates), axis=-1), strict=True))


def side_by_side(values: Mapping[str, Array], design: Design) -> Array:
    """The values of the gates that gates see, in one array; of no columns where they see none."""
    seen = design.seen if design.gate_recurrence else ""
    return np.concatenate([values["g"][..., :0], *(values[gate] for gate in seen)], axis=-1)


def gates_seen(trace: Any, at: int | slice, design: Design) -> Array:
    """q_t = [i_t f_t o_t], or what of it there is, at one step or at several."""
    return side_by_side({gate: getattr(trace, gate)[at] for gate in "ifgo"}, design)


def check_design(design: Any) -> Design:
    """Return the design, unless it is something else, such as a name of one."""
    if not isinstance(design, Design):
        raise TypeError(f"design must be a Design, such as FAMILY['NIG'], got {design!r}")
    return design


def check_params(params: Any, kind: Any, design: Any) -> tuple[int, int, np.dtype]:
    """Return D, H and the dtype of `params`, a `kind` whose arrays fit the design."""
    gates = check_design(design).gates
    dtype = check.check_kind(params, kind)
    check.check_array("params.W_x", params.W_x, (("D", None), (f"{len(gates)}H", None)), dtype)
    D, wide = params.W_x.shape
    if not wide or wide % len(gates):
        raise ValueError(f"params.W_x must be (D, {len(gates)}H) for {gates}, got {(D, wide)}")
    H = wide // len(gates)
    for name, shape in design.shapes(D, H).items():
        array = getattr(params, name)
        check.check_array(f"params.{name}", array, (("any", None),) * len(shape), dtype)
        if array.shape != shape:
            raise ValueError(
                f"params.{name} must be {shape} for D={D}, H={H} and {design}, got {array.shape}"
            )
    return D, H, dtype


def check_state(name: str, state: Any, params: Any, B: int) -> tuple[Array, Array, Array]:
    """Return h, c and the gates that are seen, from a state or a pair (h, c), zero where None."""
    dtype, R, Q = params.W_x.dtype, len(params.W_h), len(params.W_q)
    H = len(params.W_r) or R
    h, c, q = (np.zeros((B, width), dtype) for width in (R, H, Q))
    if state is None:
        return h, c, q
    if not isinstance(state, tuple | list) or len(state) not in (2, 3):
        raise TypeError(f"{name} must be (h, c) or variant.State, got {check.came(state)}")
    for k, array in enumerate(state):
        wanted = (("B", B), ("RHQ"[k], (R, H, Q)[k]))
        check.check_array(f"{name}[{k}]", array, wanted, dtype)
    return state[0], state[1], state[2] if len(state) == 3 else q


def check_trace(trace: Any, kind: Any, T: int, B: int, params: Any, H: int) -> None:
    """Raise unless `trace`, a `kind`, fits T steps of B sequences."""
    if not isinstance(trace, kind):
        raise TypeError(f"trace must be {check.title(kind)}, got {check.title(type(trace))}")
    for name, array in trace._asdict().items():
        width = ("R", len(params.W_h)) if name == "h" else ("H", H)
        wanted = (("T+1", T + 1), ("B", B), width)
        check.check_array(f"trace.{name}", array, wanted, params.W_x.dtype)
