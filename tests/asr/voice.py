"""A voice made of nothing but its pitch, and a recogniser that understands exactly this voice."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import sleep

from app.audio import TELEPHONE_RATE, telephone
from app.survey import AskKind, Words

# Number n is sung with this many samples to a period; none is twice another.
PERIODS = tuple(79 - 3 * n for n in range(11))
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
FORMANTS = ((730, 90), (1090, 110), (2440, 170))
LOUD = 2000
CLEAR, LEAST_ENERGY = 0.9, 10**8


def say(number: int, seconds: float = 0.6) -> bytes:
    """The number as 16-bit PCM: a vowel sung at its pitch, which a detector of voices takes for one."""
    pitch = TELEPHONE_RATE / PERIODS[number]
    harmonics = [(n * pitch, _gain(n * pitch)) for n in range(1, int(3400 / pitch))]
    samples = array("h")
    for place in range(int(seconds * TELEPHONE_RATE)):
        time = place / TELEPHONE_RATE
        swell = min(1.0, time / 0.03, (seconds - time) / 0.03)
        value = sum(gain * math.sin(2 * math.pi * hertz * time) for hertz, gain in harmonics)
        samples.append(int(max(-32000, min(32000, LOUD * swell * value))))
    return samples.tobytes()


def cough() -> bytes:
    """A short burst that is no word: two pitches at once."""
    low, high = array("h", say(0, 0.24)), array("h", say(7, 0.24))
    return array("h", (a // 2 + b // 2 for a, b in zip(low, high, strict=True))).tobytes()


def quiet(seconds: float) -> bytes:
    """Nothing, as PCM."""
    return bytes(2 * int(seconds * TELEPHONE_RATE))


def spoken(*parts: bytes) -> bytes:
    """PCM as it goes down the line."""
    return telephone.encode(b"".join(parts))


def _gain(hertz: float) -> float:
    return sum(1 / (1 + ((hertz - centre) / width) ** 2) for centre, width in FORMANTS)


@dataclass
class PitchRecogniser:
    """Hears the number of the loudest pitch. Of two at once it hears none; comments are one word long."""

    languages: Iterable[str] = ("en",)
    name: str = "pitch"
    streams_per_thread: int = 15
    takes_seconds: float = 0.0
    breaks: bool = False
    tells_so_far: bool = True
    begun: list[tuple[str, AskKind]] = field(default_factory=list)

    def lacks(self, language: str, kind: AskKind) -> str | None:  # noqa: ARG002 - it hears every kind
        return None if language in self.languages else f"no pitch for {language}"

    def begin(self, language: str, kind: AskKind) -> "_Pitch":
        self.begun.append((language, kind))
        return _Pitch(self)


@dataclass
class _Pitch:
    recogniser: PitchRecogniser
    pcm: bytearray = field(default_factory=bytearray)

    def feed(self, pcm: bytes) -> None:
        self.pcm += pcm

    def so_far(self) -> Words | None:
        return self.finish() if self.recogniser.tells_so_far else None

    def finish(self) -> Words:
        sleep(self.recogniser.takes_seconds)
        if self.recogniser.breaks:
            raise ValueError("the string snapped")
        samples = array("h", bytes(self.pcm)).tolist()
        fits = [_repeats(samples, period) for period in PERIODS]
        best = max(fits)
        if best < CLEAR:
            return Words("", spoken=True)
        return Words(WORDS[fits.index(best)], spoken=True, confidence=0.95)


def _repeats(samples: list[int], period: int) -> float:
    """How much the sound is like itself one period later: 1 is the same."""
    energy = sum(each * each for each in samples)
    later = zip(samples, samples[period:], strict=False)
    return sum(a * b for a, b in later) / energy if energy > LEAST_ENERGY else 0.0
