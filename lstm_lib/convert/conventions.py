"""How each framework stores a recurrent cell, as data: one `Convention` a framework.

The letters are ours: an LSTM has the layers i, f, g, o, a GRU r, z, n, and an RNN its only one, h.
What a framework stores is described by where the blocks W_x (D, H), W_h (H, H), b_x and b_h (H,)
of each layer lie in its arrays; b_x is added to x_t W_x and b_h to h_{t-1} W_h. Where the two are
only used as their sum and a framework has one array for it, that array is b_x.

Each fact comes from the source named beside it: the packages torch 2.13, keras 3.15.1, onnx 1.23.2
(operator set 22), dm-haiku 0.0.17, flax 0.12.8 and haste_pytorch 0.5.0rc0, the book of d2l and the
published assignments of CS231n. Keras, ONNX, Haiku and Flax were run on converted weights.
"""

from typing import Literal, NamedTuple, get_args

Cell = Literal["lstm", "gru", "rnn"]
CELLS: tuple[Cell, ...] = get_args(Cell)


class Stored(NamedTuple):
    """One array of a framework: rows of blocks, each row over the same layers side by side."""

    name: str  #: the framework's own
    shape: str  #: its axes, such as "4H, D"
    rows: str  #: the blocks from top to bottom: "W_x", "W_h", "W_x W_h", "b_x", "b_h", "b_x b_h"
    gates: str  #: the layers from left to right, such as "ifgo"
    transposed: bool = False  #: True where outputs come first, as in (4H, D)


class Layout(NamedTuple):
    """How a framework stores one kind of cell, and where its equations differ from ours."""

    arrays: tuple[Stored, ...]  #: in the framework's order
    forget_offset: float = 0.0  #: what the framework adds to f's sum at run time
    z_keeps: bool = True  #: GRU: z_t = 1 keeps h_{t-1}; False: z_t = 1 takes the candidate
    reset: Literal["after", "before", ""] = ""  #: GRU: r_t multiplies after or before W_hn


class Convention(NamedTuple):
    """A framework: its layouts by cell, why a cell has none, and where the facts were found."""

    title: str  #: as readers know it
    layouts: dict[Cell, Layout]  #: by cell: "lstm", "gru", "rnn"
    missing: dict[Cell, str]  #: why a cell has no layout here
    forget_bias: str  #: what an untrained LSTM adds in its forget gate
    source: str  #: where the facts were found


def _width(gates: str) -> str:
    return "H" if len(gates) == 1 else f"{len(gates)}H"


def _in_out(names: tuple[str, str, str], gates: str) -> tuple[Stored, ...]:
    """Kernels (D, kH) and (H, kH), one bias."""
    wide = _width(gates)
    shapes = (f"D, {wide}", f"H, {wide}", wide)
    blocks = ("W_x", "W_h", "b_x")
    return tuple(Stored(*stored, gates) for stored in zip(names, shapes, blocks, strict=True))


def _torch(gates: str) -> tuple[Stored, ...]:
    wide = _width(gates)
    return (
        Stored("weight_ih_l0", f"{wide}, D", "W_x", gates, transposed=True),
        Stored("weight_hh_l0", f"{wide}, H", "W_h", gates, transposed=True),
        Stored("bias_ih_l0", wide, "b_x", gates),
        Stored("bias_hh_l0", wide, "b_h", gates),
    )


def _onnx(gates: str) -> tuple[Stored, ...]:
    wide = _width(gates)
    return (
        Stored("W", f"1, {wide}, D", "W_x", gates, transposed=True),
        Stored("R", f"1, {wide}, H", "W_h", gates, transposed=True),
        Stored("B", f"1, {2 * len(gates)}H", "b_x b_h", gates),
    )


def _flax(gates: str, biased: str) -> tuple[Stored, ...]:
    """Dense layers i. for x and h. for h, one each a gate; `biased`, i or h, have the biases."""
    x = [Stored(f"i{gate}/kernel", "D, H", "W_x", gate) for gate in gates]
    h = [Stored(f"h{gate}/kernel", "H, H", "W_h", gate) for gate in gates]
    b = [Stored(f"{biased}{gate}/bias", "H", "b_x", gate) for gate in gates]
    return (*x, *h, *b)


def _d2l(letters: dict[str, str]) -> tuple[Stored, ...]:
    """letters: d2l's letter of each of our layers, in the order of the book's code."""
    names = [(f"W_x{its}", f"W_h{its}", f"b_{its}") for its in letters.values()]
    pairs = zip(names, letters, strict=True)
    return tuple(stored for three, gate in pairs for stored in _in_out(three, gate))


_KERAS = ("kernel", "recurrent_kernel", "bias")
_CS231N = ("Wx", "Wh", "b")

