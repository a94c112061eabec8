"""The probes against closed forms, autograd, and inputs that don't fit."""

import math

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from lstm_lib import probes
from lstm_lib.numpy_cells import gru, lstm, rnn

CELLS = [rnn, lstm, gru]


def rng(seed=0):
    return np.random.default_rng(seed)


def setting(cell, T=6, D=3, H=4):
    """Parameters large enough that every derivative is far from its limit, and a sequence."""
    params = cell.init_params(rng(), D, H)
    params = cell.Params(
        *(2 * p + 0.1 * rng(i).standard_normal(p.shape) for i, p in enumerate(params))
    )
    return params, rng(9).standard_normal((T, 1, D))


def flat_state(cell, trace, t):
    fields = (trace.h, trace.c) if cell is lstm else (trace.h,)
    return np.concatenate([field[t, 0] for field in fields])


def state_of(cell, s):
    return tuple(np.split(s[None], 2, axis=-1)) if cell is lstm else s[None]


# Jacobians


def test_the_jacobian_of_an_rnn_step_is_its_closed_form():
    params, x = setting(rnn)
    h = rnn.forward(params, x).h
    expected = (1 - h[1:, 0, :, None] ** 2) * params.W_h.T
    assert probes.step_jacobians(rnn, params, x) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_jacobian_is_what_central_differences_measure(cell):
    params, x = setting(cell)
    trace, J = cell.forward(params, x), probes.step_jacobians(cell, params, x)
    step = 1e-5
    for t in range(1, len(x) + 1):
        before = flat_state(cell, trace, t - 1)
        for unit, nudge in enumerate(step * np.eye(len(before))):
            after = [
                flat_state(cell, cell.forward(params, x[t - 1 : t], state_of(cell, s)), 1)
                for s in (before + nudge, before - nudge)
            ]
            measured = (after[0] - after[1]) / (2 * step)
            assert J[t - 1, :, unit] == pytest.approx(measured, abs=1e-9)


def torch_cell(cell, params):
    """The `torch.nn` module of these parameters, as a function of a flat state of one sequence."""
    D, H = len(params.W_x), len(params.W_h)
    module = {rnn: torch.nn.RNN, lstm: torch.nn.LSTM, gru: torch.nn.GRU}[cell](D, H).double()
    b_hh = np.zeros_like(params.b)
    if cell is gru:
        b_hh[-H:] = params.b_hn
    weights = [params.W_x.T, params.W_h.T, params.b, b_hh]
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    module.load_state_dict({n: torch.tensor(w) for n, w in zip(names, weights, strict=True)})

    def last_state(s, x):
        start = tuple(half[None, None] for half in s.chunk(2)) if cell is lstm else s[None, None]
        _, end = module(torch.tensor(x), start)
        return torch.cat([part.flatten() for part in end]) if cell is lstm else end.flatten()

    return last_state


