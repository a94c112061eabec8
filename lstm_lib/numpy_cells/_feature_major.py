"""What the fast cells share: a layout in which gates are contiguous, and products in pieces.

The readable cells keep a sequence a row, (B, H), so that a gate is a strided slice of each row. The
fast ones keep a sequence a *column*, (H, B): a gate is then a block of whole rows, contiguous, and
one call of NumPy works on several of them. h_{t-1}, x_t and a 1 stand in one column, so that one
product gives all sums with input and bias added: [W_h; W_x; b]ᵀ [h_{t-1}; x_t; 1].
"""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from time import perf_counter
from typing import NamedTuple

import numpy as np

from lstm_lib.numpy_cells._arguments import Array

SMALL = 1_000_000
"""Rows · columns · depth up to which OpenBLAS multiplies without packing the matrices first."""
COLUMNS = 768
"""Steps · sequences that `backward` works on at once: few enough for a core's cache."""
LINE = 64
"""Bytes in a cache line, and in the widest vector that a processor works on."""


class Product(NamedTuple):
    """W @ z for one W and many z: `multiply(left, z, out)`, with `out` seen in the form `shape`."""

    multiply: Callable[..., Array]
    left: Array  #: W (rows, K), or its pieces (n, rows/n, K)
    shape: tuple[int, ...]  #: (rows, B), or (n, rows/n, B)


def product(W: Array, B: int, blocked: bool | None) -> Product:
    """Plan W @ z for columns z (K, B): whole, or W cut into pieces of rows.

    blocked: pieces or not; None takes what was faster on this machine when first asked.
    """
    rows, K = W.shape
    n = 1
    while rows // n * K * B > SMALL and rows % (2 * n) == 0:
        n *= 2
    # np.dot is matmul with less overhead, but takes two matrices only.
    whole = Product(np.dot, W, (rows, B))
    cut = Product(np.matmul, W.reshape(n, rows // n, K), (n, rows // n, B))
    if n == 1 or blocked is False:
        return whole
    return cut if blocked or pieces_are_faster(rows, K, B, W.dtype, n) else whole


@lru_cache(maxsize=1024)
def pieces_are_faster(rows: int, K: int, B: int, dtype: np.dtype, n: int) -> bool:
    """Whether (rows, K) @ (K, B) is faster in n pieces: some milliseconds, once a size."""
    W, z = np.ones((rows, K), dtype), np.ones((K, B), dtype)
    ways = [(W, np.empty((rows, B), dtype))]
    ways += [(W.reshape(n, rows // n, K), np.empty((n, rows // n, B), dtype))]
    seconds: list[list[float]] = [[], []]
    for _ in range(5):
        for (left, out), taken in zip(ways, seconds, strict=True):
            start = perf_counter()
            np.matmul(left, z, out)
            taken.append(perf_counter() - start)
    return min(seconds[1]) < min(seconds[0])


def to_columns(a: Array, out: Array) -> None:
    """Write a (T, B, n), a sequence a row, into out (T, n, B), a sequence a column."""
    np.copyto(out, a.transpose(0, 2, 1))


def to_rows(a: Array) -> Array:
    """A view of a (…, n, B), a sequence a column, as (…, B, n)."""
    return a.swapaxes(-1, -2)


def steps_a_chunk(T: int, B: int) -> int:
    """How many of T steps `backward` takes at a time: chunks of one size, of about `COLUMNS`."""
    return -(-T // max(1, -(-T * B // COLUMNS)))


def carve(dtype: np.dtype, *shapes: tuple[int, ...]) -> list[Array]:
    """Arrays of these shapes, not filled, in one piece of memory, each at the start of a line.

    Memory that comes in many pieces goes back to the system between two calls, and fetching it
    again costs as much as some of the arithmetic. A vector that lies across two cache lines is
    slower to read, by a tenth of a step in all.
    """
    sizes = [-(-prod(shape) * dtype.itemsize // LINE) * LINE for shape in shapes]
    memory = np.empty(sum(sizes) + LINE, np.uint8)
    start, arrays = -memory.ctypes.data % LINE, []
    for shape, size in zip(shapes, sizes, strict=True):
        piece = memory[start : start + prod(shape) * dtype.itemsize]
        arrays.append(piece.view(dtype).reshape(shape))
        start += size
    return arrays


def new_columns(h_0: Array, x: Array, out: Array) -> None:
    """Fill in what is known before the first step of out (T+1, H+D+1, B): h_0, all x_t and 1.

    There is no x_{T+1}: its place is left as it is.
    """
    T, H = len(x), h_0.shape[1]
    out[0, :H] = h_0.T
    to_columns(x, out[:T, H:-1])
    out[:, -1] = 1


def beside_each_other(a: Array, memory: Array) -> Array:
    """Copy a (n, rows, B) into `memory`, as (rows, n · B): all columns in one matrix."""
    n, rows, B = a.shape
    out = memory.reshape(-1)[: a.size].reshape(rows, n, B)
    np.copyto(out, a.transpose(1, 0, 2))
    return out.reshape(rows, n * B)


def add_products(da: Array, z: Array, total: Array, memory: list[Array]) -> Array:
    """Add Σ_t da_t z_tᵀ over the steps of a chunk to `total`, as one product.

    da: (n, rows, B). z: (n, K, B). total: (rows, K). memory: room for both beside each other and
    for the product. Returns da as (rows, n · B).
    """
    flat, flat_z = beside_each_other(da, memory[0]), beside_each_other(z, memory[1])
    np.dot(flat, flat_z.T, memory[2])
    np.add(total, memory[2], total)
    return flat
