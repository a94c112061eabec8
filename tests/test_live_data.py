"""The live figures start from what the chapters' own code makes, and so do their pictures."""

import json
import re

import numpy as np
import pytest

from lstm_lib import figures, tasks
from lstm_lib.experiments import shakespeare
from lstm_lib.figures import live
from lstm_lib.numpy_cells import lstm
from lstm_lib.text_probes import Found
from tools import live_data, live_stills, live_text

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


def test_the_recall_net_is_what_training_gives_now():
    data, now = stored("recall")[0], live_data.recall()
    for name, weights in data.items():
        # Stored with three decimals; a thousand updates in float32 may end a little elsewhere.
        np.testing.assert_allclose(weights, now[name], rtol=0, atol=2e-3, err_msg=name)


def test_the_recall_net_names_the_first_symbol():
    data = {name: np.array(value) for name, value in stored("recall")[0].items()}
    batch = tasks.recall_first(np.random.default_rng(9), T=20, B=400, dtype=np.float64)
    h = lstm.forward(lstm.Params(data["W_x"], data["W_h"], data["b"]), batch.x).h[-1]
    assert np.mean((h @ data["W_y"] + data["b_y"]).argmax(1) == batch.y) > 0.99


@pytest.fixture(scope="module")
def text_now():
    """The data of the text as the model gives it now, for the cells that are stored."""
    corpus, cells = shakespeare.corpus(), stored("text")[0]["cells"]
    found = [Found(cell["unit"], cell["sign"], cell["score"]) for cell in cells]
    return live_text.traced(corpus, shakespeare.load_model(corpus), found)


def test_the_traces_of_the_text_are_those_of_the_model(text_now):
    data = stored("text")[0]
    assert data["text"] == text_now["text"]
    for cell, now in zip(data["cells"], text_now["cells"], strict=True):
        for part in "ifgoc":  # hundredths: a rounding may fall to the other side
            assert np.abs(np.subtract(cell[part], now[part])).max() <= 1


def test_the_guesses_of_the_text_are_those_of_the_model(text_now):
    data = stored("text")[0]
    assert np.abs(np.subtract(data["chances"], text_now["chances"])).max() <= 1
    assert data["guesses"][:: live_text.GUESSES] == text_now["guesses"][:: live_text.GUESSES]


def test_what_mattered_is_what_the_model_says_now(text_now):
    then, now = (
        [live_text.DIGITS.index(digit) for digit in data["mattered"]]
        for data in (stored("text")[0], text_now)
    )
    assert np.abs(np.subtract(then, now)).max() <= 1


def test_a_character_matters_by_how_far_the_lead_moves_when_it_is_removed():
    corpus = shakespeare.corpus()
    model = shakespeare.load_model(corpus).double()
    tokens, where = live_text.passage(corpus)
    k = 163  # the dot after "dagger", 25 characters after the bracket
    first, second, line_end = corpus.alphabet.encode("] \n")

    def logits(removed=None):
        x = model.embedding.weight.detach()[tokens[: where.start + k + 1]][:, None]
        if removed is not None:
            x[where.start + k - removed] = 0
        return model.readout(model.lstm(x)[0][-1, 0])

    def lead(removed=None):
        z = logits(removed)
        return (z[first] - z[second]).item()

    row = stored("text")[0]["mattered"][50 * k : 50 * (k + 1)][::-1]
    moved = {back: abs(lead(back) - lead()) for back in (25, 0, 5)}
    shares = {back: live_text.DIGITS.index(row[back]) / 63 for back in moved}
    assert shares[25] == 1
    assert shares[0] == pytest.approx(moved[0] / moved[25], abs=0.5 / 63)
    # By the derivative this letter would matter most of all; removed, it changes next to nothing.
    assert shares[5] == pytest.approx(moved[5] / moved[25], abs=0.5 / 63)
    assert logits().argmax() == first
    assert logits(25).argmax() == line_end


def test_no_data_is_larger_than_it_may_be():
    sizes = [(live.HERE / f"{name}_data.js").stat().st_size for name in live_data.MADE]
    assert sum(sizes) < 200_000


def test_the_picture_of_the_recall_net_shows_what_the_text_of_the_chapter_says():
    data = stored("recall")[0]
    assert live_stills.run_recall(data, shut=False)[0] == "DDDD" + 16 * "B"
    assert live_stills.run_recall(data, shut=True)[0] == 20 * "D"


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
    assert "RNN 1.0 · 10⁻¹², LSTM 0.50." in svg


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.72, "0.72"), (1.0, "1.0"), (52.3, "52"), (252, "2.5 · 10²"), (3.14e-9, "3.1 · 10⁻⁹")],
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