@pytest.mark.parametrize("cell", CELLS)
def test_the_jacobian_norms_are_those_of_autograd_over_the_rest_of_the_sequence(cell):
    params, x = setting(cell)
    trace, last_state = cell.forward(params, x), torch_cell(cell, params)
    norms, H = probes.jacobian_norms(cell, params, x), len(params.W_h)
    for k in range(len(x)):
        s = torch.tensor(flat_state(cell, trace, k))
        J = jacobian(lambda s, k=k: last_state(s, x[k:]), s).numpy()
        assert norms.h[k] == pytest.approx(np.linalg.norm(J[:H, :H], 2), rel=1e-10)
        if cell is lstm:
            assert norms.c[k] == pytest.approx(np.linalg.norm(J[H:, H:], 2), rel=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_the_last_state_depends_on_itself_with_norm_1(cell):
    norms = probes.jacobian_norms(cell, *setting(cell))
    assert norms.h.shape == (7,)
    assert norms.h[-1] == 1


@pytest.mark.parametrize("cell", [rnn, gru])
def test_a_cell_without_a_cell_state_has_no_norms_for_it(cell):
    assert probes.jacobian_norms(cell, *setting(cell)).c is None


def test_the_cell_state_depends_on_the_one_before_through_the_forget_gate_alone():
    params, x = setting(lstm)
    trace, H = lstm.forward(params, x), len(params.W_h)
    J = probes.step_jacobians(lstm, params, x)
    for t in range(1, len(x) + 1):
        assert J[t - 1, H:, H:] == pytest.approx(np.diag(trace.f[t, 0]), abs=1e-15)


def test_without_recurrent_weights_the_cell_state_norm_is_the_product_of_forget_gates():
    params, x = setting(lstm)
    params = params._replace(W_h=np.zeros_like(params.W_h))
    f = lstm.forward(params, x).f[1:, 0]
    expected = [np.prod(f[k:], axis=0).max() for k in range(len(x) + 1)]
    assert probes.jacobian_norms(lstm, params, x).c == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_start_from_the_state_given(cell):
    params, x = setting(cell)
    trace = cell.forward(params, x)
    later = probes.step_jacobians(cell, params, x[2:], state_of(cell, flat_state(cell, trace, 2)))
    assert later == pytest.approx(probes.step_jacobians(cell, params, x)[2:], abs=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_are_the_same_however_many_steps_go_in_a_batch(cell, monkeypatch):
    params, x = setting(cell)
    at_once = probes.step_jacobians(cell, params, x)
    monkeypatch.setattr(probes, "ROWS", 20)
    assert probes.step_jacobians(cell, params, x) == pytest.approx(at_once, abs=1e-14)


def test_jacobians_of_a_float32_cell_are_float32_and_their_norms_do_not_underflow():
    params = rnn.init_params(rng(), 1, 4, dtype=np.float32, spectral_radius=0.1)
    x = np.zeros((60, 1, 1), np.float32)
    assert probes.step_jacobians(rnn, params, x).dtype == np.float32
    assert 0 < probes.jacobian_norms(rnn, params, x).h[0] < 1e-50  # below float32's least


def test_jacobians_of_several_sequences_are_refused():
    params, _ = setting(rnn)
    with pytest.raises(ValueError, match=r"x must be \(T, B=1, D\).* got \(6, 2, 3\)"):
        probes.step_jacobians(rnn, params, np.zeros((6, 2, 3)))


# Decoding


def symbols_and_noise(N=600, classes=3):
    labels = rng().integers(classes, size=N)
    return np.eye(classes)[labels] + 0.01 * rng(1).standard_normal((N, classes)), labels


def test_symbols_that_a_state_holds_are_decoded():
    decoded = probes.decode(*symbols_and_noise())
    assert decoded.score == 1
    assert decoded.chance == pytest.approx(1 / 3, abs=0.05)


def test_a_tiny_but_distinct_trace_is_decoded():
    states, labels = symbols_and_noise()
    assert probes.decode(1 + 1e-6 * states, labels).score == 1


def test_symbols_that_a_state_does_not_hold_are_decoded_at_chance():
    _, labels = symbols_and_noise(3000)
    decoded = probes.decode(rng(2).standard_normal((3000, 5)), labels)
    assert decoded.score == pytest.approx(decoded.chance, abs=0.05)  # standard error 0.015


def test_the_score_is_of_rows_that_the_fit_has_not_seen():
    # As many units as rows: anything can be fitted, nothing generalises.
    decoded = probes.decode(rng(2).standard_normal((300, 300)), rng(3).integers(2, size=300))
    assert decoded.score < 0.65


def test_chance_is_the_share_of_the_most_frequent_class():
    labels = np.repeat([7, 2], [480, 120])
    assert probes.decode(rng().standard_normal((600, 2)), labels).chance == 0.8


def test_constant_states_are_decoded_exactly_at_chance():
    decoded = probes.decode(np.ones((600, 4)), np.repeat([0, 1, 2], [300, 200, 100]))
    assert decoded == (0.5, 0.5)


def test_values_that_a_state_holds_are_decoded():
    states = rng().standard_normal((600, 4))
    decoded = probes.decode(states, states @ [1.0, -2.0, 0.5, 0.0])
    assert decoded.score > 0.999
    assert decoded.chance == 0


def test_values_that_a_state_does_not_hold_are_decoded_at_0():
    decoded = probes.decode(rng().standard_normal((3000, 4)), rng(1).standard_normal(3000))
    assert decoded.score == pytest.approx(0, abs=0.02)


def test_constant_states_give_values_no_score():
    decoded = probes.decode(np.ones((600, 4)), rng(1).standard_normal(600))
    assert decoded.score == pytest.approx(0, abs=0.02)


def test_decoding_is_the_same_each_time_and_differs_with_the_seed():
    labels = rng().integers(2, size=300)
    states = labels[:, None] + rng(1).standard_normal((300, 2))
    scores = [probes.decode(states, labels, seed=seed).score for seed in (0, 0, 1, 2)]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_state_with_dead_and_doubled_units_is_decoded_without_a_warning(dtype):
    states, labels = symbols_and_noise()
    states = np.concatenate([states, states, np.zeros((600, 3))], axis=1).astype(dtype)
    assert probes.decode(states, labels).score == 1


def test_decoding_over_time_finds_when_a_state_forgets():
    states, labels = symbols_and_noise()
    over_time = np.stack([states, states, states, 0 * states, 0 * states])
    decoded = probes.decode_over_time(over_time, labels)
    assert decoded.steps.tolist() == [1, 2, 3, 4]
    assert decoded.score[:2].tolist() == [1, 1]
    assert decoded.score[2:].tolist() == [decoded.chance] * 2


def test_decoding_over_time_can_skip_steps():
    states, labels = symbols_and_noise()
    decoded = probes.decode_over_time(np.stack([states] * 8), labels, every=3)
    assert decoded.steps.tolist() == [1, 4, 7]
    assert len(decoded.score) == 3


@pytest.mark.parametrize(
    ("states", "labels", "message"),
    [
        (np.ones((9, 2)), np.zeros(9, int), "labels must differ, got 0 only"),
        (np.ones((9, 2)), np.zeros(9), r"labels must differ, got 0\.0 only"),
        (np.ones((9, 2)), np.zeros(8, int), r"got \(9, 2\) and \(8,\)"),
        (np.ones((9, 2)), np.zeros((9, 1), int), r"got \(9, 2\) and \(9, 1\)"),
        (np.ones(9), np.zeros(9, int), r"states must be \(N, H ≥ 1\).*got \(9,\)"),
        (np.full((9, 2), np.nan), np.arange(9) % 2, "states must be finite, got NaN"),
        (np.ones((9, 2)), np.full(9, np.inf), "labels must be finite, got NaN or infinity"),
        (np.ones((3, 2)), np.arange(3.0), "at least 4 rows to hold two out, got 3"),
        (np.ones((9, 2)), np.array([0] * 7 + [4] * 2), "each class 3 times, got 4 2 times"),
    ],
)
def test_states_and_labels_that_do_not_fit_are_named(states, labels, message):
    with pytest.raises(ValueError, match=message):
        probes.decode(states, labels)


def test_labels_that_are_words_are_refused():
    with pytest.raises(TypeError, match="labels must be integers or floats, got <U1"):
        probes.decode(np.ones((4, 1)), np.array(list("abab")))


@pytest.mark.parametrize(
    ("shape", "every", "message"),
    [
        ((9, 2), 1, r"states must be \(T\+1, B, H\) with T ≥ 1, got \(9, 2\)"),
        ((1, 9, 2), 1, r"got \(1, 9, 2\)"),
        ((3, 9, 2), 0, "every must be a positive integer, got 0"),
        ((3, 9, 2), 1.5, r"every must be a positive integer, got 1\.5"),
        ((3, 9, 0), 1, r"states must be \(N, H ≥ 1\) and labels \(N,\), got \(9, 0\)"),
    ],
)
def test_decoding_over_time_names_what_does_not_fit(shape, every, message):
    with pytest.raises(ValueError, match=message):
        probes.decode_over_time(np.ones(shape), np.arange(9) % 2, every=every)


# Gates


def test_gate_statistics_count_all_but_the_empty_row_0():
    values = np.array([0.0, 0.05, 0.05, 0.5, 0.95])[:, None, None]  # row 0 is no step
    trace = lstm.Trace(h=values, c=values, i=values, f=1 - values, g=values, o=values)
    statistics = probes.gate_statistics(trace)
    assert set(statistics) == {"i", "f", "o"}
    assert statistics["i"].mean == pytest.approx(1.55 / 4)
    assert statistics["i"].std == pytest.approx(np.std([0.05, 0.05, 0.5, 0.95]))
    assert (statistics["i"].closed, statistics["i"].open) == (0.5, 0.25)
    assert (statistics["f"].closed, statistics["f"].open) == (0.25, 0.5)


def test_the_gates_of_a_gru_are_reset_and_update():
    params, x = setting(gru)
    assert set(probes.gate_statistics(gru.forward(params, x))) == {"r", "z"}


def test_a_trace_without_gates_is_refused():
    params, x = setting(rnn)
    with pytest.raises(ValueError, match=r"must have the gates of an LSTM or a GRU, got \('h',\)"):
        probes.gate_statistics(rnn.forward(params, x))


# Half-life


@pytest.mark.parametrize(("f", "steps"), [(0.0, 0), (0.5, 1), (0.5**0.1, 10), (1.0, math.inf)])
def test_a_half_life_is_the_logarithm_of_a_half_by_that_of_f(f, steps):
    assert probes.half_life(f) == pytest.approx(steps)


def test_half_lives_of_an_array_come_as_an_array():
    assert probes.half_life([0.25, 0.5]) == pytest.approx([0.5, 1])


@pytest.mark.parametrize(("bias", "steps"), [(0, 1.0), (1, 2.2), (3, 14), (5, 103)])
def test_half_lives_of_forget_biases_are_the_tabulated_ones(bias, steps):
    assert probes.half_life(1 / (1 + math.exp(-bias))) == pytest.approx(steps, rel=0.02)


@pytest.mark.parametrize("f", [-0.1, 1.1, math.nan])
def test_a_forget_gate_outside_0_to_1_is_refused(f):
    with pytest.raises(ValueError, match=r"f must lie in \[0, 1\], got"):
        probes.half_life(f)


@pytest.mark.parametrize("f", [0.0, 0.1, 0.5, 0.7, 0.95])
def test_the_measured_half_life_of_a_pure_decay_is_the_formula(f):
    c = -3 * f ** np.arange(60)
    assert probes.measured_half_life(c) == pytest.approx(probes.half_life(f))


def test_a_memory_that_never_halves_has_an_infinite_half_life():
    assert probes.measured_half_life([1, 0.9, 0.8]) == math.inf


@pytest.mark.parametrize(
    "c", [[], [0.0, 1.0], [1.0, math.nan], [math.inf, 1.0], [1.0, math.inf, 0.1], [[1.0, 0.1]]]
)
def test_a_memory_that_cannot_be_measured_is_refused(c):
    with pytest.raises(ValueError, match=r"c must be \(T\+1,\), finite and with c\[0\] ≠ 0"):
        probes.measured_half_life(c)


# Unusual input


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("kind", [int, float])
def test_a_score_does_not_depend_on_the_scale(kind, scale):
    states, labels = rng().standard_normal((60, 3)), (np.arange(60) % 3).astype(kind)
    states[:, 0] += labels
    expected = probes.decode(states, labels)
    assert probes.decode(states * scale, labels).score == pytest.approx(expected.score, rel=1e-9)
    if kind is float:
        decoded = probes.decode(states, labels * scale)
        assert decoded.score == pytest.approx(expected.score, rel=1e-9)


@pytest.mark.parametrize("dtype", [complex, str, object])
def test_states_that_are_no_real_numbers_are_refused(dtype):
    with pytest.raises(TypeError, match="states must be integers or floats, got"):
        probes.decode(np.ones((9, 2)).astype(dtype), np.arange(9.0))


@pytest.mark.parametrize("cell", CELLS)
def test_a_nan_goes_through_the_jacobian_norms(cell):
    params, x = setting(cell)
    x[2] = np.nan
    norms = probes.jacobian_norms(cell, params, x)
    assert np.isnan(norms.h).tolist() == [True] * 6 + [False]


def test_gate_statistics_of_half_precision_do_not_overflow():
    values = np.full((400, 100, 5), 0.5, np.float16)
    trace = lstm.Trace(*(values for _ in lstm.Trace._fields))
    assert probes.gate_statistics(trace)["f"] == (0.5, 0.0, 0.0, 0.0)


def test_a_tuple_is_not_taken_for_a_trace():
    with pytest.raises(ValueError, match=r"trace must have the gates of .*, got tuple"):
        probes.gate_statistics(())
