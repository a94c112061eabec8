"""What every task asks of its arguments."""

import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike


def at_least(name: str, value: int, least: int) -> int:
    """The value as an int; ValueError naming the argument if it is smaller than `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def floating(dtype: DTypeLike) -> np.dtype[Any]:
    """The dtype; TypeError if it is not a floating one."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype must be a floating type, got {np.dtype(dtype)}")
    return np.dtype(dtype)


def generator(rng: np.random.Generator) -> np.random.Generator:
    """The generator; TypeError if it is something else, such as a seed."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator such as np.random.default_rng(0), got {rng!r}"
        )
    return rng
