"""The live figures start from what the chapters' own code makes, and so do their pictures."""

import json
import re

import numpy as np
import pytest

from lstm_lib import figures
from lstm_lib.figures import live
from tools import live_data

ROADS = {"RNN": [1e-12, 1e-6, 1.0], "LSTM": [0.5, 0.7, 1.0]}


def stored(name):
    """The data of a module and its first line."""
    first, rest = (live.HERE / f"{name}_data.js").read_text(encoding="utf-8").split("\n", 1)
    (text,) = re.fullmatch(rf"export const {name.upper()} = (.*);\n", rest).groups()
    return json.loads(text), first


def test_the_cells_of_the_highway_are_what_the_tool_makes_now():
    data, first = stored("highway")
    assert data == live_data.highway()
    assert first == f"// Made by tools/live_data.py: {live_data.MADE['highway'][2]}."


@pytest.mark.parametrize("name", live_data.MADE)
def test_a_stored_picture_is_what_the_code_draws_now(name):
    still = live_data.MADE[name][1](stored(name)[0])
    path = live_data.ASSETS / f"{name}-light.svg"
    assert path.read_text(encoding="utf-8") == still.svg


def test_the_tool_writes_a_module_and_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "HERE", tmp_path)
    monkeypatch.setattr(live_data, "ASSETS", tmp_path)
    live_data.main(["highway"])
    assert {path.name for path in tmp_path.iterdir()} == {"highway_data.js", "highway-light.svg"}


def polygon(svg, n):
    """Distance of the two edges of the n-th road at each step that it reaches."""
    points = re.findall(r'<polygon points="([^"]*)"', svg)[n].split()
    y = np.array([point.split(",")[1] for point in points], dtype=float)
    return (y[len(y) // 2 :][::-1] - y[: len(y) // 2]).tolist()


def test_a_road_is_as_wide_as_the_power_of_ten_above_the_faintest():
    svg = figures.gradient_roads({"GRU": [1e-4, 1e-2, 1.0]}).svg
    assert polygon(svg, 0) == pytest.approx([2 + 3.5 * 4, 2 + 3.5 * 6, 2 + 3.5 * 8], abs=0.11)


def test_a_road_ends_where_less_than_the_faintest_arrives():
    svg = figures.gradient_roads(ROADS).svg
    assert len(polygon(svg, 0)) == 2
    assert len(polygon(svg, 1)) == 3


def test_the_numbers_at_step_0_are_written_on_the_roads_and_in_the_description():
    svg = figures.gradient_roads(ROADS).svg
    assert svg.count("RNN: 1.0 · 10⁻¹² arrives") == 1
    assert "<desc>" in svg
    assert "RNN 1.0 · 10⁻¹², LSTM 0.5." in svg


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.72, "0.72"), (1.0, "1"), (52.3, "52"), (252, "2.5 · 10²"), (3.14e-9, "3.1 · 10⁻⁹")],
)
def test_a_number_is_written_with_two_digits(value, text):
    assert figures.roads.two_digits(value) == text


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({}, "shares: expected at least one model, got none"),
        ({"CNN": [1.0, 1.0]}, "shares: expected RNN, GRU or LSTM, got 'CNN'"),
        ({"RNN": [1.0, 1.0], "GRU": [1.0]}, r"shares\['GRU'\]: expected \(T\+1,\) .* got \(1,\)"),
        ({"RNN": [0.0, 1.0]}, r"shares\['RNN'\]: expected .* numbers > 0, .* the smallest 0"),
    ],
)
def test_shares_that_no_road_can_show_are_an_error(shares, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        figures.gradient_roads(shares)
