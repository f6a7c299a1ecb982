"""Recordings of people: the digits and sentences of Debian's packages of telephone prompts, 8 kHz (CC-BY-SA)."""

from pathlib import Path

import pytest

from app.audio import read_wav, telephone

SOUNDS = Path("/usr/share/asterisk/sounds")
# What the speaker says in these files.
SAID = {
    "vm-nobodyavail": "Nobody is available to take your call at the moment",
    "hello": "Hello",
    "vm-goodbye": "Goodbye",
}


def folder(language: str) -> Path:
    """The speaker's files; skips the test where the package is not installed."""
    digits = next(iter(sorted(SOUNDS.glob(f"{language}*/digits/10.wav"))), None)
    if digits is None:
        pytest.skip(f"asterisk-core-sounds-{language}-wav is not installed")
    return digits.parents[1]


def says(language: str, name: str) -> bytes:
    """What a caller's line delivers of a file, with the moment before and the pause after it: PCM."""
    pcm = read_wav((folder(language) / f"{name}.wav").read_bytes()).pcm
    return bytes(6400) + telephone.decode(telephone.encode(pcm)) + bytes(9600)
