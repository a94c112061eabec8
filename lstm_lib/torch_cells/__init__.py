"""The recurrent cells in torch, from the equations, on the CPU and on the GPU.

`RNN`, `LSTM` and `GRU` hold the parameters of the one-layer `torch.nn` modules of the same name
(names, shapes, gate order), so that a state dict moves either way, and return what those return.
Autograd gives the gradient. `.trace(x, state)` returns every state and gate, as in `numpy_cells`.
"""

from lstm_lib.torch_cells.gru import GRU
from lstm_lib.torch_cells.lstm import LSTM
from lstm_lib.torch_cells.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN"]
