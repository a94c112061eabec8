"""Still pictures of live figures, for where no script runs: each shows one state of its figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from . import svg
from .diagrams import Diagram
from .style import COLOURS, GREY, INK, STRONG_GREY, WHITE

Array = NDArray[np.float64]
LEFT, STEP = 72.0, 74.0  # px: where step 1 starts, and the width of a step
SIZE = 24.0  # px; half of it is left on a phone


def latch_still(trace: Mapping[str, Array], wanted: Array) -> Diagram:
    """Draw the gates of one unit as switches, and below them its cell state and its output.

    trace: i, f, g, o, c and h, each (T+1,) with the start in row 0, gates hard, ``|c|`` ≤ 1.
    wanted: (T,) the bits to be shown.
    """
    i, f, g, o, c, h = (trace[name] for name in "ifgoch")
    middle = [LEFT + STEP * (k + 0.5) for k in range(len(g) - 1)]
    body = _row("step", 24, middle, [str(k + 1) for k in range(len(middle))])
    body += _row("g", 62, middle, [_signed(bit) for bit in g[1:]])
    for name, gate, y in (("i", i, 106.0), ("f", f, 152.0), ("o", o, 198.0)):
        body += [_switch(name, bit, x, y) for bit, x in zip(gate[1:], middle, strict=True)]
        body += _row(name, y, middle, [f"{bit:.0f}" for bit in gate[1:]])
    body += _row("c", 280, [], []) + _row("h", 400, [], [])
    path = f"M{svg.number(LEFT)} {svg.number(280 - 46 * c[0])}"
    for k, value in enumerate(c[1:], start=1):
        path += f"V{svg.number(280 - 46 * value)}H{svg.number(LEFT + STEP * k)}"
    body += [_line(280), _line(400)]
    line = svg.attributes(d=path, fill="none", stroke=COLOURS["c"], stroke_width=4.0)
    body.append(f"<path{line}/>")
    for value, x in zip(h[1:], middle, strict=True):
        top, size = 400 - 46 * max(value, 0), 46 * abs(value)
        bar = svg.attributes(x=x - 17, y=top, width=34.0, height=size, fill=INK)
        body.append(f"<rect{bar}/>")
    body += _row("want", 474, middle, [_signed(bit) for bit in wanted])
    title = "Eight steps of a latch"
    description = (
        "For each step the candidate g, the gates i, f and o as 0 or 1, the cell state "
        "c = f c + i g, the output h = o tanh(c), and the bit that is wanted."
    )
    width = LEFT + STEP * len(middle) + 16
    return Diagram(title, svg.document(width, 500, title, description, body, WHITE), frozenset())


def _row(name: str, y: float, xs: Sequence[float], words: Sequence[str]) -> list[str]:
    italic = len(name) == 1
    head = (
        svg.quantity(name, (8, y), 1.2 * SIZE, INK, "start")
        if italic
        else svg.text(name, (8, y), 0.9 * SIZE, STRONG_GREY, anchor="start", family=svg.SANS)
    )
    cells = [
        svg.text(word, (x, y), SIZE, INK, family=svg.SANS, kind="number")
        for x, word in zip(xs, words, strict=True)
    ]
    return [head, *cells]


def _signed(bit: float) -> str:
    return {1: "+1", -1: "−1", 0: "0"}[int(bit)]


def _switch(gate: str, is_open: float, x: float, y: float) -> str:
    box: dict[str, str | float] = {
        "x": x - 28,
        "y": y - 19,
        "width": 56.0,
        "height": 38.0,
        "rx": 6.0,
        "fill": COLOURS[gate] if is_open else "none",
        "fill_opacity": "0.3",
        "stroke": COLOURS[gate],
        "stroke_width": 2.5,
    }
    return f"<rect{svg.attributes(**box)}/>"


def _line(y: float) -> str:
    d = f"M{svg.number(LEFT)} {svg.number(y)}h{svg.number(8 * STEP)}"
    return f"<path{svg.attributes(d=d, stroke=GREY, stroke_width=1.5)}/>"


def meter_still(shares: Mapping[str, Array]) -> Diagram:
    """Draw how often the first symbol is read from the state, by lag, and the chance level 1/4.

    shares: RNN and LSTM -> (T,), T > 10, shares of right answers at the lags 0 … T − 1.
    """
    left, right, top, bottom = 72.0, 560.0, 52.0, 350.0

    def height(share: float) -> float:
        return bottom - (bottom - top) * share

    def words(text: str, x: float, y: float, anchor: str = "middle") -> str:
        return svg.text(text, (x, y), SIZE, INK, anchor=anchor, family=svg.SANS, kind="number")

    body = [_path([(left, top), (left, bottom), (right, bottom)], INK, 2.0)]
    body.append(_path([(left, height(0.25)), (right, height(0.25))], GREY, 2.0, "6 6"))
    body.append(words("chance", right + 10, height(0.25), "start"))
    body += [words(f"{share:.1f}", left - 10, height(share), "end") for share in (0, 0.5, 1)]
    last = max(len(share) for share in shares.values()) - 1
    lags = np.linspace(left, right, last + 1)
    body += [words(str(lag), lags[lag], bottom + 24) for lag in (*range(0, last - 4, 10), last)]
    body.append(words("accuracy", 8, 18, "start"))
    body.append(words("lag (steps since the first symbol)", (left + right) / 2, bottom + 62))
    for name, share in shares.items():
        points = [(x, height(y)) for x, y in zip(lags, share, strict=True)]
        body.append(_path(points, COLOURS[name], 5.0, "4 6" if name == "RNN" else "none"))
    body.append(words("RNN", lags[10] - 16, height(0.45), "end"))
    body.append(words("LSTM", right + 10, height(shares["LSTM"][-1]), "start"))
    title = "The information meter, RNN beside LSTM"
    description = (
        "Share of sequences whose first symbol a linear probe reads from the state, by lag, for an "
        f"untrained tanh RNN and an untrained LSTM. At lag {last}: "
        + ", ".join(f"{name} {share[-1]:.2f}" for name, share in shares.items())
        + "; chance is 0.25."
    )
    return Diagram(title, svg.document(680, 436, title, description, body, WHITE), frozenset())


def _path(points: Sequence[svg.Point], colour: str, width: float, dashes: str = "none") -> str:
    line = svg.attributes(
        d="M" + "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in points),
        fill="none",
        stroke=colour,
        stroke_width=width,
        stroke_dasharray=dashes,
    )
    return f"<path{line}/>"
