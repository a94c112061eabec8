"""Diagrams of the cell and of the chain of repeating modules, drawn from the equations.

Every operation of `equations` is a shape, every dependency an arrow, whose names the SVG carries
as `data-name`, `data-from` and `data-to`. The drawing is the book's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import svg
from .equations import CELLS, LSTM, Edge, Node, edges, shifted
from .layout import BUS, CARRY, Place, Step, lstm_step, rnn_step, route
from .style import COLOURS, GREY, INK, PANEL, RULE, WHITE, to_dark

LABEL = 30.0  # px; a diagram is at most 680 wide, so at 390 px this is still about 16
NUMBER = 22.0

_TO_NEXT = {"c_t": "next c", "h_t": "next h"}

HIGHLIGHTS: dict[str, tuple[str, list[Edge]]] = {
    "forget": (
        "the forget gate",
        [
            ("x_t", "f_t"),
            ("h_{t-1}", "f_t"),
            ("f_t", "f_t ⊙ c_{t-1}"),
            ("c_{t-1}", "f_t ⊙ c_{t-1}"),
        ],
    ),
    "input": (
        "the input gate",
        [
            ("x_t", "i_t"),
            ("h_{t-1}", "i_t"),
            ("i_t", "i_t ⊙ g_t"),
            ("g_t", "i_t ⊙ g_t"),
            ("i_t ⊙ g_t", "c_t"),
        ],
    ),
    "candidate": (
        "the candidate",
        [
            ("x_t", "g_t"),
            ("h_{t-1}", "g_t"),
            ("g_t", "i_t ⊙ g_t"),
        ],
    ),
    "output": (
        "the output gate",
        [
            ("x_t", "o_t"),
            ("h_{t-1}", "o_t"),
            ("o_t", "h_t"),
            ("h_t", "next h"),
            ("h_t", "y_t"),
        ],
    ),
    "cell": (
        "the path of the cell state",
        [
            ("c_{t-1}", "f_t ⊙ c_{t-1}"),
            ("f_t ⊙ c_{t-1}", "c_t"),
            ("c_t", "next c"),
        ],
    ),
    "hidden": (
        "the path to the hidden state",
        [
            ("c_t", "tanh(c_t)"),
            ("tanh(c_t)", "h_t"),
            ("o_t", "h_t"),
            ("h_t", "next h"),
            ("h_t", "y_t"),
        ],
    ),
}


@dataclass(frozen=True)
class Diagram:
    """A drawn picture: what it shows, its SVG text and the arrows in it.

    edges: the (from, to) names of the arrows, terms of the equations; ("c_t", "next c") and
    ("h_t", "next h") are the two that leave for the next step.
    """

    title: str
    # Not in the repr, which a notebook stores beside the picture and compares.
    svg: str = field(repr=False)
    edges: frozenset[Edge] = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def dark(self) -> "Diagram":
        """The same picture for a dark page."""
        return Diagram(self.title, to_dark(self.svg), self.edges)

    def save(self, path: str | Path) -> None:
        """Write the SVG to `path`, UTF-8 with \\n line ends on every system."""
        Path(path).write_text(self.svg, encoding="utf-8", newline="\n")


def cell_diagram(
    *, highlight: str | None = None, values: Mapping[str, float] | None = None
) -> Diagram:
    """Draw one step of the LSTM with every quantity and operation labelled.

    highlight: forget, input, candidate, output, cell or hidden; all else is then grey.
    values: term -> number printed at it. The terms are x_t, h_{t-1}, c_{t-1}, i_t, f_t, g_t,
    o_t, f_t ⊙ c_{t-1}, i_t ⊙ g_t, c_t, tanh(c_t), h_t, y_t. Raises ValueError for others.
    """
    if highlight is not None and highlight not in HIGHLIGHTS:
        raise ValueError(f"highlight: expected one of {', '.join(HIGHLIGHTS)}, got {highlight!r}")
    step = lstm_step(86, 594)
    places = step.places | {
        "c_{t-1}": Place(66, CARRY),
        "h_{t-1}": Place(66, BUS),
        "next c": Place(620, CARRY),
        "next h": Place(620, BUS),
    }
    known = [name for name in places if not name.startswith("next")]
    for name in values or {}:
        if name not in known:
            raise ValueError(f"values: expected terms among {', '.join(known)}, got {name!r}")
    arrows = [*edges(LSTM), *_TO_NEXT.items()]
    bright = set(arrows if highlight is None else HIGHLIGHTS[highlight][1])
    body = [_frame(step)]
    body += _arrows(arrows, bright, places)
    lit = {name for edge in bright for name in edge}
    body += [_operation(node, places[node.name], node.name in lit) for node in LSTM]
    body += _cell_labels(places, lit, values or {})
    title = "One step of an LSTM"
    if highlight is not None:
        title += f", {HIGHLIGHTS[highlight][0]} highlighted"
    return Diagram(
        title, svg.document(680, 472, title, _description(LSTM), body, WHITE), frozenset(arrows)
    )


def chain_diagram(cell: str = "lstm") -> Diagram:
    """Draw three repeated modules side by side, the outer two faded.

    cell: "rnn", whose module is one tanh layer, or "lstm", whose module has four layers.
    """
    if cell not in CELLS:
        raise ValueError(f"cell: expected one of {', '.join(CELLS)}, got {cell!r}")
    nodes, layout = CELLS[cell], {"rnn": rnn_step, "lstm": lstm_step}[cell]
    bounds = {
        "rnn": ((48, 232), (258, 462), (488, 672)),
        "lstm": ((28, 178), (194, 526), (542, 692)),
    }
    steps = [layout(*where, k - 1) for k, where in enumerate(bounds[cell])]
    lines = {"rnn": {"h": steps[0].places["h_{t-1}"].y}, "lstm": {"c": CARRY, "h": BUS}}[cell]
    places = {name: place for step in steps for name, place in step.places.items()}
    for letter, y in lines.items():
        places[f"{letter}_{{t-2}}"] = Place(0, y)
        places[f"next {letter}"] = Place(720, y)
    chain = [node for k in (-1, 0, 1) for node in shifted(nodes, k)]
    arrows = [*edges(tuple(chain)), *((f"{x}_{{t+1}}", f"next {x}") for x in lines)]
    middle = {node.name for node in nodes}
    bright = {edge for edge in arrows if edge[1] in middle}
    bright |= {edge for edge in arrows if edge[0] in ("c_t", "h_t") and edge[1] not in middle}
    body = [_frame(step) for step in steps]
    body += _arrows(arrows, bright, places)
    body += [_operation(node, places[node.name], node.name in middle) for node in chain]
    for name, place in places.items():
        if name.startswith(("x_", "y_")):
            colour, size = (INK, LABEL) if name in ("x_t", "y_t") else (GREY, 0.87 * LABEL)
            body.append(svg.quantity(name, (place.x, place.y + 20), size, colour))
    width, height = (720, 472) if cell == "lstm" else (720, 282)
    title = f"Three steps of {'an LSTM' if cell == 'lstm' else 'a plain RNN'}"
    return Diagram(
        title,
        svg.document(width, height, title, _description(nodes), body, WHITE),
        frozenset(arrows),
    )


def _frame(step: Step) -> str:
    return (
        "<rect"
        + svg.attributes(
            class_="module",
            x=step.left,
            y=step.top,
            width=step.right - step.left,
            height=step.bottom - step.top,
            rx=16.0,
            fill=PANEL,
            stroke=RULE,
            stroke_width=1.5,
        )
        + "/>"
    )


def _arrows(arrows: list[Edge], bright: set[Edge], places: Mapping[str, Place]) -> list[str]:
    """Grey arrows first, so that a bright one is whole where they share a line."""
    drawn = []
    for edge in sorted(arrows, key=bright.__contains__):
        on_cell = edge[0].startswith("c_") or edge[1].startswith(("c_", "next c"))
        colour = _colour(edge[0]) if edge in bright else GREY
        width = (4.0 if on_cell else 2.5) if edge in bright else 2.0
        way = route(places[edge[0]], places[edge[1]])
        drawn.append(svg.arrow(way, colour, width, *edge))
    return drawn


def _colour(name: str) -> str:
    """The colour of a term: a gate's or the candidate's own; products and tanh belong to c."""
    if "⊙" in name or "(" in name:
        return COLOURS["c"]
    return COLOURS.get(name[0], INK)


def _operation(node: Node, place: Place, bright: bool) -> str:
    """The shape of an operation: a box for a layer, a pill for tanh, a circle for ⊗ and ⊕."""
    if node.kind == "output":
        return ""
    x, y, w, h = place.x, place.y, place.half_width, place.half_height
    ink, line = (INK, _colour(node.name)) if bright else (GREY, GREY)
    if node.kind == "times":
        line = COLOURS["c"] if bright and node.name != "h_t" else line
    stroke: dict[str, str | float] = {"stroke": line, "stroke_width": 2.5}
    open_ = f"<g{svg.attributes(class_='node', data_name=node.name, data_operator=node.operator)}>"
    if node.kind in ("times", "plus"):
        d = 0.42 * w if node.kind == "times" else 0.6 * w
        cross = (
            [(x - d, y - d, x + d, y + d), (x - d, y + d, x + d, y - d)]
            if node.kind == "times"
            else [(x - d, y, x + d, y), (x, y - d, x, y + d)]
        )
        shape = f"<circle{svg.attributes(cx=x, cy=y, r=w, fill=WHITE, **stroke)}/>" + "".join(
            "<path"
            + svg.attributes(
                d=f"M{svg.number(a)} {svg.number(b)}L{svg.number(e)} {svg.number(f)}",
                stroke=ink,
                stroke_width=2.5,
                stroke_linecap="round",
            )
            + "/>"
            for a, b, e, f in cross
        )
        return f"{open_}{shape}</g>"
    radius = 6.0 if node.kind == "layer" else h
    box: dict[str, str | float] = {
        "x": x - w,
        "y": y - h,
        "width": 2 * w,
        "height": 2 * h,
        "rx": radius,
    }
    shape = f"<rect{svg.attributes(**box, fill=WHITE, **stroke)}/>"
    # In the narrow modules of a chain words do not fit; the middle one says them.
    if w > 20:
        size = {"σ": 28.0, "tanh": 23.0}[node.operator] if node.kind == "layer" else 21.0
        shape += svg.text(node.operator, (x, y), size, ink)
    return f"{open_}{shape}</g>"


# Where a term is written, relative to its place: label (dx, dy), number (dx, dy, anchor).
_BESIDE: dict[str, tuple[tuple[float, float] | None, tuple[float, float, str]]] = {
    "c_{t-1}": ((-32, 0), (-32, 30, "middle")),
    "h_{t-1}": ((-32, 0), (-32, 30, "middle")),
    "x_t": ((0, 18), (22, 20, "start")),
    "y_t": ((0, 18), (22, 20, "start")),
    "f_t": ((22, -92), (11, -59, "start")),
    "i_t": ((22, -80), (11, -47, "start")),
    "g_t": ((24, -71), (11, -38, "start")),
    "o_t": ((24, -44), (-3, -85, "middle")),
    "f_t ⊙ c_{t-1}": (None, (88, -22, "middle")),
    "i_t ⊙ g_t": (None, (12, -40, "start")),
    "tanh(c_t)": (None, (-10, 33, "end")),
    "next c": ((28, 0), (28, 30, "middle")),
    "next h": ((28, 0), (28, 30, "middle")),
}


def _cell_labels(
    places: Mapping[str, Place], lit: set[str], values: Mapping[str, float]
) -> list[str]:
    """The names of the quantities beside their arrows, and the numbers that were asked for."""
    drawn = []
    for name, (label, (dx, dy, anchor)) in _BESIDE.items():
        x, y = places[name].x, places[name].y
        colour = INK if name in lit else GREY
        term = name.replace("next ", "") + "_t" if name.startswith("next") else name
        if label is not None:
            drawn.append(svg.quantity(term, (x + label[0], y + label[1]), LABEL, colour))
        if term in values:
            shown = svg.number_text(float(values[term]))
            drawn.append(
                svg.text(
                    shown,
                    (x + dx, y + dy),
                    NUMBER,
                    colour,
                    anchor=anchor,
                    family=svg.SANS,
                    kind="number",
                )
            )
    return drawn


def _description(nodes: tuple[Node, ...]) -> str:
    """What a screen reader says: each operation and what it takes in."""
    words = {
        "layer": "a {} layer of {}",
        "times": "the product of {1}",
        "plus": "the sum of {1}",
        "squash": "{0} of {1}",
        "output": "{1}",
    }
    parts = []
    for node in nodes:
        sources = " and ".join(svg.plain(source) for source in node.inputs)
        said = words[node.kind].format(node.operator, sources)
        parts.append(f"{svg.plain(node.name)} is {said}")
    return "; ".join(parts) + "."
