"""The LSTM as tutorials write it: a matmul for each of the eight matrices, at every step.

It is the first rung of the ladder that the fast version climbs. The equations are those of
`lstm_lib.numpy_cells.lstm`; the weights are kept apart, a pair of matrices and a bias a gate.
"""

import numpy as np

from benchmarks.problem import Answer, Contestant, Problem

Array = np.ndarray


def sigmoid(a: Array) -> Array:
    """1 / (1 + exp(−a)): enough here, where no a is large; it overflows for a below −88."""
    return 1 / (1 + np.exp(-a))


def build(problem: Problem) -> Contestant:
    """Set the tutorial's version up for a problem."""
    W_x, W_h, b = (np.split(weights, 4, axis=-1) for weights in problem.params)
    W_x, W_h = [w.copy() for w in W_x], [w.copy() for w in W_h]
    x, dh = problem.x, problem.dh

    def train() -> Answer:
        steps = run(W_x, W_h, b, x)
        return Answer(np.stack([step[0] for step in steps[1:]]), *back(W_x, W_h, x, steps, dh))

    return Contestant(
        lambda: np.stack([step[0] for step in run(W_x, W_h, b, x)[1:]]),
        train,
    )


def run(W_x: list[Array], W_h: list[Array], b: list[Array], x: Array) -> list[tuple[Array, ...]]:
    """(h, c, i, f, g, o) of every step; element 0 is the start, without gates."""
    B, H = x.shape[1], W_h[0].shape[0]
    h = c = np.zeros((B, H), x.dtype)
    steps: list[tuple[Array, ...]] = [(h, c)]
    for x_t in x:
        i = sigmoid(x_t @ W_x[0] + h @ W_h[0] + b[0])
        f = sigmoid(x_t @ W_x[1] + h @ W_h[1] + b[1])
        g = np.tanh(x_t @ W_x[2] + h @ W_h[2] + b[2])
        o = sigmoid(x_t @ W_x[3] + h @ W_h[3] + b[3])
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((h, c, i, f, g, o))
    return steps


def back(
    W_x: list[Array], W_h: list[Array], x: Array, steps: list[tuple[Array, ...]], dh: Array
) -> tuple[Array, Array, Array, Array]:
    """dx, dW_x, dW_h, db, the weights' gradients added up step by step."""
    dx = np.zeros_like(x)
    dW_x, dW_h = [np.zeros_like(w) for w in W_x], [np.zeros_like(w) for w in W_h]
    db = [np.zeros(w.shape[1], w.dtype) for w in W_h]
    dh_t = dc_t = np.zeros_like(steps[0][0])
    for t in range(len(x), 0, -1):
        _, c, i, f, g, o = steps[t]
        h_before, c_before = steps[t - 1][:2]
        tanh_c = np.tanh(c)
        dh_t = dh_t + dh[t - 1]
        dc_t = dc_t + dh_t * o * (1 - tanh_c**2)
        da = (
            dc_t * g * i * (1 - i),
            dc_t * c_before * f * (1 - f),
            dc_t * i * (1 - g**2),
            dh_t * tanh_c * o * (1 - o),
        )
        dc_t = dc_t * f
        dh_t = sum(da[k] @ W_h[k].T for k in range(4))
        dx[t - 1] = sum(da[k] @ W_x[k].T for k in range(4))
        for k in range(4):
            dW_x[k] += x[t - 1].T @ da[k]
            dW_h[k] += h_before.T @ da[k]
            db[k] += da[k].sum(0)
    return dx, np.hstack(dW_x), np.hstack(dW_h), np.hstack(db)
