"""Measurements in a fresh process: how many threads a library uses is settled at its import."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

# Some machines choose OpenBLAS's kernel and cache size by hand: measured is what it finds itself.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def environment(threads: int) -> dict[str, str]:
    """The variables that give every contestant this many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {
        **{name: str(threads) for name in names},
        # JAX: NPROC is what XLA takes for the number of cores.
        "NPROC": str(threads),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
    }


def in_child(
    threads: int,
    function: Callable[..., Any],
    *arguments: Any,
    variables: dict[str, str] | None = None,
) -> Any:
    """What function(*arguments) returns in a new process with this many threads.

    variables: of its environment, besides. function and arguments must be picklable. What it
    raises is raised here.
    """
    with (
        _environment(environment(threads) | (variables or {})),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        return pool.submit(function, *arguments).result()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """os.environ with these values and without `UNSET`, for the time of the block."""
    before = dict(os.environ)
    os.environ.update(values)
    for name in UNSET:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
