"""The cell of 1997, in NumPy and in torch: exact cases, both gradients, sizes, errors."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from lstm_lib.gradients import check_gradients
from lstm_lib.numpy_cells import lstm_1997, sigmoid
from lstm_lib.torch_cells import LSTM1997
from lstm_lib.torch_cells import lstm_1997 as torch_lstm_1997

D, T, B = 3, 6, 2
# blocks, cells a block, what is seen, output gate, what has biases, centred, squashed
FORMS = [
    (1, 1, "all", True, "all", True, True),
    (2, 2, "all", True, "all", True, True),
    (3, 2, "all", True, "gates", True, True),
    (2, 3, "cells", True, "none", True, True),
    (2, 2, "all", False, "all", True, True),
    (1, 2, "none", False, "none", False, False),
    (2, 1, "cells", True, "all", False, True),
    (2, 2, "all", True, "gates", True, False),
]
every_form = pytest.mark.parametrize("form", FORMS, ids=str)


def draw(form: tuple, *, seed: int = 0, T: int = T) -> tuple[Any, Any, Any, Any, dict]:
    """Weights, a start, an input and dh of which every entry is random; the options of the form."""
    N, S, recurrent, output_gate, biased, centred, squashed = form
    rng = np.random.default_rng(seed)
    params = lstm_1997.init_params(
        rng, D, N * S, N=N, bound=1, recurrent=recurrent, biased=biased, output_gate=output_gate
    )
    widths = (N * S, N * S, N, N if output_gate else 0)
    state = lstm_1997.State(*(rng.normal(size=(B, width)) for width in widths))
    x, dh = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, N * S))
    return params, state, x, dh, {"centred": centred, "squashed": squashed}


def torch_gradients(form: tuple, *, truncated: bool) -> tuple[dict, torch.Tensor, list]:
    """Autograd's gradients by the weights, the input and the start."""
    params, state, x, dh, options = draw(form)
    module = LSTM1997(params._asdict(), truncated=truncated, **options)
    x = torch.tensor(x, requires_grad=True)
    start = torch_lstm_1997.State(*(torch.tensor(a, requires_grad=True) for a in state))
    output, _ = module(x, start)
    (output * torch.tensor(dh)).sum().backward()
    weights = {name: weight.grad for name, weight in module.named_parameters()}
    return weights, x.grad, [a.grad for a in start]


def assert_close(ours: Any, theirs: Any, tolerance: float) -> None:
    """Within the tolerance, in units of the largest entry; torch's None is a derivative of zero."""
    theirs = np.zeros_like(ours) if theirs is None else np.asarray(theirs)
    scale = np.abs(theirs).max(initial=0) or 1
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale)


def test_a_step_worked_by_hand() -> None:
    columns = [np.zeros((rows, width)) for rows in (1, 4) for width in (1, 2, 1)]
    biases = [np.log([3.0]), np.log([3.0, 1 / 3]), np.log([4.0])]  # σ(ln k) = k/(k+1)
    start = lstm_1997.State(
        np.zeros((1, 2)), np.log([[3.0, 9.0]]) - 0.75, np.zeros((1, 1)), np.zeros((1, 1))
    )
    trace = lstm_1997.forward(lstm_1997.Params(*columns, *biases), np.zeros((1, 1, 1)), start)
    c = start.c + 0.75 * np.array([1.0, -1.0])  # i = 3/4, g = 4·3/4 − 2 and 4·1/4 − 2
    np.testing.assert_allclose(trace.g[1], [[1.0, -1.0]], rtol=1e-15)
    np.testing.assert_allclose(trace.c[1], c, rtol=1e-15)
    np.testing.assert_allclose(trace.h[1, 0, 0], 0.8 * (2 * 0.75 - 1), rtol=1e-15)


def test_a_closed_input_gate_keeps_c_for_1000_steps_to_the_last_bit() -> None:
    params, state, x, _, _ = draw(FORMS[1], T=1000)
    shut = params._replace(b_i=np.full(2, -1e5))
    trace = lstm_1997.forward(shut, x, state)
    assert np.array_equal(trace.c, np.broadcast_to(state.c, trace.c.shape))


def test_the_cells_of_a_block_share_their_gates() -> None:
    params, _, x, _, _ = draw((2, 3, "all", True, "all", True, True))
    trace = lstm_1997.forward(params, x)
    np.testing.assert_allclose(
        trace.h[1:].reshape(T, B, 2, 3),
        trace.o[1:, :, :, None] * (2 * sigmoid(trace.c[1:].reshape(T, B, 2, 3)) - 1),
        rtol=1e-15,
    )


