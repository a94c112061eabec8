"""Grids of numbers show what they are given, in an ink that can be read on each cell."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lstm_lib import figures
from lstm_lib.figures.grids import written
from lstm_lib.figures.style import DARK

mpl.use("agg")

TABLE = [[0.0, 0.031, 0.996], [3.42, 17.4, 250.0]]


pytestmark = pytest.mark.usefixtures("house_style")


def draw(panels=None, **changed):
    arguments = {
        "rows": ["i", "f"],
        "columns": ["a", "b", "c"],
        "xlabel": "cut",
        "limits": (0.01, 10),
    }
    return figures.number_grids(panels or {"one": TABLE, "two": TABLE}, **{**arguments, **changed})


def luminance(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (
        0.2126,
        0.7152,
        0.0722,
    )


def test_every_number_stands_in_its_cell():
    ax = draw()[1]
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    wanted = {(column, row): written(v) for (row, column), v in np.ndenumerate(np.array(TABLE))}
    assert texts == wanted


def test_panels_rows_and_columns_are_named():
    axes = draw()
    assert [ax.get_title(loc="left") for ax in axes] == ["one", "two"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["$i_t$", "$f_t$"]
    assert [text.get_text() for text in axes[1].get_xticklabels()] == ["a", "b", "c"]
    assert axes[1].get_xlabel() == "cut"


def test_all_panels_have_the_same_colours_for_the_same_numbers():
    one, two = draw({"one": TABLE, "two": [row[::-1] for row in TABLE]})
    colour_one, colour_two = (ax.images[0].to_rgba(np.array([0.5])) for ax in (one, two))
    assert np.array_equal(colour_one, colour_two)


def test_each_ink_has_a_contrast_of_four_and_a_half_on_its_cell():
    table = np.geomspace(0.001, 100, 60)[None]
    (ax,) = draw({"all": table}, rows=["i"], columns=[""] * 60)
    cells = ax.images[0].to_rgba(ax.images[0].get_array())[0]
    for cell, text in zip(cells, ax.texts, strict=True):
        a, b = sorted((luminance(cell[:3]), luminance(text.get_color())))
        assert (b + 0.05) / (a + 0.05) >= 4.5


def test_no_ink_is_one_that_a_dark_page_swaps():
    inks = {text.get_color() for ax in draw() for text in ax.texts}
    assert len(inks) == 2
    assert not {ink.upper() for ink in inks} & DARK.keys()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0.00"), (0.994, "0.99"), (0.996, "1.0"), (9.94, "9.9"), (9.96, "10"), (123.4, "123")],
)
def test_a_number_has_two_digits_or_those_before_the_point(number, text):
    assert written(number) == text


@pytest.mark.parametrize(
    ("panels", "changed", "message"),
    [
        ({"x": [[1.0]]}, {}, r"panels\['x'\]: expected shape \(2, 3\), got \(1, 1\)"),
        ({"x": -np.ones((2, 3))}, {}, r"panels\['x'\]: expected numbers ≥ 0"),
        ({"x": np.full((2, 3), np.nan)}, {}, r"panels\['x'\]: expected numbers ≥ 0"),
        (None, {"limits": (0, 1)}, r"limits: expected 0 < low < high, got \(0, 1\)"),
    ],
)
def test_what_does_not_fit_is_named(panels, changed, message):
    with pytest.raises(ValueError, match=message):
        draw(panels, **changed)


def test_no_panel_is_refused():
    with pytest.raises(ValueError, match="panels: expected at least one, got none"):
        figures.number_grids({}, rows=["i"], columns=["a"], xlabel="cut", limits=(1, 2))
