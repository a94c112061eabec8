"""Spoken digits from waveforms: log-mel frames, an LSTM, and linear models beside it.

Two questions: a new recording of a known speaker (the official split, test takes 0 … 4), and a
speaker never heard before. A few minutes on one thread, once the recordings are fetched.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from lstm_lib import data, recorded
from lstm_lib.audio import Floats, answers, log_mel, segment_means, standardise, train_listener
from lstm_lib.experiments.results import Row, spread


@dataclass(frozen=True)
class Settings:
    """The LSTM and its training; segments: of the linear models."""

    bands: int = 24
    H: int = 64
    updates: int = 800
    lr: float = 4e-3
    seeds: tuple[int, ...] = (0, 1, 2)
    segments: tuple[int, ...] = (1, 4)
    held_out: bool = True  #: also each speaker in turn as the one never heard before


DEFAULT = Settings()


def linear(train: Sequence[Floats], y: Any, test: Sequence[Floats], z: Any, segments: int) -> float:
    """The accuracy of logistic regression on the means of `segments` parts of each recording."""
    x, x_test = ([segment_means(one, segments) for one in part] for part in (train, test))
    return float(LogisticRegression(max_iter=2000).fit(x, y).score(x_test, z))


def compare(
    frames: Sequence[Floats], digit: Any, test: NDArray[np.bool_], settings: Settings
) -> dict[str, list[float]]:
    """Train on what is not `test`: name -> accuracies on what is, for the LSTM one a seed."""
    parts = [[one for one, t in zip(frames, test, strict=True) if t == side] for side in (0, 1)]
    train, new = standardise(*parts)
    y, z = digit[~test], digit[test]
    most_frequent = np.bincount(y).argmax()
    scores = {"most frequent": [float(np.mean(z == most_frequent))]}
    for k in settings.segments:
        scores[f"linear, {k} mean{'s' * (k > 1)}"] = [linear(train, y, new, z, k)]
    scores["LSTM"] = [
        float(np.mean(answers(_train(train, y, seed, settings), new) == z))
        for seed in settings.seeds
    ]
    return scores


def measure(
    settings: Settings = DEFAULT, recordings: data.Recordings | None = None
) -> dict[str, Any]:
    """The official split, then, where asked for, each speaker held out in turn.

    recordings: default the real ones, fetched on first use. Held out, the frames of each recording
    are also tried less their own mean, which takes out a speaker's and a microphone's colour.
    """
    r = data.load_spoken_digits() if recordings is None else recordings
    frames = [log_mel(wave, r.rate, bands=settings.bands) for wave in r.waves]
    results = {
        "settings": asdict(settings),
        "source": r.source,
        "recordings": len(frames),
        "official": compare(frames, r.digit, r.take < 5, settings),
    }
    if settings.held_out:
        less_mean = [one - one.mean(axis=0) for one in frames]
        results["new speaker"] = _each_speaker(frames, r, settings)
        results["new speaker, less mean"] = _each_speaker(less_mean, r, settings)
    return results


def rows() -> list[Row]:
    """The official split, measured with one seed where the recordings are kept on this machine."""
    now = kept = "not recorded"
    if "spoken_digits" in _recorded():
        kept = spread(recorded.read("spoken_digits")["official"]["LSTM"], 3)
    if data.is_cached("spoken_digits"):
        scores = measure(Settings(seeds=(0,), held_out=False))["official"]
        now = f"{scores['LSTM'][0]:.3f} (1 seed; linear {scores['linear, 4 means'][0]:.3f})"
    else:
        now = "not measured: recordings not fetched"
    return [Row("A3", "spoken digits, LSTM: accuracy", now, kept)]


def main() -> None:
    """Measure everything with the real recordings (fetched on first use), and record it."""
    start = time.perf_counter()
    recorded.write("spoken_digits", measure(), seconds=time.perf_counter() - start)


def _train(train: Sequence[Floats], y: Any, seed: int, settings: Settings) -> Any:
    wanted = {"H": settings.H, "updates": settings.updates, "lr": settings.lr}
    return train_listener(train, y, seed=seed, **wanted)  # type: ignore[arg-type]


def _each_speaker(
    frames: Sequence[Floats], r: data.Recordings, settings: Settings
) -> dict[str, list[float]]:
    """The mean over the speakers, each held out once; for the LSTM one number a seed."""
    each = [compare(frames, r.digit, r.speaker == s, settings) for s in range(len(r.speakers))]
    return {name: np.mean([one[name] for one in each], axis=0).tolist() for name in each[0]}


def _recorded() -> list[str]:
    return [path.stem for path in recorded.FOLDER.glob("*.json")]
