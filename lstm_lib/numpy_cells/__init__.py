"""The recurrent cells in NumPy: the reference that everything else in the course is compared with.

Each of the modules `rnn`, `lstm` and `gru` holds one cell, with the same five names::

    init_params(rng, D, H, *, dtype=np.float64) -> Params
    forward(params, x, state=None) -> Trace
    backward(params, x, trace, dh, dstate=None) -> Gradients(params, x, state)

The equations stand in each module's docstring; the loops below them are those lines. `fast_rnn`,
`fast_lstm` and `fast_gru` give the same with the same names, sooner; `segmented` in less memory.
`lstm_1997` is the first LSTM, in memory blocks, with the same names and options of its own;
`variant` is the LSTM with any parts of a `lstm_lib.family.Design` added or taken away. `mgu`,
`min_lstm` and `slstm` are later cells.
"""

from lstm_lib.numpy_cells import (
    fast_gru,
    fast_lstm,
    fast_rnn,
    gru,
    lstm,
    lstm_1997,
    mgu,
    min_lstm,
    rnn,
    segmented,
    slstm,
    variant,
)
from lstm_lib.numpy_cells.activations import sigmoid

__all__ = [
    "fast_gru",
    "fast_lstm",
    "fast_rnn",
    "gru",
    "lstm",
    "lstm_1997",
    "mgu",
    "min_lstm",
    "rnn",
    "segmented",
    "sigmoid",
    "slstm",
    "variant",
]
