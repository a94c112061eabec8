"""What the recorded character model does on the passage that the chapter on texts shows.

The passage, the cells and their scores are those of the chapter, found in the same way. The traces
are rounded to hundredths; how much each character before matters, to parts of the largest
that one of DIGITS can say.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_lib import convert, data, text_probes
from lstm_lib.experiments import shakespeare
from lstm_lib.language import CharModel
from lstm_lib.numpy_cells import lstm

BACK = 50  # characters that can matter
GUESSES = 4
FIRST = 163  # the character whose guess is shown first: the dot after "dagger"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
LABELS = {
    "in brackets": text_probes.in_brackets,
    "in a name": text_probes.in_name,
    "column": text_probes.column,
    "lines spoken": text_probes.lines_spoken,
}


def _read(corpus: shakespeare.Corpus) -> NDArray[np.int64]:
    """The tokens of the test texts side by side, (2300, 8), as the chapter reads them."""
    tails, befores = corpus.parts("test")
    pairs = zip(befores, tails, strict=True)
    return np.stack([np.r_[before[-300:], tail[:2000]] for before, tail in pairs], 1)


def search(corpus: shakespeare.Corpus, model: CharModel) -> list[text_probes.Found]:
    """The cell that follows each of the chapter's four labels best, and its score."""
    read, every = _read(corpus), slice(300, None, 4)
    plays = [corpus.alphabet.decode(tokens) for tokens in read.T]
    cells = text_probes.cell_states(model, read)[every]
    labels = [np.stack([label(play) for play in plays], 1)[every] for label in LABELS.values()]
    return [text_probes.best_unit(cells, label) for label in labels]


def passage(corpus: shakespeare.Corpus) -> tuple[NDArray[np.int64], slice]:
    """The tokens of the chapter's play, (2300,), and where its passage lies in them."""
    tokens = _read(corpus)[:, data.TRAGEDIES.index("romeo_and_juliet")]
    play = corpus.alphabet.decode(tokens)
    start = play.index("\n", play.index("\n[", 600) - 150) + 1
    return tokens, slice(start, play.index("\n", start + 420))


@torch.no_grad()
def mattered(
    model: CharModel, tokens: NDArray[np.int64], trace: lstm.Trace, where: slice
) -> NDArray[np.float64]:
    """How much each of the last BACK characters matters to the guess after each one, (N, BACK).

    The lead of the first guess over the second, without that character (its embedding is 0, and
    all after it are read anew) and with it: their distance, as a part of the largest of the row.
    """
    removed = np.arange(where.start + 1 - BACK, where.stop)
    x = model.embedding.weight[tokens[removed + np.arange(BACK)[:, None]]]
    x[0] = 0
    # Row t of a trace is the state after t characters.
    state = [torch.from_numpy(part[removed, 0][None]) for part in (trace.h, trace.c)]
    without = model.readout(model.lstm(x, tuple(state))[0])  # after `back` more, in row `back`
    guesses = model.readout(torch.from_numpy(trace.h[where.start + 1 :, 0])).topk(2)
    part = np.empty((len(guesses.values), BACK))
    for back in range(BACK):
        to_each = without[back, BACK - 1 - back : len(removed) - back]
        change = to_each.gather(1, guesses.indices) - guesses.values
        part[:, BACK - 1 - back] = (change[:, 0] - change[:, 1]).abs()
    return part / part.max(1, keepdims=True)


def traced(
    corpus: shakespeare.Corpus, model: CharModel, found: list[text_probes.Found]
) -> dict[str, Any]:
    """The passage, the traces of some cells, the guesses and what matters; all in float64."""
    tokens, where = passage(corpus)
    model = model.double()
    embedded = model.embedding.weight.detach().numpy()[tokens[: where.stop]][:, None]
    trace = lstm.forward(convert.from_torch(model.lstm), embedded)
    h = torch.from_numpy(trace.h[where.start + 1 :, 0])
    likely = torch.softmax(model.readout(h), -1).topk(GUESSES)
    rows = mattered(model, tokens, trace, where)
    return {
        "text": corpus.alphabet.decode(tokens[where]),
        "before": corpus.alphabet.decode(tokens[where.start - BACK + 1 : where.start]),
        "cells": [
            {"follows": name, "unit": cell.unit, "sign": cell.sign, "score": round(cell.score, 2)}
            | {
                part: np.rint(100 * getattr(trace, part)[where.start + 1 :, 0, cell.unit])
                .astype(int)
                .tolist()
                for part in "ifgoc"
            }
            for name, cell in zip(LABELS, found, strict=True)
        ],
        "guesses": corpus.alphabet.decode(likely.indices.ravel().numpy()),
        "chances": np.rint(100 * likely.values.ravel().detach().numpy()).astype(int).tolist(),
        "mattered": "".join(
            DIGITS[k] for k in np.rint((len(DIGITS) - 1) * rows).astype(int).ravel()
        ),
        "digits": DIGITS,
        "first": FIRST,
    }


def text() -> dict[str, Any]:
    """The data of the live figure."""
    corpus = shakespeare.corpus()
    model = shakespeare.load_model(corpus)
    return traced(corpus, model, search(corpus, model))
