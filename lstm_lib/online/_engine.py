"""A sequence through a net of memory blocks that learns as it goes: the loops of `online.Net`.

numba compiles these functions where it is installed; without it they are the same functions in
Python, much slower. What a unit can see at a step stands in one list of sources, each a row of W
and the value there: inputs, units of the step before, the bias's 1, states behind peepholes.

Nothing of a sequence is kept, so its length costs no memory: everything flows forwards. `by` holds
∂c/∂w for each weight w to an input gate, a forget gate or a candidate; a step multiplies it by f (1
without forget gates) and adds to it (1997, appendix A.1; Gers et al. 2000, section 3).
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from lstm_lib.online._arrays import Array, Form, Integers, Memory, Weights

try:
    from numba import njit
except ImportError:  # an optional dependency
    njit = None

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function compiled, if numba is there, and put in place of each call of it."""
    if njit is None:
        return function
    return njit(cache=True, forceinline=True, error_model="numpy")(function)


@compiled
def logistic(a: float) -> float:
    e = math.exp(-abs(a))  # in (0, 1]: e^{-a} itself would overflow for a large negative a
    return (1.0 if a >= 0 else e) / (1 + e)


@compiled
def squash(c: float, squashed: bool) -> tuple[float, float]:
    """What the output gate multiplies, and its derivative by c."""
    if not squashed:
        return c, 1.0
    q = logistic(c)
    return 2 * q - 1, 2 * q * (1 - q)


@compiled
def reset(m: Memory) -> None:
    m.c[:] = 0
    m.u[:] = 0
    for k in range(m.reached[0]):  # of a thousand inputs a sequence may touch ten
        m.by[:, m.rows[k]] = 0
        m.touched[m.rows[k]] = False
    m.reached[0] = 0


@compiled
def gather(form: Form, m: Memory, index: Integers, value: Array, row: Integers, act: Array) -> None:
    """List the sources of a step: `row` of W and value, `act`."""
    J, u, c = len(index), m.u, m.c
    for k in range(J):
        row[k], act[k] = index[k], value[k]
    for k in range(form.R):
        row[J + k], act[J + k] = form.D + k, u[k]
    row[J + form.R], act[J + form.R] = form.D + form.R, 1
    for k in range(J + form.R + 1, len(row)):  # none without peepholes
        row[k], act[k] = form.D + k - J, c[k - J - form.R - 1]


@compiled
def add_up(W: Array, row: Integers, act: Array, a: Array, first: int, last: int) -> None:
    """The sums inside σ of the units from `first` up to `last`."""
    for unit in range(first, last):
        total = 0.0
        for k in range(len(row)):
            total += act[k] * W[row[k], unit]
        a[unit] = total


@compiled
def touch(m: Memory, row: Integers) -> None:
    for k in range(len(row)):
        if not m.touched[row[k]]:
            m.touched[row[k]] = True
            m.rows[m.reached[0]] = row[k]
            m.reached[0] += 1


@compiled
def decay(by: Array, rows: Integers, reached: int, cell: int, f: float) -> None:
    """Multiply all ∂c/∂w of a cell by f."""
    for kind in range(3):
        for k in range(reached):
            by[kind, rows[k], cell] *= f


@compiled
def accumulate(by: Array, row: Integers, act: Array, cell: int, da: float) -> None:
    """Add what this step gives to ∂c/∂w of a cell; da: ∂c by the sum inside a gate's σ."""
    for k in range(len(row)):
        by[row[k], cell] += da * act[k]


@compiled
def show(form: Form, c: Array, u: Array, a: Array, first: int) -> None:
    """Write what the next step sees; first: of the candidates' columns."""
    H = form.N * form.S
    for block in range(form.N):
        o = a[first + H + block] if form.output_gate else 1.0
        for cell in range(block * form.S, (block + 1) * form.S):
            u[cell] = o * squash(c[cell], form.squashed)[0]
    for k in range(first):
        u[H + k] = a[k]
    for k in range(first + H, len(a)):
        u[k] = a[k]


@compiled
def advance(form: Form, w: Weights, m: Memory, row: Integers, act: Array, learn: bool) -> None:
    """One step: states, gates, cell outputs and, to learn, ∂c/∂w."""
    N, S, H = form.N, form.S, form.N * form.S
    c, u, a, by = m.c, m.u, m.a, m.by
    by_i, by_f, by_g = by[0], by[1], by[2]
    first = 2 * N if form.forget_gate else N  # of the candidates' columns
    add_up(w.W, row, act, a, 0, first + H)
    if learn:
        touch(m, row)
    for unit in range(first):
        a[unit] = logistic(a[unit])
    for block in range(N):
        i, f = a[block], a[N + block] if form.forget_gate else 1.0
        for cell in range(block * S, (block + 1) * S):
            q = logistic(a[first + cell])
            g, slope = (4 * q - 2, 4 * q * (1 - q)) if form.centred else (q, q * (1 - q))
            if learn:
                if form.forget_gate:
                    decay(by, m.rows, m.reached[0], cell, f)
                    accumulate(by_f, row, act, cell, c[cell] * f * (1 - f))
                accumulate(by_i, row, act, cell, g * i * (1 - i))
                accumulate(by_g, row, act, cell, i * slope)
            c[cell] = f * c[cell] + i * g
    if form.peepholes:  # the output gate looks at c_t, the others have looked at c_{t-1}
        for cell in range(H):
            act[len(act) - H + cell] = c[cell]
    add_up(w.W, row, act, a, first + H, len(a))
    for unit in range(first + H, len(a)):
        a[unit] = logistic(a[unit])
    show(form, c, u, a, first)


