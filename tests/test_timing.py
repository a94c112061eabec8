"""Timing: turns that alternate, warm-up that is not counted, ratios within a round."""

import gc

import pytest

from lstm_lib import timing


class FakeTime:
    """A clock that only calls move on."""

    def __init__(self):
        self.now, self.calls = 0.0, []

    def clock(self):
        return self.now

    def call(self, name, *took):
        """A call that takes these seconds, then the last again and again."""
        left = list(took)

        def do():
            self.now += left.pop(0) if len(left) > 1 else left[0]
            self.calls.append(name)

        return do


def test_turns_alternate_and_warm_up_is_not_counted():
    fake = FakeTime()
    # The first call compiles, the second says how often to repeat: neither is in the times.
    calls = {"a": fake.call("a", 90, 80, 1, 2, 3), "b": fake.call("b", 70, 60, 10)}
    times = timing.interleave(calls, clock=fake.clock, seconds=0, rounds=3)
    assert times == {"a": [1, 2, 3], "b": [10, 10, 10]}
    assert "".join(fake.calls) == "aabb" + "ab" * 3


def test_a_short_call_is_repeated_and_its_time_is_that_of_one():
    fake = FakeTime()
    calls = {"a": fake.call("a", 0.25)}
    times = timing.interleave(calls, clock=fake.clock, seconds=0, rounds=1, turn=1.0)
    assert times == {"a": [0.25]}
    assert len(fake.calls) == 2 + 4


def test_garbage_is_collected_as_before_after_a_race_that_broke():
    fake = FakeTime()
    rounds = iter([None, None])  # warm-up goes well, the first round does not

    def broken():
        fake.now += 1
        next(rounds)

    with pytest.raises(StopIteration):
        timing.interleave({"a": broken}, clock=fake.clock, seconds=0)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_collection_that_was_off_and_what_was_frozen_stay_so_after_a_race():
    fake = FakeTime()
    gc.disable()
    gc.freeze()
    frozen = gc.get_freeze_count()
    timing.interleave({"a": fake.call("a", 1)}, clock=fake.clock, seconds=0)
    after = gc.isenabled(), gc.get_freeze_count()
    gc.unfreeze()
    gc.enable()
    assert after[0] is False
    assert after[1] > 0.9 * frozen  # a frozen object may be freed meanwhile


def test_a_race_within_a_race_leaves_collection_off_for_the_outer_one():
    fake, seen = FakeTime(), []
    inner = fake.call("inner", 1)

    def outer():
        timing.interleave({"a": inner}, clock=fake.clock, seconds=0, rounds=1)
        seen.append(gc.isenabled())

    timing.interleave({"outer": outer}, clock=fake.clock, seconds=0, rounds=2)
    assert seen == [True, True, False, False]  # two calls to warm up, two rounds


def test_a_race_without_a_round_is_an_error():
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        timing.interleave({}, seconds=0, rounds=0)


def test_a_clock_that_did_not_move_is_an_error_that_says_so():
    for times in ({"a": [1.0, 1.0], "b": [2.0, 0.0]}, {"b": [0.0], "a": [1.0]}):
        with pytest.raises(ValueError, match=r"times of b must be above 0, got 0\.0: the clock is"):
            timing.compare(times, "a")


def test_a_ratio_is_taken_within_a_round():
    # Both became ten times slower in the second round: of that the ratio shows nothing.
    times = {"torch.nn": [2.0, 20.0, 2.0], "mine": [1.0, 10.0, 4.0]}
    found = timing.compare(times, "torch.nn")
    assert found["ratio"] == {"torch.nn": [1, 1, 1], "mine": [1.25, 2.0, 2.0]}
    assert found["seconds"]["mine"] == [2.5, 4.0, 7.0]
    assert found["rounds"] == 3


def test_a_reference_that_did_not_race_is_an_error():
    with pytest.raises(ValueError, match=r"reference must be one of mine, got 'torch\.nn'"):
        timing.compare({"mine": [1.0]}, "torch.nn")


def test_the_geometric_mean_of_twice_and_half_as_fast_is_1():
    assert timing.geometric_mean([2.0, 0.5]) == pytest.approx(1)


def test_the_slope_is_the_exponent_at_the_upper_end():
    n = [1, 2, 4, 8, 32]
    assert timing.slope(n, [5, 5, 16, 64, 1024]) == pytest.approx(2)
