"""Streams of the continual grammar: how a net learns from one, is tested, reset and recorded."""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from lstm_lib import recorded
from lstm_lib.experiments.continual_reber import (
    EXPERIMENTS,
    STEPS,
    TASK,
    Part,
    Streams,
    recorded_net,
)
from lstm_lib.online import Net, trace
from lstm_lib.tasks.published import EMBEDDED_REBER, SYMBOLS, ContinualReber

CONSTANT, DECAYING, OF_1997, RESET = EXPERIMENTS


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shown(part: Part) -> str:
    return "".join(SYMBOLS[k] for k in part.index[:, 0])


def twins(one: Streams) -> tuple[Net, Net]:
    first, second = (Net(one.net, rng(), rate=one.rate) for _ in range(2))
    return first, second


def test_a_net_learns_up_to_and_with_the_first_mistake_of_a_stream() -> None:
    net, by_hand = twins(CONSTANT)
    right = CONSTANT.learn(net, rng())
    piece = TASK.draw(rng())
    outputs = by_hand.learn(piece.index, piece.value, range(100), piece.y, stop=0.49)
    assert right == len(outputs) - 1 == TASK.first_mistake(piece, by_hand_outputs(piece, outputs))
    assert np.array_equal(net.W, by_hand.W)


def by_hand_outputs(piece, outputs):  # type: ignore[no-untyped-def]
    """Rows for the steps that were not reached, as wrong as can be."""
    return np.vstack([outputs, 1 - piece.y[len(outputs) :]])


@pytest.mark.parametrize(("one", "decay"), [(CONSTANT, 1), (DECAYING, 0.99)])
def test_the_rate_decays_within_a_stream_and_is_whole_for_the_next(one, decay) -> None:  # type: ignore[no-untyped-def]
    net, _ = twins(one)
    for seed in range(2):
        right = one.learn(net, rng(seed))
        assert net.rate == pytest.approx(0.5 * decay ** (right + 1))


def test_the_rate_decays_from_symbol_to_symbol() -> None:
    net, by_hand = recorded_net(), recorded_net()
    part = next(DECAYING.parts(TASK.pieces(rng())))
    assert len(part.teach(net, 0.99)) == 100
    by_hand.learn(part.index, part.value, range(100), part.y, decay=0.99)
    assert np.array_equal(net.W, by_hand.W)


def test_a_stream_that_is_learnt_ends_after_its_published_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ContinualReber, "STREAM", 300)
    assert replace(CONSTANT, rate=1e-9).learn(recorded_net(), rng()) == 300


def test_a_rate_that_decays_to_nothing_within_a_stream_ends_the_learning_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ContinualReber, "STREAM", 300)
    net = recorded_net()
    assert replace(CONSTANT, decay=1e-3).learn(net, rng()) == 300
    assert 0 < net.rate < 1e-200


def test_a_small_rate_still_teaches() -> None:
    net, untaught = twins(CONSTANT)
    replace(CONSTANT, rate=1e-12).learn(net, rng())
    assert not np.array_equal(net.W, untaught.W)


def test_an_output_that_is_no_number_is_a_mistake() -> None:
    part = next(CONSTANT.parts(TASK.pieces(rng())))
    assert part.right(np.full((100, 7), np.nan)) == 0


def test_a_net_goes_on_from_piece_to_piece() -> None:
    net = recorded_net()
    long, piece = ContinualReber(3 * TASK.length), TASK.pieces(rng())
    whole = long.draw(rng())
    outputs = net.predict(whole.index, whole.value, range(300))
    wrong = replace_after(outputs, 250)
    assert long.first_mistake(whole, wrong) == 250
    parts = list(islice(CONSTANT.parts(piece), 3))
    for k, part in enumerate(parts):
        cut = slice(100 * k, 100 * k + 100)
        answer = net.predict(part.index, part.value, range(100), reset=part.reset)
        np.testing.assert_array_equal(answer, outputs[cut])
    assert [part.right(wrong[100 * k :][:100]) for k, part in enumerate(parts)] == [100, 100, 50]


def replace_after(outputs: np.ndarray, step: int) -> np.ndarray:
    wrong = outputs.copy()
    wrong[step:] = 0.5
    return wrong


def test_a_stream_without_resets_has_one_at_its_start() -> None:
    parts = list(islice(OF_1997.parts(TASK.pieces(rng())), 5))
    assert [part.reset for part in parts] == [True, False, False, False, False]


@pytest.mark.parametrize("length", [7, 100])  # a string ends with a piece, or within
def test_with_resets_from_outside_each_string_begins_with_zero_states(length: int) -> None:
    parts = list(islice(RESET.parts(ContinualReber(length).pieces(rng())), 200))
    stream = "".join(("|" if part.reset else "") + shown(part) for part in parts)
    first, *strings, _ = stream.split("|")
    assert not first
    assert len(strings) > 5
    assert all(EMBEDDED_REBER.accepts(string) for string in strings)


