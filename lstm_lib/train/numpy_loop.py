"""A cell of `numpy_cells` with a linear readout, trained with Adam: no torch, every line visible.

z = h_T W_y + b_y    (or at every step, z_t = h_t W_y + b_y)
"""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lstm_lib.numpy_cells._arguments import check_size
from lstm_lib.train.history import (
    History,
    Recorder,
    check_rates,
    gradient_not_finite,
    loss_not_finite,
)

Array = NDArray[np.floating]


class Model(NamedTuple):
    """A recurrent cell and a linear readout of its hidden state."""

    cell: ModuleType  #: lstm_lib.numpy_cells.rnn, .lstm or .gru
    params: Any  #: cell.Params
    W_y: Array  #: (H, K)
    b_y: Array  #: (K,)


def init_model(
    rng: np.random.Generator,
    cell: ModuleType,
    D: int,
    H: int,
    K: int,
    *,
    dtype: DTypeLike = np.float32,
    **init: Any,
) -> Model:
    """A model with D inputs, H hidden units and K outputs, drawn from `rng`.

    `init` goes to cell.init_params: forget_bias for the LSTM, spectral_radius for the RNN.
    W_y is U(−1/√H, 1/√H), b_y zero. Raises ValueError if a size is below 1.
    """
    K = check_size("K", K)
    params = cell.init_params(rng, D, H, dtype=dtype, **init)
    W_y = rng.uniform(-(H**-0.5), H**-0.5, (H, K)).astype(dtype)
    return Model(cell, params, W_y, np.zeros(K, dtype))


def predict(model: Model, x: Array, *, each_step: bool = False) -> Array:
    """The readout z after the last step, (B, K), or of each step, (T, B, K).

    x: (T, B, D) of the model's dtype. For classes these are logits: `.argmax(-1)` is the answer.
    """
    h = model.cell.forward(model.params, x).h
    return (h[1:] if each_step else h[-1]) @ model.W_y + model.b_y


def loss_and_gradients(model: Model, x: Array, y: NDArray[Any]) -> tuple[float, Model]:
    """The mean loss of a batch and its derivative by each weight, shaped as the model.

    Integer y, (B,) or (T, B): softmax cross-entropy in nats. Float y, (B, K) or (T, B, K): mean
    squared error. A y with a time axis asks for an answer at each step, else after the last.
    Raises ValueError if y has neither shape, or a class is not among 0 … K − 1.
    """
    trace = model.cell.forward(model.params, x)
    y, (T, B, _) = np.asarray(y), x.shape
    each_step = _each_step(y, T, B, model.b_y.size)
    h = trace.h[1:] if each_step else trace.h[-1]
    z = h @ model.W_y + model.b_y
    loss, dz = (_cross_entropy if y.dtype.kind in "iu" else _squared_error)(z, y)
    dh = np.zeros_like(trace.h[1:])
    dh[... if each_step else -1] = dz @ model.W_y.T
    dparams = model.cell.backward(model.params, x, trace, dh).params
    H, K = model.W_y.shape
    dz = dz.reshape(-1, K)
    return loss, Model(model.cell, dparams, h.reshape(-1, H).T @ dz, dz.sum(0))


