"""Roads through time, as wide as the share of a gradient that comes back."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import svg
from .diagrams import Diagram
from .style import COLOURS, GREY, INK, WHITE

Array = NDArray[np.float64]
FAINTEST = -8  # the power of ten below which a road is a broken line
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
WIDTH, ROW, MARGIN = 680.0, 78.0, 12.0


def gradient_roads(shares: Mapping[str, ArrayLike]) -> Diagram:
    """Draw for each model the share of the last step's gradient that comes back to each step.

    shares: RNN, GRU or LSTM -> (T+1,) numbers > 0, at the steps 0 … T. The width is logarithmic:
    3.5 px for each power of ten above 10⁻⁸. Raises ValueError for other models, no or unequal
    rows, or values ≤ 0.
    """
    rows = {name: np.asarray(values, dtype=float) for name, values in shares.items()}
    T = len(next(iter(rows.values()), ())) - 1
    for name, values in rows.items():
        if name not in ("RNN", "GRU", "LSTM"):
            raise ValueError(f"shares: expected RNN, GRU or LSTM, got {name!r}")
        if values.shape != (T + 1,) or T < 1 or not (values > 0).all():
            raise ValueError(
                f"shares[{name!r}]: expected (T+1,) numbers > 0, as many as the first, got "
                f"{values.shape}, the smallest {values.min(initial=np.inf):g}"
            )
    if not rows:
        raise ValueError("shares: expected at least one model, got none")
    steps = np.linspace(MARGIN, WIDTH - MARGIN, T + 1)
    body: list[str] = []
    for n, (name, values) in enumerate(rows.items()):
        body += _road(name, values, steps, ROW * (n + 0.5) + 8)
    bottom = ROW * len(rows) + 24
    for step, x, anchor in ((0, steps[0], "start"), (T, steps[-1], "end")):
        body.append(svg.text(f"step {step}", (x, bottom), 20, INK, anchor=anchor, family=svg.SANS))
    title = "How much of the gradient at the last step comes back to each step"
    arrived = ", ".join(f"{name} {two_digits(values[0])}" for name, values in rows.items())
    description = f"A road for each model, wide where much arrives. Step 0 gets: {arrived}."
    picture = svg.document(WIDTH, bottom + 18, title, description, body, WHITE)
    return Diagram(title, picture, frozenset())


def _road(name: str, values: Array, steps: Array, middle: float) -> list[str]:
    """One road: its name and number, the broken line where it is lost, and the road."""
    width = 2 + 3.5 * (np.log10(values) - FAINTEST)
    seen = [(x, w / 2) for x, w in zip(steps, width, strict=True) if w > 2]
    edge = [(x, middle - half) for x, half in seen] + [(x, middle + half) for x, half in seen[::-1]]
    points = " ".join(f"{svg.number(x)},{svg.number(y)}" for x, y in edge)
    line = svg.attributes(
        x1=steps[0], x2=steps[-1], y1=middle, y2=middle, stroke=GREY, stroke_dasharray="4 4"
    )
    words = f"{name}: {two_digits(values[0])} arrives at step 0"
    return [
        f"<line{line}/>",
        f"<polygon{svg.attributes(points=points, fill=COLOURS[name])}/>",
        svg.text(words, (steps[0], middle - 31), 20, INK, anchor="start", family=svg.SANS),
    ]


def two_digits(value: float) -> str:
    """A number > 0 with two digits, as 0.72, 1.0 or 3.1 · 10⁻⁹."""
    digits, exponent = f"{value:.1e}".split("e")
    if -2 <= int(exponent) <= 1:
        return f"{value:#.2g}".rstrip(".")
    return f"{digits} · 10{str(int(exponent)).translate(RAISED)}"
