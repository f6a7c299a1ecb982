"""Sounds for tests: something like speech, tones, and WAV files of every kind."""

import struct
from collections.abc import Sequence
from functools import cache
from math import pi, sin, sqrt
from pathlib import Path
from random import Random

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
PITCH = 140


def speech(seconds: float = 1.0, rate: int = 8000, loudness: float = 0.2) -> list[float]:
    """Four syllables a second: harmonics of a voice, each syllable swelling and fading."""
    syllable = _syllable(rate)
    return [loudness * syllable[at % len(syllable)] for at in range(round(seconds * rate))]


@cache
def _syllable(rate: int) -> list[float]:
    """A quarter of a second, in which the voice and all its harmonics swing a whole number of times."""
    return [sqrt(sin(pi * at * 4 / rate)) * _voice(at / rate) for at in range(rate // 4)]


def _voice(time: float) -> float:
    return sum(sin(2 * pi * PITCH * number * time) / number for number in range(1, 12)) / 2


def tone(hertz: float, seconds: float, rate: int, loudness: float = 0.5) -> list[float]:
    """A sine."""
    return [loudness * sin(2 * pi * hertz * at / rate) for at in range(round(seconds * rate))]


def noise(seconds: float, rate: int = 8000, loudness: float = 0.001) -> list[float]:
    """The hiss of a quiet room."""
    chance = Random(7)  # noqa: S311 - noise, not a secret
    return [chance.gauss(0, loudness) for _ in range(round(seconds * rate))]


def silence(seconds: float, rate: int = 8000) -> list[float]:
    """Nothing."""
    return [0.0] * round(seconds * rate)


def wav(
    samples: Sequence[float], rate: int = 8000, bits: int = 16, channels: int = 1, codec: int = PCM
) -> bytes:
    """A WAV file with the same samples on every channel, and a chunk that nobody asked for in front of them."""
    data = b"".join(encoded(each, bits, codec) * channels for each in samples)
    inner = PCM if codec == EXTENSIBLE else codec
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", codec, channels, rate, rate * width, width, bits)
    if codec == EXTENSIBLE:
        form += struct.pack("<HHIH", 22, bits, 0, inner) + bytes(14)
    chunks = chunk(b"LIST", b"odd") + chunk(b"fmt ", form) + chunk(b"data", data)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


def encoded(sample: float, bits: int, codec: int) -> bytes:
    if codec == FLOAT:
        return struct.pack("<f" if bits == 32 else "<d", sample)
    if bits == 8:
        return bytes([max(0, min(255, round(sample * 128) + 128))])
    top = 2 ** (bits - 1)
    return struct.pack("<q", max(-top, min(top - 1, round(sample * top))))[: bits // 8]


def directory_of(path: Path, **files: bytes) -> Path:
    """A directory of WAV files; ``__`` stands for a dot in their names."""
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / f"{name.replace('__', '.')}.wav").write_bytes(content)
    return path
