"""Telephone audio: mu-law and 16-bit PCM at 8 kHz, 20 ms frames, and WAV files of it."""

import wave
from array import array
from io import BytesIO
from sys import byteorder

RATE = 8000
FRAME_MILLISECONDS = 20
FRAME = RATE * FRAME_MILLISECONDS // 1000  # samples; so many bytes of mu-law, twice as many of PCM
SILENCE = b"\xff" * FRAME

_BIAS = 0x84
_LOUDEST = 32635


class BadAudio(ValueError):
    """A file that is not PCM WAV, or not of the kind asked for."""


def decode(ulaw: bytes) -> bytes:
    """Mu-law (ITU-T G.711, one byte a sample) as 16-bit little-endian PCM."""
    pcm = bytearray(2 * len(ulaw))
    pcm[0::2], pcm[1::2] = ulaw.translate(_LOW), ulaw.translate(_HIGH)
    return bytes(pcm)


def encode(pcm: bytes) -> bytes:
    """16-bit little-endian PCM as mu-law."""
    return bytes([_COMPRESSED[sample >> 2] for sample in _samples(pcm)])


def frames(ulaw: bytes) -> list[bytes]:
    """The audio cut into frames of 20 ms, the last one filled up with silence."""
    whole = ulaw + SILENCE[: -len(ulaw) % FRAME]
    return [whole[start : start + FRAME] for start in range(0, len(whole), FRAME)]


def seconds(pcm: bytes) -> float:
    """How long it lasts."""
    return len(pcm) / 2 / RATE


def read_wav(file: bytes) -> bytes:
    """The samples of a WAV file, 16-bit PCM at 8 kHz; of several channels, their mean. Raises `BadAudio`."""
    try:
        with wave.open(BytesIO(file), "rb") as reader:
            rate, width, channels = reader.getframerate(), reader.getsampwidth(), reader.getnchannels()
            pcm = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as wrong:
        raise BadAudio(f"not a PCM WAV file: {wrong}") from None
    if (rate, width) != (RATE, 2):
        raise BadAudio(f"{rate} Hz with {8 * width} bits, where {RATE} Hz with 16 bits is needed")
    return pcm if channels == 1 else _mixed(_samples(pcm), channels)


def write_wav(pcm: bytes) -> bytes:
    """A WAV file of 16-bit PCM, 8 kHz, one channel."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(pcm)
    return file.getvalue()


def _samples(pcm: bytes) -> "array[int]":
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    if byteorder == "big":
        samples.byteswap()
    return samples


def _mixed(samples: "array[int]", channels: int) -> bytes:
    tracks = [samples[each::channels] for each in range(channels)]
    mixed = array("h", (sum(moment) // channels for moment in zip(*tracks, strict=False)))
    if byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()


def _expanded(code: int) -> int:
    inverted = ~code & 0xFF
    magnitude = (((inverted & 0x0F) << 3) + _BIAS << (inverted >> 4 & 0x07)) - _BIAS
    return -magnitude if inverted & 0x80 else magnitude


def _compress(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _LOUDEST) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


_EXPANDED = [_expanded(code) for code in range(256)]
_LOW = bytes(value & 0xFF for value in _EXPANDED)
_HIGH = bytes(value >> 8 & 0xFF for value in _EXPANDED)
# Mu-law looks at 14 bits of a sample. Negative samples are found from the table's end.
_POSITIVE = [_compress(sample << 2) for sample in range(8192)]
_COMPRESSED = [*_POSITIVE, *(_compress(sample << 2) for sample in range(-8192, 0))]
