"""The diagrams say what the equations say, and each arrow is drawn where its names claim."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from lstm_lib import figures
from lstm_lib.figures import equations, layout
from lstm_lib.figures.__main__ import assets, main
from lstm_lib.figures.diagrams import HIGHLIGHTS
from lstm_lib.numpy_cells import lstm, rnn

ASSETS = Path(__file__).parents[1] / "book" / "assets"
NEXT = {("c_t", "next c"), ("h_t", "next h")}


def parse(docstring):
    """{quantity: (operator, inputs)} of the equations in a docstring of numpy_cells."""
    found = {}
    for name, right in re.findall(r"^ {4}(\w_t) = (.*?)(?: {2,}.*)?$", docstring, re.MULTILINE):
        parse_expression(name, right, found)
    return found


def parse_expression(name, text, found):
    layer = re.fullmatch(r"(σ|tanh)\((.* W_.*)\)", text)
    if layer:
        terms = [term.split() for term in layer[2].split(" + ")]
        found[name] = (layer[1], {term[0] for term in terms if len(term) == 2})
    elif " + " in text:
        found[name] = ("+", set(text.split(" + ")))
        for term in text.split(" + "):
            parse_expression(term, term, found)
    elif " ⊙ " in text:
        found[name] = ("×", set(text.split(" ⊙ ")))
        for factor in text.split(" ⊙ "):
            parse_expression(factor, factor, found)
    elif text.startswith("tanh("):
        found[name] = ("tanh", {text[5:-1]})


def arrows_of(svg):
    root = ElementTree.fromstring(svg)
    return [g for g in root.iter() if g.get("class") == "edge"]


def names_of(arrows):
    return {(g.get("data-from"), g.get("data-to")) for g in arrows}


def operations_of(svg):
    root = ElementTree.fromstring(svg)
    return {g.get("data-name"): g for g in root.iter() if g.get("class") == "node"}


def dependencies(equations_):
    return {(source, name) for name, (_, inputs) in equations_.items() for source in inputs}


def test_the_parser_finds_all_six_equations_and_their_parts():
    assert len(parse(lstm.__doc__)) == 9
    assert parse(rnn.__doc__) == {"h_t": ("tanh", {"x_t", "h_{t-1}"})}


def test_the_cell_has_an_arrow_for_every_dependency_in_the_equations_and_no_other():
    expected = dependencies(parse(lstm.__doc__)) | NEXT | {("h_t", "y_t")}
    diagram = figures.cell_diagram()
    assert names_of(arrows_of(diagram.svg)) == expected == diagram.edges


def test_every_operation_of_the_equations_is_a_shape_that_names_its_operator():
    expected = {name: operator for name, (operator, _) in parse(lstm.__doc__).items()}
    shapes = operations_of(figures.cell_diagram().svg)
    assert {name: g.get("data-operator") for name, g in shapes.items()} == expected


def test_the_written_operator_of_a_layer_is_that_of_its_equation():
    for name, g in operations_of(figures.cell_diagram().svg).items():
        written = "".join(g.itertext())
        assert written in ("", g.get("data-operator")), name
        crosses = [path.get("d") for path in g.iter() if path.tag.endswith("path")]
        assert (len(crosses) == 2) == (g.get("data-operator") in "×+"), name


def test_the_labels_are_the_symbols_of_the_equations():
    root = ElementTree.fromstring(figures.cell_diagram().svg)
    labels = {
        text.get("data-label"): "".join(text.itertext())
        for text in root.iter()
        if text.get("class") == "label"
    }
    symbols = set(re.findall(r"\b[xhcifgo]_(?:t\b|\{t-1\})", lstm.__doc__)) | {"y_t"}
    assert set(labels) == symbols
    for name, written in labels.items():
        assert written == re.sub(r"[_{}]", "", name).replace("-", "−")


@pytest.mark.parametrize(("cell", "module"), [("rnn", rnn), ("lstm", lstm)])
def test_the_chain_repeats_the_equations_three_times(cell, module):
    step = dependencies(parse(module.__doc__)) | {("h_t", "y_t")}
    expected = {
        tuple(equations.shift(name, k) for name in edge) for edge in step for k in (-1, 0, 1)
    }
    expected |= {(f"{s}_{{t+1}}", f"next {s}") for s in ("h" if cell == "rnn" else "hc")}
    diagram = figures.chain_diagram(cell)
    assert names_of(arrows_of(diagram.svg)) == expected == diagram.edges


@pytest.mark.parametrize(("cell", "module", "layers"), [("rnn", rnn, 1), ("lstm", lstm, 4)])
def test_each_of_the_three_modules_has_the_layers_of_the_equations(cell, module, layers):
    letters = [name[0] for name, (_, inputs) in parse(module.__doc__).items() if "x_t" in inputs]
    shapes = operations_of(figures.chain_diagram(cell).svg)
    drawn = [name for name in shapes if name[0] in letters and "⊙" not in name]
    assert len(letters) == layers
    assert len(drawn) == 3 * layers


@pytest.mark.parametrize(
    "diagram",
    [figures.cell_diagram(), figures.chain_diagram("rnn"), figures.chain_diagram("lstm")],
    ids=lambda diagram: diagram.title,
)
def test_an_arrow_starts_and_ends_at_the_shapes_it_names(diagram):
    shapes = operations_of(diagram.svg)
    for g in arrows_of(diagram.svg):
        path, head = list(g)
        start = tuple(map(float, re.match(r"M(\S+) ([\d.]+)", path.get("d")).groups()))
        tip = tuple(map(float, head.get("points").split()[0].split(",")))
        for name, point in ((g.get("data-from"), start), (g.get("data-to"), tip)):
            if name in shapes:
                assert on_rim(next(iter(shapes[name])), point), (name, point)


def on_rim(shape, point, tolerance=0.2):
    """Whether the point is in the middle of a side of the rectangle, or on the circle."""
    if shape.tag.endswith("circle"):
        x, y, r = (float(shape.get(key)) for key in ("cx", "cy", "r"))
        return abs(abs(point[0] - x) + abs(point[1] - y) - r) < tolerance
    left, top, width, height = (float(shape.get(key)) for key in ("x", "y", "width", "height"))
    dx, dy = abs(point[0] - left - width / 2), abs(point[1] - top - height / 2)
    return min(abs(dx - width / 2) + dy, abs(dy - height / 2) + dx) < tolerance


def test_no_two_arrows_of_the_cell_cross():
    step = layout.lstm_step(86, 594)
    ways = {
        edge: layout.route(step.places[edge[0]], step.places[edge[1]])
        for edge in figures.cell_diagram().edges
        if set(edge) <= set(step.places)
    }
    assert len(ways) > 12
    for one, other in combinations(ways, 2):
        assert not any(crosses(p, q) for p in pairwise(ways[one]) for q in pairwise(ways[other])), (
            one,
            other,
        )


def crosses(p, q):
    """Whether a horizontal and a vertical segment cross strictly inside both."""
    for (a, b), (c, d) in ((p, q), (q, p)):
        if a[1] == b[1] and c[0] == d[0]:
            inside_x = min(a[0], b[0]) < c[0] < max(a[0], b[0])
            inside_y = min(c[1], d[1]) < a[1] < max(c[1], d[1])
            if inside_x and inside_y:
                return True
    return False


@pytest.mark.parametrize("part", HIGHLIGHTS)
def test_a_highlight_keeps_the_picture_and_greys_all_other_arrows(part):
    diagram = figures.cell_diagram(highlight=part)
    coloured = [g for g in arrows_of(diagram.svg) if g[0].get("stroke") != "#868E96"]
    assert names_of(coloured) == set(HIGHLIGHTS[part][1])
    assert diagram.edges == figures.cell_diagram().edges


def test_a_gate_has_its_own_colour_in_the_diagram():
    for g in arrows_of(figures.cell_diagram().svg):
        letter = g.get("data-from")[0]
        if g.get("data-from") in ("i_t", "f_t", "g_t", "o_t"):
            assert g[0].get("stroke") == figures.COLOURS[letter]


def test_values_are_printed_with_two_decimals_and_a_true_minus():
    svg = figures.cell_diagram(values={"g_t": -0.756, "c_t": 0.5, "i_t ⊙ g_t": -0.001}).svg
    root = ElementTree.fromstring(svg)
    numbers = [text.text for text in root.iter() if text.get("class") == "number"]
    assert sorted(numbers) == ["0.00", "0.50", "−0.76"]


def test_a_number_can_be_printed_at_every_term_of_the_cell():
    terms = {name for edge in figures.cell_diagram().edges for name in edge} - {"next c", "next h"}
    svg = figures.cell_diagram(values=dict.fromkeys(terms, 1.0)).svg
    assert svg.count(">1.00<") == len(terms) == 13


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: figures.cell_diagram(highlight="memory"), "highlight"),
        (lambda: figures.cell_diagram(values={"z_t": 1.0}), "values"),
        (lambda: figures.chain_diagram("transformer"), "cell"),
    ],
)
def test_an_unknown_part_term_or_cell_is_an_error_that_names_the_argument(call, argument):
    with pytest.raises(ValueError, match=f"^{argument}: expected .*, got "):
        call()


@pytest.mark.parametrize("name", sorted(assets()))
def test_a_stored_diagram_is_what_the_code_draws_now(name):
    assert (ASSETS / name).read_text(encoding="utf-8") == assets()[name].svg


def test_the_command_writes_every_asset(tmp_path):
    main([str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == set(assets())


def test_the_command_without_a_folder_says_how_to_call_it():
    with pytest.raises(SystemExit, match=r"^usage: "):
        main([])


@pytest.mark.parametrize("name", sorted(assets()))
def test_a_diagram_is_an_image_with_a_title_and_a_description(name):
    root = ElementTree.fromstring(assets()[name].svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root[0].tag == space + "title"
    assert root[1].tag == space + "desc"
    assert "tanh" in root[1].text
    assert not [e for e in root.iter() if e.get("id")], "ids of two pictures on a page would clash"


def test_a_saved_diagram_is_its_svg_and_shows_itself_in_a_notebook(tmp_path):
    diagram = figures.cell_diagram()
    diagram.save(tmp_path / "cell.svg")
    assert (tmp_path / "cell.svg").read_bytes().decode() == diagram.svg == diagram._repr_svg_()


def test_the_repr_is_short_because_a_notebook_stores_it():
    assert repr(figures.cell_diagram()) == "Diagram(title='One step of an LSTM')"


def test_shift_moves_every_subscript_of_a_term():
    assert equations.shift("f_t ⊙ c_{t-1}", 1) == "f_{t+1} ⊙ c_t"
    assert equations.shift("h_{t+1}", -2) == "h_{t-1}"
