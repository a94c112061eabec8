"""Timing several calls side by side: warm-up, turns that alternate, medians and quartiles."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

Clock = Callable[[], float]
Times = dict[str, list[float]]  # seconds a call, one number a round


def interleave(
    calls: Mapping[str, Callable[[], Any]],
    *,
    clock: Clock = time.process_time,
    seconds: float,
    rounds: int = 5,
    turn: float = 0.005,
    pause: float = 0.0,
) -> Times:
    """Time the calls in turn, A B C A B C …, for about `seconds`, at least `rounds` rounds.

    Whatever slows the machine for a while then slows all of them, and the ratio within a round
    stays fair. A warm-up call each comes first; it also says how often a short call is repeated,
    so that a turn takes about `turn` seconds. clock: the default counts the work of all threads of
    the process. pause: seconds of sleep before each turn, for the threads of the one before to stop
    spinning. Raises ValueError where there would be no round.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    repeats = {name: _repeats(call, clock, turn) for name, call in calls.items()}
    times: Times = {name: [] for name in calls}
    with _no_collection():
        start = time.perf_counter()
        done = 0
        while done < rounds or time.perf_counter() - start < seconds:
            for name, call in calls.items():
                time.sleep(pause)
                before = clock()
                for _ in range(repeats[name]):
                    call()
                times[name].append((clock() - before) / repeats[name])
            done += 1
            gc.collect()
    return times


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage is collected in the block unless asked for; then all is as it was before."""
    enabled, frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.disable()  # else one contestant pays for the garbage of another
    if not frozen:
        gc.freeze()  # what is there now is not looked at: collections in the block are short
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
        if enabled:
            gc.enable()


def _repeats(call: Callable[[], Any], clock: Clock, turn: float) -> int:
    """How often to repeat a call in a turn. The first call warms up: it may compile."""
    call()
    before = clock()
    call()
    took = clock() - before
    return max(1, min(100, round(turn / took))) if took > 0 else 100


def quartiles(values: list[float]) -> list[float]:
    """The first quartile, the median and the third, to four significant digits."""
    return [float(f"{q:.4g}") for q in np.quantile(values, [0.25, 0.5, 0.75])]


def compare(times: Times, reference: str) -> dict[str, Any]:
    """Quartiles of seconds, and of reference / each within a round: above 1 is faster.

    Raises ValueError where the reference is not among the times, or a time is 0.
    """
    if reference not in times:
        raise ValueError(f"reference must be one of {', '.join(times)}, got {reference!r}")
    for name, own in times.items():
        if not min(own) > 0:
            raise ValueError(
                f"the times of {name} must be above 0, got {min(own)}: the clock is too coarse "
                "for these calls; interleave takes another clock, or a longer turn"
            )
    ratios = {
        name: [there / here for there, here in zip(times[reference], own, strict=True)]
        for name, own in times.items()
    }
    return {
        "rounds": len(times[reference]),
        "seconds": {name: quartiles(own) for name, own in times.items()},
        "ratio": {name: quartiles(own) for name, own in ratios.items()},
    }


def geometric_mean(values: list[float]) -> float:
    """The mean for ratios: of 2 and 1/2 it is 1."""
    return float(np.exp(np.mean(np.log(values))))


def slope(n: list[int], seconds: list[float], last: int = 3) -> float:
    """The exponent p of seconds ~ n^p over the `last` points: a straight line through the logs."""
    return float(np.polyfit(np.log(n[-last:]), np.log(seconds[-last:]), 1)[0])
