"""A net of memory blocks that learns on-line, and its input as pairs of index and value."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstm_lib.numpy_cells import lstm_1997
from lstm_lib.online import _engine as engine
from lstm_lib.online._arrays import Array, Integers, Memory, Weights
from lstm_lib.online.wiring import Wiring


class Net:
    """Blocks and logistic outputs, trained as in 1997: one sequence at a time, plain gradient.

    At each step with a target y all weights change by `rate` times the truncated gradient of
    ½ Σ (y − output)², at once, and the sequence goes on with the new ones. No momentum, no batch.
    rng: draws the weights. rate: may be changed at any time.
    Raises TypeError for something else than a wiring or a generator, ValueError for a rate that is
    no positive number.
    """

    def __init__(self, wiring: Wiring, rng: np.random.Generator, *, rate: float) -> None:
        if not isinstance(wiring, Wiring):
            raise TypeError(f"wiring must be a Wiring, such as NETS['4'], got {wiring!r}")
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"rng must be a numpy.random.Generator, got {rng!r}")
        self.wiring, self.rate, self._form = wiring, rate, wiring.form
        free_W, free_V = wiring.free()
        W, V = (rng.uniform(-wiring.bound, wiring.bound, free.shape) for free in (free_W, free_V))
        self._weights = Weights(W * free_W, V * free_V, free_W, free_V)
        self._sums = Weights(np.zeros_like(W), np.zeros_like(V), free_W, free_V)
        bias = wiring.D + self._form.R
        for columns, biases in (
            (wiring.columns.i, wiring.input_biases),
            (wiring.columns.f, wiring.forget_biases),
            (wiring.columns.o, wiring.output_biases),
        ):
            if biases is not None:
                self._weights.W[bias, columns] = biases
        rows, units = W.shape
        self._memory = Memory(
            c=np.zeros(wiring.H),
            u=np.zeros(units),
            a=np.zeros(units),
            by=np.zeros((3, rows, wiring.H)),
            rows=np.zeros(rows, np.int64),
            reached=np.zeros(1, np.int64),
            touched=np.zeros(rows, bool),
        )

    @property
    def rate(self) -> float:
        """How far a weight moves, in units of its gradient."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if not (isinstance(rate, int | float | np.floating) and 0 < rate < math.inf):
            raise ValueError(f"rate must be a positive number, got {rate!r}")
        self._rate = float(rate)

    @property
    def weights(self) -> int:
        """How many weights the net has, biases among them."""
        return int(self._weights.free_W.sum() + self._weights.free_V.sum())

    @property
    def c(self) -> Array:
        """The states of the cells, (H,), after the last step; a copy."""
        return self._memory.c.copy()

    @property
    def W(self) -> Array:
        """The weights of gates and cells, `Wiring.free` says how they lie; changes are kept."""
        return self._weights.W

    @property
    def V(self) -> Array:
        """The weights of the outputs; changes are kept."""
        return self._weights.V

    def cell(self) -> lstm_1997.Params:
        """The blocks as the readable cell takes them, such as for a trace; copies.

        Raises ValueError for a net with forget gates or peepholes, which that cell has not.
        """
        if self.wiring.forget_gate or self.wiring.peepholes:
            raise ValueError("cell: numpy_cells.lstm_1997 has neither forget gates nor peepholes")
        D, R, at = self.wiring.D, self._form.R, self.wiring.columns
        parts = [
            (rows, gate) for rows in (slice(D), slice(D, D + R)) for gate in (at.i, at.g, at.o)
        ]
        free = self._weights.free_W[-1] == 1
        biases = [self.W[-1, gate][free[gate]].copy() for gate in (at.i, at.g, at.o)]
        return lstm_1997.Params(*(self.W[part].copy() for part in parts), *biases)

    def learn(
        self,
        index: ArrayLike,
        value: ArrayLike,
        at: ArrayLike,
        targets: ArrayLike,
        *,
        reset: bool = True,
        summed: bool = False,
        decay: float = 1.0,
        stop: float = math.inf,
    ) -> Array:
        """Go through a sequence and learn from it; return the outputs where there are targets.

        index, value: (T, J), the input of a step as J pairs, x[index] = value, where equal indices
        add up and the rest is 0; `sparse` makes them. at: (M,), the steps with a target, counted
        from 0 and increasing. targets: (M, K). The outputs (M, K) are those before the change.
        reset: start from zero states; if False, go on from where the last call of `learn` ended.
        summed: add the changes up and make them at the end of the sequence, where that of 1997 has
        them (appendix A.1). decay: multiplies the rate after each step with a target; `rate` itself
        stays. stop: end with the first step where an output is so far off its target; later ones
        have no outputs.
        Raises TypeError for a dtype and ValueError for a shape, an index, a decay or a stop that
        does not fit.
        """
        index, value, at = self._checked(index, value, at)
        targets = _reals("targets", targets)
        if targets.shape != (len(at), self.wiring.K):
            wanted = f"(M={len(at)}, K={self.wiring.K})"
            raise ValueError(f"targets must be {wanted}, got {targets.shape}")
        if not 0 < decay <= 1:
            raise ValueError(f"decay must be in (0, 1], got {decay}")
        if not stop > 0:
            raise ValueError(f"stop must be a positive number, got {stop}")
        return self._run(index, value, at, targets, reset, self.rate, decay, stop, summed)

    def predict(
        self, index: ArrayLike, value: ArrayLike, at: ArrayLike, *, reset: bool = True
    ) -> Array:
        """The outputs (M, K) at the steps `at`, arguments as for `learn`; no weight changes."""
        index, value, at = self._checked(index, value, at)
        return self._run(index, value, at, np.empty((0, self.wiring.K)), reset, rate=0.0)

    def _run(
        self,
        index: Integers,
        value: Array,
        at: Integers,
        targets: Array,
        reset: bool,
        rate: float,
        decay: float = 1.0,
        stop: float = math.inf,
        summed: bool = False,
    ) -> Array:
        outputs = np.empty((len(at), self.wiring.K))
        if reset:
            engine.reset(self._memory)
        net = (self._form, self._weights, self._sums, self._memory)
        how = (rate, float(decay), float(stop), bool(summed))
        n = engine.sequence(*net, index, value, at, targets, *how, outputs)
        return outputs[:n]

    def _checked(
        self, index: ArrayLike, value: ArrayLike, at: ArrayLike
    ) -> tuple[Integers, Array, Integers]:
        """The arrays as the compiled loops take them: these check nothing themselves."""
        D = self.wiring.D
        index, at = _integers("index", index), _integers("at", at)
        value = _reals("value", value)
        if index.ndim != 2 or index.size == 0 or value.shape != index.shape:
            raise ValueError(
                "index and value must be (T, J) both, with T and J ≥ 1, got "
                f"{index.shape} and {value.shape}"
            )
        if index.view(np.uint64).max() >= D:  # below 0 is far above D there
            raise ValueError(
                f"index must lie in 0 … D−1={D - 1}, got {index.min()} … {index.max()}"
            )
        T = len(index)
        if (
            at.ndim != 1
            or (len(at) and (at[0] < 0 or at[-1] >= T))
            or (len(at) > 1 and (at[1:] <= at[:-1]).any())
        ):
            raise ValueError(f"at must be increasing steps in 0 … T−1={T - 1}, got {at}")
        return index, value, at


def sparse(x: ArrayLike) -> tuple[Integers, Array]:
    """The input (T, D) as `Net.learn` takes it: index and value (T, J) of all that is not zero.

    J is the largest number of these in a step; steps with fewer are filled up with zeros.
    """
    x = np.asarray(x, float)
    if x.ndim != 2:
        raise ValueError(f"x must be (T, D), got {x.shape}")
    J = max(1, int((x != 0).sum(1).max(initial=0)))
    index = np.argsort(x == 0, axis=1, kind="stable")[:, :J]  # what is not zero comes first
    return index, np.take_along_axis(x, index, axis=1)


def _integers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {array.dtype}")
    return np.ascontiguousarray(array, np.int64)


def _reals(name: str, values: ArrayLike) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}")
    return np.ascontiguousarray(array, np.float64)
