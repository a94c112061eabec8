"""The computation graph of an LSTM step run backwards, drawn from the same equations.

Every dependency of `equations` is an arrow the other way round, with the local derivative that the
gradient is multiplied by on it. The picture is that of `cell_diagram`, so that the two compare.
"""

import re

from . import svg
from .diagrams import _TO_NEXT, LABEL, Diagram, _colour, _frame, _operation
from .equations import LSTM, Edge, edges
from .layout import BUS, CARRY, PORT, Place, lstm_step, route
from .style import GREY, INK, WHITE

FACTOR = 21.0  # px; a diagram of this width is shown at about half its size on a phone

DIRECT: frozenset[Edge] = frozenset(
    {("next c", "c_t"), ("c_t", "f_t ⊙ c_{t-1}"), ("f_t ⊙ c_{t-1}", "c_{t-1}")}
)
"""The path of the carousel: the only one on which no weight and no layer lies."""

FACTORS: dict[Edge, str] = {
    ("f_t ⊙ c_{t-1}", "c_{t-1}"): "f_t",
    ("f_t ⊙ c_{t-1}", "f_t"): "c_{t-1}",
    ("i_t ⊙ g_t", "i_t"): "g_t",
    ("i_t ⊙ g_t", "g_t"): "i_t",
    ("tanh(c_t)", "c_t"): "1 − tanh²(c_t)",
    ("h_t", "tanh(c_t)"): "o_t",
    ("h_t", "o_t"): "tanh(c_t)",
    ("i_t", "h_{t-1}"): "i_t(1 − i_t)",
    ("f_t", "h_{t-1}"): "f_t(1 − f_t)",
    ("g_t", "h_{t-1}"): "1 − g_t²",
    ("o_t", "h_{t-1}"): "o_t(1 − o_t)",
}
"""What the gradient is multiplied by on its way; 1 where nothing stands (the sum hands it on).
Below the layers W_h^T follows on the way to h_{t-1}, W_x^T on the way to x_t."""


def backward_diagram(*, highlight: str | None = None) -> Diagram:
    """Draw the ways of the gradient through one step of the LSTM, from right to left.

    highlight: direct, the path from c_t to c_{t-1} along the cell state, or others, all the rest of
    the ways to c_{t-1} and h_{t-1}; what is not highlighted is grey. ValueError for another.
    """
    if highlight not in (None, "direct", "others"):
        raise ValueError(f"highlight: expected direct or others, got {highlight!r}")
    step = lstm_step(112, 672)
    places = step.places | {
        "c_{t-1}": Place(92, CARRY),
        "h_{t-1}": Place(92, BUS),
        "next c": Place(692, CARRY),
        "next h": Place(692, BUS),
    }
    back = [(target, source) for source, target in [*edges(LSTM), *_TO_NEXT.items()]]
    others = set(back) - DIRECT - {edge for edge in back if edge[1] == "x_t"}
    bright = {None: set(back), "direct": set(DIRECT), "others": others}[highlight]
    lit = {name for edge in bright for name in edge}
    body = [_frame(step)]
    for edge in sorted(back, key=lambda edge: (edge in bright, edge in DIRECT)):
        colour = _colour(edge[1]) if edge in bright else GREY
        way = list(reversed(route(places[edge[1]], places[edge[0]])))
        body.append(svg.arrow(way, colour, 4.5 if edge in DIRECT & bright else 2.3, *edge))
    body += [_operation(node, places[node.name], node.name in lit) for node in LSTM]
    body += _labels(places, bright)
    title = "The gradient's ways back through one step of an LSTM"
    title += {None: "", "direct": ", the direct path", "others": ", all but the direct path"}[
        highlight
    ]
    return Diagram(
        title, svg.document(784, 472, title, _description(back), body, WHITE), frozenset(back)
    )


def _labels(places: dict[str, Place], bright: set[Edge]) -> list[str]:
    ends = {
        "dc_{t-1}": (44, CARRY, ("f_t ⊙ c_{t-1}", "c_{t-1}")),
        "dh_{t-1}": (44, BUS, ("f_t", "h_{t-1}")),
        "dc_t": (728, CARRY, ("next c", "c_t")),
        "dh_t": (728, BUS, ("next h", "h_t")),
        "dx_t": (places["x_t"].x, PORT + 20, ("f_t", "x_t")),
        "dy_t": (places["y_t"].x, PORT + 20, ("y_t", "h_t")),
    }
    drawn = [
        svg.quantity(name, (x, y), LABEL, INK if edge in bright else GREY)
        for name, (x, y, edge) in ends.items()
    ]
    for edge, factor in FACTORS.items():
        at, anchor = _beside(edge, places)
        drawn.append(_formula(factor, at, INK if edge in bright else GREY, anchor))
    to_h = INK if ("f_t", "h_{t-1}") in bright else GREY
    to_x = INK if ("f_t", "x_t") in bright else GREY
    x = places["x_t"].x
    drawn.append(_formula("W_h^T", (x - 2, BUS - 18), to_h, "middle"))
    drawn.append(_formula("W_x^T", (x + 10, PORT - 16), to_x, "start"))
    return drawn


def _beside(edge: Edge, places: dict[str, Place]) -> tuple[svg.Point, str]:
    """Where a factor is written: right of a way down, above or below a way along the top."""
    source, target = places[edge[0]], places[edge[1]]
    if edge[1] == "c_{t-1}":
        return (source.x - 36, CARRY - 22), "middle"
    if edge[0] == "tanh(c_t)":
        return (source.x - 9, CARRY + 24), "end"
    if edge == ("h_t", "o_t"):
        return (target.x - 8, source.y - 18), "start"
    if edge[1] == "h_{t-1}":
        return (source.x + 7, 334), "start"
    if edge[1] == "tanh(c_t)":
        return (source.x + 9, 184), "start"
    return (target.x + 9, 232), "start"


def _formula(words: str, at: svg.Point, colour: str, anchor: str) -> str:
    """A product of quantities, their subscripts lowered and a ^T raised, centred on `at`."""
    place = svg.attributes(
        class_="factor",
        data_factor=words,
        x=at[0],
        y=at[1] + 0.32 * FACTOR,
        fill=colour,
        font_family=svg.SERIF,
        font_size=FACTOR,
        text_anchor=anchor,
    )
    small, parts, height = svg.number(0.72 * FACTOR), [], 0.0
    for part in re.split(r"(_\{t-1\}|_\w|\^T)", words):
        now = {"_": 0.2, "^": -0.4}.get(part[:1], 0.0)
        size = f' font-size="{small}"' if now else ""
        shown = part.strip("_^{}").replace("-", "−") if now else part
        if shown:
            dy = svg.number(FACTOR * (now - height))
            parts.append(f'<tspan dy="{dy}"{size}>{shown}</tspan>')
            height = now
    return f"<text{place}>{''.join(parts)}</text>"


def _description(back: list[Edge]) -> str:
    """What a screen reader says: for each quantity, where its gradient comes from."""
    said: dict[str, list[str]] = {}
    for source, target in back:
        factor = FACTORS.get((source, target))
        times = f" times {svg.plain(factor)}" if factor else ""
        said.setdefault(target, []).append(svg.plain(source) + times)
    parts = (f"to {svg.plain(name)} from {' and '.join(ways)}" for name, ways in said.items())
    return "The gradient goes " + "; ".join(parts) + "."
