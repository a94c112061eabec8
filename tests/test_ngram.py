"""The n-gram against a case computed by hand, and the properties of a probability."""

import numpy as np
import pytest

from lstm_lib.ngram import NGram

ABRA = np.array([0, 1, 2, 0, 3, 0, 4, 0, 1, 2, 0])  # abracadabra: a b r c d are 0 1 2 3 4


def random_tokens(N=400, V=6):
    return np.random.default_rng(0).choice(V, size=N, p=[0.5, 0.2, 0.2, 0.1, 0, 0])


def everything_that_follows(model, context, V):
    return sum(model.probability(np.array([s]), before=context)[0] for s in range(V))


def test_order_1_is_the_count_mixed_with_an_even_chance():
    # 11 symbols of 5 kinds: P(a) = (5 + 5 · 1/5) / (11 + 5)
    assert NGram(ABRA, 5, 1).probability(np.array([0]))[0] == pytest.approx(6 / 16, rel=1e-15)


def test_order_2_is_the_case_computed_by_hand():
    # After a, 4 times followed: b twice, c, d; 3 kinds. P(b) = (2 + 5 · 1/5) / 16 = 3/16.
    # P(b | a) = (2 + 3 · 3/16) / (4 + 3) = 41/112; P(r | b) = (2 + 1 · 3/16) / (2 + 1) = 35/48.
    p = NGram(ABRA, 5, 2).probability(np.array([0, 1, 2]))
    assert p == pytest.approx([6 / 16, 41 / 112, 35 / 48], rel=1e-14)


def test_a_symbol_never_seen_after_a_context_has_the_weight_of_the_kinds():
    # P(r | a) = (0 + 3 · P(r)) / 7 with P(r) = 3/16
    p = NGram(ABRA, 5, 2).probability(np.array([2]), before=np.array([0]))
    assert p[0] == pytest.approx(9 / 112, rel=1e-14)


def test_a_context_never_seen_leaves_the_chances_of_the_shorter_one():
    tokens = np.array([0, 1, 0, 1, 2, 2, 0])
    one, three = (NGram(tokens, 4, n).probability(np.array([1]), before=[3, 3]) for n in (1, 3))
    assert three[0] == one[0]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", [(), (0,), (1, 3), (5, 5), (0, 0, 0, 0)])
def test_probabilities_of_all_that_can_follow_sum_to_1(order, context):
    model = NGram(random_tokens(), 6, order)
    assert everything_that_follows(model, context, 6) == pytest.approx(1, rel=1e-12)


def test_nothing_has_probability_0_not_even_a_symbol_never_seen():
    model = NGram(random_tokens(), 6, 4)
    assert (model.probability(np.array([5, 5, 4, 0, 4])) > 0).all()


def test_the_text_before_is_looked_at_and_not_scored():
    model, tokens = NGram(random_tokens(), 6, 4), random_tokens(50)
    whole = model.probability(tokens)
    assert np.array_equal(model.probability(tokens[20:], before=tokens[:20]), whole[20:])


def test_bits_are_the_mean_of_minus_log2_of_the_probabilities():
    model = NGram(ABRA, 5, 2)
    expected = -np.log2([6 / 16, 41 / 112, 35 / 48]).mean()
    assert model.bits(np.array([0, 1, 2])) == pytest.approx(expected, rel=1e-14)


def test_a_higher_order_learns_a_cycle_that_a_lower_one_cannot():
    tokens = np.tile([0, 1, 0, 2], 200)
    low, high = (NGram(tokens, 3, order).bits(tokens) for order in (2, 3))
    assert high < 0.05 < 0.4 < low


def test_keys_of_the_longest_contexts_do_not_overflow():
    # 3**40 is just below 2**64: two texts that differ only 39 symbols back are told apart.
    tokens = np.array([2] * 40 + [1] + [2] * 39)
    model = NGram(tokens, 3, 40)
    after = [model.probability(np.array([2]), before=[s] + [2] * 38)[0] for s in (1, 0)]
    assert after[0] != after[1]


@pytest.mark.parametrize(
    ("tokens", "V", "order", "message"),
    [
        (ABRA, 5, 0, "order must be at least 1"),
        (ABRA, 100, 10, r"V\*\*order below 2\*\*64, got 10"),
        (ABRA[:2], 5, 3, "tokens must be at least 3, got 2"),
        (ABRA, 4, 2, "tokens must be 0 … 3, got 0 … 4"),
        (ABRA[None], 5, 2, r"tokens must be \(N,\) integers, got \(1, 11\)"),
        (ABRA / 2, 5, 2, "integers, got .* float64"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tokens, V, order, message):
    with pytest.raises(ValueError, match=message):
        NGram(tokens, V, order)


def test_no_symbol_has_no_bits():
    with pytest.raises(ValueError, match="at least one symbol to score"):
        NGram(ABRA, 5, 2).bits(ABRA[:0], before=ABRA)


def test_a_larger_weight_of_the_shorter_context_moves_the_chances_towards_it() -> None:
    tokens = np.array([0, 1, 0, 1, 0, 2])
    asked, before = np.array([1]), np.array([0])
    shorter = NGram(tokens, 3, 1).probability(asked)[0]
    light, heavy = (
        abs(NGram(tokens, 3, 2, weight=weight).probability(asked, before)[0] - shorter)
        for weight in (1.0, 10.0)
    )
    assert heavy < light


def test_the_weight_multiplies_the_kinds_of_followers() -> None:
    # After 0 came 1, 1 and 2: three times, two kinds. Alone: 2 of 6, three kinds.
    tokens = np.array([0, 1, 0, 1, 0, 2])
    p = NGram(tokens, 3, 2, weight=4.0).probability(np.array([1]), np.array([0]))[0]
    alone = (2 + 4 * 3 / 3) / (6 + 4 * 3)
    assert np.isclose(p, (2 + 4 * 2 * alone) / (3 + 4 * 2), rtol=1e-12)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.inf, np.nan])
def test_a_weight_that_is_not_positive_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight must be positive and finite"):
        NGram(np.array([0, 1]), 2, 1, weight=weight)
