"""One training loop for every torch module of the course, and a readout to put on a cell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from lstm_lib.train.history import (
    History,
    Recorder,
    check_rates,
    gradient_not_finite,
    loss_not_finite,
)

Loss = Callable[[Tensor, Tensor], Tensor]


def new_readout(H: int, outputs: int, like: Tensor, generator: torch.Generator | None) -> nn.Linear:
    """A readout drawn from U(−1/√H, 1/√H), its bias zero, of the device and dtype of `like`."""
    readout = nn.utils.skip_init(nn.Linear, H, outputs, device=like.device, dtype=like.dtype)
    nn.init.uniform_(readout.weight, -(H**-0.5), H**-0.5, generator=generator)
    nn.init.zeros_(readout.bias)
    return readout


class Reader(nn.Module):
    """A recurrent cell and a linear readout of its output.

    cell: maps x (T, B, D) to (output (T, B, H), state), as `torch_cells` and `torch.nn` do.
    Calling the module gives (B, outputs) from the last step, or (T, B, outputs) where each_step.
    The readout starts from U(−1/√H, 1/√H) drawn with `generator`, its bias at zero.
    """

    def __init__(
        self,
        cell: nn.Module,
        outputs: int,
        *,
        each_step: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if getattr(cell, "batch_first", False):
            raise ValueError("cell must be time-major: batch_first must be False, got True")
        self.cell, self.each_step = cell, each_step
        W_h = next(p for name, p in cell.named_parameters() if name.startswith("weight_hh"))
        H = W_h.shape[1] * (2 if getattr(cell, "bidirectional", False) else 1)
        self.readout = new_readout(H, outputs, W_h, generator)

    def forward(self, x: Tensor) -> Tensor:
        """x (T, B, D) to (B, outputs), or to (T, B, outputs) where each_step."""
        output, _ = self.cell(x)
        return self.readout(output if self.each_step else output[-1])


def fit(
    model: nn.Module,
    batches: Callable[[], Any],
    *,
    updates: int,
    lr: float = 2e-3,
    clip: float | None = 1.0,
    loss: Loss | None = None,
    target: float | None = None,
    patience: int | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> History:
    """Train `model` in place with Adam, one call of `batches` an update; returns the record.

    batches: returns (x, y, …), arrays or tensors, such as a `tasks.Batch`; model(x) is compared
    with y. loss: None for cross-entropy (nats) where y is an integer and mean squared error where
    it is a float, else a function of (prediction, y). clip: the gradients of all weights together
    are scaled down to this Euclidean norm (Pascanu et al. 2013); None: never. Ends when the
    running loss (mean of `WINDOW` updates) is at most `target`, or has not fallen for `patience`
    updates. device: None for CUDA where there is one, else the CPU; afterwards the model is back
    on the device and in the training or evaluation mode that it came with.

    Raises FloatingPointError, naming the update and the weight, for a loss or gradient that is
    NaN or infinite; ValueError for a device that does not exist or a y that does not fit. After
    an error or an interrupt the model keeps the weights of its last update, and can be used.
    """
    check_rates(lr, clip)
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not weights:
        raise ValueError("model must have a parameter that requires a gradient, it has none")
    loss = loss or default_loss
    where = _device(device)
    with (
        _training(model, where),
        Recorder(updates, target=target, patience=patience, progress=progress) as run,
    ):
        optimiser = torch.optim.Adam(weights.values(), lr=lr)
        while not run.stopped:
            update = len(run.loss) + 1
            x, y, *_ = batches()
            x, y = _tensor(x).to(where), _tensor(y).to(where)
            optimiser.zero_grad()
            value = loss(model(x), y)
            if not value.isfinite():
                bad = [name for name, a in {"x": x, "y": y}.items() if not a.isfinite().all()]
                raise loss_not_finite(update, value.item(), bad)
            value.backward()
            run.record(value.item(), _clip(weights, clip, update))
            optimiser.step()
        return run.history()


def default_loss(prediction: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy in nats for integer y, mean squared error for float y.

    prediction: y's shape, with one more axis, the classes, at the end where y is an integer.
    """
    if y.is_complex() or y.dtype == torch.bool:
        raise TypeError(f"y must be integers (classes) or floats (values), got {y.dtype}")
    classes = not y.is_floating_point()
    if prediction.shape[: y.ndim] != y.shape or prediction.ndim != y.ndim + classes:
        wanted = f"{tuple(y.shape)} and then the classes" if classes else f"{tuple(y.shape)}"
        raise ValueError(f"the prediction must be {wanted}, as y, got {tuple(prediction.shape)}")
    if not y.numel():
        raise ValueError(f"y must hold at least one target, got {tuple(y.shape)}")
    if classes:
        K = prediction.shape[-1]
        low, high = y.aminmax()
        if low < 0 or high >= K:  # torch leaves −100 out, and on a GPU any other ends the process
            raise ValueError(f"y must hold classes 0 … {K - 1}, got {low} … {high}")
        return F.cross_entropy(prediction.flatten(0, -2), y.flatten().long())
    return F.mse_loss(prediction, y)


def _tensor(values: Any) -> Tensor:
    """A tensor of them; of an array a copy, as torch takes no negative strides."""
    if isinstance(values, np.ndarray):
        values = np.array(values, order="C")
    return torch.as_tensor(values)


def _clip(weights: dict[str, nn.Parameter], clip: float | None, update: int) -> float:
    """Scale all gradients down to norm `clip` together; returns the norm that they had."""
    gradients = {name: p.grad for name, p in weights.items() if p.grad is not None}
    total = get_total_norm(gradients.values())
    norm = total.item()
    if norm - norm != 0:  # NaN or infinite
        norms = {name: float(g.norm()) for name, g in gradients.items()}
        worst = max(norms, key=lambda name: (norms[name] != norms[name], norms[name]))
        raise gradient_not_finite(update, worst, norms[worst])
    if clip is not None:
        clip_grads_with_norm_(weights.values(), clip, total)
    return norm


@contextmanager
def _training(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Put the model in training mode on a device, and back as it was, whatever happens."""
    home = next(model.parameters()).device
    modes = {module: module.training for module in model.modules()}
    try:
        model.to(device).train()
        yield
    finally:
        model.zero_grad(set_to_none=True)
        model.to(home)
        for module, mode in modes.items():
            module.training = mode


def _device(device: str | torch.device | None) -> torch.device:
    """The device meant; ValueError, naming those there are, for one that is not there."""
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    there = ["cpu"]
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator()
        there += [f"{kind}:{k}" for k in range(torch.accelerator.device_count())]
    name = str(device)
    if name not in there and f"{name}:0" not in there:
        raise ValueError(f"device must be one of {', '.join(there)}, got {name!r}")
    return torch.device(name)
