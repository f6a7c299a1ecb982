"""Any PCM WAV file is read; anything else is refused by its name."""

import io
import wave
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import TELEPHONE_RATE, Sound, UnusableSound, is_playable, read_channels, read_wav, write_wav
from tests.prompts import sounds

TONE = sounds.tone(440, 0.1, TELEPHONE_RATE)


@pytest.mark.parametrize(
    ("bits", "codec"),
    [(8, sounds.PCM), (16, sounds.PCM), (24, sounds.PCM), (32, sounds.PCM), (32, sounds.FLOAT), (64, sounds.FLOAT),
     (16, sounds.EXTENSIBLE), (24, sounds.EXTENSIBLE)],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_every_width_and_number_of_channels_holds_the_same_sound(
    bits: int, codec: int, channels: int
) -> None:
    content = sounds.wav(TONE, 48_000, bits, channels, codec)
    read = read_channels(content)
    assert len(read) == channels
    assert read_wav(content) == read[0]
    for channel in read:
        assert channel.rate == 48_000
        assert channel.samples == pytest.approx(TONE, abs=0.005 if bits == 8 else 0.0001)


@given(st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=200))
def test_what_is_written_is_read_again_and_held_at_full_scale(samples: list[float]) -> None:
    sound = Sound.of(samples)
    content = write_wav(sound)
    assert is_playable(content)
    assert read_wav(content) == sound
    assert sound.samples == pytest.approx([max(-1.0, min(1.0, each)) for each in samples], abs=1 / 16_000)
    with wave.open(io.BytesIO(content)) as other:
        assert (other.getframerate(), other.getnchannels(), other.getsampwidth()) == (TELEPHONE_RATE, 1, 2)
        assert other.getnframes() == len(samples)


def test_a_floating_point_file_that_goes_beyond_full_scale_is_made_quieter_and_not_clipped() -> None:
    loud = [3 * sample for sample in TONE]
    (read,) = read_channels(sounds.wav(loud, bits=32, codec=sounds.FLOAT))
    loudest = max(map(abs, loud))
    assert read.samples == pytest.approx([sample / loudest for sample in loud], abs=0.0001)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is empty"),
        (b"ID3\x04 and so on", "an MP3 file"),
        (b"\xff\xfb\x90\x64 and so on", "an MP3 file"),
        (b"OggS and so on", "an Ogg file"),
        (b"fLaC and so on", "a FLAC file"),
        (b"\0\0\0\x20ftypM4A and so on", "an M4A file"),
        (b"good morning", "no sound file"),
        (b"RIFF\0\0\0\0AVI ", "is a video"),
        (b"RIFF\0\0\0\0WEBP", "no sound file"),
        (b"RIFF\0\0\0\0WAVE", "is broken"),
        (sounds.wav([*TONE, float("nan")], bits=32, codec=sounds.FLOAT), "no numbers"),
        (sounds.wav(TONE, bits=8, codec=sounds.MU_LAW), "mu-law"),
        (sounds.wav(TONE, bits=8, codec=sounds.A_LAW), "A-law"),
        (sounds.wav(TONE)[:-100], "is cut off: 100 of its"),
        (sounds.wav([]), "no samples"),
        (sounds.wav(TONE, rate=6000), "6000 samples a second"),
        (sounds.wav(TONE, channels=9), "9 channels"),
        (sounds.wav(TONE, bits=40), "40 bits"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name(content: bytes, named: str) -> None:
    with pytest.raises(UnusableSound, match=named):
        read_wav(content)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_bytes_do_worse_than_be_refused(garbage: bytes, place: int) -> None:
    good = sounds.wav(TONE[:100])
    for content in (
        garbage,
        b"RIFF\0\0\0\0WAVE" + garbage,
        good[:place] + garbage + good[place + len(garbage) :],
    ):
        with suppress(UnusableSound):
            read_wav(content)
