"""A forest plot shows each effect with its interval, sorted, and says which leave out 1."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import same_color
from numpy.testing import assert_allclose

from lstm_lib import figures
from lstm_lib.figures.style import ACCENT, WHITE

mpl.use("agg")

PANELS = {
    "adding": {"a": [1.2, 0.8, 2.0], "b": [30.0, 10.0, 90.0], "c": [0.5, 0.4, 0.7]},
    "order": {"a": [2.0, 1.5, 3.0], "b": [1.0, 0.5, 2.0]},
    "speakers": {"a": [1.0, 1.0, 1.0]},
}
SEEDS = {"adding": {"b": [5.0, 50.0, 100.0]}}


pytestmark = pytest.mark.usefixtures("house_style")


def draw(panels=PANELS, **options):
    return figures.forest(panels, xlabel="times the loss", **{"log": True, **options})


def rows(ax):
    """Name -> the drawn ratio, its interval, and the fill of the dot."""
    found = {}
    for name, (points, _, [whiskers]) in zip(names(ax), ax.containers, strict=True):
        (x,), (y,) = points.get_data()
        assert ax.get_yticks()[names(ax).index(name)] == y
        found[name] = x, whiskers.get_segments()[0][:, 0], points.get_markerfacecolor()
    return found


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_a_dot_is_the_ratio_and_its_whisker_the_interval():
    for ax, table in zip(draw(), PANELS.values(), strict=True):
        for name, (middle, interval, _) in rows(ax).items():
            assert_allclose([middle, *interval], table[name])


def test_each_panel_is_sorted_with_the_largest_at_the_bottom():
    axes = draw()
    assert names(axes[0]) == ["c", "a", "b"]
    assert names(axes[1]) == ["b", "a"]
    assert all(ax.yaxis_inverted() for ax in axes)


def test_a_dot_is_filled_where_the_interval_leaves_out_1():
    fills = {name: fill for name, (_, _, fill) in rows(draw()[0]).items()}
    assert same_color(fills["a"], WHITE)
    assert same_color(fills["b"], ACCENT)
    assert same_color(fills["c"], ACCENT)


def test_single_seeds_stand_as_ticks_in_their_row():
    ax = draw(faint=SEEDS)[0]
    (ticks,) = [line for line in ax.lines if line.get_marker() == "|"]
    assert_allclose(ticks.get_xdata(), SEEDS["adding"]["b"])
    assert_allclose(ticks.get_ydata(), names(ax).index("b"))


def test_all_panels_have_a_logarithmic_axis_with_a_line_at_1():
    axes = draw()
    for ax in axes:
        assert ax.get_xscale() == "log"
        assert [1, 1] in [list(line.get_xdata()) for line in ax.lines]
    assert axes[0].figure.get_supxlabel() == "times the loss"


def test_the_ticks_of_a_panel_suit_the_size_of_its_effects():
    narrow, wide = draw({"a": {"x": [0.9, 0.6, 2.5]}, "b": {"x": [1.0, 1e-5, 1e6]}})
    assert seen(narrow) == {1: "1", 2: "2"}
    assert 3 <= len(seen(wide)) <= 5


def seen(ax):
    """The ticks within the axis, with what is written at them."""
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    labels = (label.get_text() for label in ax.get_xticklabels())
    return {x: text for x, text in zip(ax.get_xticks(), labels, strict=True) if low <= x <= high}


def test_panels_have_titles_and_no_empty_one_is_left():
    axes = draw()
    assert [ax.get_title(loc="left") for ax in axes] == list(PANELS)
    assert axes[0].figure.axes == axes


def test_differences_stand_about_a_line_at_0():
    (ax,) = draw({"one": {"a": [1.0, -1.0, 3.0], "b": [-2.0, -3.0, -1.0]}}, log=False)
    assert ax.get_xscale() == "linear"
    assert [0, 0] in [list(line.get_xdata()) for line in ax.lines]
    assert [same_color(fill, WHITE) for _, _, fill in rows(ax).values()] == [False, True]


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "panels: expected at least one, got none"),
        ({"x": {"a": [1, 2]}}, r"panels\['x'\]\['a'\]: expected finite \(estimate, low, high\)"),
        ({"x": {"a": [np.nan, 1, 3]}}, "expected finite"),
        ({"x": {"a": [1, 2, 3]}}, r"expected low ≤ estimate ≤ high, got \[1.0, 2.0, 3.0\]"),
        ({"x": {"a": [1, 0, 3]}}, "expected numbers > 0 on a log axis"),
    ],
)
def test_what_does_not_fit_is_named(panels, message):
    with pytest.raises(ValueError, match=message):
        draw(panels)
