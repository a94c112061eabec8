"""What a net of memory blocks is made of, as data."""

import math
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

import numpy as np

from lstm_lib.online._arrays import Array, Form


class Columns(NamedTuple):
    """Where the units lie in the columns of W; an empty slice where there are none."""

    i: slice
    f: slice
    g: slice
    o: slice


@dataclass(frozen=True)
class Wiring:
    """The units, what they see, and how their weights start.

    Each block has an input gate, and each gate and cell sees all inputs. The outputs are logistic
    units that see the cells. Raises ValueError for sizes, names and biases that do not fit.
    """

    D: int  #: inputs
    K: int  #: outputs
    N: int  #: blocks
    S: int = 1  #: cells a block
    recurrent: Literal["all", "cells", "none"] = "all"  #: what is seen of the step before
    biased: Literal["all", "gates", "none"] = "all"  #: which gates and cells have a bias
    output_gate: bool = True
    forget_gate: bool = False  #: Gers et al. 2000
    peepholes: bool = False  #: the gates of a block see the states of its cells (Gers et al. 2002)
    output_bias: bool = True
    direct: bool = False  #: whether the outputs see the inputs too
    centred: bool = True  #: g = 4σ − 2, else σ
    squashed: bool = True  #: h = o ⊙ (2σ(c) − 1), else o ⊙ c
    bound: float = 0.1  #: weights and biases start in U(−bound, bound)
    input_biases: tuple[float, ...] | None = None  #: instead, a number a block
    forget_biases: tuple[float, ...] | None = None  #: the same for the forget gates
    output_biases: tuple[float, ...] | None = None  #: the same for the output gates

    def __post_init__(self) -> None:
        for name in ("D", "K", "N", "S"):
            size = getattr(self, name)
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise ValueError(f"{name} must be a positive integer, got {size!r}")
        for name, allowed in (
            ("recurrent", ("all", "cells", "none")),
            ("biased", ("all", "gates", "none")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        for part in fields(self):
            value = getattr(self, part.name)
            if part.type is bool and not isinstance(value, bool):
                raise ValueError(f"{part.name} must be True or False, got {value!r}")
        if not 0 < self.bound < math.inf:
            raise ValueError(f"bound must be a positive number, got {self.bound}")
        gates = {"input": True, "forget": self.forget_gate, "output": self.output_gate}
        for gate, there in gates.items():
            biases = getattr(self, f"{gate}_biases")
            fit = isinstance(biases, tuple) and len(biases) == self.N
            if biases is not None and (not fit or not there or self.biased == "none"):
                raise ValueError(
                    f"{gate}_biases must be a tuple of N={self.N} numbers, for gates that are "
                    f"there and have biases, got {biases!r}"
                )

    @property
    def H(self) -> int:
        """Cells."""
        return self.N * self.S

    @property
    def columns(self) -> Columns:
        """Where the units lie: gates i, f, cells, gates o."""
        widths = (self.N, self.N * self.forget_gate, self.H, self.N * self.output_gate)
        ends = np.cumsum(widths).tolist()
        return Columns(*(slice(end - width, end) for end, width in zip(ends, widths, strict=True)))

    @property
    def form(self) -> Form:
        """The same as the compiled loops take it."""
        R = {"all": self.columns.o.stop, "cells": self.H, "none": 0}[self.recurrent]
        has = (self.output_gate, self.forget_gate, self.peepholes, self.direct)
        return Form(self.D, self.N, self.S, R, *has, self.centred, self.squashed)

    def free(self) -> tuple[Array, Array]:
        """1 where there is a weight and 0 where there is none: of gates and cells, of outputs.

        The rows are inputs, units of the step before, bias, and with peepholes the states; of the
        outputs inputs where direct, cells, bias.
        """
        at, bias = self.columns, self.D + self.form.R
        W = np.ones((bias + 1 + self.H * self.peepholes, at.o.stop))
        V = np.ones((self.D * self.direct + self.H + 1, self.K))
        W[bias] = self.biased != "none"
        W[bias, at.g] = self.biased == "all"
        V[-1] = self.output_bias
        if self.peepholes:
            W[bias + 1 :] = 0
            own = np.repeat(np.eye(self.N), self.S, axis=0)  # (H, N): the block of each cell
            for gate in (at.i, at.f, at.o):
                W[bias + 1 :, gate] = own[:, : gate.stop - gate.start]
        return W, V
