"""The experiments of the chapter on audio, with settings so small that they take seconds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_lib import data, recorded, voices
from lstm_lib.audio import log_mel
from lstm_lib.data import Utterances
from lstm_lib.experiments import delayed_recall as recall
from lstm_lib.experiments import spoken_digits as digits

TINY = recall.Settings(nets=("RNN", "LSTM 3"), delays=(2,), seeds=(2,), H=8, B=8, updates=3)
QUICK = digits.Settings(H=16, updates=40, lr=0.02, seeds=(0,), held_out=False)


@pytest.fixture(autouse=True)
def utterances(monkeypatch: pytest.MonkeyPatch) -> Utterances:
    """Utterances of the form of the real ones, whose speakers differ in their mean."""
    rng, speaker = np.random.default_rng(0), np.arange(45) % 9
    made = [
        (rng.normal(size=(rng.integers(7, 12), 12)) + np.eye(12)[s] * 6).astype(np.float32)
        for s in speaker
    ]
    set_ = Utterances(made, speaker, made, speaker, "LPC cepstrum", "", "")
    monkeypatch.setattr(data, "load_japanese_vowels", lambda: set_)
    return set_


@pytest.fixture(scope="module")
def words() -> data.Recordings:
    return voices.synthetic_digits(np.random.default_rng(0), speakers=2, takes=8)


def test_every_net_of_the_grid_is_measured_as_often_as_asked() -> None:
    found = recall.measure(TINY, progress=False)
    assert [(row["net"], row["delay"], row["seed"]) for row in found["rows"]] == [
        (net, 2, seed) for seed in (0, 1) for net in ("RNN", "LSTM 3")
    ]
    assert found["majority"] == pytest.approx(1 / 9)


def test_a_seed_gives_the_same_accuracy_again() -> None:
    one, two = (recall.table(recall.measure(TINY, progress=False)) for _ in range(2))
    assert one == two


def test_a_grid_that_was_stopped_goes_on_where_it_was(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("grid")
    recall.measure(TINY, folder=folder, progress=False)
    kept = folder / "rows.json"
    made = json.loads(kept.read_text(encoding="utf-8"))
    made["rows"][0]["accuracy"] = -1.0  # would be measured anew, were it not kept
    del made["rows"][-1]
    kept.write_text(json.dumps(made), encoding="utf-8")
    again = recall.measure(TINY, folder=folder, progress=False)
    assert again["rows"][0]["accuracy"] == -1
    assert len(again["rows"]) == 4


def test_a_grid_of_other_settings_is_not_gone_on_with(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("grid")
    recall.measure(TINY, folder=folder, progress=False)
    with pytest.raises(ValueError, match="other settings"):
        recall.measure(replace(TINY, H=9), folder=folder, progress=False)


def test_a_net_learns_who_spoke_and_tells_it_after_the_noise(utterances: Utterances) -> None:
    settings = replace(TINY, H=32, updates=60, lr=0.02)
    x, y = utterances.train, utterances.train_speaker
    net = recall.train_net("LSTM 3", x, y, delay=2, settings=settings)
    assert recall.accuracy(net, x, y, delay=2) > 0.8


def test_the_row_of_results_puts_what_is_measured_beside_what_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recall, "SMALL", replace(TINY, delays=(50,)))
    kept = {"rows": [{"net": n, "delay": 50, "accuracy": 0.5} for n in TINY.nets]}
    monkeypatch.setattr(recorded, "read", lambda name: kept)
    rows = recall.rows()
    assert [row.recorded for row in rows] == ["0.500 ± 0.000 (1 seeds)"] * 2
    assert all("2 seeds" in row.now for row in rows)


def test_the_grid_is_recorded_under_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(recorded, "FOLDER", folder)
    monkeypatch.setattr(recall, "measure", lambda folder: {"rows": [{"seconds": 2.0}]})
    recall.main()
    assert recorded.read("delayed_recall")["made"]["seconds"] == 2


def test_recorded_nets_that_fail_are_not_better_than_naming_the_most_frequent_speaker() -> None:
    grid = recorded.read("delayed_recall")
    scores = recall.table(grid)
    assert max(scores["RNN", 50]) < grid["majority"] < 0.8 < min(scores["LSTM 3", 50])


def test_words_are_told_apart_where_their_order_is_seen(words: data.Recordings) -> None:
    found = digits.measure(QUICK, words)["official"]
    assert found["linear, 4 means"][0] > max(0.9, found["linear, 1 mean"][0])
    assert found["LSTM"][0] > 0.5 > found["most frequent"][0]


def test_the_official_split_tests_takes_0_to_4(
    words: data.Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(digits, "compare", lambda *a: asked.append(a[2]) or {})
    digits.measure(QUICK, words)
    assert np.array_equal(asked[0], words.take < 5)


def test_each_speaker_is_held_out_once(
    words: data.Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(digits, "compare", lambda *a: asked.append(a[2]) or {"LSTM": [len(asked)]})
    found = digits.measure(replace(QUICK, held_out=True), words)
    assert np.array_equal(np.stack(asked[1:3]), [words.speaker == 0, words.speaker == 1])
    assert found["new speaker"]["LSTM"] == [2.5]


def test_without_the_recordings_the_table_says_that_nothing_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(data, "is_cached", lambda name: False)
    (row,) = digits.rows()
    assert "not fetched" in row.now
    assert row.met is None


def test_with_the_recordings_the_table_measures_them(
    monkeypatch: pytest.MonkeyPatch, words: data.Recordings
) -> None:
    monkeypatch.setattr(data, "is_cached", lambda name: True)
    monkeypatch.setattr(data, "load_spoken_digits", lambda: words)
    monkeypatch.setattr(digits, "linear", lambda *a: 0.25)
    monkeypatch.setattr(digits, "answers", lambda listener, frames: np.zeros(len(frames)))
    monkeypatch.setattr(digits, "train_listener", lambda *a, **k: None)
    assert digits.rows()[0].now == "0.100 (1 seed; linear 0.250)"


def test_what_is_measured_of_the_digits_is_recorded_with_its_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    monkeypatch.setattr(
        digits, "measure", lambda: {"source": "here", "official": {"LSTM": [0.5, 0.7]}}
    )
    digits.main()
    assert recorded.read("spoken_digits")["source"] == "here"
    monkeypatch.setattr(data, "is_cached", lambda name: False)
    assert digits.rows()[0].recorded == "0.600 ± 0.141 (2 seeds)"


def test_the_frames_of_a_synthetic_word_fit_its_length(words: data.Recordings) -> None:
    sound = words.waves[0]
    assert len(log_mel(sound, words.rate)) == 1 + (len(sound) - 256) // 80
