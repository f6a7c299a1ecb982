"""What a sound promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import TELEPHONE_RATE, Sound, UnusableSound, at_telephone_rate, mix
from tests.prompts import sounds

SAMPLES = st.lists(st.integers(-32768, 32767), max_size=200)


@given(SAMPLES)
def test_samples_are_given_back_as_they_were(numbers: list[int]) -> None:
    samples = [number / 32768 for number in numbers]
    sound = Sound.of(samples)
    assert sound.samples == samples
    assert sound.pcm == b"".join(number.to_bytes(2, "little", signed=True) for number in numbers)
    assert sound.seconds == len(numbers) / TELEPHONE_RATE


def test_what_lies_beyond_full_scale_is_held_there() -> None:
    assert Sound.of([1.5, 1.0, -1.0, -1.5]).samples == [32767 / 32768, 32767 / 32768, -1.0, -1.0]


def test_sounds_are_the_same_when_samples_and_rate_are() -> None:
    assert Sound(b"ab") == Sound(b"ab", 8000)
    assert Sound(b"ab") != Sound(b"ab", 16_000)
    assert len({Sound(b"ab"), Sound(b"ab", 8000)}) == 1


@pytest.mark.parametrize(
    ("pcm", "rate", "reason"),
    [
        (b"abc", 8000, "ends in the middle of a sample"),
        (b"ab", 7999, "has 7999 samples a second"),
        (b"ab", 384_001, "has 384001 samples a second"),
        (b"", 0, "has 0 samples a second"),
    ],
)
def test_half_a_sample_and_a_rate_that_nobody_uses_are_refused(pcm: bytes, rate: int, reason: str) -> None:
    with pytest.raises(UnusableSound, match=reason):
        Sound(pcm, rate)


@given(SAMPLES, st.integers(1, 3))
def test_channels_are_mixed_to_their_mean(numbers: list[int], count: int) -> None:
    channel = Sound.of([number / 32768 for number in numbers], 16_000)
    assert mix([channel] * count) == channel
    silent = Sound(bytes(len(channel.pcm)), 16_000)
    halved = mix([channel, silent]).samples
    assert halved == pytest.approx([sample / 2 for sample in channel.samples], abs=1 / 32768)


def test_a_sound_at_8_khz_stays_as_it_is_and_another_is_brought_there() -> None:
    sound = Sound.of(sounds.tone(440, 0.1, 16_000), 16_000)
    brought = at_telephone_rate(sound)
    assert (brought.rate, brought.seconds) == (TELEPHONE_RATE, sound.seconds)
    assert at_telephone_rate(brought) is brought
