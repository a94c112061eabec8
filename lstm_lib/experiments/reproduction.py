"""Results beside the published numbers, as numbers and as a table."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lstm_lib import recorded


class Summary(NamedTuple):
    """An experiment by one criterion, over its seeds."""

    experiment: str
    criterion: str
    rule: str  #: the criterion in words
    weights: int
    trials: int
    solved: int  #: trials that met the criterion before their limit
    mean: float  #: training sequences until then, of those that did; NaN without any
    low: float  #: the 95 % interval of the mean: 10,000 bootstrap samples; NaN with fewer than two
    high: float
    published: float | None  #: training sequences
    published_success: float | None  #: percent
    seconds: float  #: of the processor, all trials together

    @property
    def ratio(self) -> float | None:
        """Ours / published; None where nothing is published."""
        return self.mean / self.published if self.published else None


def summaries(results: Iterable[dict[str, Any]]) -> list[Summary]:
    """Of each result of `runner.run` one line a criterion; none where no row has "met"."""
    found = []
    for one in results:
        rows = [row for row in one["rows"] if "met" in row]
        for criterion, rule in one.get("criteria", {}).items() if rows else ():
            n = [row["met"][criterion] for row in rows if row["met"][criterion] is not None]
            low, high = _interval(n)
            found.append(
                Summary(
                    one["name"],
                    criterion,
                    rule,
                    one["weights"],
                    len(rows),
                    len(n),
                    float(np.mean(n)) if n else math.nan,
                    low,
                    high,
                    one["published"].get(criterion),
                    one["published_success"],
                    sum(row["seconds"] for row in rows),
                )
            )
    return found


def reproduced() -> list[dict[str, Any]]:
    """All that `runner.record` keeps."""
    return [one for name in recorded.names() for one in recorded.read(name).get("experiments", ())]


def table(results: Iterable[dict[str, Any]]) -> str:
    """The summaries as lines of text; an experiment's name, weights and time in its first.

    Empty without any.
    """
    heads = ("experiment", "weights", "criterion", "solved", "sequences (95 % interval)")
    lines = [(*heads, "published", "ratio", "time")]
    before = ""
    for one in summaries(results):
        first = one.experiment != before
        before = one.experiment
        published = ratio = ""
        if one.published:
            published = f"{one.published:,.0f} ({one.published_success:g} %)"
            ratio = f"{one.ratio:.2f}" if one.solved else ""
        lines.append(
            (
                one.experiment if first else "",
                f"{one.weights:,}" if first else "",
                one.rule,
                f"{one.solved}/{one.trials}",
                _mean(one),
                published,
                ratio,
                _time(one.seconds) if first else "",
            )
        )
    return aligned(lines) if before else ""


def loss_table(results: Iterable[dict[str, Any]]) -> str:
    """A line for each result whose rows have a held-out "loss", as `ablations` has; else empty."""
    lines = [("experiment", "weights", "learnt", "median loss", "time")]
    for one in results:
        if losses := [row["loss"] for row in one["rows"] if "loss" in row]:
            # None is a loss that is not finite.
            median = np.median([math.inf if loss is None else loss for loss in losses])
            learnt = sum(row["met"]["learnt"] is not None for row in one["rows"])
            time = _time(sum(row["seconds"] for row in one["rows"]))
            count = f"{learnt}/{len(losses)}"
            lines.append((one["name"], f"{one['weights']:,}", count, f"{median:.3g}", time))
    return aligned(lines) if len(lines) > 1 else ""


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, as text with columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _mean(one: Summary) -> str:
    if not one.solved:
        return "-"
    interval = "" if math.isnan(one.low) else f" ({one.low:,.0f} … {one.high:,.0f})"
    return f"{one.mean:,.0f}{interval}"


def _interval(n: list[int]) -> tuple[float, float]:
    if len(n) < 2:
        return math.nan, math.nan
    drawn = np.random.default_rng(0).choice(n, (10_000, len(n)))
    low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
