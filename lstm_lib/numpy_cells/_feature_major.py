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
from typing import Any, NamedTuple

import numpy as np

from lstm_lib.numpy_cells._arguments import Array, title

SMALL, ROWS = 1_000_000, 8
"""OpenBLAS multiplies without packing the matrices first up to this rows · columns · depth; with
fewer rows than 8 that is no gain."""
COLUMNS = 768
"""Steps · sequences that `backward` works on at once: more leave the caches, fewer make the product
for the weights short. Found by trial."""
LINE = 64
"""Bytes in a cache line, and in the widest vector that a processor works on."""


class Product(NamedTuple):
    """W @ z for one W and many z: `multiply(left, z, out)`, with `out` seen in the form `shape`."""

    multiply: Callable[..., Array]
    left: Array  #: W (rows, K), or its pieces (n, rows/n, K)
    shape: tuple[int, ...]  #: (rows, B), or (n, rows/n, B)


def product(W: Array, B: int, blocked: bool | None) -> Product:
    """Plan W @ z for columns z (K, B): whole, or W cut into pieces of rows that are small.

    blocked: pieces where there can be such, or not; None does what is faster on this machine.
    Raises TypeError for anything else.
    """
    if blocked is not None and not isinstance(blocked, bool):
        raise TypeError(f"blocked must be True, False or None, got {blocked!r}")
    rows, K = W.shape
    n = 1
    while rows // n * K * B > SMALL and rows % (2 * n) == 0:
        n *= 2
    can_be_cut = n > 1 and B > 1 and rows // n >= ROWS and rows // n * K * B <= SMALL
    if can_be_cut and (pieces_are_faster(W.dtype) if blocked is None else blocked):
        return Product(np.matmul, W.reshape(n, rows // n, K), (n, rows // n, B))
    # np.dot is matmul with less overhead, but takes two matrices only.
    return Product(np.dot, W, (rows, B))


@lru_cache
def pieces_are_faster(dtype: np.dtype) -> bool:
    """Whether this machine multiplies small matrices faster than one large one.

    Tried at the first call, in some milliseconds, and remembered.
    """
    W, z = np.ones((512, 128), dtype), np.ones((128, 64), dtype)
    pieces = W.reshape(8, 64, 128)
    ways = ((W, np.empty((512, 64), dtype)), (pieces, np.empty((8, 64, 64), dtype)))
    seconds: list[list[float]] = [[], []]
    for _ in range(20):
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
    slower to read.
    """
    sizes = [-(-prod(shape) * dtype.itemsize // LINE) * LINE for shape in shapes]
    memory = np.empty(sum(sizes) + LINE, np.uint8)
    start, arrays = -memory.ctypes.data % LINE, []
    for shape, size in zip(shapes, sizes, strict=True):
        piece = memory[start : start + prod(shape) * dtype.itemsize]
        arrays.append(piece.view(dtype).reshape(shape))
        start += size
    return arrays


def room(out: Any, kind: type, dtype: np.dtype, **shapes: tuple[int, ...]) -> list[Array]:
    """Memory for the arrays of a trace: new, or that of `out`, a trace of an earlier call.

    Raises TypeError where `out` is no `kind`, ValueError where it is of other sizes, or where its
    arrays cannot be written, or not as one piece.
    """
    if out is None:
        return carve(dtype, *shapes.values())
    if not isinstance(out, kind):
        raise TypeError(f"out must be a {title(kind)}, got {title(type(out))}")
    arrays = behind("out", out, dtype, **shapes)
    for name, array in zip(shapes, arrays, strict=True):
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(f"out.{name} must be C-contiguous and writeable, as forward made it")
    return arrays


def behind(argument: str, trace: Any, dtype: np.dtype, **shapes: tuple[int, ...]) -> list[Array]:
    """The arrays of which a trace's fields are views.

    Raises ValueError where it has none, or of other sizes.
    """
    arrays: list[Any] = [getattr(trace, name, None) for name in shapes]
    for (name, shape), array in zip(shapes.items(), arrays, strict=True):
        if not isinstance(array, np.ndarray):
            raise ValueError(
                f"{argument} must be a trace as forward returns it: this one has no {name}, "
                "as after _replace"
            )
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"{argument} must be the trace of an input of the same sizes, its {name} {shape} "
                f"{dtype}, got {array.shape} {array.dtype}"
            )
    return arrays


def new_columns(h_0: Array, x: Array, out: Array) -> None:
    """Fill in what is known before the first step of out (T+1, H+D+1, B): h_0, all x_t and 1.

    There is no x_{T+1}: its place is left as it is. h_0 and x may be views of out.
    """
    T, H = len(x), h_0.shape[1]
    start = h_0.T.copy()
    to_columns(x, out[:T, H:-1])
    out[0, :H] = start
    out[:, -1] = 1


def beside_each_other(a: Array, memory: Array) -> Array:
    """Copy a (n, rows, B) into `memory`, as (rows, n · B): all columns in one matrix."""
    n, rows, B = a.shape
    out = memory.reshape(-1)[: a.size].reshape(rows, n, B)
    np.copyto(out, a.transpose(1, 0, 2))
    return out.reshape(rows, n * B)


def add_products(
    da: Array, z: Array, total: Array, memory: list[Array], blocked: bool | None
) -> None:
    """Add Σ_t da_t z_tᵀ over the steps of a chunk to `total`, as one product.

    da: (n, rows, B). z: (n, K, B). total: (rows, K). memory: room for both beside each other and
    for the product.
    """
    (n, K, B), flat = z.shape, beside_each_other(da, memory[0])
    z_rows = memory[1].reshape(-1)[: z.size].reshape(n, B, K)
    np.copyto(z_rows, to_rows(z))
    multiply, flat_cut, shape = product(flat, K, blocked)
    multiply(flat_cut, z_rows.reshape(n * B, K), memory[2].reshape(shape))
    np.add(total, memory[2], total)


def products(W: Array, da: Array, out: Array, blocked: bool | None) -> None:
    """Write W @ da_t into out (n, rows, B) for every step of da (n, K, B)."""
    n, K, B = da.shape
    _, W_cut, shape = product(W, B, blocked)
    np.matmul(W_cut, da.reshape(n, *[1] * (len(shape) - 2), K, B), out.reshape(n, *shape))