@every_form
def test_numpy_and_torch_compute_the_same_trace(form: tuple) -> None:
    params, state, x, _, options = draw(form)
    ours = lstm_1997.forward(params, x, state, **options)
    start = torch_lstm_1997.State(*map(torch.tensor, state))
    theirs = LSTM1997(params._asdict(), **options).trace(torch.tensor(x), start)
    for name in ours._fields:
        assert_close(getattr(ours, name), getattr(theirs, name).detach(), 1e-14)


@every_form
def test_the_output_and_last_state_of_the_torch_cell_are_those_of_its_trace(form: tuple) -> None:
    params, _, x, _, options = draw(form)
    module = LSTM1997(params._asdict(), **options)
    output, state = module(torch.tensor(x))
    trace = module.trace(torch.tensor(x))
    assert torch.equal(output, trace.h[1:])
    assert all(torch.equal(getattr(state, name), getattr(trace, name)[-1]) for name in "hcio")


@every_form
def test_the_full_gradient_agrees_with_central_differences(form: tuple) -> None:
    params, state, x, dh, options = draw(form)
    arrays = {**params._asdict(), "x": x, **{f"start_{k}": a for k, a in state._asdict().items()}}

    def loss(nudged: dict) -> float:
        start = lstm_1997.State(*(nudged[f"start_{k}"] for k in "hcio"))
        weights = lstm_1997.Params(*(nudged[name] for name in params._fields))
        return float((lstm_1997.forward(weights, nudged["x"], start, **options).h[1:] * dh).sum())

    trace = lstm_1997.forward(params, x, state, **options)
    found = lstm_1997.backward(params, x, trace, dh, **options)
    given = dict(zip(arrays, [*found.params, found.x, *found.state], strict=True))
    present = [name for name, array in arrays.items() if array.size]
    absent = {name: array for name, array in arrays.items() if not array.size}
    check = check_gradients(
        lambda nudged: loss({**nudged, **absent}),
        {name: arrays[name] for name in present},
        {name: given[name] for name in present},
    )
    assert check.ok, check


@pytest.mark.parametrize("truncated", [False, True])
@every_form
def test_both_gradients_agree_with_autograd(form: tuple, truncated: bool) -> None:
    params, state, x, dh, options = draw(form)
    trace = lstm_1997.forward(params, x, state, **options)
    ours = lstm_1997.backward(params, x, trace, dh, truncated=truncated, **options)
    weights, by_x, by_state = torch_gradients(form, truncated=truncated)
    for name, gradient in ours.params._asdict().items():
        assert_close(gradient, weights[name], 1e-12)
    assert_close(ours.x, by_x, 1e-12)
    for gradient, theirs in zip(ours.state, by_state, strict=True):
        assert_close(gradient, theirs, 1e-12)


def forward_mode(params: Any, x: Any, dh: Any) -> tuple[np.ndarray, np.ndarray]:
    """The truncated gradient by appendix A.1, forwards: one number a weight is kept, and no trace.

    x (T, D), dh (T, H). Returns the derivatives by the weights of [x u 1] to i, g, o side by side,
    and the last c. by_g and by_i are ∂c/∂w of candidates and input gates, added up step by step.
    """
    (N, H), O = (params.W_xi.shape[1], params.W_xg.shape[1]), params.W_xo.shape[1]
    S, R = H // N, len(params.W_ui)
    h, c, i, o = np.zeros(H), np.zeros(H), np.zeros(N), np.zeros(O)
    rows = len(params.W_xi) + R + 1
    by_i, by_g, total = np.zeros((rows, H)), np.zeros((rows, H)), np.zeros((rows, N + H + O))
    stacked = [np.vstack([params[k], params[3 + k], params[6 + k][None]]) for k in range(3)]
    for x_t, dh_t in zip(x, dh, strict=True):
        seen = np.concatenate([x_t, np.concatenate([h, i, o])[:R], [1.0]])
        i, q, o = (sigmoid(seen @ W) for W in stacked)
        each_i, each_o, g = np.repeat(i, S), np.repeat(o, S), 4 * q - 2
        c = c + each_i * g
        by_g += np.outer(seen, each_i * 4 * q * (1 - q))
        by_i += np.outer(seen, g * each_i * (1 - each_i))
        s = sigmoid(c)
        h = each_o * (2 * s - 1)
        e_c = dh_t * each_o * 2 * s * (1 - s)
        e_o = (dh_t * (2 * s - 1)).reshape(N, S).sum(1) * o * (1 - o)
        by_block = (e_c * by_i).reshape(rows, N, S).sum(2)
        total += np.hstack([by_block, e_c * by_g, np.outer(seen, e_o)])
    return total, c


