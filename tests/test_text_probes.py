"""Labels of a text, cells that follow them, and losses from a given state."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from lstm_lib import text_probes, torch_cells
from lstm_lib.figures.texts import coloured_text
from lstm_lib.language import CharModel, losses

SCENE = "Ham.\nWords,\nwords.\n\n[Exit.]\n\nPol.\nMad.\n"


def small(V=7, H=5):
    return CharModel(V, 3, H, generator=torch.Generator().manual_seed(0)).eval()


def some_tokens(*shape, seed=0):
    return np.random.default_rng(seed).integers(7, size=shape)


# Labels


def test_a_bracket_is_open_from_its_opening_to_before_its_closing():
    assert text_probes.in_brackets("a[bc]d").tolist() == [0, 1, 1, 1, 0, 0]


def test_quotation_marks_open_and_close_in_turn():
    assert text_probes.in_brackets('a"b"c"', '"', '"').tolist() == [0, 1, 1, 0, 0, 1]


def test_an_empty_line_closes_a_bracket_that_was_left_open():
    assert text_probes.in_brackets("[a\nb\n\nc").tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_the_column_counts_the_characters_of_a_line():
    assert text_probes.column("abc\nde\n\nf").tolist() == [1, 2, 3, 0, 1, 2, 0, 0, 1]


def test_a_name_is_the_line_after_an_empty_one_that_is_not_in_brackets():
    label = text_probes.in_name("a\n\nHam.\nNo.\n\n[Exit.]\n")
    assert label[3:7].tolist() == [1, 1, 1, 1]
    assert label[7:11].tolist() == [0, 0, 0, 0]
    assert label[14:19].tolist() == [0, 0, 0, 0, 0]


def test_lines_spoken_are_counted_from_the_last_empty_line():
    label = text_probes.lines_spoken(SCENE)
    at = {word: label[SCENE.index(word)] for word in ("Words", "words", "Pol", "Mad")}
    assert at == {"Words": 1, "words": 2, "Pol": 0, "Mad": 1}


def test_windows_lie_around_a_mark_and_do_not_overlap():
    text = "..a1234a5678a..a."
    assert text_probes.windows(["..a12", ".a1234"], "a", before=2, after=5) == []
    assert text_probes.windows([text, "a"], "a", before=2, after=5) == ["..a1234", "78a..a."]


# Units


def test_cell_states_are_those_of_the_written_out_cell():
    model, tokens = small(), some_tokens(12, 3)
    cell = torch_cells.LSTM(3, 5)
    cell.load_state_dict(model.lstm.state_dict())
    with torch.no_grad():
        c = cell.trace(model.embedding(torch.as_tensor(tokens))).c[1:]
    assert text_probes.cell_states(model, tokens) == pytest.approx(c.numpy(), abs=1e-6)


def test_the_score_of_0_and_1_is_the_chance_that_a_1_is_higher_ties_half():
    units = np.array([[1, 4], [2, 3], [2, 2], [3, 1]])
    assert text_probes.scores(units, np.array([0, 0, 1, 1])).tolist() == [3.5 / 4, 0]


def test_the_score_of_a_number_is_the_correlation():
    rng = np.random.default_rng(0)
    units, label = rng.normal(size=(50, 3)), rng.normal(size=50)
    expected = [np.corrcoef(unit, label)[0, 1] for unit in units.T]
    assert text_probes.scores(units, label) == pytest.approx(expected, rel=1e-12)


def test_a_unit_that_never_moves_says_nothing():
    assert text_probes.scores(np.ones((3, 1)), np.array([1.0, 2.0, 4.0])).tolist() == [0]


@pytest.mark.parametrize(
    ("units", "label", "message"),
    [(np.ones((3, 2)), np.ones(4), r"\(N,\)"), (np.ones((3, 2)), np.ones(3), "same everywhere")],
)
def test_what_does_not_fit_is_refused(units, label, message):
    with pytest.raises(ValueError, match=message):
        text_probes.scores(units, label)


@pytest.mark.parametrize("kind", ["0 and 1", "a number"])
def test_the_best_unit_is_found_with_its_sign(kind):
    rng = np.random.default_rng(0)
    label = rng.normal(size=(40, 4)) if kind == "a number" else rng.integers(2, size=(40, 4)) * 1.0
    units = rng.normal(size=(40, 4, 6))
    units[..., 3] = -label + 0.01 * units[..., 3]
    found = text_probes.best_unit(units, label)
    assert (found.unit, found.sign) == (3, -1)
    assert found.score > 0.99


def test_the_best_unit_is_scored_on_texts_that_it_was_not_chosen_on():
    rng = np.random.default_rng(0)
    label, units = rng.normal(size=(400, 2)), rng.normal(size=(400, 2, 3))
    units[:, 0, 1] = label[:, 0]
    found = text_probes.best_unit(units, label)
    assert found.unit == 1
    assert abs(found.score) < 0.2


def test_all_units_together_find_what_no_unit_has_alone():
    rng = np.random.default_rng(0)
    units = rng.normal(size=(200, 2, 2))
    label = units[..., 0] - units[..., 1]
    assert text_probes.linear(units, label) > 0.99 > 0.9 > text_probes.best_unit(units, label).score


def test_the_last_characters_are_one_hot_the_oldest_first():
    found = text_probes.last_characters(np.array([[2], [0], [1]]), 2, V=3, rows=np.array([1, 2]))
    assert found[:, 0].tolist() == [[0, 0, 1, 1, 0, 0], [1, 0, 0, 0, 1, 0]]


# Context


def test_pieces_with_their_own_state_have_the_losses_of_the_whole_text():
    model, texts = small(), [some_tokens(30, seed=1), some_tokens(22, seed=2)]
    befores = [some_tokens(4, seed=3), some_tokens(1, seed=4)]
    pieces = text_probes.cut(model, texts, befores, steps=10)
    bits = text_probes.bits_from(model, pieces, pieces.state)
    assert pieces.text.tolist() == [0, 0, 0, 1, 1]
    whole = losses(model, texts, befores)
    expected = np.concatenate([whole[0][:30].reshape(3, 10), whole[1][:20].reshape(2, 10)])
    assert np.allclose(bits.T, expected, rtol=0, atol=1e-5)


def test_a_piece_longer_than_is_read_at_once_keeps_its_state(monkeypatch):
    model, text = small(), some_tokens(40)
    pieces = text_probes.cut(model, [text], [some_tokens(5)], steps=20)
    at_once = text_probes.bits_from(model, pieces, pieces.state)
    monkeypatch.setattr(text_probes, "STEPS", 7)
    bits = text_probes.bits_from(model, pieces, pieces.state)
    assert np.allclose(bits, at_once, rtol=0, atol=1e-5)


def test_without_a_state_a_piece_is_read_from_zeros():
    model, text = small(), some_tokens(20)
    pieces = text_probes.cut(model, [text], [some_tokens(5)], steps=10)
    alone = losses(model, [text[10:]], [text[9:10]])[0]
    assert text_probes.bits_from(model, pieces, None)[:, 1] == pytest.approx(alone, abs=1e-5)


# Drawing


def test_each_character_stands_on_the_colour_of_its_value():
    ax = coloured_text("ab\nc", [1.0, -1.0, 0.0, 0.0], label="c")
    red, blue, _, white = (patch.get_facecolor() for patch in ax.patches)
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert min(white[:3]) > 0.9
    assert [letter.get_text() for letter in ax.texts] == ["a", "b", "c"]
    assert [letter.get_position() for letter in ax.texts] == [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5)]
    plt.close("all")


def test_a_text_needs_one_value_a_character():
    with pytest.raises(ValueError, match=r"one a character \(3,\), got \(2,\)"):
        coloured_text("abc", [1, 2], label="c")
