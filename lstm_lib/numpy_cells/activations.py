"""The logistic function, computed so that it neither overflows nor loses small values."""

import numpy as np
from numpy.typing import NDArray


def sigmoid(z: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return σ(z) = 1 / (1 + e^{−z}), element by element, in (0, 1) up to rounding.

    Works on any shape, keeps the dtype, and lets NaN through.
    """
    e = np.exp(-np.abs(z))  # in (0, 1]: e^{-z} itself would overflow for a large negative z
    return np.where(z >= 0, 1, e) / (1 + e)
