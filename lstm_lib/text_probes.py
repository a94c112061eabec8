"""What the cells of a character model track, and how far back the model uses what it has read.

A label is a number for each character of a text that a reader of all before it could know. A cell
is found by looking at every cell on one half of the texts, and scored on the other half.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn import functional as F

from lstm_lib.language import CharModel, Tokens

State = tuple[Tensor, Tensor]
STEPS = 50
"""Characters that are read at once: bounds the memory, not the result."""


class Pieces(NamedTuple):
    """Texts cut into B pieces of `steps` characters, and the state that each one starts from."""

    x: Tensor  #: (steps, B) characters read
    y: Tensor  #: (steps, B) characters that follow them
    state: State  #: (h, c) carried through all before the piece, each (1, B, H)
    text: NDArray[np.int64]  #: (B,) the number of the text that it was cut from


class Found(NamedTuple):
    """The unit that follows a label best on one half of the texts, and its score on the other."""

    unit: int
    sign: int  #: −1 where the unit falls when the label rises
    score: float  #: AUC for a label of 0 and 1, else correlation


# Labels


def in_brackets(text: str, opening: str = "[", closing: str = "]") -> NDArray[np.float64]:
    """1 where a bracket is open after a character, else 0; (N,). An empty line closes it."""
    open_, inside = False, []
    for before, character in zip(" " + text, text, strict=False):
        if character in opening + closing:
            open_ = character == opening and not (open_ and opening == closing)
        open_ = open_ and not before == character == "\n"
        inside.append(open_)
    return np.array(inside, dtype=np.float64)


def column(text: str) -> NDArray[np.float64]:
    """How many characters of its line have been read; 0 after the line's end; (N,)."""
    return _since(text, lambda before, character: character == "\n")


def in_name(text: str) -> NDArray[np.float64]:
    """1 in the line after an empty line, where these plays name who speaks, but in no bracket."""
    first = _since(text, lambda before, character: before == character == "\n", count="\n") == 0
    return (first & (in_brackets(text) == 0)).astype(np.float64)


def lines_spoken(text: str) -> NDArray[np.float64]:
    """How many lines have ended since the last empty line: how long someone has spoken; (N,)."""
    return _since(text, lambda before, character: before == character == "\n", count="\n")


def _since(
    text: str, restart: Callable[[str, str], bool], count: str | None = None
) -> NDArray[np.float64]:
    """Characters (those equal to `count`) since the last one at which `restart` holds."""
    so_far, numbers = 0, []
    for before, character in zip(" " + text, text, strict=False):
        so_far = 0 if restart(before, character) else so_far + (count in (None, character))
        numbers.append(so_far)
    return np.array(numbers, dtype=np.float64)


def windows(texts: Sequence[str], mark: str, *, before: int, after: int) -> list[str]:
    """The characters around each `mark`, none used twice; those too near to an end are left out."""
    found = []
    for text in texts:
        place = text.find(mark, before)
        while 0 <= place <= len(text) - after:
            found.append(text[place - before : place + after])
            place = text.find(mark, place + before + after)
    return found


# Units


@torch.no_grad()
def cell_states(model: CharModel, tokens: Tokens) -> NDArray[np.float32]:
    """c after each character of texts that are read side by side: tokens (T, B) to (T, B, H)."""
    x, state = model.embedding(torch.as_tensor(tokens)), None
    states: list[Tensor] = []
    for x_t in x:
        _, state = model.lstm(x_t[None], state)
        states.append(state[1][0])
    return torch.stack(states).numpy()


def scores(units: ArrayLike, label: ArrayLike) -> NDArray[np.float64]:
    """How well each of H units (N, H) tells the label (N,): AUC for 0 and 1, else correlation.

    The AUC is the chance that the unit is higher at a 1 than at a 0, both drawn at random: 0.5 says
    nothing, 1 and 0 say everything. The correlation is Pearson's: 0 says nothing. Raises ValueError
    for a label that is the same everywhere, or shapes that don't fit.
    """
    units, label = np.asarray(units, dtype=np.float64), np.asarray(label, dtype=np.float64)
    if units.ndim != 2 or label.shape != units.shape[:1]:
        raise ValueError(f"units must be (N, H), label (N,), got {units.shape} and {label.shape}")
    if label.min() == label.max():
        raise ValueError(f"label must not be the same everywhere, got {label[0]:g} only")
    if set(np.unique(label)) == {0.0, 1.0}:
        pairs = zip(units[label == 1].T, np.sort(units[label == 0], axis=0).T, strict=True)
        return np.array([_chance_higher(ones, zeros) for ones, zeros in pairs])
    x, y = units - units.mean(0), label - label.mean()
    spread = np.sqrt((x**2).sum(0) * (y**2).sum())
    return np.divide(y @ x, spread, out=np.zeros(units.shape[1]), where=spread > 0)


