"""What the units of an on-line net do, step by step."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstm_lib.online._arrays import Array
from lstm_lib.online.net import Net


class Trace(NamedTuple):
    """A row a step; N blocks, of H cells together, and no columns for gates that are not there."""

    c: Array  #: (T, H)
    h: Array  #: (T, H)
    i: Array  #: (T, N)
    f: Array  #: (T, N)
    o: Array  #: (T, N)
    y: Array  #: (T, K), the outputs


def trace(net: Net, index: ArrayLike, value: ArrayLike) -> Trace:
    """Go through a sequence from zero states, without learning, and keep what the units do.

    index, value: (T, J), as `Net.learn` takes them, and so are the errors.
    """
    index, value, _ = net._checked(index, value, [])
    y, c, u = list[Array](), list[Array](), list[Array]()
    for t in range(len(index)):
        y += [net.predict(index[t : t + 1], value[t : t + 1], [0], reset=t == 0)[0]]
        c += [net.c]
        u += [net._memory.u.copy()]  # h, i, f, o: what the next step may see
    H, N = net.wiring.H, net.wiring.N
    widths = [H, N, N * net.wiring.forget_gate, N * net.wiring.output_gate]
    h, i, f, o, _ = np.split(np.array(u), np.cumsum(widths), axis=1)
    return Trace(np.array(c), h, i, f, o, np.array(y))
