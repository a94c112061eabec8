"""The minimal gated unit, the minLSTM and the sLSTM in NumPy: gradients, equal forms, errors."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from lstm_lib.gradients import check_gradients
from lstm_lib.numpy_cells import gru, mgu, min_lstm, sigmoid, slstm

D, H, T, B = 3, 4, 5, 2
CELLS: dict[str, tuple[ModuleType, dict[str, Any]]] = {
    "mgu": (mgu, {}),
    "min_lstm": (min_lstm, {}),
    "slstm": (slstm, {"forget": "sigmoid"}),
    "slstm, exp": (slstm, {"forget": "exp"}),
}
every_cell = pytest.mark.parametrize("kind", CELLS)


def draw(cell: ModuleType, *, T: int = T, dtype: Any = float, seed: int = 0) -> tuple:
    """Weights, a start, an input, dh and dstate of which every entry is random."""
    rng = np.random.default_rng(seed)
    start = cell.init_params(rng, D, H)
    params = cell.Params(*(rng.normal(0, 0.7, a.shape).astype(dtype) for a in start))
    x, dh = (rng.normal(size=(T, B, width)).astype(dtype) for width in (D, H))
    state, dstate = (rng.normal(size=(4, B, H)).astype(dtype) for _ in range(2))
    if cell is not slstm:
        return params, state[0], x, dh, dstate[0]
    state[2] = 0.5 + np.abs(state[2])  # n is a sum of weights
    return params, slstm.State(*state), x, dh, slstm.State(*dstate)


def last_state(trace: Any) -> Any:
    if isinstance(trace, slstm.Trace):
        return slstm.State(trace.h[-1], trace.c[-1], trace.n[-1], trace.m[-1])
    return trace.h[-1]


def by_name(state: Any) -> dict[str, np.ndarray]:
    """The arrays of a state, h_0 or h_0, c_0, n_0 and m_0."""
    named = state._asdict() if isinstance(state, slstm.State) else {"h": state}
    return {f"{name}_0": array for name, array in named.items()}


@every_cell
def test_the_gradient_agrees_with_central_differences(kind: str) -> None:
    cell, options = CELLS[kind]
    params, state, x, dh, dstate = draw(cell)
    arrays = {**params._asdict(), "x": x, **by_name(state)}

    def loss(nudged: dict) -> float:
        weights = cell.Params(*(nudged[name] for name in params._fields))
        parts = [nudged[name] for name in by_name(state)]
        start = slstm.State(*parts) if cell is slstm else parts[0]
        trace = cell.forward(weights, nudged["x"], start, **options)
        ends = zip(by_name(last_state(trace)).values(), by_name(dstate).values(), strict=True)
        return float((trace.h[1:] * dh).sum() + sum((a * da).sum() for a, da in ends))

    trace = cell.forward(params, x, state, **options)
    found = cell.backward(params, x, trace, dh, dstate, **options)
    given = {**found.params._asdict(), "x": found.x, **by_name(found.state)}
    check = check_gradients(loss, arrays, given)
    assert check.ok, check


@every_cell
def test_a_split_sequence_with_carried_state_gives_the_whole(kind: str) -> None:
    cell, options = CELLS[kind]
    params, state, x, dh, _ = draw(cell)
    whole = cell.forward(params, x, state, **options)
    first = cell.forward(params, x[:2], state, **options)
    second = cell.forward(params, x[2:], last_state(first), **options)
    late = cell.backward(params, x[2:], second, dh[2:], **options)
    early = cell.backward(params, x[:2], first, dh[:2], late.state, **options)
    expected = cell.backward(params, x, whole, dh, **options)
    np.testing.assert_allclose(np.concatenate([first.h, second.h[1:]]), whole.h, rtol=1e-14)
    for a, b, both in zip(early.params, late.params, expected.params, strict=True):
        np.testing.assert_allclose(a + b, both, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_cell
def test_the_dtype_of_the_weights_is_kept_throughout(kind: str, dtype: Any) -> None:
    cell, options = CELLS[kind]
    params, state, x, dh, dstate = draw(cell, dtype=dtype)
    for start, end in ((state, dstate), (None, None)):
        trace = cell.forward(params, x, start, **options)
        gradients = cell.backward(params, x, trace, dh, end, **options)
        arrays = [*trace, *gradients.params, gradients.x, *by_name(gradients.state).values()]
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize("cell", [min_lstm, slstm])
def test_drawn_biases_are_zero_but_for_the_forget_gates(cell: ModuleType) -> None:
    params = cell.init_params(np.random.default_rng(0), D, H, forget_bias=2)
    _, forget, *others = np.split(params.b, len(params.b) // H)
    assert np.all(forget == 2)
    assert not np.any(others)


# the minimal gated unit
def test_a_minimal_gated_unit_of_one_step_is_a_gru_whose_reset_gate_is_one_minus_update() -> None:
    params, _, x, _, _ = draw(mgu, T=1)
    W_xf, W_xg = np.split(params.W_x, 2, axis=-1)
    W_hf, W_hg = np.split(params.W_h, 2, axis=-1)
    b_f, b_g = np.split(params.b, 2)
    as_gru = gru.Params(
        np.hstack([W_xf, -W_xf, W_xg]),
        np.hstack([W_hf, -W_hf, W_hg]),
        np.concatenate([b_f, -b_f, b_g]),
        np.zeros(H),
    )
    ours, theirs = mgu.forward(params, x), gru.forward(as_gru, x)  # h_0 = 0: no reset to place
    np.testing.assert_allclose(ours.f, theirs.r, rtol=1e-15)
    np.testing.assert_allclose(ours.h, theirs.h, rtol=1e-14)


def test_a_closed_gate_keeps_the_state_of_a_minimal_gated_unit_to_the_last_bit() -> None:
    params, state, x, _, _ = draw(mgu, T=100)
    params.b[:H] = -1e5
    assert np.array_equal(mgu.forward(params, x, state).h[-1], state)


def test_the_candidate_of_a_minimal_gated_unit_sees_the_state_through_its_gate() -> None:
    params, state, x, _, _ = draw(mgu)
    trace = mgu.forward(params, x, state)
    seen = trace.f[1:] * trace.h[:-1]
    a = x @ params.W_x[:, H:] + seen @ params.W_h[:, H:] + params.b[H:]
    np.testing.assert_allclose(trace.g[1:], np.tanh(a), rtol=1e-13)


# the minLSTM
@pytest.mark.parametrize("T", [1, 2, 3, 7, 8, 9, 100])
def test_the_scan_of_a_min_lstm_gives_the_states_of_the_loop(T: int) -> None:
    params, state, x, _, _ = draw(min_lstm, T=T)
    loop, scanned = min_lstm.forward(params, x, state), min_lstm.forward_by_scan(params, x, state)
    np.testing.assert_allclose(scanned.h, loop.h, rtol=0, atol=1e-14)


def test_a_scan_needs_a_round_for_every_doubling_of_the_length() -> None:
    class Counted(np.ndarray):
        rounds = 0

        def __setitem__(self, key: Any, value: Any) -> None:
            Counted.rounds += isinstance(key, slice)
            super().__setitem__(key, value)

    f, u = np.full((100, 1), 0.5), np.ones((100, 1))
    found = min_lstm.scan(f.view(Counted), u.view(Counted), np.zeros(1))
    assert Counted.rounds == 2 * 7  # 2^7 is the first above 100; f and u are set once a round
    np.testing.assert_allclose(found[-1], 2.0, rtol=1e-15)  # 1 + 1/2 + 1/4 + …


def test_a_scan_changes_none_of_its_arguments() -> None:
    rng = np.random.default_rng(0)
    f, u, start = rng.random((9, 2)), rng.random((9, 2)), rng.random(2)
    before = [a.copy() for a in (f, u, start)]
    min_lstm.scan(f, u, start)
    assert all(np.array_equal(a, b) for a, b in zip((f, u, start), before, strict=True))


def test_the_gates_of_a_min_lstm_are_the_quotients_of_its_sigmoids() -> None:
    params, state, x, _, _ = draw(min_lstm)
    raw_i, raw_f, _ = np.split(sigmoid(x @ params.W_x + params.b), 3, axis=-1)
    trace = min_lstm.forward(params, x, state)
    np.testing.assert_allclose(trace.i[1:], raw_i / (raw_i + raw_f), rtol=1e-13)
    np.testing.assert_allclose(trace.f[1:], raw_f / (raw_i + raw_f), rtol=1e-13)


def test_two_gates_near_zero_still_have_a_quotient() -> None:
    params, state, x, dh, _ = draw(min_lstm)
    params = min_lstm.Params(0 * params.W_x, np.repeat([-1000.0, -1001.0, 0.0], H))
    trace = min_lstm.forward(params, x, state)  # e^-1000 is no number of float64
    np.testing.assert_allclose(trace.f[1:], 1 / (1 + np.e), rtol=1e-12)
    assert all(np.isfinite(a).all() for a in min_lstm.backward(params, x, trace, dh).params)


# the sLSTM
def unstabilised(params: slstm.Params, x: torch.Tensor, forget: str) -> torch.Tensor:
    """h_1 … h_T as the first seven equations say, from a start of zero."""
    h = C = N = torch.zeros(x.shape[1], H, dtype=x.dtype)
    hidden = []
    for x_t in x:
        a_i, a_f, a_g, a_o = (x_t @ params.W_x + h @ params.W_h + params.b).chunk(4, dim=-1)
        i, f = a_i.exp(), a_f.exp() if forget == "exp" else a_f.sigmoid()
        C, N = f * C + i * a_g.tanh(), f * N + i
        h = a_o.sigmoid() * C / N
        hidden.append(h)
    return torch.stack(hidden)


@pytest.mark.parametrize("forget", ["sigmoid", "exp"])
def test_an_sLSTM_with_and_without_stabiliser_agrees_in_values_and_gradients(forget: Any) -> None:
    params, _, x, dh, _ = draw(slstm, T=20)
    leaves = slstm.Params(*(torch.tensor(a, requires_grad=True) for a in params))
    plain = unstabilised(leaves, torch.tensor(x), forget)
    (plain * torch.tensor(dh)).sum().backward()
    trace = slstm.forward(params, x, forget=forget)
    ours = slstm.backward(params, x, trace, dh, forget=forget).params
    np.testing.assert_allclose(trace.h[1:], plain.detach(), rtol=0, atol=1e-13)
    for gradient, leaf in zip(ours, leaves, strict=True):
        theirs = leaf.grad.numpy()
        np.testing.assert_allclose(gradient, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max())


@pytest.mark.parametrize("forget", ["sigmoid", "exp"])
def test_a_loss_of_hidden_states_has_no_derivative_by_the_scale_of_the_state(forget: Any) -> None:
    params, state, x, dh, _ = draw(slstm)
    louder = slstm.State(state.h, state.c / 8, state.n / 8, state.m + np.log(8))
    one, other = (slstm.forward(params, x, start, forget=forget) for start in (state, louder))
    np.testing.assert_allclose(one.h, other.h, rtol=1e-13)
    start = slstm.backward(params, x, one, dh, forget=forget).state
    np.testing.assert_allclose(start.m, start.c * state.c + start.n * state.n, atol=1e-14)


@pytest.mark.parametrize("forget", ["sigmoid", "exp"])
@pytest.mark.parametrize("bias", [1e4, -1e4])
def test_gates_far_out_overflow_nothing(bias: float, forget: Any) -> None:
    params, _, x, dh, _ = draw(slstm, T=20)
    shifts = np.repeat([bias, bias, 0.0, 0.0], H)
    params = params._replace(b=params.b + shifts)
    assert not torch.isfinite(
        unstabilised(slstm.Params(*map(torch.tensor, params)), torch.tensor(x), forget)
    ).all()  # exp(10⁴), or 0 / 0
    trace = slstm.forward(params, x, forget=forget)
    gradients = slstm.backward(params, x, trace, dh, forget=forget)
    arrays = [trace.h, trace.c, trace.n, *gradients.params, gradients.x, *gradients.state]
    assert all(np.isfinite(array).all() for array in arrays)
    assert np.abs(trace.h).max() <= 1
    assert trace.n[1:].min() >= 1


def test_a_late_input_replaces_what_is_stored_however_long_that_was() -> None:
    params, _, x, _, _ = draw(slstm, T=1000)
    params = slstm.Params(np.zeros((D, 4 * H)), 0 * params.W_h, np.zeros(4 * H))
    params.W_x[0, :H] = params.W_x[1, 2 * H : 3 * H] = 1.0  # x_0 says how loud, x_1 what
    params.b[H : 2 * H] = 1e3  # nothing is forgotten
    x = np.zeros((1000, 1, D))
    x[:, 0, 1], x[-1, 0] = 1.0, (20.0, -1.0, 0.0)
    h = slstm.forward(params, x).h
    np.testing.assert_allclose(h[-2], 0.5 * np.tanh(1.0), rtol=1e-12)
    np.testing.assert_allclose(h[-1], -0.5 * np.tanh(1.0), rtol=1e-5)


# what does not fit
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (mgu, r"params.W_h must be \(H=4, 2H=8\), got \(4, 7\)"),
        (min_lstm, r"params.W_x must be \(D, 3H\), got \(3, 11\)"),
        (slstm, r"params.W_h must be \(H=4, 4H=16\), got \(4, 15\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(cell: ModuleType, message: str) -> None:
    params, _, x, _, _ = draw(cell)
    fewer = cell.Params(*(array[..., :-1] for array in params))
    with pytest.raises(ValueError, match=message):
        cell.forward(fewer, x)


def test_the_bias_of_a_min_lstm_has_the_width_of_its_matrix() -> None:
    params, _, x, _, _ = draw(min_lstm)
    with pytest.raises(ValueError, match=r"params.b must be \(3H=12,\), got \(11,\)"):
        min_lstm.forward(params._replace(b=params.b[:-1]), x)


def test_an_sLSTM_says_what_its_state_and_its_forget_gate_are() -> None:
    params, state, x, _, _ = draw(slstm)
    with pytest.raises(TypeError, match=r"state must be slstm.State, got tuple"):
        slstm.forward(params, x, tuple(state))
    with pytest.raises(ValueError, match=r"state.n must be \(B=2, H=4\), got \(1, 4\)"):
        slstm.forward(params, x, state._replace(n=state.n[:1]))
    with pytest.raises(ValueError, match=r"forget must be 'sigmoid' or 'exp', got 'tanh'"):
        slstm.forward(params, x, forget="tanh")
