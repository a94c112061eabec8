"""Which backend computes, which can, and what the others say; what a choice leaves as it was."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from backends import Place, Problem, both_families
from cells import LSTM, RNN, Family

from lstm_lib import torch_cells
from lstm_lib.torch_cells import _backends, _triton

CPU = torch.device("cpu")
NAMES = "'loop', 'fused', 'graph', 'triton', 'auto'"


@both_families
def test_an_unknown_name_is_answered_with_the_known_ones(family: Family) -> None:
    with pytest.raises(ValueError, match=f"backend must be one of {NAMES}, got 'cudnn'"):
        family.ours(2, 3, backend="cudnn")


@both_families
def test_a_name_that_is_no_string_is_refused(family: Family) -> None:
    for name in (None, ["loop"], np.array(["loop", "fused"])):
        with pytest.raises(ValueError, match=f"backend must be one of {NAMES}, got "):
            family.ours(2, 3, backend=name)


@both_families
def test_an_unknown_name_that_is_set_later_is_refused_at_the_call(family: Family) -> None:
    module = family.ours(2, 3)
    module.backend = "fast"
    with pytest.raises(ValueError, match=f"backend must be one of {NAMES}, got 'fast'"):
        module(torch.zeros(1, 1, 2))


@both_families
def test_a_backend_that_cannot_run_says_why_at_the_call(family: Family) -> None:
    module = family.ours(2, 3, backend="graph")
    message = "backend='graph' cannot run here: CUDA graphs need a CUDA device, and this is cpu; "
    with pytest.raises(RuntimeError, match=message):
        module(torch.zeros(1, 1, 2))


def test_triton_without_a_gpu_says_what_would_make_it_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_triton, "INTERPRETED", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = "backend='triton' cannot run here: .*set the environment variable TRITON_INTERPRET=1"
    with pytest.raises(RuntimeError, match=message):
        LSTM.ours(2, 3, backend="triton")(torch.zeros(1, 1, 2))


def test_backends_says_of_each_whether_it_can_run() -> None:
    can = torch_cells.backends("cpu", torch.float64, 5)
    assert list(can) == ["loop", "fused", "graph", "triton"]
    assert can["loop"] == can["fused"] == "ok"
    assert can["graph"].startswith("CUDA graphs need a CUDA device")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_a_gpu_nothing_can_run_on_one() -> None:
    can = torch_cells.backends("cuda")
    assert all(reason.startswith("no CUDA device is visible here") for reason in can.values())


@pytest.mark.parametrize(
    ("question", "kind", "message"),
    [
        ({"cell": "rnn"}, ValueError, "cell must be 'lstm' or 'gru', got 'rnn'"),
        (
            {"dtype": torch.int64},
            TypeError,
            "dtype must be a floating type of torch, got torch.int",
        ),
        ({"dtype": "float32"}, TypeError, "dtype must be a floating type of torch, got float32"),
        ({"cell": ["lstm"]}, ValueError, r"cell must be 'lstm' or 'gru', got \['lstm'\]"),
        ({"H": 0}, ValueError, "H must be a positive integer, got 0"),
        ({"H": "8"}, ValueError, "H must be a positive integer, got '8'"),
    ],
)
def test_backends_names_what_it_does_not_know(question: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        torch_cells.backends(**question)


@pytest.mark.parametrize("interpreted", [True, False])
@pytest.mark.parametrize("device", ["meta", "mps"])
def test_triton_names_the_devices_that_it_takes(
    device: str, interpreted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_triton, "INSTALLED", True)
    monkeypatch.setattr(_triton, "INTERPRETED", interpreted)
    reason = torch_cells.backends(device)["triton"]
    assert reason.endswith(f"on a CUDA device, or interpreted on the CPU, not on {device}")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_auto_is_fused_on_a_cpu_even_where_triton_can_interpret(cell: str) -> None:
    chosen = _backends.choose("auto", cell, CPU, torch.float32, 64)
    assert chosen is not None
    assert chosen.name == "fused"


@pytest.mark.parametrize(
    ("interpreted", "reason", "name"),
    [(False, None, "triton"), (False, "H is too large", "fused"), (True, None, "fused")],
)
def test_auto_on_a_gpu_is_triton_where_it_can_be_compiled(
    monkeypatch: pytest.MonkeyPatch, interpreted: bool, reason: str | None, name: str
) -> None:
    monkeypatch.setattr(_triton, "INTERPRETED", interpreted)
    monkeypatch.setattr(_backends, "why_not", lambda name, *_: reason if name == "triton" else None)
    chosen = _backends.choose("auto", "lstm", torch.device("cuda"), torch.float32, 64)
    assert chosen is not None
    assert chosen.name == name


@both_families
def test_auto_computes_what_the_loop_computes(family: Family) -> None:
    problem = Problem(family, (4, 2, 3, 5))
    auto, loop = (problem.run(problem.module(Place(name, "cpu"))) for name in ("auto", "loop"))
    assert all(torch.allclose(auto[name], loop[name], rtol=0, atol=1e-12) for name in loop)


@both_families
def test_the_backend_is_not_in_the_state_dict(family: Family) -> None:
    names = family.theirs(2, 3).state_dict().keys()
    assert family.ours(2, 3, backend="fused").state_dict().keys() == names


@both_families
def test_copies_and_pickles_keep_the_backend(family: Family) -> None:
    module = family.ours(2, 3, backend="fused")
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert twin.backend == "fused"
        x = torch.ones(4, 1, 2)
        assert torch.equal(twin(x)[0], module(x)[0])


@both_families
def test_the_printed_module_says_which_backend_it_has_unless_it_is_the_loop(
    family: Family,
) -> None:
    name = family.name.upper()
    assert repr(family.ours(2, 3, backend="fused")) == f"{name}(D=2, H=3, backend='fused')"
    assert repr(family.ours(2, 3, backend="loop")) == f"{name}(D=2, H=3)"


@both_families
def test_the_trace_is_the_same_whatever_the_backend(family: Family) -> None:
    module, x = family.ours(2, 3), torch.ones(4, 1, 2)
    expected = module.trace(x)
    module.backend = "fused"
    assert all(torch.equal(a, b) for a, b in zip(module.trace(x), expected, strict=True))


@both_families
def test_the_random_start_does_not_depend_on_the_backend(family: Family) -> None:
    generators = (torch.Generator().manual_seed(0) for _ in range(2))
    a, b = (
        family.ours(2, 3, backend=name, generator=generator)
        for name, generator in zip(("loop", "fused"), generators, strict=True)
    )
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_the_simple_recurrent_network_has_no_backend_to_choose() -> None:
    with pytest.raises(TypeError, match="backend"):
        RNN.ours(2, 3, backend="fused")


@both_families
def test_a_cell_on_the_meta_device_gives_shapes(family: Family) -> None:
    module = family.ours(2, 3, backend="auto", device="meta")
    assert module(torch.zeros(4, 2, 2, device="meta"))[0].shape == (4, 2, 3)
