"""The plots show the numbers they are given, in colours that everyone can tell apart."""

import io
import itertools
import re
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lstm_lib import figures
from lstm_lib.figures import style
from lstm_lib.figures.labels import spread

mpl.use("agg")

T, B, H = 12, 2, 5

# Machado, Oliveira & Fernandes (2009), doi 10.1109/TVCG.2009.113, severity 1.0, on linear RGB.
COLOUR_BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "full colour vision": np.eye(3),
}


pytestmark = pytest.mark.usefixtures("house_style")


@pytest.fixture
def trace():
    rng = np.random.default_rng(0)
    fields = {name: rng.uniform(-1, 1, (T + 1, B, H)) for name in "hcg"}
    fields |= {name: rng.uniform(0.2, 0.7, (T + 1, B, H)) for name in "ifo"}
    for name in "ifgo":
        fields[name][0] = 0
    return SimpleNamespace(**fields)


def lines(**arguments):
    curves = arguments.pop("curves", {"LSTM": [1.0, 2.0, 3.0]})
    return figures.lines(curves, xlabel="lag (steps)", ylabel="accuracy", **arguments)


def svg_of(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata=style.METADATA)
    return buffer.getvalue().decode()


def linear_rgb(colour):
    value = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2's contrast ratio of two colours."""
    dark, light = sorted(linear_rgb(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(linear):
    """CIE L*a*b* of a linear sRGB colour, white D65."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(linear, 0, 1) / to_xyz.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# --- colours -----------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", sorted({*style.COLOURS.values(), style.ACCENT, style.GREY}))
def test_a_colour_has_contrast_3_to_1_on_both_pages_and_inside_a_module(colour):
    twin = style.DARK.get(colour, colour)
    for paper in (style.WHITE, style.PANEL):
        assert contrast(colour, paper) >= 3
        assert contrast(twin, style.DARK[paper]) >= 3


def test_text_has_contrast_4_5_to_1_on_both_pages():
    assert contrast(style.INK, style.WHITE) >= 4.5
    assert contrast(style.DARK[style.INK], style.DARK[style.WHITE]) >= 4.5


@pytest.mark.parametrize("vision", COLOUR_BLIND)
@pytest.mark.parametrize("group", ["ifgoch", ["RNN", "GRU", "LSTM"]])
def test_two_lines_differ_in_dash_or_in_colour_as_anyone_sees_it(vision, group):
    # ΔE*ab 2.3 is just noticeable side by side; ten times that holds for thin lines apart.
    seen = {n: lab(COLOUR_BLIND[vision] @ linear_rgb(figures.COLOURS[n])) for n in group}
    for one, other in itertools.combinations(group, 2):
        same_dash = figures.LINES[one]["linestyle"] == figures.LINES[other]["linestyle"]
        assert not same_dash or np.linalg.norm(seen[one] - seen[other]) > 23, (one, other)


def test_every_named_colour_has_a_line_of_its_own_and_the_colours_are_those_of_the_book():
    assert figures.COLOURS.keys() == figures.LINES.keys()
    fixed = {"i": "#257A5B", "f": "#4679F2", "g": "#B248A8", "o": "#BE4106", "c": "#C38607"}
    assert fixed.items() <= figures.COLOURS.items()


def test_lines_without_a_meaning_differ_from_each_other_in_tone_or_dash():
    looks = {(str(line["color"]), str(line["linestyle"])) for line in style.OTHERS}
    assert len(looks) == len(style.OTHERS)


# --- the dark twin -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda: svg_of(lines(reference={"chance": 1.5}).figure),
        lambda: figures.cell_diagram(highlight="forget").svg,
        lambda: figures.chain_diagram("lstm").svg,
    ],
)
def test_to_dark_leaves_no_house_ink_white_or_grey_and_twice_is_as_once(draw):
    svg = draw()
    dark = figures.to_dark(svg)
    assert dark != svg
    assert not [colour for colour in style.DARK if colour.lower() in dark.lower()]
    assert figures.to_dark(dark) == dark


def test_the_house_tones_have_the_twins_of_the_book():
    assert style.DARK["#1F2328"] == "#E6EDF3"
    assert style.DARK["#FFFFFF"] == "#1E1E1E"
    greys = {style.STRONG_GREY, style.GREY, style.RULE, style.PANEL}
    assert style.DARK.keys() == greys | {"#1F2328", "#FFFFFF"}


def test_to_dark_keeps_the_colours_of_the_quantities():
    svg = figures.cell_diagram().svg
    for name in "ifgoc":
        colour = figures.COLOURS[name]
        assert svg.count(colour) == figures.to_dark(svg).count(colour) > 0


def test_a_plot_has_only_house_colours_so_that_its_twin_is_complete():
    svg = svg_of(lines(reference={"chance": 1.5}).figure)
    used = {colour.upper() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", svg)}
    assert used <= {*style.DARK, *style.COLOURS.values()}


# --- files -------------------------------------------------------------------------------------


def test_two_identical_figures_are_the_same_svg_to_the_byte():
    first, second = (svg_of(lines().figure) for _ in range(2))
    assert first == second
    assert "<dc:date>" not in first


def test_text_is_drawn_as_outlines():
    assert "<text" not in svg_of(lines().figure)


def test_in_a_notebook_figures_become_svg_without_a_date(monkeypatch):
    backend_inline = pytest.importorskip("matplotlib_inline.backend_inline")
    asked = {}
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: "a shell"))
    monkeypatch.setattr(
        backend_inline, "set_matplotlib_formats", lambda name, **how: asked.update({name: how})
    )
    figures.use_style()
    assert asked == {"svg": {"metadata": style.METADATA}}


def test_figures_import_neither_torch_nor_scikit_learn():
    code = "import sys, lstm_lib.figures; sys.exit(bool({'torch', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- lines -------------------------------------------------------------------------------------


def test_lines_names_its_axes_and_draws_on_axes_of_its_own():
    first, second = lines(), lines()
    assert (first.get_xlabel(), first.get_ylabel()) == ("lag (steps)", "accuracy")
    assert first.figure is not second.figure


def test_lines_draws_the_mean_of_the_seeds_and_a_band_from_minimum_to_maximum():
    seeds = np.array([[1.0, 5.0, 2.0], [3.0, 4.0, 8.0], [2.0, 0.0, 2.0]])
    ax = lines(curves={"LSTM": seeds})
    assert_allclose(ax.lines[0].get_ydata(), seeds.mean(axis=0))
    corners = ax.collections[0].get_paths()[0].vertices
    for step in range(3):
        heights = corners[corners[:, 0] == step + 1, 1]
        assert (heights.min(), heights.max()) == (seeds[:, step].min(), seeds[:, step].max())


def test_lines_draws_no_band_for_a_single_curve():
    assert not lines().collections


def test_lines_sets_a_logarithmic_axis():
    assert lines(log=True).get_yscale() == "log"
    assert lines().get_yscale() == "linear"


def test_lines_writes_each_name_and_reference_at_a_line_end():
    ax = lines(curves={"f": [0.0, 1.0], "mine": [0.0, 1.0]}, reference={"chance": 0.5})
    assert {text.get_text() for text in ax.texts} == {"$f_t$", "mine", "chance"}


def test_lines_gives_names_their_colours_and_others_the_look_that_is_asked_for():
    ax = lines(curves={"GRU": [1, 2], "other": [1, 2], "leaky": [1, 2]}, like={"leaky": "f"})
    drawn = [line.get_color() for line in ax.lines]
    assert drawn == [figures.COLOURS["GRU"], style.OTHERS[0]["color"], figures.COLOURS["f"]]


def test_lines_draws_on_the_axes_that_are_given_over_the_given_x():
    _, given = plt.subplots()
    ax = lines(ax=given, x=[10, 20, 30], ylim=(0, 4))
    assert ax is given
    assert_array_equal(ax.lines[0].get_xdata(), [10, 20, 30])
    assert ax.get_ylim() == (0, 4)


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([0.0, 1.0], [0.0, 1.0]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.50, 0.52, 0.9], [0.46, 0.56, 0.9]),
    ],
)
def test_labels_move_apart_only_where_they_would_touch(heights, expected):
    assert_allclose(spread(np.array(heights), 0.1), expected)


# --- heat maps, traces and bars ----------------------------------------------------------------


def test_gate_heatmap_has_a_panel_a_gate_with_colours_from_0_to_1(trace):
    axes = figures.gate_heatmap(trace, gates="fo", batch=1, order=[3, 0])
    assert [ax.images[0].get_clim() for ax in axes] == [(0, 1), (0, 1)]
    assert [ax.get_ylabel() for ax in axes] == ["$f_t$, unit", "$o_t$, unit"]
    assert axes[-1].get_xlabel() == "step t"
    assert_array_equal(axes[0].images[0].get_array(), trace.f[1:, 1, [3, 0]].T)


def test_gate_heatmap_counts_steps_from_1(trace):
    left, right, *_ = figures.gate_heatmap(trace)[0].images[0].get_extent()
    assert (left, right) == (0.5, T + 0.5)


def test_signed_heatmap_is_symmetric_about_0():
    ax = figures.signed_heatmap([[0.5, -2.0], [1.0, 0.0]])
    assert ax.images[0].get_clim() == (-2, 2)
    assert figures.signed_heatmap([[0.0]]).images[0].get_clim() == (-1, 1)
    assert figures.signed_heatmap([[0.5]], limit=3).images[0].get_clim() == (-3, 3)


def test_heatmap_names_its_axes_and_its_colour_bar():
    ax = figures.heatmap([[0.0, 1.0]], xlabel="i", ylabel="f", label="c", vmin=0, vmax=2)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("i", "f")
    assert ax.figure.axes[1].get_ylabel() == "c"
    assert ax.images[0].get_clim() == (0, 2)


def test_cell_trace_draws_gates_from_step_1_and_states_from_step_0(trace):
    top, bottom = figures.cell_trace(trace, unit=2, batch=1)
    drawn = {line.get_label(): line for ax in (top, bottom) for line in ax.lines}
    for name in "ifog":
        assert_array_equal(drawn[name].get_ydata(), getattr(trace, name)[1:, 1, 2])
        assert drawn[name].get_xdata()[0] == 1
    for name in "ch":
        assert_array_equal(drawn[name].get_ydata(), getattr(trace, name)[:, 1, 2])
        assert drawn[name].get_xdata()[0] == 0
    assert (top.get_ylabel(), bottom.get_xlabel(), bottom.get_ylabel()) == (
        "gate",
        "step t",
        "value",
    )


@pytest.mark.parametrize("draw", [figures.gate_heatmap, figures.cell_trace])
def test_a_time_axis_has_no_ticks_between_steps(trace, draw):
    short = SimpleNamespace(**{name: values[:4] for name, values in vars(trace).items()})
    ticks = draw(short)[-1].get_xticks()  # by default 0, 0.5, 1 …
    assert_array_equal(ticks, ticks.round())


def test_cell_trace_marks_steps_in_both_panels(trace):
    for ax in figures.cell_trace(trace, marks=(3, 12)):
        upright = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 1]
        assert upright == [[3, 3], [12, 12]]


def test_bars_have_their_lengths_names_and_numbers():
    ax = figures.bars({"i_t": 0.25, "LSTM": -1.0}, xlabel="accuracy", reference={"chance": 0.1})
    assert [bar.get_width() for bar in ax.patches] == [0.25, -1.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["$i_t$", "LSTM"]
    assert [text.get_text() for text in ax.texts] == ["0.25", "−1.00", "chance"]
    assert ax.get_xlabel() == "accuracy"


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda trace: lines(curves={}), "curves"),
        (lambda trace: lines(curves={"a": np.zeros((2, 2, 2))}), "curves['a']"),
        (lambda trace: lines(curves={"a": [1, 2], "b": [1]}), "curves['b']"),
        (lambda trace: lines(curves={"a": [1, 0]}, log=True), "curves['a']"),
        (lambda trace: lines(x=[[1, 2, 3]]), "x"),
        (lambda trace: lines(x=[1, 2, np.nan]), "x"),
        (lambda trace: lines(x=["a", "b", "c"]), "x"),
        (lambda trace: lines(log=True, reference={"chance": 0}), "reference['chance']"),
        (lambda trace: lines(like={"LSTM": "z"}), "like['LSTM']"),
        (lambda trace: figures.heatmap([1, 2], xlabel="", ylabel=""), "values"),
        (lambda trace: figures.signed_heatmap([[]]), "values"),
        (lambda trace: figures.signed_heatmap([[1]], limit=0), "limit"),
        (lambda trace: figures.signed_heatmap([[1]], limit=np.inf), "limit"),
        (lambda trace: figures.gate_heatmap(trace, order=[]), "order"),
        (lambda trace: figures.gate_heatmap(trace, order=[1.0]), "order"),
        (lambda trace: figures.gate_heatmap(SimpleNamespace(h=trace.h)), "trace"),
        (lambda trace: figures.cell_trace(SimpleNamespace(h=trace.h)), "trace"),
        (lambda trace: figures.gate_heatmap(trace, gates="ig"), "gates"),
        (lambda trace: figures.gate_heatmap(trace, batch=B), "batch"),
        (lambda trace: figures.gate_heatmap(trace, order=[H]), "order"),
        (lambda trace: figures.cell_trace(trace, unit=H), "unit"),
        (lambda trace: figures.cell_trace(trace, marks=[0]), "marks"),
        (lambda trace: figures.bars({}), "values"),
        (lambda trace: figures.bars({"a": np.nan}), "values"),
    ],
)
def test_bad_input_is_an_error_that_names_the_argument(call, argument, trace):
    with pytest.raises(ValueError, match=f"^{re.escape(argument)}: .*, got "):
        call(trace)


def test_a_line_that_ends_in_nan_is_named_where_it_ends():
    ax = lines(curves={"f": [0.0, 1.0, 0.5], "lost": [0.0, 1.0, np.nan]})
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    assert heights["lost"] > heights["$f_t$"]


def test_a_curve_of_nan_alone_is_drawn_without_a_warning_on_a_log_axis():
    assert len(lines(curves={"a": [np.nan, np.nan]}, log=True).lines) == 1


def test_names_may_be_numbers():
    assert [text.get_text() for text in lines(curves={0.5: [1, 2]}).texts] == ["0.5"]
    assert figures.bars({0.5: 1}).get_yticklabels()[0].get_text() == "0.5"


def test_signed_heatmap_is_scaled_by_its_finite_values():
    ax = figures.signed_heatmap([[0.5, -np.inf], [np.nan, 0.25]])
    assert ax.images[0].get_clim() == (-0.5, 0.5)
