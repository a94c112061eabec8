"""How long did a spike keep one waiting? One cell that can see its state, and one that cannot.

Gers, Schraudolph & Schmidhuber (2002), section 4, without continual streams: a sequence ends with
its one spike, after F or F + 1 steps, and there the net says which. 17 weights with peepholes, 14
without.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lstm_lib.experiments.runner import Row
from lstm_lib.experiments.trials import Trials
from lstm_lib.online import NETS
from lstm_lib.tasks.published import SpikeDelays

NOTE = (
    "g and h of 1997, where the paper has none; rate 0.2 and no momentum, where it has 0.00001 and "
    "0.99; forget-gate biases start at 2, since with -2 nothing was learnt"
)


@dataclass(frozen=True, kw_only=True)
class LastingTrials(Trials):
    """Trials with a second reading of the test, which is first passed by luck: for good."""

    watched: int  #: sequences that a net is trained on, whether it passes before or not

    def trial(self, seed: int) -> Row:
        """As `Trials.trial`, and under "met" also "for good", see `for_good`."""
        row = super().trial(seed)
        return {**row, "met": {**row["met"], "for good": self.for_good(seed)}}

    def for_good(self, seed: int) -> int | None:
        """After how many sequences the test was passed, and at every later check; None if never.

        The same net from the same start: its first pass is that of `Trials.trial`.
        """
        net, draw, exam, _ = self.begin(seed)
        since = None
        for n in range(1, self.watched + 1):
            self.learn(net, draw())
            if n % self.every == 0:
                passed = self._passes(net, self.task.rules["test"], exam())
                since = (since or n) if passed else None
        return since

    def about(self) -> dict[str, Any]:
        about = super().about()
        lasting = f"{about['criteria']['test']}, and no later test failed up to {self.watched:,}"
        return {**about, "criteria": {**about["criteria"], "for good": lasting}}


def _spikes() -> Iterator[Trials]:
    """F = 10 takes minutes. F = 49 was not learnt within a million sequences: a night at least."""
    for F, kind in (
        (10, partial(LastingTrials, limit=300_000, watched=80_000)),
        (49, partial(Trials, limit=100_000_000, long=True)),
    ):
        for name, peepholes in (("with peepholes", True), ("without", False)):
            yield kind(
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
                every=100,
                seeds=5,
                note=NOTE,
            )


EXPERIMENTS = (*_spikes(),)
