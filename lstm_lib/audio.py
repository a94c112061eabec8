"""Sound as sequences: frames to compare and to remember, and log-mel frames from waveforms.

A recording is a list of frames: an array (T, D), as many steps as it is long. The functions below
scale frames, sum them up for a linear model, put them into batches, and make frames of waveforms.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def standardise(train: Sequence[Floats], *others: Sequence[Floats]) -> list[list[Floats]]:
    """Shift and scale each coefficient to mean 0, deviation 1 over all frames of `train`.

    Returns `train` and the others, scaled alike: what is measured on test frames is not used.
    """
    frames = np.concatenate(train)
    mean, deviation = frames.mean(axis=0), frames.std(axis=0)
    return [[(one - mean) / deviation for one in sequences] for sequences in (train, *others)]


def segment_means(frames: Floats, segments: int = 1) -> Floats:
    """The mean frame of each of `segments` parts, about equally long, side by side.

    (T, D) to (segments·D,). Parts overlap by a frame where T doesn't divide, so that none is empty.
    """
    T = len(frames)
    cuts = [(k * T // segments, -(-(k + 1) * T // segments)) for k in range(segments)]
    return np.concatenate([frames[start:end].mean(axis=0) for start, end in cuts])


def delayed_recall(
    rng: np.random.Generator, utterances: Sequence[Floats], delay: int
) -> NDArray[np.float32]:
    """Put noise between each utterance and the cue at which it is asked for.

    utterances: B arrays (T_i, D), standardised. Returns x (T, B, D + 1), T = max T_i + delay + 1:
    silence (zeros), the utterance, `delay` frames of noise N(0, 1), and one more such frame in
    which the last input, zero until then, is 1: the cue. All end together.
    """
    if delay < 0:
        raise ValueError(f"delay must be 0 or more, got {delay}")
    longest, D = max(map(len, utterances)), utterances[0].shape[1]
    x = np.zeros((longest + delay + 1, len(utterances), D + 1), dtype=np.float32)
    for column, frames in enumerate(utterances):
        x[longest - len(frames) : longest, column, :D] = frames
    noise = x[longest:, :, :D]
    noise[:] = rng.standard_normal(noise.shape, dtype=np.float32)
    x[-1, :, D] = 1
    return x
