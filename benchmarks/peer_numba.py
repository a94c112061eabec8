"""numba: the loops of the equations, compiled; the matmuls go to the BLAS that SciPy brings.

All that is done to one unit in one step happens in one pass, where NumPy makes a pass an operation.
But its tanh is the C library's, one number at a time, and that is most of its time: NumPy, torch,
JAX and onnxruntime compute 8 or 16 at once. float32 only: a Python number would turn every product
into float64, so the constants are float32.
"""

import math

import numpy as np
from numba import njit

from benchmarks.problem import Answer, Contestant, Problem

ONE, HALF = np.float32(1), np.float32(0.5)


@njit(fastmath=True)
def sigmoid(a):
    """σ(a) = (1 + tanh(a / 2)) / 2."""
    return HALF + HALF * math.tanh(HALF * a)


@njit(fastmath=True)
def forward(W_x, W_h, b, x):
    """The states h, c (T+1, B, H) and the gates (T, B, 4H)."""
    T, B, D = x.shape
    H = W_h.shape[0]
    gates = np.dot(x.reshape(T * B, D), W_x).reshape(T, B, 4 * H)
    h, c = np.zeros((T + 1, B, H), x.dtype), np.zeros((T + 1, B, H), x.dtype)
    recurrent = np.empty((B, 4 * H), x.dtype)
    for t in range(T):
        np.dot(h[t], W_h, recurrent)
        for n in range(B):
            a, r = gates[t, n], recurrent[n]
            for k in range(4 * H):
                a[k] += r[k] + b[k]
            for k in range(H):
                a[k] = sigmoid(a[k])
                a[H + k] = sigmoid(a[H + k])
                a[2 * H + k] = math.tanh(a[2 * H + k])
                a[3 * H + k] = sigmoid(a[3 * H + k])
                c[t + 1, n, k] = a[H + k] * c[t, n, k] + a[k] * a[2 * H + k]
                h[t + 1, n, k] = a[3 * H + k] * math.tanh(c[t + 1, n, k])
    return h, c, gates


@njit(fastmath=True)
def backward(W_xT, W_hT, x, h, c, gates, dh):
    """dx, dW_x, dW_h, db: the weights' by one matmul each after the loop."""
    T, B, D = x.shape
    H = W_hT.shape[1]
    da = np.empty((T, B, 4 * H), x.dtype)
    dh_t, dc_t = np.zeros((B, H), x.dtype), np.zeros((B, H), x.dtype)
    for t in range(T - 1, -1, -1):
        for n in range(B):
            a, d = gates[t, n], da[t, n]
            for k in range(H):
                i, f, g, o = a[k], a[H + k], a[2 * H + k], a[3 * H + k]
                tanh_c = math.tanh(c[t + 1, n, k])
                dh_k = dh_t[n, k] + dh[t, n, k]
                dc_k = dc_t[n, k] + dh_k * o * (ONE - tanh_c * tanh_c)
                d[k] = dc_k * g * i * (ONE - i)
                d[H + k] = dc_k * c[t, n, k] * f * (ONE - f)
                d[2 * H + k] = dc_k * i * (ONE - g * g)
                d[3 * H + k] = dh_k * tanh_c * o * (ONE - o)
                dc_t[n, k] = dc_k * f
        np.dot(da[t], W_hT, dh_t)
    flat = da.reshape(T * B, 4 * H)
    dW_x = np.dot(x.reshape(T * B, D).T, flat)
    dW_h = np.dot(h[:-1].copy().reshape(T * B, H).T, flat)
    dx = np.dot(flat, W_xT).reshape(T, B, D)
    return dx, dW_x, dW_h, flat.sum(0)


def build(problem: Problem) -> Contestant:
    """Set numba up for a problem. Compilation falls into the warm-up."""
    (W_x, W_h, b), x, dh = problem
    W_xT, W_hT = np.ascontiguousarray(W_x.T), np.ascontiguousarray(W_h.T)

    def train() -> Answer:
        h, c, gates = forward(W_x, W_h, b, x)
        return Answer(h[1:], *backward(W_xT, W_hT, x, h, c, gates, dh))

    return Contestant(lambda: forward(W_x, W_h, b, x)[0][1:], train)
