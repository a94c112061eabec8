"""onnxruntime: the LSTM operator of ONNX, which has a forward pass only."""

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper

from benchmarks.problem import Contestant, Problem
from lstm_lib import convert


def build(problem: Problem) -> Contestant:
    """Set a session up for a problem, with as many threads as torch has."""
    T, B, D = problem.x.shape
    H = problem.params.W_h.shape[0]
    weights = convert.convert_weights(problem.params._asdict(), "lstm_lib", "onnx")
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["x", "W", "R", "B"], ["h"], hidden_size=H)],
        "lstm",
        [helper.make_tensor_value_info("x", kind, [T, B, D])],
        [helper.make_tensor_value_info("h", kind, [T, 1, B, H])],
        [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Contestant(lambda: session.run(["h"], {"x": problem.x})[0][:, 0], None)
