"""What does not fit raises an error that names the argument, what was expected and what came."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cells import (
    GRU,
    IN_NUMPY,
    LSTM,
    RNN,
    Family,
    draw_params,
    draw_state,
    torch_state,
    torch_twins,
)
from torch.func import functional_call

from lstm_lib.numpy_cells import lstm

T, B, D, H = 4, 2, 3, 5
every_family = pytest.mark.parametrize("family", IN_NUMPY, ids=lambda family: family.name)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


# input: what x is, and what the error says
X_FAULTS: dict[str, tuple[Any, type[Exception], str]] = {
    "rank 2": (draw(20, 3), ValueError, "x must be (T, B, D=3), got (20, 3)"),
    "rank 4": (draw(1, 4, 2, 3), ValueError, "x must be (T, B, D=3), got (1, 4, 2, 3)"),
    "wrong D": (draw(4, 2, 7), ValueError, "x must be (T, B, D=3), got (4, 2, 7)"),
    "T = 0": (draw(0, 2, 3), ValueError, "x must have at least one step (T ≥ 1), got (0, 2, 3)"),
    "integers": (np.ones((4, 2, 3), int), TypeError, "x must be {float64}, got {int64}"),
    "float16": (draw(4, 2, 3).astype("f2"), TypeError, "x must be {float64}, got {float16}"),
    "float32": (draw(4, 2, 3).astype("f4"), TypeError, "x must be {float64}, got {float32}"),
    "complex": (draw(4, 2, 3) + 0j, TypeError, "x must be {float64}, got {complex128}"),
    "booleans": (np.ones((4, 2, 3), bool), TypeError, "x must be {float64}, got {bool}"),
}
NUMPY_DTYPES = {"float64": "float64, the dtype of params.W_x"}
TORCH_DTYPES = {"float64": "torch.float64 as the weights"}
TORCH_DTYPES |= {n: f"torch.{n}" for n in ("int64", "float16", "float32", "complex128", "bool")}


def filled(message: str, names: dict[str, str]) -> str:
    for name in ("float64", "int64", "float16", "float32", "complex128", "bool"):
        message = message.replace(f"{{{name}}}", names.get(name, name))
    return message


@pytest.mark.parametrize("fault", X_FAULTS)
@every_family
def test_numpy_names_what_is_wrong_with_x(family: Family, fault: str) -> None:
    x, kind, message = X_FAULTS[fault]
    params = draw_params(family, np.random.default_rng(0), D, H)
    with pytest.raises(kind) as caught:
        family.numpy.forward(params, x)
    assert str(caught.value) == filled(message, NUMPY_DTYPES)


@pytest.mark.parametrize("fault", X_FAULTS)
@every_family
def test_torch_names_what_is_wrong_with_x(family: Family, fault: str) -> None:
    x, kind, message = X_FAULTS[fault]
    module = family.ours(D, H, dtype=torch.float64)
    for call in (module, module.trace):
        with pytest.raises(kind) as caught:
            call(torch.tensor(x))
        assert str(caught.value) == filled(message, TORCH_DTYPES)


@every_family
def test_a_list_is_not_taken_for_an_array(family: Family) -> None:
    params = draw_params(family, np.random.default_rng(0), D, H)
    with pytest.raises(TypeError, match=r"x must be a NumPy array \(T, B, D=3\), got list"):
        family.numpy.forward(params, [[[1.0, 2.0, 3.0]]])
    with pytest.raises(TypeError, match=r"x must be a torch tensor \(T, B, D=3\), got ndarray"):
        family.ours(D, H)(draw(T, B, D))


# states
def in_state(family: Family, array: Any) -> Any:
    return (np.zeros((B, H)), array) if family.states == 2 else array


STATE_FAULTS: dict[str, tuple[np.ndarray, type[Exception], str]] = {
    "wrong H": (draw(2, 6), ValueError, "must be (B=2, H=5), got (2, 6)"),
    "wrong B": (draw(3, 5), ValueError, "must be (B=2, H=5), got (3, 5)"),
    "rank 3": (draw(1, 2, 5), ValueError, "must be (B=2, H=5), got (1, 2, 5)"),
    "float32": (draw(2, 5).astype("f4"), TypeError, "must be float64, the dtype of params.W_x"),
}


@pytest.mark.parametrize("fault", STATE_FAULTS)
@every_family
def test_numpy_names_what_is_wrong_with_a_state(family: Family, fault: str) -> None:
    array, kind, message = STATE_FAULTS[fault]
    params, x = draw_params(family, np.random.default_rng(0), D, H), draw(T, B, D)
    name = "state[1]" if family.states == 2 else "state"
    with pytest.raises(kind) as caught:
        family.numpy.forward(params, x, in_state(family, array))
    assert str(caught.value).startswith(f"{name} {message}")
    trace = family.numpy.forward(params, x)
    with pytest.raises(kind) as caught:
        family.numpy.backward(params, x, trace, draw(T, B, H), in_state(family, array))
    assert str(caught.value).startswith(f"d{name} {message}")


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        (draw(1, 2, 6), ValueError, "must be (1, B=2, H=5), got (1, 2, 6)"),
        (draw(2, 5), ValueError, "must be (1, B=2, H=5), got (2, 5)"),
        (draw(1, 2, 5).astype("f4"), TypeError, "must be torch.float64 as the weights"),
    ],
    ids=["wrong H", "rank 2", "float32"],
)
@every_family
def test_torch_names_what_is_wrong_with_a_state(
    family: Family, state: np.ndarray, kind: type[Exception], message: str
) -> None:
    module = family.ours(D, H, dtype=torch.float64)
    good, bad = torch.zeros(1, B, H, dtype=torch.float64), torch.tensor(state)
    name = "state[1]" if family.states == 2 else "state"
    with pytest.raises(kind) as caught:
        module(torch.tensor(draw(T, B, D)), (good, bad) if family.states == 2 else bad)
    assert str(caught.value).startswith(f"{name} {message}")


def test_an_lstm_says_that_its_state_is_a_pair() -> None:
    params, x = draw_params(LSTM, np.random.default_rng(0), D, H), draw(T, B, D)
    message = r"state must be a pair \(h, c\), each \(B=2, H=5\), got shape \(2, 5\)"
    with pytest.raises(TypeError, match=message):
        lstm.forward(params, x, draw(B, H))  # type: ignore[arg-type]
    message = r"state must be a pair \(h_0, c_0\), each \(1, B=2, H=5\), got \(1, 2, 5\)"
    with pytest.raises(TypeError, match=message):
        LSTM.ours(D, H)(torch.zeros(T, B, D), torch.zeros(1, B, H))


@every_family
def test_a_tensor_on_another_device_is_named(family: Family) -> None:
    module = family.ours(D, H)
    with pytest.raises(ValueError, match="x must be on cpu as the weights, got meta"):
        module(torch.zeros(T, B, D, device="meta"))
    state = torch.zeros(1, B, H, device="meta")
    with pytest.raises(ValueError, match=r"state.* must be on cpu as the weights, got meta"):
        module(torch.zeros(T, B, D), (state, state) if family.states == 2 else state)


# weights
@pytest.mark.parametrize(
    ("field", "change", "kind", "message"),
    [
        ("W_h", lambda a: a[:, :-1], ValueError, "params.W_h must be (H=5, {wide}), got"),
        ("W_h", lambda a: a[0], ValueError, "params.W_h must be (H, "),
        ("W_x", lambda a: a[:, :-1], ValueError, "params.W_x must be (D, {wide}), got"),
        ("W_x", lambda a: a.astype("f2"), TypeError, "params.W_x must be float32 or float64"),
        ("W_x", lambda a: a.tolist(), TypeError, "params.W_x must be a NumPy array, got list"),
        ("b", lambda a: a[:-1], ValueError, "params.b must be ({wide},), got"),
        ("b", lambda a: a.astype("f4"), TypeError, "params.b must be float64, the dtype of"),
    ],
)
@every_family
def test_numpy_names_what_is_wrong_with_a_weight(
    family: Family, field: str, change: Callable, kind: type[Exception], message: str
) -> None:
    params = draw_params(family, np.random.default_rng(0), D, H)
    broken = params._replace(**{field: change(getattr(params, field))})
    blocks = params.b.size // H
    wide = f"H={H}" if blocks == 1 else f"{blocks}H={blocks * H}"
    with pytest.raises(kind) as caught:
        family.numpy.forward(broken, draw(T, B, D))
    assert str(caught.value).startswith(message.replace("{wide}", wide))


def test_the_grus_second_candidate_bias_is_checked() -> None:
    params = draw_params(GRU, np.random.default_rng(0), D, H)._replace(b_hn=np.zeros(4))
    with pytest.raises(ValueError, match=r"params.b_hn must be \(H=5,\), got \(4,\)"):
        GRU.numpy.forward(params, draw(T, B, D))


def test_another_cells_weights_are_refused() -> None:
    params = draw_params(RNN, np.random.default_rng(0), D, H)
    with pytest.raises(TypeError, match=r"params must be lstm\.Params, got rnn\.Params"):
        lstm.forward(params, draw(T, B, D))
    with pytest.raises(TypeError, match=r"params must be lstm\.Params, got tuple"):
        lstm.forward(tuple(params), draw(T, B, D))  # type: ignore[arg-type]


@every_family
def test_sizes_below_one_and_strange_dtypes_are_refused(family: Family) -> None:
    rng = np.random.default_rng(0)
    for size in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match=f"D must be a positive integer, got {size}"):
            family.numpy.init_params(rng, size, 4)
        with pytest.raises(ValueError, match=f"H must be a positive integer, got {size}"):
            family.ours(4, size)
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got int64"):
        family.numpy.init_params(rng, 3, 4, dtype=int)


WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("backend", ["loop", "fused", "triton"])
@pytest.mark.parametrize("family", [RNN, LSTM, GRU], ids=lambda family: family.name)
def test_torch_names_the_weight_of_another_shape_that_was_put_in_place(
    family: Family, backend: str, name: str
) -> None:
    module = family.ours(D, H)
    if family is not RNN:
        module.backend = backend
    right = tuple(getattr(module, name).shape)
    for shape in ((1, *right[1:]), (right[0] + 1, *right[1:]), (*right[:-1], right[-1] + 1)):
        message = re.escape(f"{name} must be {right}, got {shape}")
        with pytest.raises(ValueError, match=message):
            functional_call(module, {name: torch.zeros(shape)}, (torch.zeros(T, B, D),))


def test_a_hidden_size_that_was_changed_later_is_refused() -> None:
    module = LSTM.ours(D, H, backend="triton")
    module.H = 64
    with pytest.raises(ValueError, match=r"weight_ih_l0 must be \(256, 3\), got \(20, 3\)"):
        module(torch.zeros(T, B, D))


# what arrives at backward
@every_family
def test_backward_names_a_gradient_or_a_trace_that_does_not_fit(family: Family) -> None:
    params, x = draw_params(family, np.random.default_rng(0), D, H), draw(T, B, D)
    trace = family.numpy.forward(params, x)
    with pytest.raises(ValueError, match=r"dh must be \(T=4, B=2, H=5\), got \(5, 2, 5\)"):
        family.numpy.backward(params, x, trace, trace.h)
    with pytest.raises(TypeError, match=r"dh must be float64, .* got float32"):
        family.numpy.backward(params, x, trace, draw(T, B, H).astype("f4"))
    shorter = family.numpy.forward(params, x[:-1])
    with pytest.raises(ValueError, match=r"trace.h must be \(T\+1=5, B=2, H=5\), got \(4, 2, 5\)"):
        family.numpy.backward(params, x, shorter, draw(T, B, H))
    with pytest.raises(TypeError, match=rf"trace must be {family.name}.Trace, got tuple"):
        family.numpy.backward(params, x, tuple(trace), draw(T, B, H))


# what is unusual, and works as in torch.nn
UNUSUAL: dict[str, Callable[[], np.ndarray]] = {
    "non-contiguous": lambda: draw(T, B, 2 * D)[..., ::2],
    "reversed in time": lambda: draw(T, B, D)[::-1],
    "Fortran-ordered": lambda: np.asfortranarray(draw(T, B, D)),
    "read-only": lambda: np.broadcast_to(draw(1, 1, D), (T, B, D)),
    "B = 0": lambda: draw(T, 0, D),
    "T = 1": lambda: draw(1, B, D),
    "a NaN": lambda: np.where(np.arange(T * B * D).reshape(T, B, D) == 9, np.nan, draw(T, B, D)),
    "+infinity": lambda: np.where(
        np.arange(T * B * D).reshape(T, B, D) == 9, np.inf, draw(T, B, D)
    ),
    "-infinity": lambda: np.where(
        np.arange(T * B * D).reshape(T, B, D) == 9, -np.inf, draw(T, B, D)
    ),
}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # inf − inf; torch is silent
@pytest.mark.parametrize("kind", UNUSUAL)
@every_family
def test_unusual_input_gives_what_torch_gives(family: Family, kind: str) -> None:
    x, params = UNUSUAL[kind](), draw_params(family, np.random.default_rng(0), D, H)
    ours = family.numpy.forward(params, x).h[1:]
    for module in torch_twins(family, params):
        theirs, _ = module(torch.tensor(np.ascontiguousarray(x)))
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("kind", UNUSUAL)
@every_family
def test_unusual_input_gives_a_gradient_of_its_shape(family: Family, kind: str) -> None:
    x, params = UNUSUAL[kind](), draw_params(family, np.random.default_rng(0), D, H)
    trace = family.numpy.forward(params, x)
    gradients = family.numpy.backward(params, x, trace, np.ones_like(trace.h[1:]))
    assert gradients.x.shape == x.shape
    assert [g.shape for g in gradients.params] == [p.shape for p in params]


@every_family
def test_strided_weights_and_states_work_as_contiguous_ones(family: Family) -> None:
    rng = np.random.default_rng(0)
    params, state = draw_params(family, rng, D, H), draw_state(family, rng, B, H)
    strided = type(params)(*(np.repeat(p, 2, axis=-1)[..., ::2] for p in params))
    x = draw(T, B, D)
    a, b = family.numpy.forward(params, x, state), family.numpy.forward(strided, x, state)
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=1e-15)


@every_family
def test_torch_takes_tensors_that_are_not_contiguous(family: Family) -> None:
    module = family.ours(D, H, dtype=torch.float64)
    x = torch.tensor(draw(B, T, D)).transpose(0, 1)
    state = torch_state(draw_state(family, np.random.default_rng(0), B, H))
    torch.testing.assert_close(module(x, state)[0], module(x.contiguous(), state)[0])


# what a subclass, a small integer or another generator would break
@every_family
def test_masked_arrays_and_matrices_are_refused(family: Family) -> None:
    params = draw_params(family, np.random.default_rng(0), D, H)
    with pytest.raises(TypeError, match=r"x must be a NumPy array .*, got MaskedArray"):
        family.numpy.forward(params, np.ma.masked_greater(draw(T, B, D), 0))
    matrix = params.W_h.view(np.matrix)
    with pytest.raises(TypeError, match=r"params.W_h must be a NumPy array .*, got matrix"):
        family.numpy.forward(params._replace(W_h=matrix), draw(T, B, D))


@every_family
def test_sizes_may_be_numpy_integers_however_small(family: Family) -> None:
    params = family.numpy.init_params(np.random.default_rng(0), np.int8(3), np.int8(100))
    module = family.ours(np.int8(3), np.int8(100))
    assert params.W_h.T.shape == module.weight_hh_l0.shape


@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0)])
@every_family
def test_another_thing_than_a_generator_is_named(family: Family, rng: Any) -> None:
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator such as .*, got"):
        family.numpy.init_params(rng, 3, 4)


@pytest.mark.parametrize("radius", [-1.0, np.nan, np.inf])
def test_an_impossible_spectral_radius_is_refused(radius: float) -> None:
    with pytest.raises(ValueError, match="spectral_radius must be finite and ≥ 0, got"):
        RNN.numpy.init_params(np.random.default_rng(0), 3, 4, spectral_radius=radius)


def test_no_forget_bias_is_not_taken_for_nan() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        lstm.init_params(np.random.default_rng(0), 3, 4, forget_bias=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64], ids=str)
@every_family
def test_torch_cells_of_no_real_numbers_are_refused(family: Family, dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match=f"dtype must be a floating type, got {dtype}"):
        family.ours(3, 4, dtype=dtype)
