"""The LSTM with other parts: one forward and one backward pass for every `family.Design`.

The cell of `lstm`, with what a design may add in brackets::

    i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i  [+ p_i ⊙ c_{t-1}] [+ q_{t-1} W_qi])    input gate
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f  [+ p_f ⊙ c_{t-1}] [+ q_{t-1} W_qf])    forget gate
    g_t = tanh(x_t W_xg + h_{t-1} W_hg + b_g)                                     candidate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t                                               cell state
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o  [+ p_o ⊙ c_t] [+ q_{t-1} W_qo])        output gate
    h_t = o_t ⊙ tanh(c_t)  [W_r]                                                  hidden state

and what each part changes::

    input_gate=False         i_t = 1
    forget_gate=False        f_t = 1                   as in the cell of 1997
    output_gate=False        o_t = 1
    input_activation=False   g_t = x_t W_xg + h_{t-1} W_hg + b_g
    output_activation=False  h_t = o_t ⊙ c_t
    coupled                  f_t = 1 − i_t             Greff et al. 2017, as in the GRU
    peepholes                p_i, p_f, p_o             Gers & Schmidhuber 2000: a gate sees its cell
    gate_recurrence          W_q, q_t = [i_t f_t o_t]  as in the cell of 1997: gates see gates
    projection               h_t = (o_t ⊙ tanh(c_t)) W_r                    Sak et al. 2014
    layer_norm               γ_x ⊙ N(x_t W_x) + γ_h ⊙ N(h_{t-1} W_h) + b,   Ba et al. 2016,
                             h_t = o_t ⊙ tanh(γ_c ⊙ N(c_t) + b_c)           equations 20–22

N takes mean and variance over all columns of a matrix together, as the paper's code does; its three
biases in a sum are one here. Peepholes and q W_q are added after N. A gate that is constant, or
coupled, has no columns in W_x, W_h and b, no peephole, and no place in q.

Axes: T steps, B sequences, D inputs, H cells, R units in h: H, or those of the projection.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.family import Design
from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import _parts as parts
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]


class Params(NamedTuple):
    """The weights, all of one dtype, shaped as `Design.shapes` says; what is not there is empty."""

    W_x: Array  #: (D, nH), n = 4 less one for each gate that is constant or coupled
    W_h: Array  #: (R, nH), its columns too in the order i, f, g, o
    b: Array  #: (nH,)
    p: Array  #: (Q,) the peepholes of the gates i, f, o that have weights: Q = (n − 1) H
    W_q: Array  #: (Q, Q) from gates to gates
    W_r: Array  #: (H, R) the projection
    gain_x: Array  #: (nH,) γ_x
    gain_h: Array  #: (nH,) γ_h
    gain_c: Array  #: (H,) γ_c
    b_c: Array  #: (H,)


class State(NamedTuple):
    """What a step hands to the next one."""

    h: Array  #: (B, R)
    c: Array  #: (B, H)
    q: Array  #: (B, Q) the gates, where gates see gates; else (B, 0)


class Trace(NamedTuple):
    """Everything that the cell computed, each (T+1, B, H); h (T+1, B, R).

    A gate without weights is there too, with its value. Row 0 is the start: zero for the gates,
    unless gates see gates.
    """

    h: Array  #: hidden state
    c: Array  #: cell state
    i: Array  #: input gate
    f: Array  #: forget gate
    g: Array  #: candidate
    o: Array  #: output gate


class Gradients(NamedTuple):
    """The derivatives of L by all that went in, each shaped as the thing itself."""

    params: Params  #: by the weights
    x: Array  #: (T, B, D)
    state: State  #: by the start


def init_params(
    rng: np.random.Generator,
    D: int,
    H: int,
    design: Design,
    *,
    dtype: DTypeLike = np.float64,
    forget_bias: float = 1.0,
) -> Params:
    """Draw matrices and peepholes from U(−1/√H, 1/√H); gains are 1, biases 0 but the forget gate's.

    forget_bias: b_f at the start. Coupled gates have f_t = 1 − σ(…) = σ(−…), so there it is −b_i;
    without a forget gate nothing is done with it.
    Raises ValueError for sizes below 1, TypeError for a dtype other than float32 and float64.
    """
    D, H, dtype = check.check_init(rng, D, H, dtype)
    bound, drawn = H**-0.5, {}
    for name, shape in parts.check_design(design).shapes(D, H).items():
        if name.startswith("b"):
            drawn[name] = np.zeros(shape, dtype)
        elif name.startswith("gain"):
            drawn[name] = np.ones(shape, dtype)
        else:
            drawn[name] = rng.uniform(-bound, bound, shape).astype(dtype)
    b = parts.by_gate(drawn["b"], design.gates)  # views
    if design.coupled:
        b["i"][:] = -float(forget_bias)
    elif design.forget_gate:
        b["f"][:] = float(forget_bias)
    return Params(**drawn)


def forward(params: Params, x: Array, state: Any = None, *, design: Design) -> Trace:
    """Run the cell over x and keep the states and gates of every step.

    x: (T, B, D), T ≥ 1. state: a `State` or a pair (h_0, c_0), zero where None.
    Raises TypeError for a dtype and ValueError for a shape that does not fit.
    """
    D, H, dtype = parts.check_params(params, Params, design)
    T, B = check.check_input(x, D, dtype)
    h_0, c_0, q = parts.check_state("state", state, params, B)
    h, c = np.empty((T + 1, *h_0.shape), dtype), np.empty((T + 1, B, H), dtype)
    i, f, g, o = np.zeros((4, T + 1, B, H), dtype)
    trace = Trace(h, c, i, f, g, o)
    h[0], c[0] = h_0, c_0
    for gate, values in parts.by_gate(q, design.seen).items():
        getattr(trace, gate)[0] = values
    p = parts.by_gate(params.p, design.seen)
    a = parts.scaled(x @ params.W_x, params.gain_x) + params.b  # all x_t at once: no h is needed
    for t in range(1, T + 1):
        a[t - 1] += parts.scaled(h[t - 1] @ params.W_h, params.gain_h)
        s = parts.by_gate(a[t - 1], design.gates)  # views, of the gates that have weights
        for gate, from_q in parts.by_gate(q @ params.W_q, design.seen).items():
            s[gate] += from_q
        i[t] = _gate("i", s, p, c[t - 1])
        f[t] = 1 - i[t] if design.coupled else _gate("f", s, p, c[t - 1])
        g[t] = np.tanh(s["g"]) if design.input_activation else s["g"]
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        o[t] = _gate("o", s, p, c[t])
        m = o[t] * _shown(params, c[t], design)
        h[t] = m @ params.W_r if design.projection else m
        q = parts.gates_seen(trace, t, design)
    return trace


def last_state(trace: Trace, design: Design) -> State:
    """The state after the last step of a trace, for the next stretch of the sequence."""
    return State(trace.h[-1], trace.c[-1], parts.gates_seen(trace, -1, design))


def backward(
    params: Params, x: Array, trace: Trace, dh: Array, dstate: Any = None, *, design: Design
) -> Gradients:
    """Backpropagate through time: the derivatives of L by weights, inputs and start.

    dh: (T, B, R), the derivative of L by each h_t where L uses it directly.
    dstate: a `State` or a pair (dh_T, dc_T), what arrives at the last state besides.
    """
    D, H, dtype = parts.check_params(params, Params, design)
    T, B = check.check_input(x, D, dtype)
    parts.check_trace(trace, Trace, T, B, params, H)
    check.check_array("dh", dh, (("T", T), ("B", B), ("R", len(params.W_h))), dtype)
    dh_t, dc_t, dq_t = parts.check_state("dstate", dstate, params, B)
    h, c, i, f, g, o = trace
    shown, p = _shown(params, c, design), parts.by_gate(params.p, design.seen)
    from_h = h[:-1] @ params.W_h
    da = np.empty((T, B, len(params.b)), dtype)  # by the sums inside σ and tanh
    dh, dy = dh.copy(), np.empty((T, B, H), dtype)  # by all of h_t; by what the last tanh sees
    for t in range(T, 0, -1):
        dh_t = dh[t - 1] = dh[t - 1] + dh_t
        dm = dh_t @ params.W_r.T if design.projection else dh_t
        dq = {"i": 0, "f": 0, "o": 0} | parts.by_gate(dq_t, design.seen)  # by gates of step t + 1
        ds = parts.by_gate(da[t - 1], design.gates)  # views
        dy[t - 1] = dm * o[t] * (1 - shown[t] ** 2 if design.output_activation else 1)
        dc_t = dc_t + parts.scaled_backward(dy[t - 1], c[t], params.gain_c)
        if "o" in ds:
            ds["o"][:] = (dm * shown[t] + dq["o"]) * o[t] * (1 - o[t])
        if "o" in p:
            dc_t = dc_t + p["o"] * ds["o"]
        di, df = dc_t * g[t] + dq["i"], dc_t * c[t - 1] + dq["f"]
        if "i" in ds:
            ds["i"][:] = (di - df if design.coupled else di) * i[t] * (1 - i[t])
        if "f" in ds:
            ds["f"][:] = df * f[t] * (1 - f[t])
        ds["g"][:] = dc_t * i[t] * (1 - g[t] ** 2 if design.input_activation else 1)
        dc_t = dc_t * f[t] + sum(p[gate] * ds[gate] for gate in p if gate != "o")
        dh_t = parts.scaled_backward(da[t - 1], from_h[t - 1], params.gain_h) @ params.W_h.T
        dq_t = parts.side_by_side(ds, design) @ params.W_q.T
    dparams, dx = _by_weights(params, x, trace, da, dh, dy, design)
    return Gradients(dparams, dx, State(dh_t, dc_t, dq_t))


def _by_weights(
    params: Params, x: Array, trace: Trace, da: Array, dh: Array, dy: Array, design: Design
) -> tuple[Params, Array]:
    """The derivatives by the weights, one matmul a matrix after the loop, and by x."""
    from_x, from_h = x @ params.W_x, trace.h[:-1] @ params.W_h
    da_x = parts.scaled_backward(da, from_x, params.gain_x)
    ds = parts.by_gate(da, design.gates)
    dparams = params._replace(  # what is empty stays
        W_x=_outer(x, da_x),
        W_h=_outer(trace.h[:-1], parts.scaled_backward(da, from_h, params.gain_h)),
        b=da.sum((0, 1)),
    )
    if design.peepholes:
        peeped = {"i": trace.c[:-1], "f": trace.c[:-1], "o": trace.c[1:]}
        dp = [(ds[gate] * peeped[gate]).sum((0, 1)) for gate in design.seen]
        dparams = dparams._replace(p=np.concatenate([params.p[:0], *dp]))
    if design.gate_recurrence:
        q = parts.gates_seen(trace, slice(-1), design)
        dparams = dparams._replace(W_q=_outer(q, parts.side_by_side(ds, design)))
    if design.projection:
        m = trace.o[1:] * _shown(params, trace.c[1:], design)
        dparams = dparams._replace(W_r=_outer(m, dh))
    if design.layer_norm:
        dparams = dparams._replace(
            gain_x=(da * parts.normalised(from_x)).sum((0, 1)),
            gain_h=(da * parts.normalised(from_h)).sum((0, 1)),
            gain_c=(dy * parts.normalised(trace.c[1:])).sum((0, 1)),
            b_c=dy.sum((0, 1)),
        )
    return dparams, da_x @ params.W_x.T


def _outer(a: Array, d: Array) -> Array:
    """Σ a_tᵀ d_t over steps and sequences: the derivative by W from that by a W."""
    return np.tensordot(a, d, axes=((0, 1), (0, 1)))


def _gate(name: str, s: dict[str, Array], p: dict[str, Array], c: Array) -> Array | int:
    """σ of a gate's sum, and of the cell that it may see; 1 where the gate has no weights."""
    if name not in s:
        return 1
    return sigmoid(s[name] + p[name] * c if p else s[name])


def _shown(params: Params, c: Array, design: Design) -> Array:
    """What the output gate lets through: tanh(c), or what stands in its place."""
    y = parts.scaled(c, params.gain_c) + params.b_c if design.layer_norm else c
    return np.tanh(y) if design.output_activation else y
