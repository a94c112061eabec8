"""The timeline puts years to scale, keeps its names apart, and can be read without colour."""

import matplotlib as mpl
import numpy as np
import pytest
from numpy.testing import assert_allclose

from lstm_lib import figures
from lstm_lib.figures.timeline import MARKS, ROW

mpl.use("agg")

STATIONS = [
    (1997, "blocks", "a state that adds up", "adds"),
    (2014, "projection", "fewer are fed back", "adds"),
    (2014, "GRU", "one state", "drops"),
    (2000, "forget gate", "the state can be emptied", "adds"),
]
IN_ORDER = ["blocks", "forget gate", "projection", "GRU"]


pytestmark = pytest.mark.usefixtures("house_style")


def leaders(ax):
    """The lines from the years, left, to the names, right: (from, to) each, in inches down."""
    lines = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 4]
    return np.array([(depths[0], depths[-1]) for depths in lines])


def markers(ax):
    return [line for line in ax.lines if len(line.get_ydata()) == 1]


def test_years_are_to_scale():
    start, forget, projection, gru = leaders(figures.timeline(STATIONS))[:, 0]
    assert start < forget < projection == gru
    assert_allclose((forget - start) / (gru - start), 3 / 17)


def test_names_go_down_by_year_a_row_apart():
    ax = figures.timeline(STATIONS)
    assert [text.get_text() for text in ax.texts[1::3]] == IN_ORDER
    assert np.diff([text.get_position()[1] for text in ax.texts[1::3]]).min() > 0.999 * ROW


def test_each_station_says_its_year_its_name_and_its_change():
    ax = figures.timeline(STATIONS[:1])
    assert [text.get_text() for text in ax.texts] == ["1997", "blocks", "a state that adds up"]


def test_nothing_lies_outside():
    late = [(1997, "first", "", "adds")] + [(2024, name, "", "adds") for name in "abc"]
    ax = figures.timeline(late)
    bottom, top = ax.get_ylim()
    heights = [text.get_position()[1] for text in ax.texts]
    assert top < min(heights) < max(heights) < bottom


def test_a_kind_has_a_marker_of_its_own_and_is_named_in_the_legend():
    ax = figures.timeline(STATIONS)
    looks = [line.get_marker() for line in markers(ax)]
    assert looks == [MARKS[kind]["marker"] for kind in (0, 0, 0, 1)]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["adds", "drops"]


def test_kinds_differ_without_colour():
    assert len({mark["marker"] for mark in MARKS}) == len(MARKS)


@pytest.mark.parametrize(
    ("stations", "options", "said"),
    [
        ([], {}, "stations: expected at least one station"),
        ([(float("nan"), "", "", "")], {}, "stations: expected years that are finite numbers"),
        ([(2000, "", "", kind) for kind in "abcde"], {}, "stations: expected at most 4 kinds"),
        (STATIONS, {"inches": 1}, r"inches must be at least 2\.12 for 4 stations, got 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(stations, options, said):
    with pytest.raises(ValueError, match=said):
        figures.timeline(stations, **options)
