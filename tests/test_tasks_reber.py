"""The grammars of Reber: the automaton against regular expressions, strings, streams."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstm_lib.tasks.published import (
    EMBEDDED_REBER,
    REBER,
    SYMBOLS,
    ContinualReber,
    Reber,
)

# Both grammars once more, by hand from the published figures: after the loop of Ts, or of Ss.
AFTER_P = "T*V(PXT*V)*(V|PS)"
INNER = f"B(TS*X(S|X{AFTER_P})|P{AFTER_P})E"
EXPRESSIONS = {REBER: INNER, EMBEDDED_REBER: f"B(T{INNER}T|P{INNER}P)E"}
seeds = st.integers(0, 2**32 - 1)
unhurried = settings(deadline=None)  # time decides no test


def rng(seed=0):
    return np.random.default_rng(seed)


def shown(sequence):
    return "".join(SYMBOLS[k] for k in sequence.index[:, 0])


def short_strings(expression, longest):
    found = re.compile(expression).fullmatch
    lengths = range(longest + 1)
    every = ("".join(s) for n in lengths for s in itertools.product(SYMBOLS, repeat=n))
    return {string for string in every if found(string)}


def test_the_parser_accepts_exactly_the_short_strings_of_the_grammar():
    every = ("".join(s) for n in range(7) for s in itertools.product(SYMBOLS, repeat=n))
    assert {s for s in every if REBER.accepts(s)} == short_strings(INNER, 6)


def test_what_may_follow_is_what_some_string_goes_on_with():
    # Any node is at most three symbols from the end of a string, but for the first two.
    strings = short_strings(INNER, 7)
    for n in range(4):
        for prefix in {s[:n] for s in strings}:
            follows = {s[n] for s in strings if s.startswith(prefix)}
            assert set(REBER.possible(prefix)[-1]) == follows, prefix


@pytest.mark.parametrize("grammar", EXPRESSIONS, ids=["plain", "embedded"])
@unhurried
@given(seed=seeds)
def test_a_drawn_string_is_of_the_grammar(grammar, seed):
    string = grammar.string(rng(seed))
    assert re.fullmatch(EXPRESSIONS[grammar], string)
    assert grammar.accepts(string)


@unhurried
@given(seed=seeds, place=st.floats(0, 1, exclude_max=True), symbol=st.sampled_from(SYMBOLS))
@example(seed=0, place=0.999, symbol="B")
def test_the_parser_judges_a_changed_string_as_the_expression_does(seed, place, symbol):
    string = EMBEDDED_REBER.string(rng(seed))
    k = int(place * len(string))
    changed = string[:k] + symbol + string[k + 1 :]
    expected = re.fullmatch(EXPRESSIONS[EMBEDDED_REBER], changed) is not None
    assert EMBEDDED_REBER.accepts(changed) == expected


@pytest.mark.parametrize("string", ["", "B", "BTXS", "BTXSEE", "BTXSEB", "btxse", "BTBTXSEPE"])
def test_a_string_that_is_cut_goes_on_or_mixes_its_ends_is_refused(string):
    assert not REBER.accepts(string)
    assert not EMBEDDED_REBER.accepts(string)


def test_published_examples_of_strings_are_accepted():
    assert REBER.accepts("BTSSXXTVVE")
    assert REBER.accepts("BTXXVPSE")
    assert EMBEDDED_REBER.accepts("BPBTSXXVPSEPE")


def test_every_choice_is_taken_about_equally_often():
    generator, second, third = rng(), [], []
    for string in (EMBEDDED_REBER.string(generator) for _ in range(4000)):
        second.append(string[1] == "T")
        third.append(string[3] == "T")
    # Five standard errors: 5 √(1/4/4000).
    assert np.mean(second) == pytest.approx(0.5, abs=0.04)
    assert np.mean(third) == pytest.approx(0.5, abs=0.04)


@unhurried
@given(seed=seeds)
def test_each_step_asks_for_the_next_symbol_and_knows_all_that_may_follow(seed):
    string = EMBEDDED_REBER.string(rng(seed))
    one = Reber().sequence(string)
    assert shown(one) == string[:-1]
    assert "".join(SYMBOLS[k] for k in one.y.argmax(axis=1)) == string[1:]
    for t, may_follow in enumerate(one.ideal):
        expected = EMBEDDED_REBER.possible(string[: t + 1])[-1]
        assert {SYMBOLS[k] for k in np.flatnonzero(may_follow)} == set(expected)


def test_the_symbol_before_the_last_is_the_only_one_possible():
    one = Reber().sequence("BTBTXSETE")
    assert one.ideal[-2].tolist() == [symbol == "T" for symbol in SYMBOLS]


def test_no_test_string_is_among_the_training_strings():
    train, test = Reber().sets(rng())
    assert len(train) == len(test) == 256
    assert not {shown(one) for one in train} & {shown(one) for one in test}


def test_a_step_is_right_if_all_possible_symbols_are_more_active_than_the_others():
    task = Reber(REBER)
    one = task.sequence("BPVVE")
    outputs = one.ideal.copy()
    outputs[0] = [0.3, 0.9, 0.4, 0.3, 0.2, 0.1, 0]  # P, possible, beats B, impossible, by .1
    assert task.error(one, outputs).largest == pytest.approx(-0.1)
    outputs[0, 0] = 0.6
    error = task.error(one, outputs)
    assert error.largest == pytest.approx(0.2)
    assert error.mean == pytest.approx((0.2 - 3) / 4)


def test_a_tie_with_an_impossible_symbol_is_wrong():
    task = Reber()
    one = task.draw(rng())
    errors = np.tile(task.error(one, np.zeros_like(one.y)), (512, 1))
    assert not task.rules["test"].met(errors)


def test_the_stream_is_strings_one_after_another():
    stream = shown(ContinualReber(2000).draw(rng()))
    whole = re.match(f"(?:{EXPRESSIONS[EMBEDDED_REBER]})+", stream)
    EMBEDDED_REBER.possible(stream[whole.end() :])  # raises if the rest begins no string
    assert len(stream) - whole.end() < 100


def test_cutting_a_stream_into_pieces_changes_nothing():
    whole = ContinualReber(60).draw(rng())
    pieces = list(itertools.islice(ContinualReber(20).pieces(rng()), 3))
    for field in ("index", "y"):
        joined = np.concatenate([getattr(piece, field) for piece in pieces])
        assert np.array_equal(joined, getattr(whole, field))


def test_after_the_end_of_a_string_comes_the_begin_of_the_next():
    one = ContinualReber(500).draw(rng())
    string = re.match(EXPRESSIONS[EMBEDDED_REBER], shown(one)).end()
    assert one.y[string - 1].tolist() == [symbol == "B" for symbol in SYMBOLS]


@unhurried
@given(seed=seeds)
def test_at_each_symbol_of_a_stream_all_that_may_follow_are_taught(seed):
    one = ContinualReber(300).draw(rng(seed))
    string = re.match(EXPRESSIONS[EMBEDDED_REBER], shown(one)).group()
    expected = [*EMBEDDED_REBER.possible(string)[1:-1], "B"]
    for may_follow, row in zip(expected, one.y, strict=False):
        assert {SYMBOLS[k] for k in np.flatnonzero(row)} == set(may_follow)


def test_a_stream_takes_both_ways_of_a_choice_about_equally_often():
    stream = shown(ContinualReber(20_000).draw(rng()))
    ways = [stream[m.end()] for m in re.finditer("(?:^|[TP]E)B", stream)]
    # Five standard errors: 5 √(1/4/1700); a string has 12 symbols on average.
    assert np.mean([way == "T" for way in ways]) == pytest.approx(0.5, abs=0.061)


@pytest.mark.parametrize("answer", [0.495, np.nan])
@pytest.mark.parametrize("wrong", [[], [0], [7, 19], [29]])
def test_the_first_mistake_is_found(wrong, answer):
    task = ContinualReber(30)
    one = task.draw(rng())
    outputs = one.ideal.copy()
    outputs[wrong] = answer  # .48 off would be right
    outputs[5] += np.where(outputs[5] == 1, -0.48, 0.48)
    assert task.first_mistake(one, outputs) == min(wrong, default=30)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: REBER.possible("BTB"), "symbol 3 of 'BTB' must be one of 'SX', got 'B'"),
        (lambda: REBER.possible("BTXSEB"), "symbol 6 of 'BTXSEB' must be one of '', got 'B'"),
        (lambda: Reber().sequence("BTB"), "string must be a whole one of the grammar, 'BTB' goes"),
        (lambda: Reber().sets(rng(), 0), "n must be at least 1, got 0"),
        (lambda: ContinualReber(0), "length must be at least 1, got 0"),
    ],
)
def test_a_string_that_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("draw", [REBER.string, Reber().draw, ContinualReber().draw])
def test_a_seed_in_place_of_a_generator_is_refused(draw):
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator .* got 0"):
        draw(0)
