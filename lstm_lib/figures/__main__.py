"""`python -m lstm_lib.figures FOLDER` draws the diagrams that pages without code show."""

import sys
from pathlib import Path

from .diagrams import Diagram, cell_diagram, chain_diagram
from .graph import backward_diagram


def assets() -> dict[str, Diagram]:
    """File name -> diagram, each in a light and a dark version."""
    drawn = {
        "cell": cell_diagram(),
        "chain-rnn": chain_diagram("rnn"),
        "chain-lstm": chain_diagram("lstm"),
        "backward": backward_diagram(),
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
