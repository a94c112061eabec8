"""Frames, listeners and voices of the chapter on audio."""

import base64
import io
import wave

import numpy as np
import pytest
import torch

from lstm_lib import audio, voices
from lstm_lib.train.sequences import pad

RNG = np.random.default_rng(0)
SHORT, LONG = (RNG.normal(size=(T, 3)).astype(np.float32) for T in (4, 9))


def test_frames_are_scaled_to_mean_0_and_deviation_1_over_the_training_frames() -> None:
    (scaled,) = audio.standardise([SHORT + 5, 2 * LONG])
    frames = np.concatenate(scaled)
    assert np.allclose(frames.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(frames.std(axis=0), 1, atol=1e-6)


def test_test_frames_are_scaled_by_the_training_frames() -> None:
    train, test = audio.standardise([SHORT], [SHORT])
    assert np.array_equal(train[0], test[0])


def test_the_mean_of_one_segment_is_that_of_all_frames() -> None:
    assert np.allclose(audio.segment_means(LONG), LONG.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("T", [1, 2, 3, 7])
def test_no_segment_is_empty_however_short_the_recording(T: int) -> None:
    assert np.array_equal(audio.segment_means(np.ones((T, 2), np.float32), 4), np.ones(8))


def test_delayed_recall_puts_the_delay_between_the_utterance_and_the_cue() -> None:
    x = audio.delayed_recall(np.random.default_rng(0), [SHORT, LONG], delay=5)
    assert x.shape == (9 + 5 + 1, 2, 4)
    assert np.array_equal(x[5:9, 0, :3], SHORT)
    assert np.array_equal(x[:9, 1, :3], LONG)
    assert not x[:5, 0].any()


def test_the_cue_of_delayed_recall_is_in_the_last_frame_alone() -> None:
    x = audio.delayed_recall(np.random.default_rng(0), [SHORT, LONG], delay=5)
    assert (x[-1, :, 3] == 1).all()
    assert not x[:-1, :, 3].any()


def test_the_noise_of_delayed_recall_is_as_strong_as_the_speech_and_always_new() -> None:
    x = audio.delayed_recall(np.random.default_rng(0), [SHORT] * 50, delay=100)
    assert x[4:, :, :3].std() == pytest.approx(1, abs=0.02)
    assert not np.array_equal(x[4:, 0], x[4:, 1])


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(ValueError, match="delay must be 0 or more, got -1"):
        audio.delayed_recall(np.random.default_rng(0), [SHORT], delay=-1)


def test_a_cell_is_drawn_from_its_generator_with_its_forget_bias() -> None:
    drawn = [
        audio.new_cell("LSTM 5", 3, 4, torch.Generator().manual_seed(1)).state_dict()
        for _ in range(2)
    ]
    assert all(torch.equal(drawn[0][name], drawn[1][name]) for name in drawn[0])
    bias = drawn[0]["bias_ih_l0"] + drawn[0]["bias_hh_l0"]
    assert torch.equal(bias[4:8], torch.full((4,), 5.0))


@pytest.mark.parametrize("name", ["RNN", "GRU", "GRU 3", "LSTM 1"])
def test_every_weight_of_a_new_cell_is_trained(name: str) -> None:
    cell = audio.new_cell(name, 3, 4, torch.Generator().manual_seed(1))
    assert all(p.requires_grad and not p.is_meta for p in cell.parameters())


def test_a_cell_of_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name must be RNN, GRU b or LSTM b, got 'ESN'"):
        audio.new_cell("ESN", 3, 4, torch.Generator())


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_listener_does_not_hear_the_padding(pooling: str) -> None:
    generator = torch.Generator().manual_seed(0)
    cell = audio.new_cell("LSTM 1", 3, 4, generator)
    listener = audio.Listener(cell, 2, pooling=pooling, generator=generator)
    alone, beside = listener(pad([SHORT])), listener(pad([SHORT, LONG]))
    assert torch.allclose(alone[0], beside[0], atol=1e-6)


def test_another_pooling_is_refused() -> None:
    cell = audio.new_cell("RNN", 3, 4, torch.Generator())
    with pytest.raises(ValueError, match="pooling must be 'last' or 'mean', got 'max'"):
        audio.Listener(cell, 2, pooling="max", generator=torch.Generator())


def rising_or_falling(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Ramps of different lengths, half of them turned round: only the order tells which."""
    labels = np.arange(n) % 2
    ramps = [np.linspace(-1, 1, 5 + k % 4, dtype=np.float32)[:, None] for k in range(n)]
    return [ramp[::-1] if y else ramp for ramp, y in zip(ramps, labels, strict=True)], labels


def test_a_trained_listener_names_what_it_hears() -> None:
    x, y = rising_or_falling(32)
    listener = audio.train_listener(x, y, H=8, updates=60, lr=0.02)
    assert (audio.answers(listener, x) == y).all()


def test_shuffled_frames_take_the_order_from_a_listener() -> None:
    x, y = rising_or_falling(32)
    listener = audio.train_listener(x, y, H=8, updates=60, lr=0.02, shuffled=True)
    assert (audio.answers(listener, x) == y).mean() < 0.9


def test_the_triangles_of_the_bands_meet_their_neighbours_at_zero() -> None:
    filters = audio.mel_filters(10, 4001, 8000)  # 1 Hz a bin
    assert (filters.max(axis=0) > 0.99).all()
    assert not (filters[:, 0] * filters[:, 2]).any()
    first, last = filters[:, [0, -1]].argmax(axis=0)
    assert np.allclose(filters[first + 1 : last].sum(axis=1), 1, atol=1e-5)


def test_the_bands_are_equally_spaced_in_mel() -> None:
    peaks = audio.mel_filters(10, 40001, 8000).argmax(axis=0) / 10
    assert np.ptp(np.diff(np.log10(1 + peaks / 700))) < 1e-3


@pytest.mark.parametrize("rate", [8000, 16000])
def test_log_mel_is_the_formula_in_double_precision(rate: int) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, rate // 5).astype(np.float32)
    N, hop = round(0.032 * rate), rate // 100
    n = np.arange(N)
    dft = np.exp(-2j * np.pi * np.outer(n, n[: N // 2 + 1]) / N)
    starts = range(0, len(sound) - N + 1, hop)
    pieces = np.stack([sound[s : s + N].astype(float) for s in starts])
    power = np.abs(pieces * (0.5 - 0.5 * np.cos(2 * np.pi * n / N)) @ dft) ** 2
    expected = np.log(power @ audio.mel_filters(24, N // 2 + 1, rate) + 1e-6)
    assert np.allclose(audio.log_mel(sound, rate), expected, atol=1e-3)  # float32


def test_a_tone_is_loudest_in_the_band_that_holds_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000).astype(np.float32)
    band = audio.log_mel(tone, 8000).mean(axis=0).argmax()
    assert audio.mel_filters(24, 129, 8000)[32].argmax() == band  # 1000 Hz is bin 32 of 31.25 Hz


def test_a_wave_shorter_than_a_window_gives_one_frame() -> None:
    assert audio.log_mel(np.ones(10, np.float32), 8000).shape == (1, 24)


def spectrum_peak(sound: np.ndarray, rate: int, low: int, high: int) -> float:
    """The frequency in Hz of the strongest part of a sound between two frequencies."""
    f = np.fft.rfftfreq(len(sound), 1 / rate)
    inside = (f >= low) & (f <= high)
    return float(f[inside][np.abs(np.fft.rfft(sound))[inside].argmax()])


def test_a_voiced_sound_holds_its_pitch_and_nothing_between_the_harmonics() -> None:
    sound = voices.voiced(np.full(2, 200.0), 0.5, 8000, np.zeros_like)
    loud = np.abs(np.fft.rfft(sound))
    at_harmonics = np.zeros(len(loud), dtype=bool)
    at_harmonics[100:-1:100] = True  # 2 Hz a bin
    assert loud[at_harmonics].min() > 1000 * loud[~at_harmonics].max()
    assert np.abs(sound).max() == pytest.approx(0.9)


def test_a_sound_from_cepstra_has_the_spectrum_that_they_describe() -> None:
    c = np.zeros((5, 12))
    c[:, 1] = -2  # ln|H| = −2 cos(2π 2 f / 10 000): loudest at 2500 Hz
    sound = voices.from_cepstra(c, pitch=100)
    assert spectrum_peak(sound, 10_000, 0, 5000) == pytest.approx(2500, abs=300)


def test_the_vowels_of_a_word_come_in_its_order() -> None:
    ahead, back = (voices.say(np.random.default_rng(0), word) for word in ("ai", "ia"))
    first = [spectrum_peak(sound[: len(sound) // 4], 8000, 200, 1100) for sound in (ahead, back)]
    assert first[0] > 550 > first[1]


def test_a_hiss_is_where_the_word_has_it() -> None:
    for word, hiss, tone in [("sa", slice(0, 1500), slice(-1500, -300)),
                             ("as", slice(-1500, -300), slice(300, 1500))]:  # fmt: skip
        sound = voices.say(np.random.default_rng(0), word)
        change = {p: np.diff(sound[s]).std() / sound[s].std() for p, s in
                  (("hiss", hiss), ("tone", tone))}  # fmt: skip
        assert change["hiss"] > change["tone"]


def test_a_larger_vocal_tract_has_lower_formants() -> None:
    small, large = (
        spectrum_peak(voices.say(np.random.default_rng(0), "aa", size=s, pitch=80), 8000, 300, 1100)
        for s in (0.8, 1.3)
    )
    assert large < small


def test_a_sound_that_no_voice_has_is_refused() -> None:
    with pytest.raises(KeyError, match="x"):
        voices.say(np.random.default_rng(0), "ax")


def test_synthetic_digits_have_every_word_of_every_voice_as_often_as_asked() -> None:
    made = voices.synthetic_digits(np.random.default_rng(0), speakers=2, takes=3)
    labels = set(zip(made.digit.tolist(), made.speaker.tolist(), made.take.tolist(), strict=True))
    assert labels == {(d, s, k) for d in range(10) for s in range(2) for k in range(3)}
    assert len(made.waves) == 60 == len(made.digit)
    assert all(sound.dtype == np.float32 for sound in made.waves)


def test_a_player_holds_the_sound_itself_and_says_what_it_is() -> None:
    page = voices.Players({"a <tone>": np.array([0, 1, -1], np.float32)}, 8000)._repr_html_()
    assert 'aria-label="a &lt;tone&gt;"' in page
    packed = page.split("base64,")[1].split('"')[0]
    with wave.open(io.BytesIO(base64.b64decode(packed))) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 1)
        assert np.array_equal(np.frombuffer(file.readframes(3), "<i2"), [0, 32767, -32767])


def test_players_are_printed_by_their_names() -> None:
    assert repr(voices.Players({"one": SHORT[:, 0]}, 8000)) == "Players(one)"


def test_a_gru_is_given_the_bias_of_its_update_gate() -> None:
    cell = audio.new_cell("GRU 3", 3, 4, torch.Generator().manual_seed(1))
    both = cell.bias_ih_l0 + cell.bias_hh_l0
    assert both[4:8].tolist() == [3.0] * 4
    assert both[:4].abs().max() <= 1
