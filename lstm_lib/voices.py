"""Small voices of our own: sounds that a reader may hear where recordings can't be passed on.

Every sound is a sum of the harmonics of a pitch, each as loud as a curve over frequency says: the
source-filter model of the voice, without a filter. The curve comes from formants (Peterson and
Barney 1952 measured them; ours are round numbers), or from the cepstra of a real recording.
"""

import base64
import io
import wave as wav
from collections.abc import Callable, Mapping
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstm_lib.data import Recordings

Waves = NDArray[np.float32]
Array = NDArray[np.float64]

FORMANTS = {
    "a": (750, 1200, 2500),
    "e": (500, 1800, 2500),
    "i": (300, 2300, 3000),
    "o": (500, 900, 2400),
    "u": (300, 750, 2300),
}
"""Resonances of the vocal tract in Hz, round numbers for an adult."""

WORDS = ("ai", "ia", "ue", "eu", "oi", "io", "sa", "as", "su", "us")
"""The ten words of our synthetic digits 0 … 9: five pairs that differ only in order."""


def voiced(pitch: Array, seconds: float, rate: int, log_gain: Callable[[Array], Array]) -> Waves:
    """Sum the harmonics of a pitch below rate / 2; the loudest sample is ±0.9.

    pitch: (M,) in Hz, at M points spread over the sound. log_gain: the frequencies (M, K) of its
    harmonics to the logarithms of their amplitudes there.
    """
    k = np.arange(1, int(rate / 2 / pitch.min()) + 1)
    f = pitch[:, None] * k
    amplitude = np.where(f < rate / 2, np.exp(log_gain(f)), 0)
    N = round(seconds * rate)
    places = np.linspace(0, len(pitch) - 1, N)
    before, after = np.floor(places).astype(int), np.ceil(places).astype(int)
    w = (places - before)[:, None]
    phase = 2 * np.pi * np.cumsum(np.interp(places, range(len(pitch)), pitch))[:, None] * k / rate
    return _loud((((1 - w) * amplitude[before] + w * amplitude[after]) * np.sin(phase)).sum(axis=1))


def from_cepstra(
    frames: ArrayLike, *, rate: int = 10_000, seconds: float = 0.8, pitch: float = 120
) -> Waves:
    """Make the spectrum that LPC cepstra (T, 12) describe audible; pitch and loudness are ours.

    The cepstra are the Fourier series of the log spectrum: ln|H(f)| = Σ_n c_n cos(2π n f / rate).
    The frames are spread over `seconds`, while the pitch falls from 1.1 to 0.9 of what is given.
    """
    c = np.asarray(frames, dtype=float)
    n = np.arange(1, c.shape[1] + 1)

    def log_gain(f: Array) -> Array:
        return np.einsum("tn,tkn->tk", c, np.cos(2 * np.pi * f[..., None] * n / rate))

    return _faded(voiced(np.linspace(1.1, 0.9, len(c)) * pitch, seconds, rate, log_gain), rate)


def say(
    rng: np.random.Generator, word: str, *, pitch: float = 120, size: float = 1, rate: int = 8000
) -> Waves:
    """Say a word of two sounds, vowels of FORMANTS or s, a hiss; never twice alike.

    It takes 0.35 to 0.55 s. pitch: in Hz. size: of the vocal tract; a larger one has lower
    formants. Raises KeyError for another sound.
    """
    M, seconds = 60, rng.uniform(0.35, 0.55)
    turn = np.clip((np.linspace(0, 1, M) - rng.uniform(0.3, 0.45)) / 0.25, 0, 1)  # 0 … 1
    vowels = word.replace("s", "")
    ends = [np.array(FORMANTS[v]) * rng.normal(1, 0.03, 3) / size for v in (vowels[0], vowels[-1])]
    formants = np.outer(1 - turn, ends[0]) + np.outer(turn, ends[1])  # (M, 3)

    def log_gain(f: Array) -> Array:
        away = np.abs(f[..., None] - formants[:, None]) / 80  # in bandwidths
        return np.log1p(9 / (1 + away**2)).sum(axis=-1) - np.log1p((f / 500) ** 2) / 2

    melody = np.linspace(1.1, 0.85, M) * pitch * rng.normal(1, 0.05)
    tone = voiced(melody, seconds, rate, log_gain)
    N = len(tone)
    turned = np.interp(np.linspace(0, 1, N), np.linspace(0, 1, M), turn)
    share = turned if word[0] == "s" else 1 - turned if word[-1] == "s" else np.ones(N)
    hiss = np.diff(rng.normal(0, 0.1, N + 1))  # differences: more of the high than of the low
    wave = _faded(_loud(share * tone + (1 - share) * hiss), rate)
    return wave + rng.normal(0, 0.003, N).astype(np.float32)


def synthetic_digits(rng: np.random.Generator, *, speakers: int = 6, takes: int = 10) -> Recordings:
    """Recordings of the form of `data.load_spoken_digits`, but of WORDS in voices made here."""
    voices = [(rng.uniform(90, 220), rng.uniform(0.85, 1.15)) for _ in range(speakers)]
    labels = np.array([(d, s, k) for d in range(10) for s in range(speakers) for k in range(takes)])
    waves = [say(rng, WORDS[d], pitch=voices[s][0], size=voices[s][1]) for d, s, _ in labels]
    return Recordings(
        waves,
        digit=labels[:, 0],
        speaker=labels[:, 1],
        speakers=tuple(f"voice {s}" for s in range(speakers)),
        take=labels[:, 2],
        rate=8000,
        unit="fraction of full scale",
        licence="that of lstm_lib",
        source="lstm_lib.voices, synthetic",
    )


class Players:
    """Named sounds to listen to in a notebook and on its page; the sounds are inside the page."""

    def __init__(self, sounds: Mapping[str, Waves], rate: int) -> None:
        self.sounds, self.rate = dict(sounds), rate

    def _repr_html_(self) -> str:
        return "\n".join(
            f'<p>{escape(name)}<br><audio controls aria-label="{escape(name)}" '
            f'src="data:audio/wav;base64,{base64.b64encode(_file(sound, self.rate)).decode()}">'
            "</audio></p>"
            for name, sound in self.sounds.items()
        )

    def __repr__(self) -> str:
        return f"Players({', '.join(self.sounds)})"


def _file(sound: Waves, rate: int) -> bytes:
    """A mono wav file of 16 bits."""
    target = io.BytesIO()
    with wav.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return target.getvalue()


def _loud(wave: Array) -> Waves:
    return (0.9 * wave / np.abs(wave).max()).astype(np.float32)


def _faded(wave: Waves, rate: int) -> Waves:
    """Rise and fall within 30 ms, so that the loudspeaker doesn't click."""
    ramp = np.minimum(1, np.arange(len(wave)) / (0.03 * rate))
    return (wave * ramp * ramp[::-1]).astype(np.float32)
