"""The character model, its stream of pieces, its loss on texts, and what it writes."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lstm_lib.language import (
    Alphabet,
    CharModel,
    Stream,
    bits_per_character,
    losses,
    sample,
    split_tails,
    step_on,
)

TEXT = "to be, or not to be: that is the question.\n"


def small(V=7, E=3, H=5, **options):
    return CharModel(V, E, H, generator=torch.Generator().manual_seed(0), **options)


def some_tokens(N, V=7, seed=0):
    return np.random.default_rng(seed).integers(V, size=N)


def always(V, favourite):
    """A model that gives every token the same chance, but one e times as much."""
    model = small(V)
    for p in model.parameters():
        p.data.zero_()
    model.readout.bias.data[favourite] = 1.0
    return model


# Alphabet


def test_decoding_what_was_encoded_gives_the_text_back():
    alphabet = Alphabet(TEXT)
    assert alphabet.decode(alphabet.encode(TEXT)) == TEXT


def test_a_token_is_the_place_of_a_character_in_the_sorted_alphabet():
    assert Alphabet("cab").encode("abcb").tolist() == [0, 1, 2, 1]
    assert len(Alphabet("cabba")) == 3


def test_a_character_that_the_alphabet_has_not_is_named():
    with pytest.raises(ValueError, match=r"characters of the alphabet only, got \['x', 'z'\]"):
        Alphabet(TEXT).encode("zebra x")


@pytest.mark.parametrize("token", [-1, 3])
def test_a_token_that_no_character_has_is_named(token):
    with pytest.raises(ValueError, match=rf"tokens must be 0 … 2, got \[{token}\]"):
        Alphabet("abc").decode([0, token])


def test_an_empty_text_has_no_alphabet():
    with pytest.raises(ValueError, match="text must have at least one character"):
        Alphabet("")


# Split


def test_the_tail_of_each_text_is_the_test_and_the_part_before_it_validates():
    split = split_tails(["a" * 80 + "b" * 10 + "c" * 10] * 2, validation=0.1, test=0.1)
    assert split == (["a" * 80] * 2, ["b" * 10] * 2, ["c" * 10] * 2)


def test_no_character_is_lost_or_used_twice_by_a_split():
    texts = ["abcdefghijklmnopqrstuvwxyz" * n for n in (1, 3)]
    assert ["".join(parts) for parts in zip(*split_tails(texts), strict=True)] == texts


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.5), (0.1, 0)])
def test_a_split_that_leaves_nothing_is_refused(shares):
    with pytest.raises(ValueError, match="shares must leave a part to train on"):
        split_tails([TEXT], validation=shares[0], test=shares[1])


# Model


def test_reading_in_pieces_with_the_carried_state_is_reading_at_once():
    model, tokens = small().eval(), torch.as_tensor(some_tokens((12, 2)))
    whole, (h, _) = model(tokens)
    first, state = model(tokens[:5])
    second, (h_pieces, _) = model(tokens[5:], state)
    assert torch.allclose(torch.cat([first, second]), whole, rtol=0, atol=1e-6)
    assert torch.allclose(h_pieces, h, rtol=0, atol=1e-6)


def test_the_weights_depend_on_the_generator_alone():
    torch.rand(3)
    one, two = small().state_dict(), small().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_forget_bias_is_the_sum_of_the_two_biases_of_torch():
    lstm = small(forget_bias=2.5).lstm
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().reshape(4, 5)
    assert torch.equal(bias, torch.tensor([0, 2.5, 0, 0])[:, None].expand(4, 5))


# Stream


def test_what_follows_each_token_is_the_next_of_the_text():
    x, y, _ = Stream(np.arange(100), T=6, B=3)(1)
    assert torch.equal(y, (x + 1) % 100)
    assert x.shape == (6, 3)


def test_a_piece_goes_on_where_the_one_before_it_ended():
    stream = Stream(np.arange(100), T=6, B=3)
    (_, y, _), (x, _, fresh) = stream(1), stream(2)
    assert torch.equal(x[0], y[-1])
    assert not fresh


def test_a_new_epoch_is_announced_and_starts_elsewhere():
    stream = Stream(np.arange(100), T=6, B=3)
    fresh = [update for update in range(1, 3 * stream.pieces + 1) if stream(update)[2]]
    assert fresh == [1, stream.pieces + 1, 2 * stream.pieces + 1]
    assert stream(1)[0][0, 0] != stream(stream.pieces + 1)[0][0, 0]


def test_a_piece_depends_on_seed_and_update_alone():
    stream, again = Stream(some_tokens(90), T=4, B=2), Stream(some_tokens(90), T=4, B=2)
    stream(3)
    assert torch.equal(stream(17)[0], again(17)[0])
    assert not torch.equal(stream(1)[0], Stream(some_tokens(90), T=4, B=2, seed=1)(1)[0])


def test_a_text_too_short_for_one_piece_is_refused():
    with pytest.raises(ValueError, match=r"at least B·\(T \+ 1\) = 21, got 20"):
        Stream(np.arange(20), T=6, B=3)


@pytest.mark.parametrize(("T", "B"), [(0, 3), (3, 0), (-1, -1)])
def test_pieces_without_steps_or_texts_are_refused(T, B):
    with pytest.raises(ValueError, match=f"at least 1, got {T} and {B}"):
        Stream(np.arange(20), T=T, B=B)


def test_the_step_carries_the_state_and_forgets_it_where_an_epoch_starts():
    model, stream = small().eval(), Stream(some_tokens(40), T=6, B=3)
    step = step_on(stream)
    _, state = step(model, 1, None)
    assert stream.pieces == 2
    with_state, without = step(model, 2, state)[0], step(model, 2, None)[0]
    assert with_state != without
    assert torch.equal(step(model, 3, state)[0], step(model, 3, None)[0])


def test_the_step_gives_the_mean_cross_entropy_of_the_piece():
    model, stream = small().eval(), Stream(some_tokens(40), T=6, B=3)
    x, y, _ = stream(1)
    expected = F.cross_entropy(model(x)[0].reshape(-1, 7), y.reshape(-1))
    assert torch.allclose(step_on(stream)(model, 1, None)[0], expected, rtol=1e-6)


# Losses


def test_losses_are_those_of_reading_each_text_alone_and_at_once():
    model, texts = small().eval(), [some_tokens(n, seed=n) for n in (23, 9, 31)]
    befores = [some_tokens(n, seed=n) for n in (4, 11, 1)]
    found = losses(model, texts, befores, T=5)
    for text, before, bits in zip(texts, befores, found, strict=True):
        whole = torch.as_tensor(np.concatenate([before, text]))[:, None]
        logits = model(whole[:-1])[0].double()
        each = F.cross_entropy(logits[:, 0], whole[1:, 0], reduction="none") / math.log(2)
        assert bits == pytest.approx(each[len(before) - 1 :].detach().numpy(), abs=1e-5)


def test_losses_of_a_known_distribution_are_its_bits():
    bits = losses(always(4, favourite=2), [np.array([2, 0])], [np.array([1])])[0]
    total = math.e + 3
    expected = [-math.log2(math.e / total), -math.log2(1 / total)]
    assert bits == pytest.approx(expected, abs=1e-6)


def test_bits_per_character_weighs_characters_and_not_texts():
    model, texts = small(), [some_tokens(40), some_tokens(2, seed=3)]
    befores = [np.array([0]), np.array([0])]
    expected = np.concatenate(losses(model, texts, befores)).mean()
    assert bits_per_character(model, texts, befores) == pytest.approx(expected, rel=1e-12)


def test_dropout_is_off_for_losses_and_on_again_afterwards():
    model = small(dropout=0.5).train()
    one, two = (losses(model, [some_tokens(20)], [np.array([0])])[0] for _ in range(2))
    assert np.array_equal(one, two)
    assert model.training


@pytest.mark.parametrize(("text", "before"), [([], [0]), ([0], [])])
def test_a_text_without_a_token_to_score_or_to_start_from_is_refused(text, before):
    text, before = np.array(text, dtype=int), np.array(before, dtype=int)
    with pytest.raises(ValueError, match="each text must have a token"):
        losses(small(), [text], [before])


def test_reading_no_step_at_a_time_is_refused():
    with pytest.raises(ValueError, match="T must be at least 1, got 0"):
        losses(small(), [some_tokens(3)], [some_tokens(1)], T=0)


# Sample


def drawn(model, temperature, length=300, seed=0):
    rng = np.random.default_rng(seed)
    return sample(model, Alphabet("abcd"), "a", length, temperature=temperature, rng=rng)


def test_temperature_0_takes_the_most_probable_character():
    assert drawn(always(4, favourite=2), 0, length=9) == "c" * 9


def test_at_temperature_1_characters_come_as_often_as_the_model_says():
    share = drawn(always(4, favourite=2), 1.0, length=2000).count("c") / 2000
    assert share == pytest.approx(math.e / (math.e + 3), abs=0.04)


def test_half_the_temperature_doubles_the_logits():
    share = drawn(always(4, favourite=2), 0.5, length=2000).count("c") / 2000
    assert share == pytest.approx(math.e**2 / (math.e**2 + 3), abs=0.04)


def test_the_same_generator_writes_the_same_text():
    assert drawn(small(4), 1.0, seed=4) == drawn(small(4), 1.0, seed=4)
    assert drawn(small(4), 1.0, seed=4) != drawn(small(4), 1.0, seed=5)


def test_each_character_is_drawn_given_the_prompt_and_all_that_was_written():
    model, alphabet = small(4), Alphabet("abcd")
    for weights in model.parameters():
        weights.data *= 5  # so that more than the last character counts
    written = sample(model, alphabet, "ab", 30, temperature=1.0, rng=np.random.default_rng(0))
    text, rng = "ab", np.random.default_rng(0)
    for _ in range(30):
        logits = model(torch.as_tensor(alphabet.encode(text))[:, None])[0][-1, 0]
        p = torch.softmax(logits.detach().double(), 0).numpy()
        text += alphabet.decode([rng.choice(4, p=p)])
    assert "ab" + written == text


def test_dropout_is_off_while_it_writes_and_on_again_afterwards():
    model = small(4, dropout=0.5).train()
    assert drawn(model, 0) == drawn(model, 0)
    assert model.training


@pytest.mark.parametrize(
    ("prompt", "temperature", "message"),
    [("", 1.0, "prompt must have"), ("a", -1.0, "must be 0 or more, got -1.0")],
)
def test_a_prompt_or_temperature_that_does_not_fit_is_refused(prompt, temperature, message):
    with pytest.raises(ValueError, match=message):
        sample(
            small(4),
            Alphabet("abcd"),
            prompt,
            1,
            temperature=temperature,
            rng=np.random.default_rng(0),
        )
