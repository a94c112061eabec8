"""Nets of memory blocks trained as in 1997: on-line, plain gradient, truncated, forwards.

`Net(Wiring(D=2, K=1, N=2, S=2), rng, rate=0.5)` is one net of one seed; its `learn` goes through a
sequence and changes the weights at each step that has a target. `NETS` has the wirings of the
published experiments. The change is `rate` times the truncated gradient of `numpy_cells.lstm_1997`,
computed forwards, with the forget gates of 2000 and the peepholes of 2002 where asked for.

With numba (`pip install numba`) a sequence of 100 steps through 93 weights takes some 30 µs, in
Python alone 15 ms, with the same result; `COMPILED` says which it is.
"""

from lstm_lib.online._engine import njit as _njit
from lstm_lib.online.net import Net, sparse
from lstm_lib.online.published import NETS
from lstm_lib.online.tracing import Trace, trace
from lstm_lib.online.wiring import Columns, Wiring

#: Whether numba is installed, and so the loops are compiled.
COMPILED = _njit is not None

__all__ = ["COMPILED", "NETS", "Columns", "Net", "Trace", "Wiring", "sparse", "trace"]
