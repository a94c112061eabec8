"""`python -m lstm_lib.figures.live.drawing` writes the diagram of the cell for the live one.

The picture is that of `cell_diagram`: the reader meets one drawing, at rest and live. Here each
number says which term it is of, and the colours are those of the page.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from lstm_lib.figures import style
from lstm_lib.figures.diagrams import cell_diagram

TARGET = Path(__file__).parent / "cell_drawing.js"
SVG = "http://www.w3.org/2000/svg"
TERMS = (
    *("x_t", "h_{t-1}", "c_{t-1}", "f_t", "i_t", "g_t", "o_t"),
    *("f_t ⊙ c_{t-1}", "i_t ⊙ g_t", "c_t", "tanh(c_t)", "h_t", "y_t"),
)
VARIABLES = {
    style.INK: "var(--live-ink)",
    style.WHITE: "var(--live-ground)",
    style.PANEL: "var(--live-raised)",
    style.RULE: "var(--live-line)",
    **{style.COLOURS[term]: f"var(--live-{term})" for term in "ifgoc"},
}


def cell_drawing() -> str:
    """Return the text of `cell_drawing.js`: the diagram, with an empty place for each number."""
    # Drawn with the place of each term in TERMS as its number, by which it is known again.
    diagram = cell_diagram(values={term: float(k) for k, term in enumerate(TERMS)})
    root = ElementTree.fromstring(diagram.svg)
    for text in root.iter(f"{{{SVG}}}text"):
        del text.attrib["font-family"]  # the page's
        if text.get("class") == "number":
            text.set("data-term", TERMS[round(float(text.text or ""))])
            text.text = ""
    # A title would follow the pointer everywhere, and a policy may forbid styles in attributes.
    title, _, ground = root[:3]
    root.remove(title)
    root.remove(ground)
    del root.attrib["style"]
    ElementTree.register_namespace("", SVG)
    drawn = ElementTree.tostring(root, encoding="unicode")
    for colour, variable in VARIABLES.items():
        drawn = drawn.replace(colour, variable)
    return (
        "// Written by `python -m lstm_lib.figures.live.drawing` from the diagram of the cell.\n"
        f"export const CELL_DRAWING = `{drawn}`;\n"
    )


if __name__ == "__main__":
    TARGET.write_text(cell_drawing(), encoding="utf-8", newline="\n")
