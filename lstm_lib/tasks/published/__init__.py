"""The tasks of 1997 to 2002, drawn and judged as they were published.

==================  ==========================================================
experiment          task
==================  ==========================================================
1                   ``Reber()``, on the embedded Reber grammar
2a, 2b              ``LongLag(100)``, ``LongLag(100, random_middle=True)``
2c                  ``NoisyLag(q, p)``
3a, 3b, 3c          ``TwoSequences(100, 3, variant="a")``, ``"b"``, ``"c"``
4, 5                ``Adding(100)``, ``Multiplication(100)``
6a, 6b              ``TemporalOrder(2)``, ``TemporalOrder(3)``
Gers et al. (2000)  ``ContinualReber()``
Gers et al. (2002)  ``SpikeDelays(49, spikes=100)``
==================  ==========================================================

The numbers 1 to 6b are those of Hochreiter & Schmidhuber (1997), section 5. A task draws one
sequence (`draw`), or several side by side (`batch`), measures what a net answered (`error`), and
names its published criteria (`rules`). `tasks.adding` is the later form of experiment 4, with
another range, another length and no criterion.
"""

from lstm_lib.tasks.published.reber import (
    EMBEDDED_REBER,
    REBER,
    SYMBOLS,
    ContinualReber,
    Grammar,
    Reber,
)
from lstm_lib.tasks.published.rules import Error, Rule, Window
from lstm_lib.tasks.published.symbols import LongLag, NoisyLag, TemporalOrder
from lstm_lib.tasks.published.task import PaddedBatch, Sequence, Task, pad
from lstm_lib.tasks.published.values import Adding, Multiplication, SpikeDelays, TwoSequences

__all__ = [
    "EMBEDDED_REBER",
    "REBER",
    "SYMBOLS",
    "Adding",
    "ContinualReber",
    "Error",
    "Grammar",
    "LongLag",
    "Multiplication",
    "NoisyLag",
    "PaddedBatch",
    "Reber",
    "Rule",
    "Sequence",
    "SpikeDelays",
    "Task",
    "TemporalOrder",
    "TwoSequences",
    "Window",
    "pad",
]