def test_a_test_stream_ends_with_its_first_mistake() -> None:
    net, _ = twins(CONSTANT)
    piece = TASK.draw(rng())
    expected = TASK.first_mistake(piece, net.predict(piece.index, piece.value, range(100)))
    assert CONSTANT.test(net, rng()) == expected < 100


def test_a_test_stream_ends_after_its_published_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ContinualReber, "STREAM", 1000)
    assert CONSTANT.test(recorded_net(), rng()) == 1000


def test_the_first_wrong_stream_ends_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = iter([100_000] * 3 + [99_999] + [100_000] * 10)
    monkeypatch.setattr(Streams, "test", lambda *_: next(lengths))
    net, _ = twins(CONSTANT)
    assert not CONSTANT.passes(net, rng())
    assert CONSTANT.passes(net, rng())
    with pytest.raises(StopIteration):
        next(lengths)


def test_growth_is_the_norm_of_the_state_along_a_stream_without_resets() -> None:
    net, _ = twins(RESET)
    norms = RESET.growth(net, rng())
    one = ContinualReber(200).draw(rng())
    expected = np.linalg.norm(trace(net, one.index, one.value).c, axis=1)
    early = STEPS <= 200
    np.testing.assert_allclose(np.array(norms)[early], expected[STEPS[early] - 1], rtol=1e-12)
    assert len(norms) == len(STEPS)


def test_the_seed_decides_a_trial() -> None:
    one = replace(CONSTANT, streams=3)
    [row], [again], [other] = (one.rows([seed]) for seed in (5, 5, 6))
    assert json.loads(json.dumps(row)) == again
    assert row["growth"] != other["growth"]


def test_a_net_that_has_not_learnt_fails_and_keeps_no_weights() -> None:
    [row] = replace(CONSTANT, streams=3).rows([5])
    assert (row["seed"], row["streams"], row["met"]) == (5, 3, {"test": None})
    assert (row["W"], row["V"]) == (None, None)
    assert row["length"] < 100


def test_a_net_without_a_mistake_keeps_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streams, "learn", lambda *_: 7)  # and leaves them as they were drawn
    monkeypatch.setattr(Streams, "test", lambda *_: 100_000)
    [row] = CONSTANT.rows([5])
    drawn = np.random.default_rng(np.random.SeedSequence(5).spawn(3)[0])
    net = Net(CONSTANT.net, drawn, rate=1)
    np.testing.assert_allclose(row["W"], net.W, rtol=0, atol=5e-5)
    np.testing.assert_allclose(row["V"], net.V, rtol=0, atol=5e-5)


def test_the_length_of_a_row_is_the_mean_of_ten_test_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lengths = iter(range(11))
    monkeypatch.setattr(Streams, "test", lambda *_: next(lengths))
    [row] = replace(CONSTANT, streams=1).rows([5])  # the first of them fails the test
    assert row["length"] == 5.5


def test_a_trial_ends_when_it_has_seen_enough_symbols() -> None:
    [row] = replace(CONSTANT, symbols=20).rows([5])
    [before] = replace(CONSTANT, streams=row["streams"] - 1).rows([5])
    assert before["symbols"] < 20 <= row["symbols"]


def test_a_trial_ends_when_a_test_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = iter([False, False, True])
    monkeypatch.setattr(Streams, "passes", lambda *_: next(verdicts))
    [row] = replace(CONSTANT, streams=10).rows([5])
    assert (row["met"], row["streams"]) == ({"test": 3}, 3)


def test_the_description_says_the_published_numbers() -> None:
    about = CONSTANT.about()
    assert (about["weights"], about["published"], about["published_success"]) == (
        424,
        {"test": 18_889},
        18,
    )
    assert about["criteria"] == {"test": "0 of 10 tests off by .49"}


def test_a_recorded_net_predicts_a_new_stream_without_a_mistake() -> None:
    net, new = recorded_net(), ContinualReber(20_000)
    stream = new.draw(rng(123))
    outputs = net.predict(stream.index, stream.value, range(20_000))
    assert net.weights == 424
    assert new.first_mistake(stream, outputs) == 20_000


def test_a_recorded_net_is_that_of_the_first_seed_that_has_one() -> None:
    rows = recorded.read("continual_reber")["experiments"][0]["rows"]
    first, *others = [row for row in rows if row["W"]]
    assert len(others) > 1
    assert np.array_equal(recorded_net().W, first["W"])
    assert np.array_equal(recorded_net(seed=others[-1]["seed"]).W, others[-1]["W"])


def test_a_seed_without_recorded_weights_is_refused() -> None:
    with pytest.raises(ValueError, match=r"seed of 'continual 1997' must be one of \[\], got None"):
        recorded_net(OF_1997)
    with pytest.raises(ValueError, match=r"seed of 'continual forget gates' must be .* got 999"):
        recorded_net(seed=999)
