"""A language model of characters: an LSTM that says which character comes next.

e_t = E[x_t]     (h_t, c_t) = LSTM(e_t, (h_{t−1}, c_{t−1}))     P(x_{t+1}) = softmax(h_t W_y + b_y)
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_lib.train.runs import rng_for

Tokens = NDArray[np.int64]


class Alphabet:
    """The characters of a text, sorted; a character's token is its place among them."""

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("text must have at least one character, got ''")
        self.characters = "".join(sorted(set(text)))
        self._token = {character: token for token, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Tokens:
        """The token of each character, (N,). Raises ValueError naming characters it has not."""
        unknown = sorted(set(text) - set(self.characters))
        if unknown:
            raise ValueError(f"text must hold characters of the alphabet only, got {unknown}")
        return np.array([self._token[character] for character in text], dtype=np.int64)

    def decode(self, tokens: Sequence[int] | Tokens) -> str:
        """The text of these tokens. Raises ValueError for one that no character has."""
        wrong = [int(token) for token in tokens if not 0 <= token < len(self)]
        if wrong:  # −1 would be the last character
            raise ValueError(f"tokens must be 0 … {len(self) - 1}, got {wrong}")
        return "".join(self.characters[token] for token in tokens)


class Split(NamedTuple):
    """Texts cut in three; what is tested comes after what was read, in each text."""

    train: list[str]
    validation: list[str]
    test: list[str]


def split_tails(texts: Sequence[str], *, validation: float = 0.025, test: float = 0.05) -> Split:
    """Cut off the last part of each text for the test, and the part before it for validation."""
    if not (validation >= 0 and test > 0 and validation + test < 1):
        raise ValueError(f"the shares must leave a part to train on, got {validation} and {test}")
    split = Split([], [], [])
    for text in texts:
        first, second = (int(len(text) * (1 - share)) for share in (validation + test, test))
        for part, piece in zip(
            split, (text[:first], text[first:second], text[second:]), strict=True
        ):
            part.append(piece)
    return split


class CharModel(nn.Module):
    """Embedding, one LSTM layer with dropout before and after it, and a linear readout.

    V: characters. E: size of the embedding. H: hidden units. Weights are drawn from `generator`:
    U(−1/√H, 1/√H), the embedding N(0, 1); biases zero, the forget gate's `forget_bias`.
    """

    lstm: nn.LSTM
    embedding: nn.Embedding
    readout: nn.Linear
    dropout: nn.Dropout

    def __init__(
        self,
        V: int,
        E: int,
        H: int,
        *,
        dropout: float = 0.0,
        forget_bias: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.V, self.E, self.H = V, E, H
        self.embedding = nn.Embedding(V, E)
        self.lstm = nn.LSTM(E, H)
        self.readout = nn.Linear(H, V)
        self.dropout = nn.Dropout(dropout)
        for name, p in self.named_parameters():
            if name == "lstm.bias_ih_l0":
                nn.init.zeros_(p)
                nn.init.constant_(p.data[H : 2 * H], forget_bias)
            elif "bias" in name:
                nn.init.zeros_(p)
            elif "embedding" in name:
                nn.init.normal_(p, generator=generator)
            else:
                nn.init.uniform_(p, -(H**-0.5), H**-0.5, generator=generator)

    def forward(self, tokens: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """tokens (T, B) to (logits (T, B, V) of what follows each token, (h_T, c_T))."""
        output, state = self.lstm(self.dropout(self.embedding(tokens)), state)
        return self.readout(self.dropout(output)), state


class Stream:
    """One long text as B texts side by side, read T characters at a time, again and again.

    Each epoch starts at another place, drawn from (seed, epoch), so that the cuts move. Called
    with the number of an update, 1, 2, …: x and y, (T, B), and whether a new epoch starts, so that
    the carried state must be forgotten.
    """

    def __init__(self, tokens: Tokens, *, T: int, B: int, seed: int = 0) -> None:
        if T < 1 or B < 1:
            raise ValueError(f"T and B must be at least 1, got {T} and {B}")
        self.tokens, self.T, self.B, self.seed = tokens, T, B, seed
        self.pieces = (len(tokens) // B - 1) // T
        if self.pieces < 1:
            raise ValueError(
                f"tokens must be at least B·(T + 1) = {B * (T + 1)}, got {len(tokens)}"
            )

    def __call__(self, update: int) -> tuple[Tensor, Tensor, bool]:
        """The piece of this update; see the class."""
        epoch, piece = divmod(update - 1, self.pieces)
        start = int(rng_for(self.seed, epoch).integers(len(self.tokens)))
        columns = np.arange(self.B) * (len(self.tokens) // self.B)
        rows = start + piece * self.T + np.arange(self.T + 1)
        window = torch.as_tensor(self.tokens.take(rows[:, None] + columns, mode="wrap"))
        return window[:-1], window[1:], piece == 0


def step_on(stream: Stream) -> Any:
    """The step for `train.run`: mean cross-entropy of a piece (nats), the state carried on."""

    def step(model: nn.Module, update: int, state: Any) -> tuple[Tensor, Any]:
        x, y, fresh = stream(update)
        where = next(model.parameters()).device
        logits, state = model(x.to(where), None if fresh else state)
        return F.cross_entropy(logits.flatten(0, 1), y.flatten().to(where)), state

    return step


@torch.no_grad()
def losses(
    model: nn.Module, texts: Sequence[Tokens], befores: Sequence[Tokens], *, T: int = 200
) -> list[NDArray[np.float64]]:
    """−log₂ P of each token of each text, given all before it and the text that precedes.

    befores: what the model reads first to get into its state (at least one token each; not
    scored). All texts run side by side, T steps at a time; dropout is off.
    """
    if not texts or any(
        len(text) == 0 or len(b) == 0 for text, b in zip(texts, befores, strict=True)
    ):
        raise ValueError("each text must have a token, and each must have one before it")
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    was, where = model.training, next(model.parameters()).device
    model.eval()
    whole = [np.concatenate([b, text]) for b, text in zip(befores, texts, strict=True)]
    steps = max(map(len, whole))
    padded = np.stack([np.pad(text, (0, steps - len(text))) for text in whole], axis=1)
    tokens = torch.as_tensor(padded, device=where)
    state, bits = None, []
    for t in range(0, steps - 1, T):
        x, y = tokens[t : t + T][: steps - 1 - t], tokens[t + 1 : t + T + 1]
        logits, state = model(x, state)
        surprise = F.cross_entropy(logits.double().transpose(1, 2), y, reduction="none")
        bits.append((surprise / math.log(2)).cpu().numpy())
    model.train(was)
    scored = np.concatenate(bits)
    ends = zip(befores, whole, strict=True)
    return [scored[len(b) - 1 : len(text) - 1, k] for k, (b, text) in enumerate(ends)]


def bits_per_character(
    model: nn.Module, texts: Sequence[Tokens], befores: Sequence[Tokens], *, T: int = 200
) -> float:
    """The mean of `losses` over all characters of all texts."""
    return float(np.concatenate(losses(model, texts, befores, T=T)).mean())


@torch.no_grad()
def sample(
    model: nn.Module,
    alphabet: Alphabet,
    prompt: str,
    length: int,
    *,
    temperature: float = 1.0,
    rng: np.random.Generator,
) -> str:
    """Continue `prompt` by `length` characters drawn from softmax(z / temperature).

    temperature 0 takes the most probable character each time. The prompt must not be empty.
    """
    if not prompt:
        raise ValueError("prompt must have at least one character, got ''")
    if not temperature >= 0:
        raise ValueError(f"temperature must be 0 or more, got {temperature}")
    tokens, text, was = alphabet.encode(prompt), "", model.training
    where, state = next(model.parameters()).device, None
    model.eval()
    for _ in range(length):
        logits, state = model(torch.as_tensor(tokens, device=where)[:, None], state)
        z = logits[-1, 0].double().cpu().numpy()
        p = np.exp((z - z.max()) / (temperature or 1))
        drawn = rng.choice(len(p), p=p / p.sum()) if temperature else z.argmax()
        tokens = np.array([drawn])
        text += alphabet.decode(tokens)
    model.train(was)
    return text
