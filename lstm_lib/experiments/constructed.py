"""Nets that get their cells after a while: sequential construction, as in experiments 2a and 2b.

"Abuse" is what Hochreiter & Schmidhuber (1997, section 4) call it when a net, early in training,
uses a memory cell for what a bias could do. Their first remedy: begin without cells, and add them
and their gates once the error has stopped decreasing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from lstm_lib.experiments.trials import Trials
from lstm_lib.online import Net
from lstm_lib.tasks.published import Sequence as Shown

CLOSED = -1000.0
"""A sum at which σ is 0 to the last bit: what is behind such a gate says and learns nothing."""


@dataclass(frozen=True, kw_only=True)
class Constructed(Trials):
    """Trials of nets whose outputs, which see the inputs, learn alone at first.

    When the mean error of `block` sequences is not below `settled` times that of the block before,
    the cells come in, with the weights that were drawn for them. The sequences before count too.
    At each step some input must be above 0 and none below, as of symbols: they close the gates.
    """

    gate: float = 0.0  #: added then to what inputs give to input gates: below 0 they start closed
    block: int = 100
    settled: float = 0.95

    def prepare(self, net: Net, draw: Callable[[], Shown]) -> int:
        inputs = (slice(self.net.D), self.net.columns.i)
        drawn = net.W.copy()
        net.W[inputs] = CLOSED
        n, before, mean = 0, math.inf, math.inf
        while n == 0 or (mean < self.settled * before and n < self.limit):
            errors = [self.learn(net, draw()).mean for _ in range(self.block)]
            before, mean = mean, sum(errors) / self.block
            n += self.block
        net.W[:] = drawn
        net.W[inputs] += self.gate
        return n
