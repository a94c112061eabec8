"""A trained LSTM with gates held: what stays equal to the bit, and what a cut keeps and loses."""

import numpy as np
import pytest

from lstm_lib import surgery
from lstm_lib.numpy_cells import lstm

T, B, D, H = 7, 5, 3, 4


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def run(rng: np.random.Generator, dtype: type = np.float64) -> tuple:
    """Weights, inputs, a start and the intact trace."""
    params = lstm.Params(*(rng.normal(size=a.shape).astype(dtype) for a in _shapes(rng)))
    x = rng.normal(size=(T, B, D)).astype(dtype)
    state = tuple(rng.normal(size=(2, B, H)).astype(dtype))
    return params, x, state, lstm.forward(params, x, state)


def _shapes(rng: np.random.Generator) -> lstm.Params:
    return lstm.init_params(rng, D, H)


def equal(a: lstm.Trace, b: lstm.Trace) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_without_a_cut_the_trace_is_that_of_the_cell_to_the_bit(
    rng: np.random.Generator, dtype: type
) -> None:
    params, x, state, intact = run(rng, dtype)
    trace = surgery.forward(params, x, state, held={})
    assert equal(trace, intact)
    assert trace.h.dtype == dtype


@pytest.mark.parametrize("gate", "ifgo")
def test_a_gate_held_at_its_own_values_changes_nothing(rng: np.random.Generator, gate: str) -> None:
    params, x, state, intact = run(rng)
    held = {gate: getattr(intact, gate)[1:]}
    assert equal(surgery.forward(params, x, state, held=held), intact)


def test_with_f_at_1_and_i_at_0_the_cell_state_keeps_every_bit(rng: np.random.Generator) -> None:
    params, x, state, _ = run(rng)
    trace = surgery.forward(params, x, state, held={"f": 1, "i": 0})
    assert np.array_equal(trace.c, np.broadcast_to(state[1], trace.c.shape))


@pytest.mark.parametrize("gate", "ifgo")
def test_a_gate_is_where_it_is_held_and_all_others_answer(
    rng: np.random.Generator, gate: str
) -> None:
    params, x, state, intact = run(rng)
    values = rng.random((T, B, H))
    trace = surgery.forward(params, x, state, held={gate: values})
    assert np.array_equal(getattr(trace, gate)[1:], values)
    for other in set("ifgo") - {gate}:
        before, after = getattr(intact, other), getattr(trace, other)
        assert np.array_equal(after[1], before[1])  # step 1 comes before any answer
        assert (after[2] != before[2]).all()


@pytest.mark.parametrize("gate", "ifo")
def test_a_held_gate_gives_what_its_bias_far_off_gives(rng: np.random.Generator, gate: str) -> None:
    params, x, state, _ = run(rng)
    for value in (0, 1):
        b = params.b.copy()
        b.reshape(4, H)["ifgo".index(gate)] = 2000 * value - 1000
        by_bias = lstm.forward(params._replace(b=b), x, state)
        assert equal(surgery.forward(params, x, state, held={gate: value}), by_bias)


@pytest.mark.parametrize("shape", [(), (H,), (B, H), (B, 1), (T, 1, 1), (T, B, H)])
def test_values_of_any_shape_that_broadcasts_are_taken(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    params, x, state, _ = run(rng)
    values = rng.random(shape)
    trace = surgery.forward(params, x, state, held={"f": values})
    assert np.array_equal(trace.f[1:], np.broadcast_to(values, (T, B, H)))


@pytest.mark.parametrize("shape", [(H + 1,), (B + 1, H), (T - 1, B, H), (1, T, B, H)])
def test_another_shape_is_refused_by_name(rng: np.random.Generator, shape: tuple) -> None:
    params, x, state, _ = run(rng)
    with pytest.raises(ValueError, match=r"held\['o'\] must broadcast to \(T=7, B=5, H=4\), got"):
        surgery.forward(params, x, state, held={"o": np.ones(shape)})


def test_a_layer_that_does_not_exist_is_refused(rng: np.random.Generator) -> None:
    params, x, state, _ = run(rng)
    with pytest.raises(ValueError, match="held must name layers among i, f, g, o, got 'z'"):
        surgery.forward(params, x, state, held={"z": 1})


def test_values_that_are_no_numbers_are_refused(rng: np.random.Generator) -> None:
    params, x, state, _ = run(rng)
    with pytest.raises(TypeError, match=r"held\['i'\] must be real numbers, got"):
        surgery.forward(params, x, state, held={"i": "open"})


def test_the_mean_is_one_number_a_unit_over_steps_and_sequences(rng: np.random.Generator) -> None:
    *_, intact = run(rng)
    mean = surgery.cuts(rng, intact.i)["mean"]
    wanted = [
        np.mean([intact.i[t, b, k] for t in range(1, T + 1) for b in range(B)]) for k in range(H)
    ]
    assert np.allclose(mean, wanted, rtol=1e-14)


def test_frozen_at_step_1_each_sequence_has_its_own_value(rng: np.random.Generator) -> None:
    params, x, state, intact = run(rng)
    held = {"f": surgery.cuts(rng, intact.f)["step 1"]}
    f = surgery.forward(params, x, state, held=held).f
    assert np.array_equal(f[1:], np.broadcast_to(intact.f[1], (T, B, H)))


def test_shuffling_keeps_each_sequence_s_steps_whole(rng: np.random.Generator) -> None:
    *_, intact = run(rng)
    shuffled = surgery.cuts(rng, intact.f)["shuffled"]
    for b in range(B):
        rows = {tuple(row) for row in intact.f[1:, b]}
        assert {tuple(row) for row in shuffled[:, b]} == rows


def test_shuffling_gives_each_sequence_an_order_of_its_own(rng: np.random.Generator) -> None:
    clock = np.zeros((T + 1, B, 1))
    clock[1:, :, 0] = np.arange(T)[:, None]
    shuffled = surgery.cuts(rng, clock)["shuffled"][..., 0]
    assert len({tuple(column) for column in shuffled.T}) == B


def test_swapping_gives_every_sequence_the_gate_of_another_at_the_same_step(
    rng: np.random.Generator,
) -> None:
    gate = np.zeros((T + 1, B, 1))
    gate[1:, :, 0] = 100 * np.arange(T)[:, None] + np.arange(B)
    swapped = surgery.cuts(rng, gate)["swapped"][..., 0]
    step, sequence = np.divmod(swapped, 100)
    assert np.array_equal(step, np.broadcast_to(np.arange(T)[:, None], (T, B)))
    assert (sequence != np.arange(B)).all()
    assert sorted(sequence[0]) == list(range(B))


def test_the_same_generator_gives_the_same_cuts(rng: np.random.Generator) -> None:
    *_, intact = run(rng)
    one, two = (surgery.cuts(np.random.default_rng(3), intact.o) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("shape", [(T + 1, B), (1, B, H), (T + 1, 1, H)])
def test_a_gate_without_steps_or_other_sequences_is_refused(
    rng: np.random.Generator, shape: tuple
) -> None:
    with pytest.raises(ValueError, match=r"gate must be .* with T ≥ 1 and B ≥ 2, got"):
        surgery.cuts(rng, np.zeros(shape))


def test_what_is_no_mapping_or_no_generator_is_refused(rng: np.random.Generator) -> None:
    params, x, *_ = run(rng)
    with pytest.raises(TypeError, match=r"held must be a dict such as .*, got \['f'\]"):
        surgery.forward(params, x, held=["f"])
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator, got 0"):
        surgery.cuts(0, np.zeros((T + 1, B, H)))