@compiled
def answer(form: Form, V: Array, m: Memory, index: Integers, value: Array, out: Array) -> None:
    """The outputs, logistic units that see the cells and, if direct, the inputs."""
    H, first = form.N * form.S, form.D if form.direct else 0
    for k in range(len(out)):
        total = V[first + H, k]
        for cell in range(H):
            total += m.u[cell] * V[first + cell, k]
        if form.direct:
            for j in range(len(index)):
                total += value[j] * V[index[j], k]
        out[k] = logistic(total)


@compiled
def correct_cells(
    form: Form,
    w: Weights,
    m: Memory,
    row: Integers,
    act: Array,
    delta: Array,
    rate: float,
    W: Array,
) -> None:
    """Move the weights W of all gates and cells; delta: e · σ'(net) of each output."""
    N, S, H = form.N, form.S, form.N * form.S
    cells, first = (2 * N if form.forget_gate else N), form.D if form.direct else 0
    for block in range(N):
        e_o, o = 0.0, m.a[cells + H + block] if form.output_gate else 1.0
        for cell in range(block * S, (block + 1) * S):
            back = 0.0
            for k in range(len(delta)):
                back += w.V[first + cell, k] * delta[k]
            s, slope = squash(m.c[cell], form.squashed)
            e_o += back * s
            e_c = rate * back * o * slope
            for k in range(m.reached[0]):
                r = m.rows[k]
                W[r, block] += e_c * m.by[0, r, cell] * w.free_W[r, block]
                if form.forget_gate:
                    W[r, N + block] += e_c * m.by[1, r, cell] * w.free_W[r, N + block]
                W[r, cells + cell] += e_c * m.by[2, r, cell] * w.free_W[r, cells + cell]
        if form.output_gate:
            unit = cells + H + block
            for k in range(len(row)):
                step = rate * e_o * o * (1 - o) * act[k]
                W[row[k], unit] += step * w.free_W[row[k], unit]


@compiled
def correct_outputs(
    form: Form,
    w: Weights,
    m: Memory,
    index: Integers,
    value: Array,
    delta: Array,
    rate: float,
    V: Array,
) -> None:
    """Move the weights V of the outputs."""
    H, first = form.N * form.S, form.D if form.direct else 0
    for k in range(len(delta)):
        step = rate * delta[k]
        for cell in range(H):
            V[first + cell, k] += step * m.u[cell]
        V[first + H, k] += step * w.free_V[first + H, k]
        if form.direct:
            for j in range(len(index)):
                V[index[j], k] += step * value[j]


@compiled
def sequence(
    form: Form,
    w: Weights,
    sums: Weights,
    m: Memory,
    index: Integers,
    value: Array,
    at: Integers,
    targets: Array,
    rate: float,
    decay: float,
    stop: float,
    summed: bool,
    outputs: Array,
) -> int:
    """Write the outputs at the steps `at`, and return how many; unless the rate is 0, learn too.

    decay multiplies the rate after each of them; stop: how far off its target ends the sequence.
    summed: move the weights at the end only, by what was added up in `sums`, which is 0 before.
    """
    T, J = index.shape
    learn, n = rate != 0, 0
    W, V = (sums.W, sums.V) if summed else (w.W, w.V)
    sources = J + form.R + 1 + (form.N * form.S if form.peepholes else 0)
    row, act, delta = np.empty(sources, np.int64), np.empty(sources), np.empty(outputs.shape[1])
    for t in range(T):
        gather(form, m, index[t], value[t], row, act)
        advance(form, w, m, row, act, learn)
        if n == len(at) or at[n] != t:
            continue
        out = outputs[n]
        answer(form, w.V, m, index[t], value[t], out)
        if learn:
            off = 0.0
            for k in range(len(out)):
                error = targets[n, k] - out[k]
                off = max(off, abs(error))
                delta[k] = error * out[k] * (1 - out[k])
            correct_cells(form, w, m, row, act, delta, rate, W)  # first: it needs V as it was
            correct_outputs(form, w, m, index[t], value[t], delta, rate, V)
            rate *= decay
            if off >= stop:
                n += 1
                break
        n += 1
    if learn and summed:
        w.W[:] += sums.W
        w.V[:] += sums.V
        sums.W[:] = 0
        sums.V[:] = 0
    return n
