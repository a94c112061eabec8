"""The pictures that stand where live figures cannot run show states that their cells reach."""

import re
import xml.etree.ElementTree as ElementTree

from lstm_lib.figures.__main__ import METER, latch, meter


def texts(svg):
    """The numbers of a drawing, row by row from the top."""
    rows = {}
    for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        if text.get("class") == "number":
            rows.setdefault(text.get("y"), []).append(text.text)
    return list(rows.values())


def test_the_latch_shows_the_gates_that_solve_its_first_challenge():
    steps, g, i, f, o, want = texts(latch().svg)
    assert steps == [*"12345678"]
    assert g == ["+1", "−1", "+1", "−1", "−1", "+1", "−1", "−1"]
    assert ["".join(gate) for gate in (i, f, o)] == ["10000000", "11111111", "00000010"]
    assert want == [*"000000", "+1", "0"]


def test_the_latch_keeps_its_bit_from_the_first_step_and_shows_it_at_the_seventh():
    svg = latch().svg
    heights = re.findall(r"V([^H]+)H", re.search(r'<path d="(M[^"]*V[^"]*)"', svg)[1])
    assert heights == ["234"] * 8  # 46 px above its line, c = 1
    bars = re.findall(r'<rect x="\S+" y="\S+" width="34" height="(\S+)"', svg)
    assert bars == [*"000000", "35", "0"]  # 46 tanh(1)


def test_the_meter_draws_each_share_at_its_height():
    rnn = re.search(r'<path d="M([^"]*)"[^>]*stroke-dasharray="4 6"', meter().svg)[1]
    heights = [float(point.split()[1]) for point in rnn.split("L")]
    expected = [350 - 298 * right / 120 for right in METER["RNN"]]  # from 350 px up to 52 px
    assert heights == [round(height, 1) for height in expected]
