"""The LSTM's variants as declarations: what each has that the cell of chapter 4 has not, or lacks.

A `Design` lists the parts; the default is the cell of `numpy_cells.lstm`. `FAMILY` names the
variants that Greff et al. (2017, "LSTM: A search space odyssey") take the cell apart
into, and later ones. `numpy_cells.variant` and `torch_cells.Variant` compute any of them.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Design:
    """The parts of a cell. Raises ValueError for parts that exclude each other, TypeError else."""

    input_gate: bool = True  #: else i_t = 1
    forget_gate: bool = True  #: else f_t = 1
    output_gate: bool = True  #: else o_t = 1
    input_activation: bool = True  #: g_t = tanh(·), else the sum itself
    output_activation: bool = True  #: h_t = o_t ⊙ tanh(c_t), else o_t ⊙ c_t
    coupled: bool = False  #: f_t = 1 − i_t: the forget gate has no weights of its own
    peepholes: bool = False  #: i_t, f_t see c_{t-1} and o_t sees c_t, each its own cell
    gate_recurrence: bool = False  #: the gates see i, f, o of the step before ("full")
    layer_norm: bool = False  #: x W_x, h W_h and the c inside tanh are normalised over the units
    projection: int = 0  #: h_t is projected to so many units; 0: it is not

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name == "projection":
                right = isinstance(value, int | np.integer) and not isinstance(value, bool)
            else:
                right = isinstance(value, bool)
            if not right:
                wanted = "an integer" if part.name == "projection" else "True or False"
                raise TypeError(f"{part.name} must be {wanted}, got {value!r}")
        if self.projection < 0:
            raise ValueError(f"projection must be 0 or the number of units, got {self.projection}")
        if self.coupled and not (self.input_gate and self.forget_gate):
            raise ValueError("coupled must be False where the input or the forget gate is missing")

    @property
    def gates(self) -> str:
        """The layers that have weights, in the order of their columns, such as "ifgo" or "igo"."""
        has_f = self.forget_gate and not self.coupled
        has = {"i": self.input_gate, "f": has_f, "g": True, "o": self.output_gate}
        return "".join(gate for gate, there in has.items() if there)

    @property
    def seen(self) -> str:
        """The gates among them: what may have peepholes and be seen by gates, such as "ifo"."""
        return self.gates.replace("g", "")

    def shapes(self, D: int, H: int) -> dict[str, tuple[int, ...]]:
        """The shapes of all weights by name; what the cell lacks has no entries, (0,) or (0, 0)."""
        wide = len(self.gates) * H  # W_x = [W_xi W_xf W_xg W_xo] but for the gates without weights
        seen = len(self.seen) * H
        R = self.projection or H  # the width of h
        normed = self.layer_norm
        return {
            "W_x": (D, wide),
            "W_h": (R, wide),
            "b": (wide,),
            "p": (seen if self.peepholes else 0,),
            "W_q": (seen, seen) if self.gate_recurrence else (0, 0),
            "W_r": (H, R) if self.projection else (0, 0),
            "gain_x": (wide if normed else 0,),
            "gain_h": (wide if normed else 0,),
            "gain_c": (H if normed else 0,),
            "b_c": (H if normed else 0,),
        }


def number_of_weights(params: Any) -> int:
    """How many numbers a cell learns: the entries of all arrays of its `Params`."""
    return sum(array.size for array in params)


def multiplications_by_weights(params: Any) -> int:
    """How often a step of one sequence multiplies by a weight: by each once, but for the biases.

    The products of activations (f ⊙ c, i ⊙ g, o ⊙ tanh c) are a few H more.
    """
    named = params._asdict().items()
    return sum(array.size for name, array in named if not name.startswith("b"))


#: By name; NIG … FGR are the names that Greff et al. use. Their "vanilla" cell has peepholes.
FAMILY: dict[str, Design] = {
    "LSTM": Design(),
    "NIG": Design(input_gate=False),
    "NFG": Design(forget_gate=False),
    "NOG": Design(output_gate=False),
    "NIAF": Design(input_activation=False),
    "NOAF": Design(output_activation=False),
    "CIFG": Design(coupled=True),
    "peepholes": Design(peepholes=True),
    "FGR": Design(gate_recurrence=True),
    "layer norm": Design(layer_norm=True),
}
