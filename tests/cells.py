"""The three cells under test, each with its torch twins and a way to draw weights and states."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lstm_lib import torch_cells
from lstm_lib.numpy_cells import fast_gru, fast_lstm, fast_rnn, gru, lstm, rnn


class Family(NamedTuple):
    """One cell in its three forms."""

    name: str
    numpy: ModuleType
    ours: type[nn.Module]
    theirs: type[nn.Module]
    gates: str  # the trace's fields besides the states
    states: int  # arrays in a state


RNN = Family("rnn", rnn, torch_cells.RNN, nn.RNN, "", 1)
LSTM = Family("lstm", lstm, torch_cells.LSTM, nn.LSTM, "ifgo", 2)
GRU = Family("gru", gru, torch_cells.GRU, nn.GRU, "rzn", 1)
FAST_LSTM = LSTM._replace(name="fast_lstm", numpy=fast_lstm)
FAMILIES = (RNN, LSTM, GRU)
FAST_RNN = RNN._replace(name="fast_rnn", numpy=fast_rnn)
FAST_GRU = GRU._replace(name="fast_gru", numpy=fast_gru)
FAST = (FAST_RNN, FAST_LSTM, FAST_GRU)
IN_NUMPY = (*FAMILIES, *FAST)


def draw_params(
    family: Family, rng: np.random.Generator, D: int, H: int, dtype: Any = float
) -> Any:
    """Weights of which every entry is random, the biases too."""
    start = family.numpy.init_params(rng, D, H)
    return family.numpy.Params(*(rng.normal(0, H**-0.5, a.shape).astype(dtype) for a in start))


def draw_state(family: Family, rng: np.random.Generator, B: int, H: int, dtype: Any = float) -> Any:
    """A random state: a pair for the LSTM, else one array (B, H)."""
    arrays = tuple(rng.normal(size=(B, H)).astype(dtype) for _ in range(family.states))
    return arrays if family.states == 2 else arrays[0]


def as_arrays(state: Any) -> tuple[np.ndarray, ...]:
    """The arrays of a state or of parameters, whatever its form."""
    return state if isinstance(state, tuple) else (state,)


def state_dict(family: Family, params: Any) -> dict[str, torch.Tensor]:
    """torch's four parameters, written out here independently of `lstm_lib.convert`."""
    b_hh = np.zeros_like(params.b)
    if family.ours is torch_cells.GRU:
        b_hh[-len(params.b_hn) :] = params.b_hn
    arrays = {
        "weight_ih_l0": params.W_x.T,
        "weight_hh_l0": params.W_h.T,
        "bias_ih_l0": params.b,
        "bias_hh_l0": b_hh,
    }
    return {name: torch.tensor(array.copy()) for name, array in arrays.items()}


def torch_twins(family: Family, params: Any) -> Iterator[nn.Module]:
    """`torch_cells`' module and `torch.nn`'s with these weights."""
    D, H = params.W_x.shape[0], params.W_h.shape[0]
    for kind in (family.ours, family.theirs):
        module = kind(D, H).to(torch.tensor(params.W_x).dtype)
        module.load_state_dict(state_dict(family, params))
        yield module


def torch_state(state: Any, *, grad: bool = False) -> Any:
    """A state in torch's form, each array (1, B, H)."""
    tensors = tuple(torch.tensor(a[None], requires_grad=grad) for a in as_arrays(state))
    return tensors if len(tensors) == 2 else tensors[0]
