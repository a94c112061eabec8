"""The variants of the LSTM in NumPy: their gradients, cells that they must equal, errors."""

from typing import Any

import numpy as np
import pytest
import torch
from variants import B, D, H, T, columns, draw, every_design, pairs

from lstm_lib.family import FAMILY, Design
from lstm_lib.gradients import check_gradients
from lstm_lib.numpy_cells import lstm, variant


def assert_right_gradient(design: Design, entries: int | None) -> None:
    """By weights, input and start, of a loss that uses each h_t and the last state."""
    params, state, x, dh = draw(design)
    dstate = variant.State(*(np.random.default_rng(1).normal(size=a.shape) for a in state))
    arrays = {**params._asdict(), "x": x, **{f"{k}_0": a for k, a in state._asdict().items()}}

    def loss(nudged: dict) -> float:
        every = {**arrays, **nudged}
        weights = variant.Params(*(every[name] for name in params._fields))
        start = variant.State(every["h_0"], every["c_0"], every["q_0"])
        trace = variant.forward(weights, every["x"], start, design=design)
        last = variant.last_state(trace, design)
        at_end = sum((a * da).sum() for a, da in zip(last, dstate, strict=True))
        return float((trace.h[1:] * dh).sum() + at_end)

    trace = variant.forward(params, x, state, design=design)
    found = variant.backward(params, x, trace, dh, dstate, design=design)
    given = dict(zip(arrays, [*found.params, found.x, *found.state], strict=True))
    assert all(given[name].shape == array.shape for name, array in arrays.items())
    there = [name for name, array in arrays.items() if array.size]
    check = check_gradients(
        loss,
        {name: arrays[name] for name in there},
        {name: given[name] for name in there},
        entries=entries,
    )
    assert check.ok, check


@every_design
def test_the_gradient_of_every_variant_agrees_with_central_differences(design: Design) -> None:
    assert_right_gradient(design, entries=None)


@pytest.mark.parametrize("design", pairs().values(), ids=pairs())
def test_the_gradient_of_every_two_changes_agrees_with_central_differences(design: Design) -> None:
    assert_right_gradient(design, entries=6)


