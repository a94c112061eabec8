"""The nets of three papers by experiment, wired so that they have the published number of weights.

Hochreiter & Schmidhuber 1997, section 5: 2b has the net of 2a, and 5 that of 4; 2c has a net for
each number p of distractors. Gers et al. 2000: the continual embedded Reber grammar. Gers et al.
2002: the time between spikes.
"""

from lstm_lib.online.wiring import Wiring


def _reber(N: int, S: int) -> Wiring:
    biases = (-1, -2, -3, -4)[:N]
    return Wiring(
        7, 7, N, S, biased="gates", output_bias=False, bound=0.2, output_biases=biases
    )  # fmt: skip


def _distractors(p: int) -> Wiring:
    return Wiring(p + 4, 2, 2, biased="none", output_bias=False, bound=0.2)


#: By experiment: "1 4x1" is experiment 1 with 4 blocks of 1 cell, "2c p=50" 2c with 50 distractors.
NETS: dict[str, Wiring] = {
    "1 4x1": _reber(4, 1),
    "1 3x2": _reber(3, 2),
    "2a": Wiring(
        D=101,
        K=101,
        N=1,
        recurrent="none",
        biased="none",
        output_gate=False,
        output_bias=False,
        direct=True,
        centred=False,
        squashed=False,
        bound=0.2,
    ),
    **{f"2c p={p}": _distractors(p) for p in (50, 100, 200, 500, 1000)},
    "3": Wiring(1, 1, 3, output_bias=False, input_biases=(-1, -3, -5), output_biases=(-2, -4, -6)),
    "4": Wiring(2, 1, 2, 2, input_biases=(-3, -6)),
    "6a": Wiring(8, 4, 2, 2, input_biases=(-2, -4)),
    "6b": Wiring(8, 8, 3, 2, input_biases=(-2, -4, -6)),
    "Gers 2000": Wiring(
        D=7,
        K=7,
        N=4,
        S=2,
        recurrent="cells",
        biased="gates",
        forget_gate=True,
        direct=True,
        bound=0.2,
        input_biases=(-0.5, -1, -1.5, -2),
        forget_biases=(0.5, 1, 1.5, 2),
        output_biases=(-0.5, -1, -1.5, -2),
    ),
    "Gers 2002": Wiring(1, 1, 1, recurrent="cells", forget_gate=True, peepholes=True),
}