def fit_numpy(
    model: Model,
    batches: Callable[[], Any],
    *,
    updates: int,
    lr: float = 2e-3,
    clip: float | None = 1.0,
    target: float | None = None,
    patience: int | None = None,
    progress: bool = True,
) -> tuple[Model, History]:
    """Train with Adam, one call of `batches` an update; returns a new model and the record.

    batches: returns (x, y, …), such as a `tasks.Batch`; y decides the loss, see
    `loss_and_gradients`. clip: the gradients of all weights together are scaled down to this
    Euclidean norm (Pascanu et al. 2013); None: never. Ends when the running loss (mean of
    `WINDOW` updates) is at most `target`, or has not fallen for `patience` updates.

    Raises FloatingPointError, naming the update and the weight, for a loss or gradient that is
    NaN or infinite. The model that came in is never changed.
    """
    check_rates(lr, clip)
    theta, model = _flatten(model)
    adam = Adam(theta, lr)
    with Recorder(updates, target=target, patience=patience, progress=progress) as run:
        while not run.stopped:
            update = len(run.loss) + 1
            x, y, *_ = batches()
            loss, gradients = loss_and_gradients(model, x, y)
            if not np.isfinite(loss):
                bad = [name for name, a in {"x": x, "y": y}.items() if not np.isfinite(a).all()]
                raise loss_not_finite(update, loss, bad)
            d_theta = np.concatenate([d.ravel() for d in _arrays(gradients)])
            norm = float(np.linalg.norm(d_theta))
            if not np.isfinite(norm):
                raise gradient_not_finite(update, *_culprit(gradients))
            if clip is not None and norm > clip:
                d_theta *= clip / (norm + 1e-6)  # 1e-6 as in torch
            adam.step(d_theta)
            run.record(loss, norm)
        return model, run.history()


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) on one flat vector θ, changed in place.

    m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁^t)
    v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂^t)
    θ ← θ − α m̂ / (√v̂ + ε)
    """

    def __init__(
        self,
        theta: Array,
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.theta, self.lr, self.betas, self.eps = theta, lr, betas, eps
        self.m, self.v, self.t = np.zeros_like(theta), np.zeros_like(theta), 0

    def step(self, g: Array) -> None:
        """Move θ by one update along the gradient g."""
        beta_1, beta_2 = self.betas
        self.t += 1
        self.m += (1 - beta_1) * (g - self.m)
        self.v += (1 - beta_2) * (g * g - self.v)
        m_hat = self.m / (1 - beta_1**self.t)
        v_hat = self.v / (1 - beta_2**self.t)
        self.theta -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


def _arrays(model: Model) -> Sequence[Array]:
    return [*model.params, model.W_y, model.b_y]


def _flatten(model: Model) -> tuple[Array, Model]:
    """One vector with a copy of all weights, and the model whose weights are views of it.

    Adam's few operations on one vector cost a fifth of the same on five arrays.
    """
    arrays = _arrays(model)
    theta = np.concatenate([array.ravel() for array in arrays])
    pieces = np.split(theta, np.cumsum([array.size for array in arrays])[:-1])
    views = [piece.reshape(array.shape) for piece, array in zip(pieces, arrays, strict=True)]
    *params, W_y, b_y = views
    return theta, Model(model.cell, model.cell.Params(*params), W_y, b_y)


def _culprit(gradients: Model) -> tuple[str, float]:
    """Name and norm of the first weight whose gradient is not finite, else of the largest."""
    names = [*(f"params.{name}" for name in gradients.params._fields), "W_y", "b_y"]
    norms = [float(np.linalg.norm(d)) for d in _arrays(gradients)]
    worst = int(np.argmax(np.where(np.isfinite(norms), norms, np.inf)))
    return names[worst], norms[worst]


def _each_step(y: NDArray[Any], T: int, B: int, K: int) -> bool:
    """Whether y has a time axis; ValueError if it fits neither way."""
    if y.dtype.kind not in "iuf":
        raise TypeError(f"y must be integers (classes) or floats (values), got {y.dtype}")
    last = (B, K) if y.dtype.kind == "f" else (B,)
    if y.shape not in (last, (T, *last)):
        raise ValueError(f"y must be {last} or, for an answer a step, {(T, *last)}, got {y.shape}")
    if not y.size:
        raise ValueError(f"y must hold at least one target, got {y.shape}")
    return y.shape != last


def _cross_entropy(z: Array, y: NDArray[np.integer]) -> tuple[float, Array]:
    """Mean of −ln softmax(z)[y], and its derivative by z, (softmax(z) − one-hot(y)) / N."""
    K = z.shape[-1]
    if y.min() < 0 or y.max() >= K:
        raise ValueError(f"y must hold classes 0 … {K - 1}, got {y.min()} … {y.max()}")
    shifted = z - z.max(axis=-1, keepdims=True)  # else e^z overflows
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_sum
    here = y[..., None]
    loss = -float(np.take_along_axis(log_p, here, -1).mean())
    dz = np.exp(log_p)
    np.put_along_axis(dz, here, np.take_along_axis(dz, here, -1) - 1, -1)
    return loss, dz / y.size


def _squared_error(z: Array, y: Array) -> tuple[float, Array]:
    """Mean of (z − y)², and its derivative by z."""
    error = z - y.astype(z.dtype, copy=False)
    return float(np.mean(error**2)), error * (2 / error.size)
