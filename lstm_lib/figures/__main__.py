"""`python -m lstm_lib.figures FOLDER` draws the diagrams that pages without code show."""

import sys
from pathlib import Path

import numpy as np

from lstm_lib.numpy_cells import lstm

from .diagrams import Diagram, cell_diagram, chain_diagram
from .graph import backward_diagram
from .stills import latch_still, meter_still

# Right answers out of 120 at the lags 0 … 29, as the information meter counts them when it opens.
METER = {
    "RNN": [120] * 6
    + [119, 107, 91, 68, 67, 54, 42, 28, 33, 28, 34, 30]
    + [26, 32, 22, 21, 28, 24, 30, 33, 36, 32, 33, 34],
    "LSTM": [120] * 20 + [118, 120, 119, 119, 118, 118, 115, 113, 116, 108],
}


def latch() -> Diagram:
    """The latch that solves the first challenge of its live figure."""
    bits = np.array([1, -1, 1, -1, -1, 1, -1, -1])
    gates = np.zeros((3, 8))  # i, f, o
    gates[0, 0], gates[1], gates[2, 6] = 1, 1, 1
    levers = 800 * np.stack([2 * gates[0] - 1, 2 * gates[1] - 1, bits, 2 * gates[2] - 1], axis=-1)
    unit = lstm.Params(np.eye(4), np.zeros((1, 4)), np.zeros(4))
    trace = lstm.forward(unit, levers[:, None])
    return latch_still({name: getattr(trace, name)[:, 0, 0] for name in "ifgoch"}, gates[2])


def meter() -> Diagram:
    """The information meter as its live figure opens."""
    return meter_still({name: np.array(right) / 120 for name, right in METER.items()})


def assets() -> dict[str, Diagram]:
    """File name -> diagram, each in a light and a dark version."""
    drawn = {
        "cell": cell_diagram(),
        "chain-rnn": chain_diagram("rnn"),
        "chain-lstm": chain_diagram("lstm"),
        "backward": backward_diagram(),
        "latch": latch(),
        "meter": meter(),
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
