"""The variants that ONNX's LSTM operator knows, as onnxruntime computes them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from variants import columns, draw

from lstm_lib.family import Design
from lstm_lib.numpy_cells import variant


def run_onnx(params: variant.Params, x: np.ndarray, state: variant.State, design: Design) -> list:
    """h_1 … h_T, h_T and c_T of ONNX's LSTM operator, as onnxruntime computes it.

    Its order is i, o, f, c (c is our g), that of its peepholes i, o, f. Where the gates are coupled
    it asks for weights of the forget gate all the same: they are random here, and must not matter.
    """
    rng, H = np.random.default_rng(2), params.W_h.shape[0]

    def ordered(array: np.ndarray, gates: str, order: str) -> np.ndarray:
        each = columns(array, gates)
        each.setdefault("f", rng.normal(0, 5, each["i"].shape))
        return np.concatenate([each[k] for k in order], axis=-1)

    W, R, b = (ordered(array, design.gates, "iofg") for array in params[:3])
    inputs = {
        "X": x,
        "W": W.T[None],
        "R": R.T[None],
        "B": np.concatenate([b, 0 * b])[None],
        "": None,  # no lengths of sequences
        "initial_h": state.h[None],
        "initial_c": state.c[None],
    }
    if design.peepholes:
        inputs["P"] = ordered(params.p, design.seen, "iof")[None]
    feeds = {k: np.ascontiguousarray(a, np.float32) for k, a in inputs.items() if a is not None}
    node = helper.make_node(
        "LSTM", list(inputs), ["Y", "Y_h", "Y_c"], hidden_size=H, input_forget=int(design.coupled)
    )
    typed = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "one LSTM",
        [typed(name, TensorProto.FLOAT, array.shape) for name, array in feeds.items()],
        [typed(name, TensorProto.FLOAT, [None] * (4 - (name != "Y"))) for name in node.output],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    Y, Y_h, Y_c = session.run(None, feeds)
    return [Y[:, 0], Y_h[0], Y_c[0]]


@pytest.mark.parametrize("sizes", [(7, 2, 3, 4), (1, 1, 2, 5), (20, 1, 5, 2)], ids=str)
@pytest.mark.parametrize(
    "design",
    [
        Design(),
        Design(peepholes=True),
        Design(coupled=True),
        Design(peepholes=True, coupled=True),
    ],
    ids=["plain", "peepholes", "coupled", "peepholes and coupled"],
)
def test_onnxruntime_computes_the_same_in_float32(design: Design, sizes: tuple) -> None:
    T, B, D, H = sizes
    params, state, x, _ = draw(design, T=T, B=B, D=D, H=H, dtype=np.float32)
    trace = variant.forward(params, x, state, design=design)
    ours = [trace.h[1:], trace.h[-1], trace.c[-1]]
    for a, b in zip(ours, run_onnx(params, x, state, design), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
