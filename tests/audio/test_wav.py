"""Any PCM WAV file is read; anything else is refused by its name."""

import io
import wave
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import UnusableAudio, wav
from tests.prompts import sounds

TONE = sounds.tone(440, 0.1, 8000)


@pytest.mark.parametrize(
    ("bits", "codec"),
    [(8, sounds.PCM), (16, sounds.PCM), (24, sounds.PCM), (32, sounds.PCM), (32, sounds.FLOAT), (64, sounds.FLOAT),
     (16, sounds.EXTENSIBLE), (24, sounds.EXTENSIBLE)],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_every_width_and_number_of_channels_holds_the_same_sound(
    bits: int, codec: int, channels: int
) -> None:
    read = wav.channels_of(wav.take_apart(sounds.wav(TONE, 48_000, bits, channels, codec)))
    assert len(read) == channels
    for channel in read:
        assert channel == pytest.approx(TONE, abs=0.005 if bits == 8 else 0.0001)


@given(st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=200))
def test_what_is_written_is_read_again_and_held_at_full_scale(samples: list[float]) -> None:
    content = wav.put_together(samples)
    taken = wav.take_apart(content)
    assert taken.playable
    (read,) = wav.channels_of(taken)
    assert read == pytest.approx([max(-1.0, min(1.0, each)) for each in samples], abs=1 / 16_000)
    with wave.open(io.BytesIO(content)) as other:
        assert (other.getframerate(), other.getnchannels(), other.getsampwidth()) == (8000, 1, 2)
        assert other.getnframes() == len(samples)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is empty"),
        (b"ID3\x04 and so on", "an MP3 file"),
        (b"\xff\xfb\x90\x64 and so on", "an MP3 file"),
        (b"OggS and so on", "an Ogg file"),
        (b"fLaC and so on", "a FLAC file"),
        (b"\0\0\0\x20ftypM4A and so on", "an MP4 or M4A file"),
        (b"good morning", "no WAV file"),
        (b"RIFF\0\0\0\0WAVE", "is broken"),
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
    with pytest.raises(UnusableAudio, match=named):
        wav.take_apart(content)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_bytes_do_worse_than_be_refused(garbage: bytes, place: int) -> None:
    good = sounds.wav(TONE[:100])
    for content in (
        garbage,
        b"RIFF\0\0\0\0WAVE" + garbage,
        good[:place] + garbage + good[place + len(garbage) :],
    ):
        with suppress(UnusableAudio):
            wav.channels_of(wav.take_apart(content))
