"""Formulas in a line of plain text say what they say in the book."""

import pytest
from math_core import LatexError
from mathml import to_mathml
from plain_formula import to_plain


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"h_t = o_t \odot \tanh c_t", "h_t = o_t ⊙ tanh c_t"),
        (r"\ln\tfrac12 / \ln f", "ln ½/ln f"),
        (r"\lVert \partial h_t / \partial h_k \rVert", "‖∂h_t/∂h_k‖"),
        (r"\frac{\partial L}{\partial h_{t-1}}", "∂L/(∂h_(t−1))"),
        (r"1 - \hat a^2", "1 − â^2"),
        (r"\sigma(\pm 800)", "σ(±800)"),
        (r"(-\tanh 1, -1)", "(−tanh 1, −1)"),
        (r"\sqrt{H \cdot 1/(3H)} \ge \varepsilon", "√(H ⋅ 1/(3H)) ≥ ε"),
        (r"\prod_{j=k+1}^t f_j", "∏_(j=k+1)^t f_j"),
        (r"W_h^\top h \to \mathbf{y}", "W_h^⊤ h → y"),
        (r"728{,}916 \times 10^{-3}", "728,916 × 10^−3"),
        (r"c_t = \boxed{f_t} \odot c_{t-1}", "c_t = f_t ⊙ c_(t−1)"),
    ],
)
def test_a_formula_loses_no_sign(tex, plain):
    assert to_plain(tex) == plain


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"\frac{a + b}{2}", "(a+b)/2"),
        (r"\frac{1}{3H}", "1/(3H)"),
        (r"\frac14 W_h", "1/4 W_h"),
        (r"e^{a_k}", "e^(a_k)"),
        (r"x_t W_x", "x_t W_x"),
        (r"2^{-1/1000}", "2^(−1/1000)"),
    ],
)
def test_what_a_drawing_keeps_apart_is_kept_apart_by_brackets_and_spaces(tex, plain):
    assert to_plain(tex) == plain


@pytest.mark.parametrize(
    ("tex", "unknown"),
    [(r"\begin{matrix} a \end{matrix}", "mtd"), (r"\overrightarrow{x}", "⟶|→")],
)
def test_what_has_no_form_in_a_line_is_an_error_and_not_dropped(tex, unknown):
    with pytest.raises(ValueError, match=rf"that can be written in a line, got .*'({unknown})'"):
        to_plain(tex)


def test_what_a_formula_boxes_is_a_row_that_the_style_sheet_frames():
    mathml = to_mathml(r"\boxed{f_t} \odot c_{t-1}", display=True)
    assert '<mrow class="boxed"><msub><mi>f</mi><mi>t</mi></msub></mrow>' in mathml


def test_what_mathml_core_would_not_draw_is_an_error():
    with pytest.raises(LatexError, match="nothing to strike out with"):
        to_mathml(r"\cancel{f_t}", display=True)
