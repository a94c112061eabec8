"""`python -m lstm_lib.figures FOLDER` draws the diagrams that pages without code show."""

import sys
from pathlib import Path

import numpy as np

from lstm_lib.numpy_cells import lstm

from .diagrams import Diagram, cell_diagram, chain_diagram
from .graph import backward_diagram
from .stills import latch_still


def latch() -> Diagram:
    """The latch that solves the first challenge of its live figure."""
    bits = np.array([1, -1, 1, -1, -1, 1, -1, -1])
    gates = np.zeros((3, 8))  # i, f, o
    gates[0, 0], gates[1], gates[2, 6] = 1, 1, 1
    levers = 800 * np.stack([2 * gates[0] - 1, 2 * gates[1] - 1, bits, 2 * gates[2] - 1], axis=-1)
    unit = lstm.Params(np.eye(4), np.zeros((1, 4)), np.zeros(4))
    return latch_still(lstm.forward(unit, levers[:, None]), gates[2])


def assets() -> dict[str, Diagram]:
    """File name -> diagram, each in a light and a dark version."""
    drawn = {
        "cell": cell_diagram(),
        "chain-rnn": chain_diagram("rnn"),
        "chain-lstm": chain_diagram("lstm"),
        "backward": backward_diagram(),
        "latch": latch(),
    }
    return {f"{name}-light.svg": diagram for name, diagram in drawn.items()} | {
        f"{name}-dark.svg": diagram.dark() for name, diagram in drawn.items()
    }


def main(arguments: list[str]) -> None:
    """Write every asset into the folder that is the one argument."""
    if len(arguments) != 1:
        sys.exit("usage: python -m lstm_lib.figures FOLDER")
    for name, diagram in assets().items():
        diagram.save(Path(arguments[0]) / name)


if __name__ == "__main__":
    main(sys.argv[1:])