def _chance_higher(ones: NDArray[np.float64], zeros: NDArray[np.float64]) -> float:
    """The AUC: zeros are sorted, a tie counts half."""
    below = np.searchsorted(zeros, ones, "left") + np.searchsorted(zeros, ones, "right")
    return float(below.mean() / (2 * len(zeros)))


def best_unit(units: NDArray[np.floating], label: NDArray[np.floating]) -> Found:
    """Choose the unit on the first half of the texts, score it on the second: (T, B, H), (T, B)."""
    half = units.shape[1] // 2
    neutral = 0.5 if set(np.unique(label)) == {0.0, 1.0} else 0.0
    chosen = scores(units[:, :half].reshape(-1, units.shape[2]), label[:, :half].ravel()) - neutral
    unit = int(np.abs(chosen).argmax())
    sign = 1 if chosen[unit] > 0 else -1
    held_out = scores(units[:, half:, unit].reshape(-1, 1), label[:, half:].ravel())[0]
    return Found(unit, sign, float(neutral + sign * (held_out - neutral)))


def linear(features: NDArray[np.floating], label: NDArray[np.floating]) -> float:
    """The score of ridge regression on all features (T, B, F), fitted and scored as `best_unit`."""
    half = features.shape[1] // 2
    seen, held_out = (
        part.reshape(-1, features.shape[2]) for part in (features[:, :half], features[:, half:])
    )
    seen, held_out = seen.astype(np.float64), held_out.astype(np.float64)
    said = Ridge().fit(seen, label[:, :half].ravel()).predict(held_out)
    return float(scores(said[:, None], label[:, half:].ravel())[0])


def last_characters(
    tokens: Tokens, k: int, V: int, rows: NDArray[np.integer]
) -> NDArray[np.float32]:
    """The last k characters, one-hot, of texts (T, B) at some rows ≥ k − 1: (rows, B, k·V)."""
    kinds = np.eye(V, dtype=np.float32)
    return np.concatenate([kinds[tokens[rows - k + 1 + j]] for j in range(k)], axis=-1)


# Context


@torch.no_grad()
def cut(
    model: CharModel, texts: Sequence[Tokens], befores: Sequence[Tokens], *, steps: int
) -> Pieces:
    """Cut texts into pieces, and read all that precedes each, with the state carried on."""
    xs, ys, states, text_of = [], [], [], []
    for number, (text, before) in enumerate(zip(texts, befores, strict=True)):
        whole = torch.as_tensor(np.concatenate([before, text]))
        zero = torch.zeros(1, 1, model.H)
        state: State = (zero, zero)
        if len(before) > 1:
            _, state = model(whole[: len(before) - 1, None])
        for start in range(len(before) - 1, len(whole) - steps, steps):
            xs.append(whole[start : start + steps])
            ys.append(whole[start + 1 : start + steps + 1])
            states.append(state)
            text_of.append(number)
            _, state = model(xs[-1][:, None], state)
    h, c = (torch.cat(part, 1) for part in zip(*states, strict=True))
    return Pieces(torch.stack(xs, 1), torch.stack(ys, 1), (h, c), np.array(text_of))


@torch.no_grad()
def bits_from(model: CharModel, pieces: Pieces, state: State | None) -> NDArray[np.float64]:
    """−log₂ P of each character of the pieces, (steps, B), read from `state` on (None: zeros)."""
    bits = []
    for x, y in zip(pieces.x.split(STEPS), pieces.y.split(STEPS), strict=True):
        logits, state = model(x, state)
        nats = F.cross_entropy(logits.double().transpose(1, 2), y, reduction="none")
        bits.append(nats.numpy() / np.log(2))
    return np.concatenate(bits)
