"""Write the data that live figures start from, and the pictures that stand where no script runs.

Usage: python -m tools.live_data [NAME ...]

The data is a JavaScript module in `lstm_lib/figures/live`, `NAME_data.js`, whose first line says
what it holds and where it is from; the picture is `book/assets/NAME-light.svg`, drawn from the same
numbers. Run it anew when a chapter changes what it trains.
"""

import json
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_lib import gradients, tasks, train
from lstm_lib.figures import Diagram, gradient_roads, live
from lstm_lib.files import write_atomically
from lstm_lib.numpy_cells import gru, lstm, rnn
from tools import live_stills, live_text

ASSETS = Path(__file__).parents[1] / "book" / "assets"
Data = dict[str, Any]


def rounded(array: NDArray[np.floating], digits: int) -> list[Any]:
    """The numbers of an array as nested lists, without the minus of zero."""
    return (np.round(array.astype(np.float64), digits) + 0.0).tolist()


def named(params: Any, digits: int) -> Data:
    """The weights of a cell by name."""
    return {name: rounded(w, digits) for name, w in params._asdict().items()}


def highway() -> Data:
    """Untrained cells of one draw, made as in the chapter on backpropagation but smaller."""
    D, H, T = 4, 8, 40
    draw, inputs = partial(np.random.default_rng, 0), np.random.default_rng(7)
    return {
        "rnn": named(rnn.init_params(draw(), D, H, spectral_radius=1.0), 4),
        "gru": named(gru.init_params(draw(), D, H), 4),
        "lstm": named(lstm.init_params(draw(), D, H), 4),
        "x": rounded(inputs.normal(size=(T, D)), 4),
    }


def recall() -> Data:
    """The recall net of the chapter on the cell, trained anew with the chapter's seed."""
    rng = np.random.default_rng(0)
    start = train.init_model(rng, lstm, D=8, H=16, K=4, forget_bias=3.0)
    net, _ = train.fit_numpy(
        start,
        lambda: tasks.recall_first(rng, T=20, B=32),
        updates=1000,
        lr=0.01,
        target=0.01,
        progress=False,
    )
    return named(net.params, 3) | {"W_y": rounded(net.W_y, 3), "b_y": rounded(net.b_y, 3)}


def highway_still(data: Data) -> Diagram:
    """The roads as the figure shows them first: forget bias 1, radius 0.58."""
    cells = {cell: [np.array(w) for w in data[name].values()] for name, cell in CELLS.items()}
    cells[rnn][1] *= 0.58
    names = (cell.__name__.rpartition(".")[2].upper() for cell in cells)
    shares = (comes_back(cell, cell.Params(*w), np.array(data["x"])) for cell, w in cells.items())
    return gradient_roads(dict(zip(names, shares, strict=True)))


def comes_back(cell: ModuleType, params: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of a gradient at h_T that reaches the states 0 … T: ‖∂h_T/∂(h_k, c_k)‖ / √H.

    x (T, D). The norm is Frobenius's: one unit vector at h_T in each sequence of a batch.
    """
    H = len(params.W_h)
    x = np.repeat(x[:, None], H, axis=1)
    dh = np.zeros((len(x), H, H))
    dh[-1] = np.eye(H)
    by = gradients.state_gradients(cell, params, x, dh)
    parts = [by.h]
    if by.c is not None:  # without the way through h, which is a part of the state itself
        trace = cell.forward(params, x)
        parts.append(by.c - by.h * trace.o * (1 - np.tanh(trace.c) ** 2))
    return np.linalg.norm(np.concatenate(parts, axis=2), axis=(1, 2)) / np.sqrt(H)


CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm}
MADE = {
    "highway": (
        highway,
        highway_still,
        "init_params(default_rng(0), 4, 8) of each cell, the RNN's radius 1; inputs of rng(7)",
    ),
    "recall": (
        recall,
        live_stills.recall_still,
        "the recall net of notebooks/04_cell_walkthrough.ipynb, trained anew with its seed",
    ),
    "text": (
        live_text.text,
        live_stills.text_still,
        "lstm_lib/recorded/shakespeare.safetensors on a passage of Romeo and Juliet",
    ),
}


def module(name: str, data: Data) -> str:
    """Return the text of a data module."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    first = f"// Made by tools/live_data.py: {MADE[name][2]}.\n"
    return f"{first}export const {name.upper()} = {text};\n"


def main(arguments: list[str] | None = None) -> None:
    """Write the data and the picture of the figures that are named, or of all."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = ArgumentParser(prog="python -m tools.live_data", description=summary)
    parser.add_argument("names", metavar="NAME", nargs="*", choices=MADE, help=", ".join(MADE))
    for name in parser.parse_args(arguments).names or MADE:
        make, still, _ = MADE[name]
        data = make()
        write_atomically(live.HERE / f"{name}_data.js", module(name, data).encode())
        write_atomically(ASSETS / f"{name}-light.svg", still(data).svg.encode())


if __name__ == "__main__":
    main()
