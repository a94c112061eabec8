"""The equations of a step as data: what each quantity is made from. Diagrams are drawn from it.

Names are the terms of the equations themselves, as in the docstrings of `numpy_cells`; a test
parses those docstrings and compares. Weights and biases are inside a layer, so not listed.
"""

import re
from typing import Literal, NamedTuple

Kind = Literal["layer", "times", "plus", "squash", "output"]


class Node(NamedTuple):
    """One operation of a step: the quantity `name` is `operator` applied to `inputs`."""

    name: str
    kind: Kind
    operator: str
    inputs: tuple[str, ...]


# Géron's basic cell and the vanilla RNN: h_t goes both to the next step and out, as y_t.
RNN = (
    Node("h_t", "layer", "tanh", ("x_t", "h_{t-1}")),
    Node("y_t", "output", "=", ("h_t",)),
)

# Gers, Schmidhuber & Cummins (2000), without peepholes.
LSTM = (
    Node("i_t", "layer", "σ", ("x_t", "h_{t-1}")),
    Node("f_t", "layer", "σ", ("x_t", "h_{t-1}")),
    Node("g_t", "layer", "tanh", ("x_t", "h_{t-1}")),
    Node("o_t", "layer", "σ", ("x_t", "h_{t-1}")),
    Node("f_t ⊙ c_{t-1}", "times", "×", ("f_t", "c_{t-1}")),
    Node("i_t ⊙ g_t", "times", "×", ("i_t", "g_t")),
    Node("c_t", "plus", "+", ("f_t ⊙ c_{t-1}", "i_t ⊙ g_t")),
    Node("tanh(c_t)", "squash", "tanh", ("c_t",)),
    Node("h_t", "times", "×", ("o_t", "tanh(c_t)")),
    Node("y_t", "output", "=", ("h_t",)),
)

CELLS = {"rnn": RNN, "lstm": LSTM}

Edge = tuple[str, str]


def edges(nodes: tuple[Node, ...]) -> list[Edge]:
    """(from, to) for every dependency, in the order of the equations."""
    return [(source, node.name) for node in nodes for source in node.inputs]


def shift(name: str, steps: int) -> str:
    """The same quantity `steps` later: shift("h_{t-1}", 1) is "h_t"."""

    def later(match: re.Match[str]) -> str:
        offset = int(match["offset"] or 0) + steps
        return f"_{{t{offset:+d}}}" if offset else "_t"

    return re.sub(r"_(?:\{t(?P<offset>[+-]\d+)\}|t)", later, name)


def shifted(nodes: tuple[Node, ...], steps: int) -> tuple[Node, ...]:
    """The equations of the step that lies `steps` later."""
    return tuple(
        node._replace(
            name=shift(node.name, steps),
            inputs=tuple(shift(source, steps) for source in node.inputs),
        )
        for node in nodes
    )
