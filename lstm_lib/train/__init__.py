"""Training a recurrent net, with a progress bar, early stopping and a record of what happened.

`fit` trains any `torch.nn.Module`; `fit_numpy` is the same loop over `numpy_cells`, for chapters
that read better without torch. Given the same weights and batches, both give the same curve.
`run` is for what takes long: seeded, scheduled, validated, and resumed after a kill; started by
torchrun it trains one model with several processes, each of which takes its `share` of a batch.
torch is imported when one of its parts is first used, not before.
"""

from typing import TYPE_CHECKING, Any

from lstm_lib.train.history import WINDOW, History
from lstm_lib.train.numpy_loop import Model, fit_numpy, init_model, loss_and_gradients, predict

if TYPE_CHECKING:
    from lstm_lib.train.distributed import device, rank, share
    from lstm_lib.train.runs import Config, Run, rng_for, run
    from lstm_lib.train.sequences import (
        Padded,
        last_step,
        loss_over_steps,
        mask,
        mean_over_steps,
        minibatches,
        packed,
        pad,
    )
    from lstm_lib.train.torch_loop import Reader, fit

__all__ = [
    "WINDOW",
    "Config",
    "History",
    "Model",
    "Padded",
    "Reader",
    "Run",
    "device",
    "fit",
    "fit_numpy",
    "init_model",
    "last_step",
    "loss_and_gradients",
    "loss_over_steps",
    "mask",
    "mean_over_steps",
    "minibatches",
    "packed",
    "pad",
    "predict",
    "rank",
    "rng_for",
    "run",
    "share",
]


def __getattr__(name: str) -> Any:
    if name in ("Reader", "fit"):
        from lstm_lib.train import torch_loop

        return getattr(torch_loop, name)
    if name in ("device", "rank", "share"):
        from lstm_lib.train import distributed

        return getattr(distributed, name)
    if name in ("Config", "Run", "rng_for", "run"):
        from lstm_lib.train import runs

        return getattr(runs, name)
    if name in __all__:  # all others are loaded already
        from lstm_lib.train import sequences

        return getattr(sequences, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
