"""What the cells ask of their arguments, and the errors that say what came instead.

A dtype that does not fit raises TypeError, a shape that does not fit ValueError; each message
names the argument, what was expected and what came. NaN and infinity are values like any other.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating]
Shape = tuple[tuple[str, int | None], ...]
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def check_size(name: str, size: Any) -> int:
    """Return a positive integer as an int: 4 · np.int8(100) would overflow."""
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{name} must be a positive integer, got {size!r}")
    return int(size)


def check_init(rng: Any, D: int, H: int, dtype: DTypeLike) -> tuple[int, int, np.dtype]:
    """Return D, H as ints and the dtype, float32 or float64, that `init_params` was given."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator such as np.random.default_rng(0), got {rng!r}"
        )
    D, H = check_size("D", D), check_size("H", H)
    if np.dtype(dtype) not in DTYPES:
        raise TypeError(f"dtype must be float32 or float64, got {np.dtype(dtype)}")
    return D, H, np.dtype(dtype)


def check_array(
    name: str, array: Any, shape: Shape, dtype: np.dtype, like: str = "params.W_x"
) -> None:
    """Raise unless `array` is a NumPy array of this dtype and shape.

    shape: the axes' names and sizes, such as (("T", None), ("B", None), ("D", 3)); None takes any.
    like: the array that the dtype was taken from.
    """
    axes = ", ".join(axis if size is None else f"{axis}={size}" for axis, size in shape)
    wanted = f"({axes}{',' if len(shape) == 1 else ''})"
    # `@` would leave out a mask, and a matrix never has three axes.
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray | np.matrix):
        raise TypeError(f"{name} must be a NumPy array {wanted}, got {type(array).__name__}")
    if array.dtype != dtype:
        raise TypeError(f"{name} must be {dtype}, the dtype of {like}, got {array.dtype}")
    fits = array.ndim == len(shape) and all(
        size is None or size == n for (_, size), n in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} must be {wanted}, got {array.shape}")


def check_kind(params: Any, kind: Any) -> np.dtype:
    """Return the dtype of the first array of `params`, a `kind`: all others must have it too."""
    if not isinstance(params, kind):
        raise TypeError(f"params must be {title(kind)}, got {title(type(params))}")
    name, first = kind._fields[0], params[0]
    if not isinstance(first, np.ndarray):
        raise TypeError(f"params.{name} must be a NumPy array, got {type(first).__name__}")
    if first.dtype not in DTYPES:
        raise TypeError(f"params.{name} must be float32 or float64, got {first.dtype}")
    return first.dtype


def check_params(params: Any, kind: Any, blocks: int) -> tuple[int, int, np.dtype]:
    """Return D, H and the dtype of `params`, a `kind` whose matrices are `blocks` times H wide."""
    check_kind(params, kind)
    first = params[0]
    wide = "H" if blocks == 1 else f"{blocks}H"
    check_array("params.W_h", params[1], (("H", None), (wide, None)), first.dtype)
    H = params[1].shape[0]
    check_array("params.W_h", params[1], (("H", H), (wide, blocks * H)), first.dtype)
    check_array("params.W_x", first, (("D", None), (wide, blocks * H)), first.dtype)
    check_array("params.b", params[2], ((wide, blocks * H),), first.dtype)
    if len(params) > 3:
        check_array("params.b_hn", params[3], (("H", H),), first.dtype)
    return first.shape[0], H, first.dtype


def check_input(x: Any, D: int, dtype: np.dtype, like: str = "params.W_x") -> tuple[int, int]:
    """Return T and B of x (T, B, D); T must be at least 1, as in `torch.nn`."""
    check_array("x", x, (("T", None), ("B", None), ("D", D)), dtype, like)
    if x.shape[0] == 0:
        raise ValueError(f"x must have at least one step (T ≥ 1), got {x.shape}")
    return x.shape[0], x.shape[1]


def check_state(name: str, state: Any, B: int, H: int, dtype: np.dtype) -> Array:
    """Return the array (B, H) of this name, or zeros where it is None."""
    if state is None:
        return np.zeros((B, H), dtype)
    check_array(name, state, (("B", B), ("H", H)), dtype)
    return np.asarray(state)


def check_pair(name: str, state: Any, B: int, H: int, dtype: np.dtype) -> tuple[Array, Array]:
    """Return the two arrays of an LSTM state, each (B, H), or zeros where it is None."""
    if state is None:
        return np.zeros((B, H), dtype), np.zeros((B, H), dtype)
    if not isinstance(state, tuple | list) or len(state) != 2:
        wanted = f"a pair (h, c), each (B={B}, H={H})"
        raise TypeError(f"{name} must be {wanted}, got {came(state)}")
    h, c = (check_state(f"{name}[{k}]", state[k], B, H, dtype) for k in (0, 1))
    return h, c


def check_trace(trace: Any, kind: Any, T: int, B: int, H: int, dtype: np.dtype) -> None:
    """Raise unless every field of `trace` is (T+1, B, H)."""
    if not isinstance(trace, kind):
        raise TypeError(f"trace must be {title(kind)}, got {title(type(trace))}")
    for name, array in trace._asdict().items():
        check_array(f"trace.{name}", array, (("T+1", T + 1), ("B", B), ("H", H)), dtype)


def came(state: Any) -> str:
    """What messages say of something that came in place of a state."""
    if isinstance(state, np.ndarray):
        return f"shape {state.shape}"
    kind = type(state).__name__
    return f"{kind} of {len(state)}" if isinstance(state, tuple | list) else kind


def title(kind: type) -> str:
    """A class as messages name it: `lstm.Params`."""
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}".removeprefix("builtins.")
