"""The torch cells with an axis over seeds: equal to NumPy, to torch.nn, and to themselves alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from variants import CHANGES, draw, every_design, pairs

from lstm_lib.convert import from_torch
from lstm_lib.family import Design
from lstm_lib.numpy_cells import gru, mgu, min_lstm, rnn, slstm, variant
from lstm_lib.torch_cells import MGU, SLSTM, MinLSTM, SeededGRU, SeededRNN, Variant
from lstm_lib.torch_cells import slstm as torch_slstm
from lstm_lib.torch_cells import variant as torch_variant
from lstm_lib.torch_cells.min_lstm import scan

D, H, T, B = 2, 3, 5, 4
Make = Callable[..., Any]
RELATIVES: dict[str, tuple[Any, Make]] = {
    "rnn": (rnn, SeededRNN),
    "gru": (gru, SeededGRU),
    "mgu": (mgu, MGU),
    "min_lstm": (min_lstm, MinLSTM),
    "slstm": (slstm, SLSTM),
}
CELLS: dict[str, Make] = {
    **{name: make for name, (_, make) in RELATIVES.items()},
    "variant": Variant,
    "all additions": lambda D, H, **options: Variant(D, H, pairs()["all additions"], **options),
    "no gates": lambda D, H, **options: Variant(D, H, pairs()["no gates"], **options),
}
every_cell = pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
every_relative = pytest.mark.parametrize(("numpy_cell", "make"), RELATIVES.values(), ids=RELATIVES)


def tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(array, requires_grad=True)


def weights(params: Any) -> dict[str, Tensor]:
    """The parameters of the torch cell; what the cell lacks has no entries in NumPy."""
    return {name: tensor(array) for name, array in params._asdict().items() if array.size}


def arrays_of(state: Any) -> list[Any]:
    return list(state) if isinstance(state, tuple) else [state]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(np.asarray(ours.detach()), theirs, rtol=1e-10, atol=1e-13)


def assert_as_numpy(module: Any, params: Any, state: Any, x: Any, dh: Any, twin: dict) -> None:
    """Every state and gate, and every derivative of a loss that uses each h_t and the end."""
    given, x_t = weights(params), tensor(x)
    start = type(module).state_type
    state_t = [tensor(each) for each in arrays_of(state)]
    begin = state_t[0] if start is None else start(*state_t)
    module.load_state_dict(given)
    for ours, theirs in zip(module.trace(x_t, begin), twin["trace"], strict=True):
        close(ours, theirs)
    output, last = functional_call(module, given, (x_t, begin))
    loss = (output * torch.tensor(dh)).sum()
    for value, by in zip(arrays_of(last), arrays_of(twin["dstate"]), strict=True):
        loss = loss + (value * torch.tensor(by)).sum()
    loss.backward()
    expected = twin["gradients"]
    for name, weight in given.items():
        close(weight.grad, getattr(expected.params, name))
    close(x_t.grad, expected.x)
    for value, by in zip(state_t, arrays_of(expected.state), strict=True):
        if value.numel():
            close(value.grad, by)


@pytest.mark.parametrize("design", [*CHANGES.values(), *pairs().values()], ids=[*CHANGES, *pairs()])
def test_a_variant_is_the_one_in_numpy(design: Design) -> None:
    params, state, x, dh = draw(design, T=T, B=B)
    rng = np.random.default_rng(1)
    dstate = variant.State(*(rng.normal(size=each.shape) for each in state))
    trace = variant.forward(params, x, state, design=design)
    gradients = variant.backward(params, x, trace, dh, dstate, design=design)
    module = Variant(D, H, design, dtype=torch.float64)
    twin = {"trace": trace, "gradients": gradients, "dstate": dstate}
    assert_as_numpy(module, params, state, x, dh, twin)


@every_relative
def test_a_relative_is_the_one_in_numpy(numpy_cell: Any, make: Make) -> None:
    rng = np.random.default_rng(1)
    drawn = numpy_cell.init_params(rng, D, H)
    params = type(drawn)(*(rng.normal(0, 0.7, each.shape) for each in drawn))
    x, dh = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
    fields = numpy_cell.State._fields if hasattr(numpy_cell, "State") else ("h",)
    states = [[np.abs(rng.normal(size=(B, H))) for _ in fields] for _ in range(2)]
    state, dstate = (s[0] if len(s) == 1 else numpy_cell.State(*s) for s in states)
    trace = numpy_cell.forward(params, x, state)
    gradients = numpy_cell.backward(params, x, trace, dh, dstate)
    twin = {"trace": trace, "gradients": gradients, "dstate": dstate}
    assert_as_numpy(make(D, H, dtype=torch.float64), params, state, x, dh, twin)


def test_the_slstm_with_an_exponential_forget_gate_is_the_one_in_numpy() -> None:
    params = slstm.init_params(np.random.default_rng(0), D, H)
    x = np.random.default_rng(1).normal(size=(T, B, D))
    module = SLSTM(D, H, forget="exp", dtype=torch.float64)
    module.load_state_dict(weights(params))
    for ours, theirs in zip(
        module.trace(torch.tensor(x)), slstm.forward(params, x, forget="exp"), strict=True
    ):
        close(ours, theirs)


@pytest.mark.parametrize(
    ("make", "theirs"),
    [(SeededRNN, nn.RNN), (SeededGRU, nn.GRU), (Variant, nn.LSTM)],
)
def test_the_plain_cells_give_what_those_of_torch_give(make: Make, theirs: Any) -> None:
    torch_cell, x = theirs(D, H, dtype=torch.float64), normal(T, B, D)
    module = make(D, H, dtype=torch.float64)
    module.load_state_dict(weights(from_torch(torch_cell)))
    close(module(x)[0], torch_cell(x)[0].detach())


@every_cell
def test_autograd_agrees_with_central_differences(make: Make) -> None:
    module = make(D, H, seeds=2, dtype=torch.float64)
    names = [name for name, _ in module.named_parameters()]

    def loss(x: Tensor, *values: Tensor) -> Tensor:
        output, state = functional_call(module, dict(zip(names, values, strict=True)), (x,))
        used = [output, *(each for each in arrays_of(state) if each.numel())]
        return torch.stack([each.square().sum() for each in used])

    x = normal(3, 2, 2, D).requires_grad_()
    assert torch.autograd.gradcheck(loss, (x, *module.parameters()), fast_mode=True)


@every_cell
def test_a_net_is_the_same_alone_and_beside_others(make: Make) -> None:
    together, alone = (make(D, H, seeds=s, dtype=torch.float64) for s in ((5, 0, 9), (9,)))
    x = normal(T, 3, B, D)
    for module, x_s in ((together, x), (alone, x[:, 2:])):
        module(x_s)[0].square().sum().backward()
    close(together(x)[0][:, 2], alone(x[:, 2:])[0][:, 0].detach())
    for name, weight in alone.named_parameters():
        beside = dict(together.named_parameters())[name]
        assert torch.equal(beside[2], weight[0])
        close(beside.grad[2], weight.grad[0])


@every_cell
def test_a_net_of_one_seed_is_that_of_a_generator_with_the_seed(make: Make) -> None:
    seeded = make(D, H, seeds=[9])
    plain = make(D, H, generator=torch.Generator().manual_seed(9))
    for name, weight in plain.named_parameters():
        assert torch.equal(dict(seeded.named_parameters())[name][0], weight)


@every_cell
def test_an_input_for_all_seeds_is_that_input_for_each(make: Make) -> None:
    module, x = make(D, H, seeds=3, dtype=torch.float64), normal(T, B, D)
    each, shared = module(x[:, None].expand(-1, 3, -1, -1)), module(x)
    close(shared[0], each[0].detach())


@every_cell
@pytest.mark.parametrize("seeds", [None, (4, 2)])
def test_a_split_sequence_with_carried_state_gives_the_whole(make: Make, seeds: Any) -> None:
    module, x = make(D, H, seeds=seeds, dtype=torch.float64), normal(T, B, D)
    whole, end = module(x)
    first, carried = module(x[:2])
    second, last = module(x[2:], carried)
    close(torch.cat([first, second]), whole.detach())
    for ours, theirs in zip(arrays_of(last), arrays_of(end), strict=True):
        close(ours, theirs.detach())


@every_cell
@pytest.mark.parametrize("seeds", [None, 2])
def test_a_trace_holds_the_start_and_the_output(make: Make, seeds: Any) -> None:
    module, x = make(D, H, seeds=seeds), torch.ones(T, B, D)
    trace, (output, _) = module.trace(x), module(x)
    assert torch.equal(trace.h[1:], output)
    assert not trace.h[0].any()
    beside = () if seeds is None else (2,)
    assert all(each.shape[:-1] == (T + 1, *beside, B) for each in trace)


@every_design
def test_the_biases_of_a_variant_start_as_in_numpy(design: Design) -> None:
    params = variant.init_params(np.random.default_rng(0), D, H, design, forget_bias=3)
    module = Variant(D, H, design, forget_bias=3, dtype=torch.float64)
    for name, weight in module.named_parameters():
        if name.startswith(("b", "gain")):
            close(weight, getattr(params, name))
        else:
            assert 0 < weight.abs().max() <= H**-0.5


@pytest.mark.parametrize("make", [MinLSTM, SLSTM])
def test_a_forget_bias_goes_to_the_forget_gate_alone(make: Make) -> None:
    b = make(D, H, seeds=2, forget_bias=3).b
    assert (b[:, H : 2 * H] == 3).all()
    assert b.sum() == 2 * H * 3


@every_cell
def test_the_dtype_of_the_weights_is_kept_throughout(make: Make) -> None:
    module = make(D, H, seeds=2)
    output, state = module(torch.ones(T, B, D))
    assert {each.dtype for each in (output, *arrays_of(state))} == {torch.float32}


@pytest.mark.parametrize("steps", [1, 2, 3, 8, 13])
def test_the_scan_is_the_loop(steps: int) -> None:
    f, u, h = normal(steps, B, H).sigmoid(), normal(steps, B, H, seed=1), normal(B, H, seed=2)
    found = scan(f, u, h)
    for t in range(steps):
        h = f[t] * h + u[t]
        close(found[t], h)


def test_sums_far_out_leave_the_slstm_finite() -> None:
    module = SLSTM(D, H, seeds=2)
    output, state = module(1e4 * normal(T, B, D).float())
    output.sum().backward()
    arrays = [output, *state, *(weight.grad for weight in module.parameters())]
    assert all(each.isfinite().all() for each in arrays)


def test_gates_near_zero_leave_the_min_lstm_finite() -> None:
    module = MinLSTM(D, H, forget_bias=-1e4)
    module.b.data[:H] = -1e4
    output, _ = module(torch.zeros(T, B, D))
    output.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in module.parameters())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"D": 0}, "D must be a positive integer, got 0"),
        ({"dtype": torch.int64}, "dtype must be a floating type, got torch.int64"),
        ({"seeds": 0}, "seeds must be a positive integer, got 0"),
        ({"seeds": ()}, "seeds must be different integers ≥ 0, or how many, got ()"),
        ({"seeds": (1, 1)}, "seeds must be different integers ≥ 0, or how many, got (1, 1)"),
        ({"seeds": (-1,)}, "seeds must be different integers ≥ 0, or how many, got (-1,)"),
        ({"seeds": (True,)}, "seeds must be different integers ≥ 0, or how many, got (True,)"),
        ({"seeds": (2**64,)}, "seeds must be different integers ≥ 0, or how many, got (1844"),
        ({"seeds": True}, "seeds must be different integers ≥ 0, or how many, got True"),
        ({"seeds": 2, "generator": torch.Generator()}, "generator must be None where seeds"),
        ({"generator": 0}, "generator must be a torch.Generator, got 0"),
        ({"design": "NIG"}, "design must be a family.Design, got str"),
    ],
)
def test_a_cell_names_what_it_cannot_be_made_of(fault: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Variant(**({"D": D, "H": H} | fault))
    assert message in str(caught.value)


def test_the_slstm_names_a_forget_gate_that_it_has_not() -> None:
    with pytest.raises(ValueError, match="forget must be 'sigmoid' or 'exp', got 'tanh'"):
        SLSTM(D, H, forget="tanh")


X = torch.zeros(T, B, D)
ZEROS = torch_variant.State(torch.zeros(2, B, H), torch.zeros(2, B, H), torch.zeros(2, B, 0))
FAULTS: list[tuple[Make, Any, Any, str]] = [
    (Variant, X.numpy(), None, "x must be a tensor of torch.float32 as the weights, got ndarray"),
    (Variant, X.double(), None, "as the weights, got torch.float64"),
    (Variant, X[0], None, "x must be (T, B, D=2) or (T, S=2, B, D=2) with T ≥ 1, got (4, 2)"),
    (Variant, X[:0], None, "with T ≥ 1, got (0, 4, 2)"),
    (Variant, torch.zeros(T, 3, B, D), None, "(T, S=2, B, D=2) with T ≥ 1, got (5, 3, 4, 2)"),
    (Variant, X.to("meta"), None, "x must be on cpu as the weights, got meta"),
    (Variant, X, (ZEROS.h, ZEROS.c), "state must be a State, got tuple"),
    (Variant, X, ZEROS._replace(c=X), "state.c must be (2, 4, 3), got (5, 4, 2)"),
    (
        Variant,
        X,
        ZEROS._replace(q=None),
        "state.q must be a tensor of torch.float32 as x, got NoneType",
    ),
    (
        SeededGRU,
        X,
        ZEROS.h.double(),
        "state must be a tensor of torch.float32 as x, got torch.float64",
    ),
    (SeededGRU, X, ZEROS.h[0], "state must be (2, 4, 3), got (4, 3)"),
    (SLSTM, X, torch_slstm.State(*[ZEROS.h] * 3, ZEROS.h[0]), "state.m must be (2, 4, 3)"),
]


@pytest.mark.parametrize(("make", "x", "state", "message"), FAULTS)
def test_a_cell_names_an_input_that_does_not_fit(
    make: Make, x: Any, state: Any, message: str
) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make(D, H, seeds=2)(x, state)
    assert message in str(caught.value)
