r"""Mathematics as MathML, written into the page when the book is built.

The browser draws MathML itself: no script runs on the page, nothing is fetched, and a screen
reader reads the formula. `math-core` translates the LaTeX; what it does not know is a warning,
and so an error of the build. A mathematical font for systems without one is cut out of the
`ziamath` package (STIX Two Math, SIL Open Font License) and put beside the style sheet.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from cut_fonts import cut_font
from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

# Sphinx numbers the equation as a whole, so the environments here must not number their lines.
NUMBERED_ENVIRONMENT = re.compile(r"\\(begin|end)\{(align|equation|gather)\}")
SPLIT_ENVIRONMENT = re.compile(r"\\(begin|end)\{split\}")

# MathML Core has no <menclose>, of which browsers that know it draw the box themselves: \boxed is
# a row, and the style sheet frames it.
BOX = '<menclose notation="box">'

# What formulas are made of; tests/pages finds what a formula has and this has not.
FONT_RANGES = [
    (0x20, 0x7E),
    (0xA0, 0xF7),  # ¬ ± · × ÷
    (0x2C6, 0x2DC),  # hats and tildes
    (0x302, 0x30C),  # accents
    (0x391, 0x3F5),  # Greek
    (0x2010, 0x2044),  # dashes, dots, primes
    (0x2061, 0x2064),  # invisible operators
    (0x2100, 0x2135),  # ℎ, ℓ, ℒ, ℝ
    (0x2190, 0x21D4),  # arrows
    (0x2200, 0x22A5),  # operators and relations
    (0x22C5, 0x22F1),  # ⋅ ⋆ and rows of dots
    (0x2308, 0x230B),  # ⌈⌉⌊⌋
    (0x23DC, 0x23E1),  # braces above and below
    (0x27E6, 0x27EB),  # ⟦⟧⟨⟩
    (0x27F5, 0x27FA),  # long arrows
    (0x1D434, 0x1D467),  # italic letters, which MathML maps plain ones to
    (0x1D6A4, 0x1D6A5),  # ı and ȷ for accents
    (0x1D6FC, 0x1D71B),  # italic Greek
]


def to_mathml(tex: str, *, display: bool) -> str:
    r"""Return `tex` as a `<math>` element.

    Raises `math_core.LatexError` for a command that MathML Core has no counterpart for.
    """
    tex = NUMBERED_ENVIRONMENT.sub(r"\\\1{\2*}", tex)
    tex = SPLIT_ENVIRONMENT.sub(r"\\\1{aligned}", tex)
    if display and r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    # A converter of its own for each formula: no state passes from one page to another.
    mathml = LatexToMathML(fancy_error=False).convert_with_local_state(tex, displaystyle=display)
    if mathml.count("<menclose") > mathml.count(BOX):
        raise LatexError("MathML Core can frame with \\boxed, but has nothing to strike out with")
    return mathml.replace(BOX, '<mrow class="boxed">').replace("</menclose>", "</mrow>")


def _translate(node: nodes.Element, *, display: bool) -> str:
    try:
        return to_mathml(node.astext(), display=display)
    except LatexError as error:
        logger.warning("cannot write %r as MathML: %s", node.astext(), error, location=node)
        return ""


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_translate(node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula with its number, in a box that scrolls by itself."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    # Reached with the keyboard, as a box that scrolls must be.
    self.body.append('<div class="math-scroll" tabindex="0">')
    self.body.append(_translate(node, display=True) + "</div>")
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def ship_font(app: Sphinx, error: Exception | None) -> None:
    """Write the part of STIX Two Math that formulas use to `_static/math.woff`.

    It takes two seconds, so it is done again only when this file or the whole font has changed.
    """
    if error or app.builder.format != "html":
        return
    # Found without being imported, which is slow.
    package = find_spec("ziamath")
    assert package, "ziamath is missing, though requirements.txt has it: run `make install`"
    whole = Path(str(package.origin)).parent / "fonts" / "STIXTwoMath-Regular.ttf"
    target = Path(app.outdir) / "_static" / "math.woff"
    changed = max(path.stat().st_mtime for path in (whole, Path(__file__)))
    if target.exists() and target.stat().st_mtime > changed:
        return
    # The features that browsers use for mathematics.
    letters = [code for first, last in FONT_RANGES for code in range(first, last + 1)]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(cut_font(whole, letters, features=["ssty", "dtls", "flac"]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer `mathml`; `html_math_renderer: mathml` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.connect("build-finished", ship_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
