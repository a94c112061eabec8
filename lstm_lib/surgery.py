"""Gate surgery: a trained LSTM runs on, but some of its layers are held at given values.

    v_t for a gate that is held, and for all others what the cell computes, such as
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)

Nothing is trained. What is not held is computed anew at each step, so it answers to the cut through
h_{t-1}. The values to hold are plain arrays: a number clamps the gate, one number a unit is enough
for its mean, one a sequence and unit freezes it, and the values of an intact run in another order
keep their distribution and lose their timing. `cuts` makes these from a gate of the intact run.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstm_lib.numpy_cells import _arguments as check
from lstm_lib.numpy_cells import lstm
from lstm_lib.numpy_cells.activations import sigmoid

Array = NDArray[np.floating]


def forward(
    params: lstm.Params,
    x: Array,
    state: lstm.State | None = None,
    *,
    held: Mapping[str, ArrayLike],
) -> lstm.Trace:
    """Run the LSTM of `numpy_cells.lstm` with the layers named in `held` at those values.

    held: i, f, g or o -> values that broadcast to (T, B, H), row t − 1 for step t. Where `held` is
    empty, or holds what the intact run computed, the trace is that of `lstm.forward` to the bit.
    Raises ValueError for another name or shape, TypeError for no mapping and for values that are no
    real numbers, and both as `lstm.forward` does.
    """
    D, H, dtype = check.check_params(params, lstm.Params, 4)
    T, B = check.check_input(x, D, dtype)
    if not isinstance(held, Mapping):
        raise TypeError(f"held must be a dict such as {{'f': 1}}, got {held!r}")
    values = {name: _broadcast(name, given, (T, B, H)) for name, given in held.items()}
    h, c = np.empty((T + 1, B, H), dtype), np.empty((T + 1, B, H), dtype)
    h[0], c[0] = check.check_pair("state", state, B, H, dtype)
    a = np.zeros((T + 1, B, 4 * H), dtype)
    a[1:] = x @ params.W_x + params.b
    i, f, g, o = np.split(a, 4, axis=-1)  # views, as in the intact cell
    layers = {"i": i, "f": f, "g": g, "o": o}
    for t in range(1, T + 1):
        a[t] += h[t - 1] @ params.W_h
        i[t], f[t], g[t], o[t] = sigmoid(i[t]), sigmoid(f[t]), np.tanh(g[t]), sigmoid(o[t])
        for name, v in values.items():  # the cut
            layers[name][t] = v[t - 1]
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        h[t] = o[t] * np.tanh(c[t])
    return lstm.Trace(h, c, i, f, g, o)


def cuts(rng: np.random.Generator, gate: Array) -> dict[str, Array]:
    """The values to hold a gate at, by the name of the cut, made from its intact run.

    gate: (T+1, B, H), a gate of a trace; row 0, before step 1, is not used. Returns

    - "0" and "1": shut and open. A gate at 1 is one that the cell does not have.
    - "mean", (H,): each unit at its mean over steps and sequences. Keeps the level, nothing else.
    - "step 1", (B, H): frozen at what it was at step 1.
    - "shuffled", (T, B, H): a sequence's own values, its steps in an order drawn from `rng`. Keeps
      the level, the spread and what the units have in common; loses the timing.
    - "swapped", (T, B, H): step by step what the gate did on another sequence of the batch. Keeps
      what depends on the step alone; loses what depends on the input. The sequences form a ring
      in an order drawn from `rng`, so that none gets its own.

    Raises TypeError for no generator, ValueError for another rank, no step or a single sequence.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, got {rng!r}")
    gate = np.asarray(gate)
    if gate.ndim != 3 or len(gate) < 2 or gate.shape[1] < 2:
        raise ValueError(f"gate must be (T+1, B, H) with T ≥ 1 and B ≥ 2, got {gate.shape}")
    steps = gate[1:]
    T, B, _ = steps.shape
    order = rng.permuted(np.tile(np.arange(T)[:, None], B), axis=0)  # (T, B), one a sequence
    ring = rng.permutation(B)
    donor = np.empty(B, int)
    donor[ring] = np.roll(ring, 1)
    return {
        "0": np.zeros((), gate.dtype),
        "1": np.ones((), gate.dtype),
        "mean": steps.mean((0, 1)),
        "step 1": steps[0],
        "shuffled": np.take_along_axis(steps, order[..., None], axis=0),
        "swapped": steps[:, donor],
    }


def _broadcast(name: str, given: Any, shape: tuple[int, int, int]) -> NDArray[Any]:
    """The values for one layer as (T, B, H)."""
    if name not in ("i", "f", "g", "o"):
        raise ValueError(f"held must name layers among i, f, g, o, got {name!r}")
    values = np.asarray(given)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"held[{name!r}] must be real numbers, got {values.dtype}")
    # NumPy's own message would not say which layer, nor what the three sizes are.
    fits = values.ndim <= 3 and all(
        n in (1, size) for n, size in zip(values.shape[::-1], shape[::-1], strict=False)
    )
    if not fits:
        sizes = "(T={}, B={}, H={})".format(*shape)
        raise ValueError(f"held[{name!r}] must broadcast to {sizes}, got {values.shape}")
    return np.broadcast_to(values, shape)
