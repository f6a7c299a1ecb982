"""Recordings are brought to 8 kHz, freed of the silence around them, and made equally loud."""

from math import pi, sin, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import (
    TARGET_DB,
    TELEPHONE_RATE,
    Sound,
    UnusableSound,
    shape,
    shaping,
    speech_level,
)
from app.audio.shaping import clipped_runs, level, resample, trim
from tests.prompts import sounds

RATES = st.sampled_from([TELEPHONE_RATE, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000])
SPEECH = sounds.speech(1.0)


def loudness(samples: list[float]) -> float:
    """RMS, without the edges, where a tone sets in."""
    inner = samples[len(samples) // 4 : -len(samples) // 4]
    return sqrt(sum(each * each for each in inner) / len(inner))


@settings(max_examples=25, deadline=None)
@given(RATES, st.floats(150, 3300))
def test_what_a_phone_carries_passes_unchanged(rate: int, hertz: float) -> None:
    heard = resample(sounds.tone(hertz, 0.1, rate), rate)
    expected = sounds.tone(hertz, 0.1, TELEPHONE_RATE)
    assert abs(len(heard) - len(expected)) <= 1
    inner = slice(200, 600)
    assert heard[inner] == pytest.approx(expected[inner], abs=0.01)


@settings(max_examples=25, deadline=None)
@given(RATES.filter(lambda rate: rate > TELEPHONE_RATE), st.floats(0.0, 1.0))
def test_what_a_phone_cannot_carry_does_not_come_back_as_another_tone(rate: int, place: float) -> None:
    hertz = 4150 + place * (rate / 2 - 4300)
    assert loudness(resample(sounds.tone(hertz, 0.1, rate), rate)) < 0.5 / 300  # 50 dB below


def test_a_rate_that_nobody_uses_is_resampled_too() -> None:
    heard = resample(sounds.tone(440, 0.05, 8001), 8001)
    assert abs(len(heard) - 400) <= 1
    assert loudness(heard) == pytest.approx(0.5 / sqrt(2), rel=0.02)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 2), st.floats(0, 2), st.floats(0.0, 0.002))
def test_silence_around_the_speech_is_cut_and_the_speech_is_not(
    before: float, after: float, hiss: float
) -> None:
    around = sounds.silence(before) + SPEECH + sounds.silence(after)
    recording = [each + grain for each, grain in zip(around, sounds.noise(5, loudness=hiss), strict=False)]
    trimmed = trim(recording)
    longest = 1.0 + shaping.LEAD_SECONDS + shaping.TAIL_SECONDS
    assert 0.95 <= len(trimmed) / TELEPHONE_RATE <= longest + 0.02
    assert sum(each * each for each in trimmed) >= 0.97 * sum(each * each for each in SPEECH)


@settings(max_examples=30, deadline=None)
@given(st.floats(-24, 12), st.floats(0.3, 1.5))
def test_every_recording_comes_out_equally_loud_and_unclipped(gain_db: float, seconds: float) -> None:
    recording = [each * 10 ** (gain_db / 20) for each in sounds.speech(seconds, loudness=0.1)]
    levelled = level(recording)
    assert speech_level(levelled) == pytest.approx(TARGET_DB, abs=0.3)
    assert max(map(abs, levelled)) < 1.0
    assert speech_level(level(levelled)) == pytest.approx(TARGET_DB, abs=0.3)


def test_shaping_twice_changes_nothing_more() -> None:
    once = shape([Sound.of(sounds.silence(0.5) + SPEECH + sounds.silence(0.5))])
    again = shape([once.sound])
    assert once.cut_seconds == pytest.approx(1.0 - shaping.LEAD_SECONDS - shaping.TAIL_SECONDS, abs=0.03)
    assert again.cut_seconds == pytest.approx(0, abs=0.011)
    assert again.level_db == pytest.approx(once.level_db, abs=0.1)


def test_rests_between_words_do_not_make_a_recording_louder() -> None:
    with_rests = shape([Sound.of(SPEECH + sounds.silence(1.5) + SPEECH)])
    without = shape([Sound.of(SPEECH + SPEECH)])
    assert max(with_rests.sound.samples) == pytest.approx(max(without.sound.samples), rel=0.03)


def test_a_click_of_the_mouse_is_no_beginning() -> None:
    click = [0.5, -0.5] * 40
    trimmed = trim(click + sounds.silence(1.0) + SPEECH)
    assert len(trimmed) / TELEPHONE_RATE < 1.2


def test_an_offset_of_the_microphone_is_taken_out() -> None:
    shaped = shape([Sound.of([each + 0.2 for each in sounds.silence(0.3) + SPEECH + sounds.silence(0.3)])])
    assert sum(shaped.sound.samples) / len(shaped.sound.samples) == pytest.approx(0, abs=0.01)


def test_a_rare_peak_is_rounded_off_not_cut() -> None:
    samples = [*SPEECH]
    samples[4000] = 0.99
    levelled = level([each * 0.5 for each in samples])
    assert clipped_runs(Sound.of(levelled)) == 0
    assert max(levelled) < 1.0


def test_two_channels_become_one() -> None:
    both = shape([Sound.of(SPEECH), Sound.of(SPEECH)])
    assert both.sound.samples == pytest.approx(shape([Sound.of(SPEECH)]).sound.samples)


def test_one_clipped_channel_is_enough_to_refuse_a_recording() -> None:
    held = Sound.of(max(-1.0, min(1.0, 9 * sample)) for sample in SPEECH)
    with pytest.raises(UnusableSound, match="is clipped"):
        shape([Sound(bytes(len(held.pcm))), held])


def test_clipped_recordings_are_refused_and_loud_ones_are_not() -> None:
    held = [max(-1.0, min(1.0, 4 * each)) for each in sounds.speech(1.0, loudness=0.9)]
    with pytest.raises(UnusableSound, match="is clipped"):
        shape([Sound.of(held)])
    loudest = max(map(abs, SPEECH))
    shape([Sound.of([each / loudest for each in SPEECH])])


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        ([], "is silent"),
        (sounds.silence(1), "is silent"),
        (sounds.noise(1, loudness=0.0005), "is silent"),
        (sounds.silence(1) + sounds.tone(440, 0.08, TELEPHONE_RATE) + sounds.silence(1), "less than 0.15 s"),
        (sounds.silence(61), "longer than 60 s"),
    ],
)
def test_recordings_of_nothing_are_refused(samples: list[float], named: str) -> None:
    with pytest.raises(UnusableSound, match=named):
        shape([Sound.of(samples)])


def test_silence_has_no_level_to_be_brought_to() -> None:
    with pytest.raises(UnusableSound, match="is silent"):
        level(sounds.noise(1, loudness=0.0005))


def test_the_level_is_that_of_a_known_signal() -> None:
    sine = [0.1 * sin(2 * pi * 400 * at / TELEPHONE_RATE) for at in range(TELEPHONE_RATE)]
    assert speech_level(sine) == pytest.approx(-23.01, abs=0.05)
    assert speech_level(sounds.silence(1)) == float("-inf")
