"""The plots of speed show the numbers they are given, and can be read without colour."""

import io
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from lstm_lib import figures
from lstm_lib.figures import style
from lstm_lib.figures.speed import DOTS, FILLS

mpl.use("agg")

SIZES = ["28, 64", "100, 1"]
RATIOS = {"fast": [[1.0, 1.1, 1.3], [0.4, 0.5, 0.55]], "loop": [[0.3, 0.4, 0.5], [0.1, 0.1, 0.2]]}
PARTS = {"matmul": [6.0, 1.0], "calls": [1.0, 2.0]}


pytestmark = pytest.mark.usefixtures("house_style")


def dots(ratios=RATIOS, sizes=SIZES):
    return figures.ratio_dots(ratios, sizes, xlabel="times as fast")


def stacked(parts=PARTS, measured=(10.0, 4.0), sizes=SIZES):
    return figures.step_bars(parts, measured, sizes)


def test_a_dot_is_the_median_and_its_whisker_reaches_from_quartile_to_quartile():
    ax = dots()
    for (points, _, [whiskers]), own in zip(ax.containers, RATIOS.values(), strict=True):
        assert_allclose(points.get_xdata(), np.array(own)[:, 1])
        ends = np.array(whiskers.get_segments())[:, :, 0]
        assert_allclose(ends, np.array(own)[:, [0, 2]])


def test_the_rows_are_named_from_top_to_bottom_about_a_line_at_1():
    ax = dots()
    assert [text.get_text() for text in ax.get_yticklabels()] == SIZES
    assert ax.yaxis_inverted()
    assert [1, 1] in [list(line.get_xdata()) for line in ax.lines]
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "times as fast")


@pytest.mark.parametrize(
    ("lowest", "highest", "labels"),
    [
        (0.6, 2.5, ["0.6", "0.8", "1", "1.2", "1.5", "2"]),
        (0.07, 3.0, ["0.1", "0.2", "0.5", "1", "2"]),
        (1.0, 60.0, ["1", "2", "5", "10", "20", "50"]),
    ],
)
def test_a_narrow_axis_has_more_ticks_than_a_wide_one(lowest, highest, labels):
    ax = dots({"a": [[value] * 3 for value in (lowest, highest)]})
    assert [label.get_text() for label in ax.get_xticklabels()] == labels


def test_dots_of_one_row_lie_near_it_and_apart_from_each_other():
    heights = [points.get_ydata() for points, *_ in dots().containers]
    assert (heights[0] < heights[1]).all()
    assert_allclose(np.round(heights), [[0, 1], [0, 1]])


def test_the_legend_names_every_contestant():
    [legend] = dots().figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(RATIOS)


def test_every_contestant_has_a_marker_and_every_part_a_fill_of_its_own():
    assert len({dot["marker"] for dot in DOTS}) == len(DOTS)
    assert len({(fill["facecolor"], fill["hatch"]) for fill in FILLS}) == len(FILLS)


def test_the_parts_of_a_step_are_stacked_as_shares_of_what_was_measured():
    ax = stacked()
    whole, matmul, calls = ax.containers
    assert [bar.get_width() for bar in whole] == [1, 1]
    assert_allclose([bar.get_width() for bar in matmul], [0.6, 0.25])
    assert_allclose([bar.get_x() for bar in calls], [0.6, 0.25])
    assert_allclose([bar.get_width() for bar in calls], [0.1, 0.5])


def test_each_step_is_named_with_its_time():
    ax = stacked()
    assert [text.get_text() for text in ax.texts] == ["10 µs", "4 µs"]
    assert [text.get_text() for text in ax.get_yticklabels()] == SIZES


def test_the_axis_of_shares_ends_at_the_whole_step():
    for ax in (stacked(), stacked({"matmul": [15.0, 1.0]})):
        assert [text.get_text() for text in ax.get_xticklabels()] == [
            "0",
            "0.25",
            "0.5",
            "0.75",
            "1",
        ]
        assert_allclose(ax.get_xticks(), [0, 0.25, 0.5, 0.75, 1])


def test_bounds_above_the_measured_time_are_shown_and_not_cut():
    ax = stacked({"matmul": [15.0, 1.0]})
    assert ax.get_xlim()[1] > 1.5
    assert ax.texts[0].xy[0] == 1.5


@pytest.mark.parametrize(
    "draw",
    [
        lambda: dots({str(k): RATIOS["fast"] for k in range(len(DOTS))}),
        lambda: stacked({str(k): [1, 1] for k in range(len(FILLS))}),
    ],
)
def test_speed_is_drawn_in_house_colours_so_that_the_dark_twin_is_complete(draw):
    buffer = io.StringIO()
    draw().figure.savefig(buffer, format="svg", metadata=style.METADATA)
    used = {colour.upper() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", buffer.getvalue())}
    assert used <= {*style.DARK, *style.COLOURS.values()}


def test_both_draw_on_the_axes_that_are_given():
    for k, (draw, *given) in enumerate(
        [(figures.ratio_dots, RATIOS, SIZES), (figures.step_bars, PARTS, [10.0, 4.0], SIZES)]
    ):
        _, ax = plt.subplots(layout="constrained")
        assert draw(*given, xlabel=str(k), ax=ax) is ax


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: dots({"a": [[1, 2, 3]]}), "ratios['a']"),
        (lambda: dots({"a": [1, 2]}), "ratios['a']"),
        (lambda: dots({"a": [[0, 1, 2], [1, 2, 3]]}), "ratios['a']"),
        (lambda: dots({"a": [[1, np.nan, 2], [1, 2, 3]]}), "ratios['a']"),
        (lambda: dots({}), "ratios"),
        (lambda: dots({str(k): RATIOS["fast"] for k in range(10)}), "ratios"),
        (lambda: dots({"a": np.ones((0, 3))}, []), "ratios['a']"),
        (lambda: stacked({}), "parts"),
        (lambda: stacked({"a": [1.0]}), "parts['a']"),
        (lambda: stacked({"a": [1.0, -1.0]}), "parts['a']"),
        (lambda: stacked({str(k): [1, 1] for k in range(7)}), "parts"),
        (lambda: stacked(measured=[1.0]), "measured"),
        (lambda: stacked(measured=[1.0, 0.0]), "measured"),
    ],
)
def test_bad_input_is_an_error_that_names_the_argument(call, argument):
    with pytest.raises(ValueError, match=f"^{re.escape(argument)}: .*, got "):
        call()
