"""How long did a spike keep one waiting? One cell that can see its state, and one that cannot.

Gers, Schraudolph & Schmidhuber (2002), section 4, without continual streams: a sequence ends with
its one spike, after F or F + 1 steps, and there the net says which. 17 weights with peepholes, 14
without.
"""

from collections.abc import Iterator
from dataclasses import replace

from lstm_lib.experiments.trials import Trials
from lstm_lib.online import NETS
from lstm_lib.tasks.published import SpikeDelays

NOTE = (
    "g and h of 1997, where the paper has none; rate 0.2 and no momentum, where it has 0.00001 and "
    "0.99; forget-gate biases start at 2, since with -2 nothing was learnt"
)


def _spikes() -> Iterator[Trials]:
    """F = 10 takes seconds. F = 49 was not learnt within a million sequences: a night at least."""
    for F, limit in ((10, 300_000), (49, 100_000_000)):
        for name, peepholes in (("with peepholes", True), ("without", False)):
            yield Trials(
                name=f"spikes F={F} {name}",
                task=SpikeDelays(F),
                net=replace(
                    NETS["Gers 2002"],
                    peepholes=peepholes,
                    input_biases=(0.0,),
                    forget_biases=(2.0,),
                    output_biases=(2.0,),
                ),
                rate=0.2,
                limit=limit,
                every=100,
                seeds=5,
                long=F == 49,
                note=NOTE,
            )


EXPERIMENTS = (*_spikes(),)
