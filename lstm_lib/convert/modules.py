"""Whole torch modules to parameters of `lstm_lib.numpy_cells`, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstm_lib.convert.conventions import Cell
from lstm_lib.convert.weights import convert_weights
from lstm_lib.numpy_cells import gru, lstm, rnn

if TYPE_CHECKING:
    from torch import nn

Params = lstm.Params | gru.Params | rnn.Params
PARAMS: dict[Cell, Any] = {"lstm": lstm.Params, "gru": gru.Params, "rnn": rnn.Params}


def from_torch(module: nn.Module) -> Params:
    """Return the weights of a torch module as the `Params` of the same cell in `numpy_cells`.

    module: a one-layer torch.nn.LSTM, GRU or RNN, or one of `lstm_lib.torch_cells`, on any device.
    The two biases are summed (in the GRU, b_hn stays apart, inside the reset); where bias=False
    they are zero. The dtype is kept, nothing is shared with the module.
    Raises TypeError for another module or a dtype other than float32 and float64, ValueError for
    several layers, two directions, a projection or ReLU, none of which `numpy_cells` has.
    """
    cell = _cell_of(module)
    _check_options(module)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    tensors = {name: getattr(module, name).detach() for name in names[:2]}
    for name in names[2:]:
        has_bias = getattr(module, "bias", True)
        zero = tensors["weight_hh_l0"].new_zeros(tensors["weight_hh_l0"].shape[0])
        tensors[name] = getattr(module, name).detach() if has_bias else zero
    for name, tensor in tensors.items():
        if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
            raise TypeError(f"{name} must be float32 or float64, got {tensor.dtype}")
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
    return PARAMS[cell](**convert_weights(arrays, "pytorch", "lstm_lib", cell=cell))


def to_torch(params: Params) -> nn.RNNBase:
    """Return a one-layer torch.nn.LSTM, GRU or RNN on the CPU with these weights.

    b goes to bias_ih_l0 and bias_hh_l0 is zero (in the GRU its last third is b_hn). The dtype is
    kept, nothing is shared, and torch's global random generator is left as it was.
    Raises TypeError for anything but the `Params` of a cell in `numpy_cells` or a dtype other than
    float32 and float64, ValueError for shapes that do not fit each other.
    """
    import torch

    cell = next((cell for cell, kind in PARAMS.items() if isinstance(params, kind)), None)
    if cell is None:
        wanted = "the Params of lstm, gru or rnn in lstm_lib.numpy_cells"
        raise TypeError(f"params must be {wanted}, got {type(params).__name__}")
    arrays = convert_weights(params._asdict(), "lstm_lib", "pytorch", cell=cell)
    if str(params.W_x.dtype) not in ("float32", "float64"):
        raise TypeError(f"W_x must be float32 or float64, got {params.W_x.dtype}")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    kinds: dict[Cell, Any] = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
    D, H = params.W_x.shape[0], params.W_h.shape[0]
    module = kinds[cell](D, H, device="meta")  # draws nothing, so the generator stays as it was
    module.load_state_dict(tensors, assign=True)
    return module


def _cell_of(module: Any) -> Cell:
    from torch import nn

    from lstm_lib import torch_cells

    kinds: dict[Cell, tuple[type, ...]] = {
        "lstm": (nn.LSTM, torch_cells.LSTM),
        "gru": (nn.GRU, torch_cells.GRU),
        "rnn": (nn.RNN, torch_cells.RNN),
    }
    for cell, classes in kinds.items():
        if isinstance(module, classes):
            return cell
    wanted = "LSTM, GRU or RNN of torch.nn or lstm_lib.torch_cells"
    raise TypeError(f"module must be an {wanted}, got {type(module).__name__}")


def _check_options(module: Any) -> None:
    """Raise for what torch.nn can do and one cell of `numpy_cells` cannot."""
    plain = {"num_layers": 1, "bidirectional": False, "proj_size": 0, "nonlinearity": "tanh"}
    for option, value in plain.items():
        came = getattr(module, option, value)
        if came != value:
            raise ValueError(f"module must have {option}={value!r}, got {came!r}")