CONVENTIONS: dict[str, Convention] = {
    "lstm_lib": Convention(
        "This course",
        {
            "lstm": Layout(_in_out(("W_x", "W_h", "b"), "ifgo")),
            "gru": Layout(
                (*_in_out(("W_x", "W_h", "b"), "rzn"), Stored("b_hn", "H", "b_h", "n")),
                reset="after",
            ),
            "rnn": Layout(_in_out(("W_x", "W_h", "b"), "h")),
        },
        {},
        "`forget_bias` of `init_params`, 1",
        "`lstm_lib.numpy_cells`",
    ),
    "pytorch": Convention(
        "PyTorch, cuDNN",
        {
            "lstm": Layout(_torch("ifgo")),
            "gru": Layout(_torch("rzn"), reset="after"),
            "rnn": Layout(_torch("h")),
        },
        {},
        "drawn, about 0",
        "`torch.nn.LSTM`, `GRU`, `RNN`; cuDNN's `cudnnGetRNNWeightParams` numbers the same layers "
        "in the same order",
    ),
    "keras": Convention(
        "Keras",
        {
            "lstm": Layout(_in_out(_KERAS, "ifgo")),
            "gru": Layout(
                (*_in_out(_KERAS, "zrn")[:2], Stored("bias", "2, 3H", "b_x b_h", "zrn")),
                reset="after",
            ),
            "rnn": Layout(_in_out(_KERAS, "h")),
        },
        {},
        "starts at 1 (`unit_forget_bias`)",
        "`keras/src/layers/rnn/lstm.py`, `gru.py`, `simple_rnn.py`; the GRU with its default, "
        "`reset_after=True`",
    ),
    "onnx": Convention(
        "ONNX",
        {
            "lstm": Layout(_onnx("iofg")),
            "gru": Layout(_onnx("zrn"), reset="after"),
            "rnn": Layout(_onnx("h")),
        },
        {},
        "none: a format for stored weights",
        "the operators `LSTM`, `GRU`, `RNN`; the GRU with `linear_before_reset=1`, which is not "
        "its default",
    ),
    "haiku": Convention(
        "JAX, Haiku",
        {
            "lstm": Layout(
                (Stored("w", "D+H, 4H", "W_x W_h", "igfo"), Stored("b", "4H", "b_x", "igfo")),
                forget_offset=1.0,
            ),
            "gru": Layout(_in_out(("w_i", "w_h", "b"), "zrn"), z_keeps=False, reset="before"),
        },
        {"rnn": "its VanillaRNN applies ReLU where ours applies tanh"},
        "starts at 0, and 1 is added at every step",
        "`haiku/_src/recurrent.py`; `w` and `b` of the LSTM belong to its submodule `linear`",
    ),
    "flax": Convention(
        "JAX, Flax Linen",
        {
            "lstm": Layout(_flax("ifgo", "h")),
            "gru": Layout((*_flax("rzn", "i"), Stored("hn/bias", "H", "b_h", "n")), reset="after"),
            "rnn": Layout(
                (
                    Stored("i/kernel", "D, H", "W_x", "h"),
                    Stored("h/kernel", "H, H", "W_h", "h"),
                    Stored("i/bias", "H", "b_x", "h"),
                )
            ),
        },
        {},
        "starts at 0",
        "`flax/linen/recurrent.py`: `LSTMCell`, `GRUCell`, `SimpleCell`; names of the nested dict "
        "are joined by `/`",
    ),
    "haste": Convention(
        "haste",
        {
            "lstm": Layout(_in_out(_KERAS, "igfo")),
            "gru": Layout(
                (*_in_out(_KERAS, "zrn"), Stored("recurrent_bias", "3H", "b_h", "zrn")),
                reset="after",
            ),
        },
        {"rnn": "its only plain cell, IndRNN, has a vector where ours has the matrix W_h"},
        "starts at 1 (`forget_bias`)",
        "`haste_pytorch`: `lstm.py`, `gru.py`",
    ),
    "d2l": Convention(
        "Dive into Deep Learning",
        {
            "lstm": Layout(_d2l({"i": "i", "f": "f", "o": "o", "g": "c"})),
            "gru": Layout(_d2l({"z": "z", "r": "r", "n": "h"}), reset="before"),
            "rnn": Layout(_d2l({"h": "h"})),
        },
        {},
        "starts at 0",
        "the classes `RNNScratch`, `LSTMScratch`, `GRUScratch` of the book",
    ),
    "cs231n": Convention(
        "Stanford CS231n",
        {
            "lstm": Layout(_in_out(_CS231N, "ifog")),
            "rnn": Layout(_in_out(_CS231N, "h")),
        },
        {"gru": "its assignments define none"},
        "starts at 0",
        "assignment 3, `rnn_layers.py`: `rnn_step_forward`, `lstm_step_forward`",
    ),
}


def check_cell(cell: str) -> None:
    """Raise unless this is the name of a kind of cell."""
    if cell not in CELLS:
        raise ValueError(f"cell must be one of {list(CELLS)}, got {cell!r}")


def switchboard(cell: Cell = "lstm") -> list[dict[str, str]]:
    """Return the conventions of one kind of cell as rows of a table, a dict of columns each.

    The columns: framework, layers (their order, in our letters), kernels (their shapes), biases;
    for the LSTM also the forget bias; for the GRU what z_t = 1 does and where r_t multiplies.
    Frameworks without such a cell have no row. Raises ValueError for another kind.
    """
    check_cell(cell)
    rows = []
    for convention in CONVENTIONS.values():
        if cell not in convention.layouts:
            continue
        layout = convention.layouts[cell]
        row = {"framework": convention.title}
        if cell != "rnn":
            row["layers"] = _order(layout)
        row["kernels"] = _describe(layout, "W_")
        row["biases"] = _describe(layout, "b_")
        if cell == "lstm":
            row["forget bias"] = convention.forget_bias
        if cell == "gru":
            row["z = 1"] = "keeps h" if layout.z_keeps else "takes n"
            row["reset"] = f"{layout.reset} W_hn"
        rows.append(row)
    return rows


def _order(layout: Layout) -> str:
    """The layers in the order in which they first appear."""
    return "".join(dict.fromkeys("".join(stored.gates for stored in layout.arrays)))


def _describe(layout: Layout, block: str) -> str:
    """Name the arrays that hold a kind of block, with shapes; of one array a layer, the first."""
    alike: dict[tuple[str, str], list[str]] = {}
    for stored in layout.arrays:
        if block in stored.rows:
            alike.setdefault((stored.rows, stored.shape), []).append(stored.name)
    return "; ".join(
        f"`{names[0]}` ({shape})" + (", …" if len(names) > 1 else "")
        for (_, shape), names in alike.items()
    )
