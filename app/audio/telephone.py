"""The telephone's own sound: mu-law (ITU-T G.711) at 8 kHz, in frames of 20 ms."""

from app.audio.sound import TELEPHONE_RATE, from_pcm

FRAME_MILLISECONDS = 20
FRAME = TELEPHONE_RATE * FRAME_MILLISECONDS // 1000  # samples; so many bytes of mu-law, twice as many of PCM
SILENCE = b"\xff" * FRAME

_BIAS = 0x84
_LOUDEST = 32635


def decode(ulaw: bytes) -> bytes:
    """Mu-law, one byte a sample, as 16-bit little-endian PCM."""
    pcm = bytearray(2 * len(ulaw))
    pcm[0::2], pcm[1::2] = ulaw.translate(_LOW), ulaw.translate(_HIGH)
    return bytes(pcm)


def encode(pcm: bytes) -> bytes:
    """16-bit little-endian PCM, whole samples, as mu-law."""
    return bytes([_COMPRESSED[sample >> 2] for sample in from_pcm(pcm)])


def frames(ulaw: bytes) -> list[bytes]:
    """The audio cut into frames of 20 ms, the last one filled up with silence."""
    whole = ulaw + SILENCE[: -len(ulaw) % FRAME]
    return [whole[start : start + FRAME] for start in range(0, len(whole), FRAME)]


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