def test_the_plain_design_is_the_lstm_to_the_last_bit() -> None:
    params, state, x, dh = draw(Design(), T=20)
    plain = lstm.Params(*params[:3])
    ours, theirs = (
        variant.forward(params, x, state, design=Design()),
        lstm.forward(plain, x, state[:2]),
    )
    by_ours = variant.backward(params, x, ours, dh, design=Design())
    by_theirs = lstm.backward(plain, x, theirs, dh)
    for a, b in zip(ours, theirs, strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(
        by_ours.params[:3] + by_ours.state[:2], by_theirs.params + by_theirs.state, strict=True
    ):
        assert np.array_equal(a, b)


# what makes a part of the LSTM do nothing, and so is the same as its absence
@pytest.mark.parametrize("gate", "ifo")
def test_a_cell_without_a_gate_is_the_lstm_with_that_gate_held_open(gate: str) -> None:
    name = {"i": "input_gate", "f": "forget_gate", "o": "output_gate"}[gate]
    design = Design(**{name: False})
    params, state, x, _ = draw(Design())
    columns(params.b, "ifgo")[gate][:] = 1e5  # σ(1e5) is 1 to the last bit
    kept = [k for k in "ifgo" if k != gate]
    fewer = [np.concatenate([columns(a, "ifgo")[k] for k in kept], -1) for a in params[:3]]
    with_gate = variant.forward(params, x, state, design=Design())
    without = variant.forward(variant.Params(*fewer, *params[3:]), x, state, design=design)
    for a, b in zip(with_gate, without, strict=True):
        assert np.array_equal(a, b)


def test_coupled_gates_are_the_lstm_whose_forget_gate_has_the_input_gates_weights_negated() -> None:
    params, state, x, _ = draw(Design(coupled=True))
    split = [columns(a, "igo") for a in params[:3]]
    four = [np.concatenate([a["i"], -a["i"], a["g"], a["o"]], -1) for a in split]
    coupled = variant.forward(params, x, state, design=Design(coupled=True))
    free = lstm.forward(lstm.Params(*four), x, state[:2])
    for a, b in zip(coupled, free, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-15)


@pytest.mark.parametrize("part", ["input_activation", "output_activation"])
def test_a_cell_without_an_activation_has_the_sum_in_its_place(part: str) -> None:
    design = Design(**{part: False})
    params, state, x, _ = draw(design)
    trace = variant.forward(params, x, state, design=design)
    s_g = columns(x @ params.W_x + params.b + trace.h[:-1] @ params.W_h, "ifgo")["g"]
    shown = trace.h[1:] / trace.o[1:]
    g, c = (
        (s_g, np.tanh(trace.c[1:])) if part == "input_activation" else (np.tanh(s_g), trace.c[1:])
    )
    np.testing.assert_allclose(trace.g[1:], g, rtol=0, atol=1e-14)
    np.testing.assert_allclose(shown, c, rtol=0, atol=1e-14)


def test_gates_that_see_gates_are_an_lstm_with_these_gates_among_its_inputs() -> None:
    design = Design(gate_recurrence=True)
    params, state, x, _ = draw(design)
    trace = variant.forward(params, x, state, design=design)
    q = np.concatenate([trace.i, trace.f, trace.o], axis=-1)[:-1]
    np.testing.assert_array_equal(q[0], state.q)
    W_q = columns(params.W_q, "ifo")
    rows = np.concatenate([W_q["i"], W_q["f"], 0 * W_q["i"], W_q["o"]], -1)
    wide = lstm.Params(np.concatenate([params.W_x, rows]), params.W_h, params.b)
    same = lstm.forward(wide, np.concatenate([x, q], axis=-1), state[:2])
    for a, b in zip(trace[:2], same[:2], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14)


def test_layer_norm_is_that_of_torch_over_all_columns_of_a_matrix() -> None:
    design = Design(layer_norm=True)
    params, state, x, _ = draw(design)
    trace = variant.forward(params, x, state, design=design)

    def norm(array: np.ndarray, gain: np.ndarray) -> np.ndarray:
        out = torch.nn.functional.layer_norm(torch.tensor(array), gain.shape, torch.tensor(gain))
        return out.numpy()

    a = norm(x @ params.W_x, params.gain_x) + norm(trace.h[:-1] @ params.W_h, params.gain_h)
    s = columns(a + params.b, "ifgo")
    np.testing.assert_allclose(trace.g[1:], np.tanh(s["g"]), rtol=0, atol=1e-14)
    np.testing.assert_allclose(trace.o[1:], 1 / (1 + np.exp(-s["o"])), rtol=0, atol=1e-14)
    shown = np.tanh(norm(trace.c[1:], params.gain_c) + params.b_c)
    np.testing.assert_allclose(trace.h[1:], trace.o[1:] * shown, rtol=0, atol=1e-14)


def test_a_projection_is_that_of_torch() -> None:
    design = Design(projection=2)
    params, state, x, dh = draw(design, H=5, D=3, T=6)
    theirs = torch.nn.LSTM(3, 5, proj_size=2, dtype=torch.float64)
    weights = (params.W_x.T, params.W_h.T, params.b, 0 * params.b, params.W_r.T)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0")
    theirs.load_state_dict(
        {name: torch.tensor(a.copy()) for name, a in zip(names, weights, strict=True)}
    )
    output, (_, c_T) = theirs(torch.tensor(x), tuple(torch.tensor(a[None]) for a in state[:2]))
    (output * torch.tensor(dh)).sum().backward()
    trace = variant.forward(params, x, state, design=design)
    ours = variant.backward(params, x, trace, dh, design=design).params
    np.testing.assert_allclose(trace.h[1:], output.detach(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(trace.c[-1], c_T.detach()[0], rtol=0, atol=1e-14)
    for name, gradient in zip(names, (ours.W_x, ours.W_h, ours.b, ours.b, ours.W_r), strict=True):
        by_torch = getattr(theirs, name).grad.numpy()
        np.testing.assert_allclose(gradient.T, by_torch, rtol=1e-10, atol=1e-13)


@every_design
def test_a_split_sequence_with_carried_state_gives_the_whole(design: Design) -> None:
    params, state, x, dh = draw(design, T=5)
    whole = variant.forward(params, x, state, design=design)
    first = variant.forward(params, x[:2], state, design=design)
    carried = variant.last_state(first, design)
    second = variant.forward(params, x[2:], carried, design=design)
    late = variant.backward(params, x[2:], second, dh[2:], design=design)
    early = variant.backward(params, x[:2], first, dh[:2], late.state, design=design)
    expected = variant.backward(params, x, whole, dh, design=design)
    np.testing.assert_allclose(np.concatenate([first.h, second.h[1:]]), whole.h, rtol=1e-13)
    for a, b, both in zip(early.params, late.params, expected.params, strict=True):
        np.testing.assert_allclose(a + b, both, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_design
def test_the_dtype_of_the_weights_is_kept_throughout(design: Design, dtype: Any) -> None:
    params, state, x, dh = draw(design, dtype=dtype)
    trace = variant.forward(params, x, state, design=design)
    gradients = variant.backward(params, x, trace, dh, design=design)
    arrays = [*trace, *gradients.params, gradients.x, *gradients.state]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@every_design
def test_drawn_weights_have_the_shapes_of_the_design_and_its_forget_bias(design: Design) -> None:
    params = variant.init_params(np.random.default_rng(0), D, H, design, forget_bias=2)
    assert {k: a.shape for k, a in params._asdict().items()} == design.shapes(D, H)
    trace = variant.forward(params, np.zeros((1, 1, D)), design=design)
    if design.forget_gate:  # x and h_0 are zero: only the bias is left
        np.testing.assert_allclose(trace.f[1], 1 / (1 + np.exp(-2)), rtol=1e-15)


def test_the_plain_design_draws_the_lstms_weights() -> None:
    ours = variant.init_params(np.random.default_rng(0), D, H, Design())
    theirs = lstm.init_params(np.random.default_rng(0), D, H)
    assert all(np.array_equal(a, b) for a, b in zip(ours[:3], theirs, strict=True))


# what does not fit
def test_a_name_is_not_taken_for_a_design() -> None:
    with pytest.raises(TypeError, match=r"design must be a Design, such as .*, got 'NIG'"):
        variant.init_params(np.random.default_rng(0), D, H, "NIG")  # type: ignore[arg-type]


def test_weights_of_another_design_are_named() -> None:
    params, state, x, _ = draw(Design(peepholes=True))
    message = r"params.p must be \(0,\) for D=2, H=3 and Design\(.*\), got \(9,\)"
    with pytest.raises(ValueError, match=message):
        variant.forward(params, x, state, design=Design())
    message = r"params.W_x must be \(D, 3H\) for igo, got \(2, 20\)"
    params = variant.init_params(np.random.default_rng(0), D, 5, Design())
    with pytest.raises(ValueError, match=message):
        variant.forward(params, x, design=Design(coupled=True))


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        (np.zeros((2, 3)), TypeError, r"state must be \(h, c\) or variant.State, got shape \(2, 3"),
        (
            (np.zeros((2, 2)),) * 4,
            TypeError,
            r"state must be \(h, c\) or variant.State, got tuple of 4",
        ),
        ((np.zeros((2, 2)), np.zeros((2, 4))), ValueError, r"state\[1\] must be \(B=2, H=3\), got"),
        ((np.zeros((2, 3)),) * 2, ValueError, r"state\[0\] must be \(B=2, R=2\), got \(2, 3\)"),
    ],
)
def test_a_state_that_does_not_fit_is_named(
    state: Any, kind: type[Exception], message: str
) -> None:
    design = Design(projection=2)
    params, _, x, _ = draw(design)
    with pytest.raises(kind, match=message):
        variant.forward(params, x, state, design=design)


def test_a_trace_and_a_dh_that_do_not_fit_are_named() -> None:
    design = Design(projection=2)
    params, state, x, dh = draw(design)
    trace = variant.forward(params, x, state, design=design)
    with pytest.raises(ValueError, match=r"dh must be \(T=3, B=2, R=2\), got \(3, 2, 3\)"):
        variant.backward(params, x, trace, np.zeros((T, B, H)), design=design)
    with pytest.raises(ValueError, match=r"trace.h must be \(T\+1=4, B=2, R=2\), got"):
        variant.backward(params, x, trace._replace(h=trace.c), dh, design=design)


def test_a_pair_starts_a_cell_whose_gates_see_gates_with_gates_of_zero() -> None:
    design = FAMILY["FGR"]
    params, state, x, _ = draw(design)
    pair = variant.forward(params, x, state[:2], design=design)
    full = variant.forward(params, x, state._replace(q=0 * state.q), design=design)
    assert np.array_equal(pair.h, full.h)