@pytest.mark.parametrize(("N", "S", "recurrent"), [(1, 1, "all"), (2, 2, "all"), (3, 2, "cells")])
def test_the_truncated_gradient_is_the_papers_forward_recursion(
    N: int, S: int, recurrent: Any
) -> None:
    rng = np.random.default_rng(1)
    params = lstm_1997.init_params(rng, D, N * S, N=N, bound=1, recurrent=recurrent)
    x, dh = rng.normal(size=(40, 1, D)), rng.normal(size=(40, 1, N * S))
    trace = lstm_1997.forward(params, x)
    ours = lstm_1997.backward(params, x, trace, dh, truncated=True).params
    total, c = forward_mode(params, x[:, 0], dh[:, 0])
    assert_close(trace.c[-1, 0], c, 1e-14)
    stacked = (np.vstack([ours[k], ours[3 + k], ours[6 + k][None]]) for k in range(3))
    assert_close(np.hstack(list(stacked)), total, 1e-12)


def test_without_recurrence_the_two_gradients_are_one() -> None:
    params, _, x, dh, _ = draw((2, 2, "none", True, "all", True, True))
    trace = lstm_1997.forward(params, x)
    full = lstm_1997.backward(params, x, trace, dh)
    truncated = lstm_1997.backward(params, x, trace, dh, truncated=True)
    for a, b in zip(full.params, truncated.params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_with_recurrence_the_two_gradients_differ() -> None:
    params, _, x, dh, _ = draw(FORMS[1])
    trace = lstm_1997.forward(params, x)
    full = lstm_1997.backward(params, x, trace, dh).params
    truncated = lstm_1997.backward(params, x, trace, dh, truncated=True).params
    assert np.abs(full.W_xg - truncated.W_xg).max() > 0.01 * np.abs(full.W_xg).max()


@every_form
def test_a_split_sequence_with_carried_state_gives_the_whole(form: tuple) -> None:
    params, state, x, dh, options = draw(form)
    whole = lstm_1997.forward(params, x, state, **options)
    first = lstm_1997.forward(params, x[:4], state, **options)
    carried = lstm_1997.State(first.h[-1], first.c[-1], first.i[-1], first.o[-1])
    second = lstm_1997.forward(params, x[4:], carried, **options)
    late = lstm_1997.backward(params, x[4:], second, dh[4:], **options)
    early = lstm_1997.backward(params, x[:4], first, dh[:4], late.state, **options)
    expected = lstm_1997.backward(params, x, whole, dh, **options)
    assert_close(np.concatenate([first.h, second.h[1:]]), whole.h, 1e-15)
    for a, b, both in zip(early.params, late.params, expected.params, strict=True):
        assert_close(a + b, both, 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_weights_is_kept_throughout(dtype: Any) -> None:
    params = lstm_1997.init_params(np.random.default_rng(0), D, 4, N=2, dtype=dtype)
    x = np.ones((T, B, D), dtype)
    trace = lstm_1997.forward(params, x)
    gradients = lstm_1997.backward(params, x, trace, np.ones((T, B, 4), dtype))
    arrays = [*trace, *gradients.params, gradients.x, *gradients.state]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


def test_biases_are_those_asked_for_and_weights_lie_within_the_bound() -> None:
    params = lstm_1997.init_params(
        np.random.default_rng(0),
        9,
        4,
        N=2,
        input_biases=(-3, -6),
        output_biases=(-1, -2),
        bound=0.2,
    )
    assert params.b_i.tolist() == [-3, -6]
    assert params.b_o.tolist() == [-1, -2]
    drawn = np.concatenate([array.ravel() for array in (*params[:6], params.b_g)])
    assert 0.18 < np.abs(drawn).max() < 0.2


@pytest.mark.parametrize(
    ("recurrent", "biased", "output_gate"),
    list(product(["all", "cells", "none"], ["all", "gates", "none"], [True, False])),
)
def test_the_sizes_add_up_to_the_number_of_weights(
    recurrent: Any, biased: Any, output_gate: bool
) -> None:
    params = lstm_1997.init_params(
        np.random.default_rng(0),
        5,
        6,
        N=2,
        recurrent=recurrent,
        biased=biased,
        output_gate=output_gate,
    )
    gates = 4 if output_gate else 2
    seen = {"all": 6 + gates, "cells": 6, "none": 0}[recurrent]
    biases = {"all": 6 + gates, "gates": gates, "none": 0}[biased]
    assert sum(array.size for array in params) == (6 + gates) * (5 + seen) + biases


GOOD: dict[str, Any] = {"rng": np.random.default_rng(0), "D": 3, "H": 4, "N": 2}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"N": 3}, "N must divide H=4: blocks have equally many cells, got 3"),
        ({"N": 0}, "N must be a positive integer, got 0"),
        ({"bound": -1}, "bound must be a positive number, got -1"),
        ({"recurrent": "gates"}, "recurrent must be one of ['all', 'cells', 'none'], got 'gates'"),
        ({"biased": "cells"}, "biased must be one of ['all', 'gates', 'none'], got 'cells'"),
        ({"input_biases": (-1, -2, -3)}, "input_biases must be N=2 numbers"),
        ({"output_biases": (-1, -2), "output_gate": False}, "for biases (0,)"),
        ({"input_biases": (-1, -2), "biased": "none"}, "for gates that are there and have biases"),
    ],
)
def test_init_params_names_what_is_wrong(fault: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        lstm_1997.init_params(**(GOOD | fault))
    assert message in str(caught.value)


def faulty(**changed: Any) -> Any:
    return lstm_1997.init_params(**GOOD)._replace(**changed)


X = np.zeros((T, B, D))
ZEROS = [np.zeros((B, width)) for width in (4, 4, 2, 2)]
FAULTS: list[tuple[Any, Any, Any, type[Exception], str]] = [
    ((), X, None, TypeError, "params must be lstm_1997.Params, got tuple"),
    (faulty(), X[0], None, ValueError, "x must be (T, B, D=3), got (2, 3)"),
    (faulty(), X[:0], None, ValueError, "x must have at least one step (T ≥ 1), got (0, 2, 3)"),
    (faulty(), X.astype("f4"), None, TypeError, "x must be float64, the dtype of params.W_xi"),
    (faulty(W_xi=[1]), X, None, TypeError, "params.W_xi must be a NumPy array, got list"),
    (faulty(W_xg=np.zeros((3, 5))), X, None, ValueError, "got N=2, H=5, 2 output gates, R=8"),
    (faulty(W_ug=np.zeros((7, 4))), X, None, ValueError, "params.W_ug must be (R=8, columns=4)"),
    (faulty(b_g=np.zeros(3)), X, None, ValueError, "params.b_g must be (units=4,), got (3,)"),
    (faulty(), X, (X, X), TypeError, "state must be lstm_1997.State, got tuple"),
    (
        faulty(), X, lstm_1997.State(*ZEROS[:3], ZEROS[0]), ValueError,
        "state.o must be (B=2, O=2), got (2, 4)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("params", "x", "state", "kind", "message"), FAULTS)
def test_forward_names_what_does_not_fit(
    params: Any, x: Any, state: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        lstm_1997.forward(params, x, state)
    assert message in str(caught.value)


def test_backward_names_a_trace_that_does_not_fit() -> None:
    params, _, x, dh, _ = draw(FORMS[1])
    trace = lstm_1997.forward(params, x)
    with pytest.raises(ValueError, match=r"trace\.h must be \(T\+1=4, B=2, H=4\), got \(7, 2, 4\)"):
        lstm_1997.backward(params, x[:3], trace, dh[:3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W_xi": np.zeros(3)}, "W_xi must be a matrix, got (3,)"),
        ({"W_xg": np.zeros((3, 5))}, "got N=2, H=5, 2 output gates, R=8"),
        ({"W_ug": np.zeros((7, 4))}, "W_ug must be (8, 4), got (7, 4)"),
        ({"b_o": np.zeros(2, "f4")}, "b_o must be torch.float64 as W_xi, got torch.float32"),
        ({"W_xi": np.zeros((3, 2), int)}, "W_xi must be of a floating type, got int64"),
        ({"b_q": np.zeros(2)}, "weights must have the names W_xi, "),
    ],
)
def test_the_torch_cell_names_a_weight_that_does_not_fit(change: dict, message: str) -> None:
    weights = lstm_1997.init_params(**GOOD)._asdict() | change
    with pytest.raises((TypeError, ValueError)) as caught:
        LSTM1997(weights)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("x", "state", "message"),
    [
        (torch.zeros(T, D), None, "x must be (T, B, D=3) with T ≥ 1, got (6, 3)"),
        (X, None, "x must be a tensor of torch.float64 as the weights, got ndarray"),
        (torch.tensor(X), ZEROS, "state must be lstm_1997.State, got list"),
        (
            torch.tensor(X),
            torch_lstm_1997.State(*(torch.zeros(B, 4).double() for _ in "hcio")),
            "state.i must be (2, 2), got (2, 4)",
        ),
        (
            torch.tensor(X),
            torch_lstm_1997.State(*(torch.zeros(B, 4) for _ in "hcio")),
            "state.h must be a tensor of torch.float64 as x, got torch.float32",
        ),
    ],
)
def test_the_torch_cell_names_an_input_that_does_not_fit(x: Any, state: Any, message: str) -> None:
    module = LSTM1997(lstm_1997.init_params(**GOOD)._asdict())
    x = x.double() if isinstance(x, torch.Tensor) else x
    with pytest.raises((TypeError, ValueError)) as caught:
        module(x, state)
    assert message in str(caught.value)


def test_the_torch_cell_takes_weights_by_name_only() -> None:
    with pytest.raises(ValueError, match=r"weights must have the names W_xi, .*, got Params"):
        LSTM1997(lstm_1997.init_params(**GOOD))  # type: ignore[arg-type]
