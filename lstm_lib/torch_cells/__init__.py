"""The recurrent cells in torch, from the equations, on the CPU and on the GPU.

`RNN`, `LSTM` and `GRU` hold the parameters of the one-layer `torch.nn` modules of the same name
(names, shapes, gate order), so that a state dict moves either way, and return what those return.
`.trace(x, state)` returns every state and gate, as in `numpy_cells`.

`LSTM1997` holds those of `numpy_cells.lstm_1997`, whose equations it computes.

`Variant`, any cell of `family`, holds those of `numpy_cells.variant`, with an axis over seeds where
several nets are trained side by side. So do its relatives `MGU`, `MinLSTM` and `SLSTM`, and, to
compare with, `SeededRNN` and `SeededGRU`.

`LSTM` and `GRU` compute the same in several ways, their `backend`:

- "loop": the equations, step by step; autograd derives the gradient, and second derivatives too.
- "fused": one matmul a step, in place, with the backward pass written out (`fused_lstm`).
- "graph": that loop recorded as a CUDA graph, which the GPU repeats without Python (`graph`).
- "triton": one GPU kernel walks over all steps (`triton_lstm`).
- "auto": "triton" on a CUDA device where it can run, else "fused".

`backends(device, dtype, H)` says which of them can run there, and what the others lack.
"""

from lstm_lib.torch_cells._backends import backends
from lstm_lib.torch_cells.gru import GRU
from lstm_lib.torch_cells.lstm import LSTM
from lstm_lib.torch_cells.lstm_1997 import LSTM1997
from lstm_lib.torch_cells.mgu import MGU
from lstm_lib.torch_cells.min_lstm import MinLSTM
from lstm_lib.torch_cells.rnn import RNN
from lstm_lib.torch_cells.seeded import SeededGRU, SeededRNN
from lstm_lib.torch_cells.slstm import SLSTM
from lstm_lib.torch_cells.variant import Variant

__all__ = [
    "GRU",
    "LSTM",
    "LSTM1997",
    "MGU",
    "RNN",
    "SLSTM",
    "MinLSTM",
    "SeededGRU",
    "SeededRNN",
    "Variant",
    "backends",
]
