"""Sound as sequences: frames to compare and to remember, and log-mel frames from waveforms.

A recording is a list of frames: an array (T, D), as many steps as it is long. The functions below
scale frames, sum them up for a linear model, hide them behind noise, name who or what was heard,
and make frames of waveforms. What a reader may listen to is synthesised in `lstm_lib.voices`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_lib.torch_cells import GRU, LSTM, RNN
from lstm_lib.train.runs import Config, rng_for, run
from lstm_lib.train.sequences import Padded, last_step, mean_over_steps, pad
from lstm_lib.train.torch_loop import new_readout

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


def new_cell(name: str, D: int, H: int, generator: torch.Generator) -> nn.RNNBase:
    """A `torch.nn` cell "RNN", "GRU b" or "LSTM b".

    b is the bias at the start of the gate that keeps: of the LSTM's forget gate (1 where it is not
    said), of the GRU's update gate (as torch draws it where it is not said). All other weights are
    those that the cell of `torch_cells` draws from this generator.
    """
    kind, _, bias = name.partition(" ")
    fast: nn.RNNBase
    if kind == "LSTM":
        drawn: nn.Module = LSTM(D, H, forget_bias=float(bias or 1), generator=generator)
        fast = nn.LSTM(D, H, device="meta")
    elif kind == "GRU":
        drawn, fast = GRU(D, H, generator=generator), nn.GRU(D, H, device="meta")
        if bias:
            nn.init.constant_(drawn.get_parameter("bias_ih_l0").data[H : 2 * H], float(bias))
            nn.init.zeros_(drawn.get_parameter("bias_hh_l0").data[H : 2 * H])
    elif kind == "RNN":
        drawn, fast = RNN(D, H, generator=generator), nn.RNN(D, H, device="meta")
    else:
        raise ValueError(f"name must be RNN, GRU b or LSTM b, got {name!r}")
    fast.load_state_dict(drawn.state_dict(), assign=True)
    return fast.requires_grad_(True)


class Listener(nn.Module):
    """A cell that hears whole recordings, and a readout of its last state or of its mean output."""

    def __init__(
        self, cell: nn.RNNBase, classes: int, *, pooling: str, generator: torch.Generator
    ) -> None:
        super().__init__()
        if pooling not in ("last", "mean"):
            raise ValueError(f"pooling must be 'last' or 'mean', got {pooling!r}")
        self.cell, self.pooling, H = cell, pooling, cell.hidden_size
        self.readout = new_readout(H, classes, next(cell.parameters()), generator)

    def forward(self, recordings: Padded) -> Tensor:
        """B recordings to logits (B, classes)."""
        output, _ = self.cell(recordings.x)  # on a CPU, masking is faster than packing
        pool = last_step if self.pooling == "last" else mean_over_steps
        return self.readout(pool(output, recordings.lengths))


def train_listener(
    recordings: Sequence[Floats],
    labels: ArrayLike,
    *,
    cell: str = "LSTM 1",
    pooling: str = "last",
    shuffled: bool = False,
    H: int = 64,
    B: int = 32,
    updates: int = 300,
    lr: float = 4e-3,
    seed: int = 0,
    progress: bool = False,
) -> Listener:
    """Train a listener to name the label (0, 1, …) of a recording.

    B recordings an update; with `shuffled` the frames of each in a new random order every time.
    """
    y = torch.as_tensor(np.asarray(labels))
    generator = torch.Generator().manual_seed(seed)
    model = Listener(
        new_cell(cell, recordings[0].shape[1], H, generator),
        int(y.max()) + 1,
        pooling=pooling,
        generator=generator,
    )

    def step(model: nn.Module, update: int, state: Any) -> tuple[Tensor, None]:
        rng = rng_for(seed, update)
        chosen = rng.choice(len(recordings), min(B, len(recordings)), replace=False)
        batch = [recordings[k] for k in chosen]
        x = pad([rng.permutation(one) for one in batch] if shuffled else batch)
        return F.cross_entropy(model(x), y[chosen]), None

    run(model, step, Config(updates, lr=lr, schedule="cosine", seed=seed), progress=progress)
    return model.eval()


@torch.no_grad()
def answers(model: Listener, recordings: Sequence[Floats]) -> NDArray[np.int64]:
    """The label that the listener finds most probable for each recording."""
    return model(pad(recordings)).argmax(-1).numpy()


def mel_filters(bands: int, bins: int, rate: int) -> Floats:
    """Triangles over the `bins` frequencies 0 … rate/2, equally spaced in mel: (bins, bands).

    m = 2595 log10(1 + f / 700). Each triangle rises from its left neighbour's peak, where it is
    0, to 1 at its own, and falls to 0 at its right neighbour's. Source: Davis and Mermelstein
    (1980), in the form that is usual today.
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    peaks = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)  # Hz
    f = np.linspace(0, rate / 2, bins)[:, None]
    rise = (f - peaks[:-2]) / (peaks[1:-1] - peaks[:-2])
    fall = (peaks[2:] - f) / (peaks[2:] - peaks[1:-1])
    return np.maximum(0, np.minimum(rise, fall)).astype(np.float32)


def log_mel(wave: Floats, rate: int, *, bands: int = 24) -> Floats:
    """The loudness of `bands` frequency bands every 10 ms: a wave (N,) to frames (T, bands).

    ln(power + 1e-6) of windows of 32 ms (Hann), by torch.stft. T = 1 + (N − window) // hop; a wave
    shorter than a window is filled up with zeros.
    """
    window, hop = round(0.032 * rate), round(0.010 * rate)
    samples = torch.from_numpy(np.pad(wave, (0, max(0, window - len(wave)))))
    spectrum = torch.stft(
        samples, window, hop, window=torch.hann_window(window), center=False, return_complex=True
    )
    power = spectrum.abs().square().T.numpy()  # (T, bins)
    return np.log(power @ mel_filters(bands, power.shape[1], rate) + np.float32(1e-6))
