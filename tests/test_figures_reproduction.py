"""The plot of results measured again shows every number that it is given."""

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from numpy.testing import assert_allclose

from lstm_lib import figures
from lstm_lib.figures import style

mpl.use("agg")

SEEDS = {"4, T=100": [70_000, 90_000, 110_000], "5": []}
INTERVALS = {"4, T=100": (75_000, 90_000, 120_000)}
PUBLISHED = {"4, T=100": 74_000, "5": 482_000}


pytestmark = pytest.mark.usefixtures("house_style")


def drawn(seeds=SEEDS, intervals=INTERVALS, published=PUBLISHED, **more):
    return figures.reproduction_dots(seeds, intervals, published, xlabel="sequences", **more)


def dots(ax):
    """The line of each row's seeds."""
    return [line for line in ax.lines if line.get_markersize() == 5]


def test_each_seed_is_a_dot_near_its_row():
    [first, second] = dots(drawn())
    assert_allclose(first.get_xdata(), SEEDS["4, T=100"])
    assert (abs(first.get_ydata()) < 0.35).all()
    assert len(second.get_xdata()) == 0


def test_equal_seeds_beside_each_other_are_two_dots():
    [first, _] = dots(drawn({**SEEDS, "4, T=100": [9, 9]}))
    assert len(set(first.get_ydata())) == 2


def test_seeds_and_the_outline_of_the_band_have_a_colour_that_is_seen_on_both_pages():
    ax = drawn()
    assert {(line.get_color(), line.get_alpha()) for line in dots(ax)} == {(style.GREY, None)}
    assert {to_hex(bar.get_edgecolor()).upper() for bar in ax.patches} == {style.GREY}
    assert {(bar.get_edgecolor()[3], bar.get_alpha()) for bar in ax.patches} == {(1, None)}


def test_the_whisker_of_a_mean_reaches_from_end_to_end_of_its_interval():
    [(points, _, [whisker])] = [
        each for each in drawn().containers if isinstance(each, ErrorbarContainer)
    ]
    assert_allclose(points.get_xdata(orig=False), [90_000])
    assert_allclose(whisker.get_segments()[0][:, 0], [75_000, 120_000])


def test_the_mean_of_a_row_is_hollow_where_some_trials_failed():
    both = dict.fromkeys(PUBLISHED, (9, 10, 11))
    ax = drawn(intervals=both, hollow=["5"])
    [full, hollow] = [each for each in ax.containers if isinstance(each, ErrorbarContainer)]
    colours = [each[0].get_markerfacecolor() for each in (full, hollow)]
    assert colours == [style.ACCENT, style.WHITE]
    [legend] = ax.figure.legends
    assert "mean of those that succeeded" in {text.get_text() for text in legend.get_texts()}


def test_the_band_is_a_factor_around_the_published_number():
    bars = drawn(factor=3).patches
    assert_allclose([bar.get_x() for bar in bars], [74_000 / 3, 482_000 / 3])
    assert_allclose([bar.get_x() + bar.get_width() for bar in bars], [3 * 74_000, 3 * 482_000])


def test_the_published_number_is_a_diamond_in_its_row():
    diamonds = [line for line in drawn().lines if line.get_marker() == "D"]
    places = [(float(each.get_xdata()[0]), float(each.get_ydata()[0])) for each in diamonds]
    assert places == [(74_000, 0), (482_000, 1)]


def test_rows_are_named_from_top_to_bottom_on_a_logarithmic_axis():
    ax = drawn()
    assert [text.get_text() for text in ax.get_yticklabels()] == list(PUBLISHED)
    assert ax.yaxis_inverted()
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "sequences")


@pytest.mark.parametrize(
    ("paper", "ticks"),
    [
        (30_000, ["20,000", "50,000"]),
        (300_000, ["50,000", "100,000", "200,000", "500,000"]),
        (900_000, ["30,000", "100,000", "300,000", "1,000,000"]),
        (9_000_000, ["100,000", "1,000,000", "10,000,000"]),
    ],
)
def test_a_narrow_axis_has_more_ticks_than_a_wide_one(paper, ticks):
    ax = figures.reproduction_dots({"6": [30_000]}, {}, {"6": paper}, xlabel="sequences")
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    places = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    assert [text.get_text() for place, text in places if low < place < high] == ticks


def test_what_is_said_of_a_row_stands_at_its_end():
    [text] = drawn(ends={"5": "0 of 10"}).texts
    assert (text.get_text(), text.xy) == ("0 of 10", (1, 1))


def test_the_legend_names_each_mark_and_the_factor():
    [legend] = drawn(factor=3).figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "a seed",
        "mean, 95 % interval",
        "published",
        "within a factor of 3 of it",
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"published": {}, "seeds": {}, "intervals": {}}, "published: expected at least one row"),
        ({"seeds": {"5": []}}, r"seeds: expected the rows of published, .* got \['5'\]"),
        ({"seeds": {**SEEDS, "5": [0]}}, r"seeds\['5'\]: expected finite numbers > 0"),
        ({"seeds": {**SEEDS, "5": [[1]]}}, r"seeds\['5'\]: expected shape \(n,\), got \(1, 1\)"),
        ({"intervals": {"6": (1, 2, 3)}}, r"intervals: expected rows among .* got \['6'\]"),
        ({"intervals": {"5": (1, 2)}}, r"intervals\['5'\]: expected shape \(3,\), got \(2,\)"),
        ({"published": {**PUBLISHED, "5": -1}}, r"published\['5'\]: expected finite numbers > 0"),
        ({"ends": {"6": ""}}, "ends: expected rows among"),
        ({"hollow": ["6"]}, "hollow: expected rows among"),
        ({"factor": 1}, "factor: expected a number > 1, got 1"),
    ],
)
def test_wrong_numbers_are_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        drawn(**wrong)
