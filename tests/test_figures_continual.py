"""The plots of a stream without end show the numbers they are given, one line a seed."""

import matplotlib as mpl
import numpy as np
import pytest
from numpy.testing import assert_allclose

from lstm_lib import figures
from lstm_lib.figures import style

mpl.use("agg")

STEPS = [1, 10, 100]
NORMS = {"forgets": [[1.0, 2, 3], [2, 3, 4]], "keeps": [[1.0, 10, 100]] * 3}
GATES = np.linspace(0.2, 0.9, 15).reshape(5, 3)


pytestmark = pytest.mark.usefixtures("house_style")


def test_every_seed_has_a_line_of_its_own_on_logarithmic_axes():
    ax = figures.state_norms(NORMS, STEPS)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    drawn = [list(line.get_ydata()) for line in ax.lines]
    assert drawn == [*NORMS["forgets"], *NORMS["keeps"]]
    assert all(list(line.get_xdata()) == STEPS for line in ax.lines)


def test_a_net_has_one_look_and_its_name_at_the_median_of_its_ends():
    ax = figures.state_norms(NORMS, STEPS)
    looks = [(line.get_color(), line.get_linestyle()) for line in ax.lines]
    assert len(set(looks[:2])) == len(set(looks[2:])) == 1
    assert looks[0] != looks[2]
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    to_fraction = ax.transData + ax.transAxes.inverted()
    for name, end in (("forgets", 3.5), ("keeps", 100)):
        assert heights[name] == pytest.approx(to_fraction.transform((100, end))[1])


def test_gates_are_drawn_from_0_to_1_a_column_a_symbol_and_a_row_a_block():
    ax = figures.gates_over_symbols(GATES, "BTBPE")
    [image] = ax.images
    assert_allclose(image.get_array(), GATES.T)
    assert image.get_clim() == (0, 1)
    assert [text.get_text() for text in ax.get_xticklabels()] == list("BTBPE")
    assert ax.get_xticks().tolist() == [0, 1, 2, 3, 4]
    assert ax.get_yticks().tolist() == [1, 2, 3]
    assert image.get_extent() == [-0.5, 4.5, 3.5, 0.5]


def test_a_line_goes_before_each_start_but_the_first():
    ax = figures.gates_over_symbols(GATES, "BTBPE", starts=[0, 2])
    assert {line.get_xdata()[0] for line in ax.lines} == {1.5}
    assert style.INK in {line.get_color() for line in ax.lines}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.state_norms({}, STEPS), "norms: expected 1 to 6 nets, got 0"),
        (lambda: figures.state_norms(NORMS, [0, 1, 2]), "steps: expected shape"),
        (lambda: figures.state_norms(NORMS, [1, 2]), r"norms\['forgets'\]: expected shape"),
        (lambda: figures.state_norms({"a": [[1, 0, 1]]}, STEPS), "expected finite numbers > 0"),
        (lambda: figures.gates_over_symbols(GATES[0], "B"), r"gates: expected shape \(T, N\)"),
        (lambda: figures.gates_over_symbols(GATES, "BT"), "symbols: expected T=5, .* got 2"),
        (
            lambda: figures.gates_over_symbols(GATES, "BTBPE", starts=[5]),
            "starts: expected places 0 … 4, got 5",
        ),
    ],
)
def test_what_cannot_be_drawn_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
