"""What every contestant is given and must give back, and the check that it does."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lstm_lib.numpy_cells import lstm


class Shape(NamedTuple):
    """The sizes of a problem."""

    T: int  #: steps
    B: int  #: sequences in a batch
    D: int  #: inputs
    H: int  #: hidden units


SHAPES = (
    Shape(28, 64, 28, 128),  # an image read row by row
    Shape(100, 32, 64, 64),
    Shape(100, 1, 64, 64),  # one sequence: every call is small
    Shape(100, 32, 128, 256),
    Shape(784, 16, 1, 128),  # an image read pixel by pixel
    Shape(35, 20, 200, 200),  # a language model over words
    Shape(512, 8, 512, 512),  # W_h alone is 4 MB: more than most caches of one core
    Shape(1000, 64, 2, 64),  # the adding problem
)


class Problem(NamedTuple):
    """Weights, input, and the derivative of L by every h_t."""

    params: lstm.Params
    x: lstm.Array  #: (T, B, D)
    dh: lstm.Array  #: (T, B, H)


class Answer(NamedTuple):
    """What a training step computes; arrays of any library that `numpy.asarray` can read."""

    h: Any  #: (T, B, H), the output
    dx: Any  #: (T, B, D)
    dW_x: Any  #: (D, 4H)
    dW_h: Any  #: (H, 4H)
    db: Any  #: (4H,)


class Contestant(NamedTuple):
    """One implementation, set up for one problem: two calls without arguments."""

    forward: Callable[[], Any]  #: gives the output h (T, B, H)
    train: Callable[[], Answer] | None  #: forward + backward; None where it cannot


def draw(shape: Shape, *, dtype: Any = np.float32, seed: int = 0) -> Problem:
    """A problem of this shape: standard normal x and dh, weights from `lstm.init_params`.

    Such weights contract: two correct cells stay together over any T. Larger ones make the cell
    chaotic, and rounding alone drives two correct ones apart.
    """
    rng = np.random.default_rng(seed)
    T, B, D, H = shape
    params = lstm.init_params(rng, D, H, dtype=dtype)
    x, dh = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
    return Problem(params, x.astype(dtype), dh.astype(dtype))


def solve(problem: Problem) -> Answer:
    """The answer in float64 by `numpy_cells.lstm`, the reference of the course."""
    params = lstm.Params(*(weights.astype(np.float64) for weights in problem.params))
    x, dh = problem.x.astype(np.float64), problem.dh.astype(np.float64)
    trace = lstm.forward(params, x)
    gradients = lstm.backward(params, x, trace, dh)
    return Answer(trace.h[1:], gradients.x, *gradients.params)


def check(
    name: str,
    contestant: Contestant,
    answer: Answer,
    *,
    bound: float = 1e-3,
    as_array: Callable[[Any], Any] = np.asarray,
) -> float:
    """The largest error of a contestant, relative to the largest value of the same array.

    as_array: makes of what the contestant gives an array that can be subtracted from the answer's.
    bound: float32 rounds by 6e-8; the sums over T B terms and the T steps make of it at most about
    1e-5 at our shapes. A wrong equation is off by 1e-2 and more: 1e-3 tells one from the other.
    Raises RuntimeError naming the contestant and the array where the error is above `bound`.
    """
    pairs = [("h of forward", contestant.forward(), answer.h)]
    if contestant.train is not None:
        given = contestant.train()
        pairs += [(f"{field} of train", getattr(given, field), getattr(answer, field))
                  for field in Answer._fields]  # fmt: skip
    largest = 0.0
    for what, came, wanted in pairs:
        array = as_array(came)
        if array.shape != wanted.shape:
            raise RuntimeError(f"{name}: {what} must be {wanted.shape}, got {array.shape}")
        error = float(abs(array - wanted).max() / abs(wanted).max())
        if not error <= bound:  # so that NaN is an error too
            raise RuntimeError(f"{name}: {what} is off by {error:.1e}, more than {bound:.0e}")
        largest = max(largest, error)
    return largest
