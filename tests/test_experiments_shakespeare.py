"""The Shakespeare experiment with tiny settings, and the committed model against its record."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lstm_lib import data, recorded
from lstm_lib.experiments import shakespeare
from lstm_lib.language import bits_per_character
from lstm_lib.train.runs import Config

TINY = shakespeare.Settings(
    E=3, H=4, T=5, B=2, config=Config(updates=4, validate_every=2, save_every=2)
)
PIECE = "To be, or not to be: that is the question.\nWhether 'tis nobler in the mind"


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> data.Texts:
    """Eight little tragedies and one comedy in place of all of Shakespeare."""
    names = [*data.TRAGEDIES, "a_comedy"]
    texts = {name: f"{name.upper()}\n{PIECE * 3}\n" for name in names}
    found = data.Texts(texts, "characters", "public domain", "made for a test")
    monkeypatch.setattr(data, "load_shakespeare", lambda: found)
    monkeypatch.setattr(shakespeare, "ORDERS", range(1, 3))
    return found


def whole() -> shakespeare.Corpus:
    return shakespeare.corpus()


# The text


def test_all_but_the_tails_of_the_tragedies_is_trained_on(little: data.Texts) -> None:
    text = whole()
    assert len(text.train) == sum(map(len, little.texts.values())) - sum(
        len(tail) for part in text.tails[1:] for tail in part
    )
    assert text.alphabet.decode(text.train).endswith(little.texts["a_comedy"])


def test_what_comes_before_a_tail_is_the_text_that_precedes_it(little: data.Texts) -> None:
    text = whole()
    for name, after in (("validation", text.tails.test), ("test", [""] * 8)):
        tails, befores = text.parts(name)
        for play, tail, before, rest in zip(data.TRAGEDIES, tails, befores, after, strict=True):
            read = text.alphabet.decode(before) + text.alphabet.decode(tail) + rest
            assert little.texts[play].endswith(read)


def test_the_hash_is_another_where_the_text_is_another(little: data.Texts) -> None:
    first = whole().sha256
    little.texts["a_comedy"] += "!"
    assert whole().sha256 != first


# The run


def test_a_tiny_run_measures_the_model_beside_every_baseline(little: data.Texts) -> None:
    model, results = shakespeare.measure(TINY, progress=False)
    text = whole()
    assert set(results["bits"]) == {"LSTM", "1-gram", "2-gram", shakespeare.TUNED, "LZMA"}
    now = bits_per_character(model, *text.parts("test"))
    assert results["bits"]["LSTM"] == pytest.approx(now, rel=1e-12)
    assert results["settings"]["H"] == 4
    assert [update for update, _ in results["validation"]] == [2, 4]
    json.dumps(results)


def test_what_is_measured_is_the_model_in_half_precision(little: data.Texts) -> None:
    model, _ = shakespeare.measure(TINY, progress=False)
    assert all(torch.equal(p, p.half().float()) for p in model.state_dict().values())


def test_what_main_records_is_what_load_model_gives_back(
    little: data.Texts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "recorded").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorded, "FOLDER", tmp_path / "recorded")
    monkeypatch.setattr(shakespeare, "WEIGHTS", tmp_path / "recorded" / "shakespeare.safetensors")
    monkeypatch.setattr(shakespeare, "Settings", lambda: TINY)
    shakespeare.main()
    text = whole()
    bits = bits_per_character(shakespeare.load_model(text), *text.parts("test"))
    assert bits == pytest.approx(recorded.read("shakespeare")["bits"]["LSTM"], rel=1e-9)
    assert {w.dtype for w in load_file(shakespeare.WEIGHTS).values()} == {torch.float16}
    assert (tmp_path / "build" / "shakespeare" / "checkpoint.safetensors").exists()


def test_another_seed_gives_another_model(little: data.Texts) -> None:
    other = replace(TINY, config=replace(TINY.config, seed=1))
    one, two = (shakespeare.new_model(whole(), settings) for settings in (TINY, other))
    assert not torch.equal(one.embedding.weight, two.embedding.weight)


def test_the_compressor_needs_next_to_nothing_for_a_text_that_it_has_read(
    little: data.Texts,
) -> None:
    text = whole()
    noise = np.random.default_rng(0).integers(len(text.alphabet), size=2000)
    known = shakespeare._compressed(text._replace(train=noise), [noise])
    unknown = shakespeare._compressed(text, [noise])
    assert known < 0.2 < 4 < unknown


# The committed model


@pytest.fixture(scope="module")
def committed() -> tuple[shakespeare.Corpus, dict[str, object]]:
    return whole(), recorded.read("shakespeare")


def test_the_text_is_the_one_that_the_committed_model_was_trained_on(committed) -> None:
    text, kept = committed
    assert text.sha256 == kept["text"]["sha256"]
    assert text.alphabet.characters == kept["alphabet"]
    assert len(text.train) == kept["text"]["characters"]


def test_the_committed_model_reproduces_its_bits_a_character(committed) -> None:
    text, kept = committed
    bits = bits_per_character(shakespeare.load_model(text), *text.parts("test"))
    assert bits == pytest.approx(kept["bits"]["LSTM"], abs=1e-3)


def test_the_recorded_n_gram_is_reproduced_and_the_model_is_a_tenth_below_the_best(
    committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, kept = committed
    grams = {name: bits for name, bits in kept["bits"].items() if name.endswith("gram")}
    best = min(grams, key=grams.get)
    monkeypatch.setattr(shakespeare, "ORDERS", [int(best[0])])
    monkeypatch.setattr(shakespeare, "_compressed", lambda text, tails: 0.0)
    assert shakespeare.baselines(text)[best] == pytest.approx(grams[best], abs=1e-6)
    assert kept["bits"]["LSTM"] <= 0.9 * grams[best]


@pytest.mark.parametrize(("bits", "met"), [(1.79, True), (1.81, False)])
def test_the_table_of_results_says_whether_the_target_is_met(
    little: data.Texts, monkeypatch: pytest.MonkeyPatch, bits: float, met: bool
) -> None:
    kept = {"LSTM": 1.5, "5-gram": 2.0, shakespeare.TUNED: 1.9, "LZMA": 1.0}
    monkeypatch.setattr(recorded, "read", lambda name: {"bits": kept})
    counted = {name: bits for name, bits in kept.items() if name != "LSTM"}
    monkeypatch.setattr(shakespeare, "baselines", lambda text: counted)
    monkeypatch.setattr(shakespeare, "load_model", lambda text: None)
    monkeypatch.setattr(shakespeare, "bits_per_character", lambda *_: bits)
    gram, _, _, ratio, tuned = shakespeare.rows()
    assert tuned.met is None
    assert gram.now == gram.recorded == "2.000 (5-gram)"
    assert (ratio.met, ratio.recorded) == (met, "0.750")


def test_the_committed_weights_are_half_precision_and_below_2_mb() -> None:
    assert shakespeare.WEIGHTS.stat().st_size < 2_000_000
    assert {w.dtype for w in load_file(shakespeare.WEIGHTS).values()} == {torch.float16}
