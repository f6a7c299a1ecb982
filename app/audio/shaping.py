"""What makes recordings sound alike on the phone: 8 kHz, no silence around them, the same loudness.

Loudness is the active speech level: the RMS of the frames in which somebody speaks, in dB below a square wave of full
scale (so a sine of full scale is at -3). All samples run from -1 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import cos, gcd, log10, pi, sin, tanh
from operator import mul

from app.audio.wav import RATE, UnusableAudio

TARGET_DB = (
    -20.0
)  # loud enough for a noisy street, with room for the peaks of speech, which reach 15 dB above it
FRAME = RATE // 100
LEAST_SECONDS, MOST_SECONDS = 0.15, 60.0
# Silence is what lies this far below the loudest frame; a noisy room raises it, within bounds.
DEEPEST_DB, SHALLOWEST_DB, ABOVE_NOISE_DB = -45.0, -30.0, 6.0
FAINTEST_DB, SILENT = -55.0, "is silent, or far too quiet"
SHORTEST_SOUND = 3
LEAD_SECONDS, TAIL_SECONDS, FADE_SECONDS = 0.05, 0.12, 0.005
KNEE = 0.7
CUTOFF_HZ, TRANSITION_HZ = 3750, 700
BLACKMAN_WIDTH = 5.5
FULL = 0.999
RUN, MOST_RUNS = 3, 2


@dataclass(frozen=True)
class Shaped:
    """A recording made ready, and what was done to it. Levels are in dBFS."""

    samples: list[float]
    cut_seconds: float
    found_db: float
    level_db: float

    @property
    def seconds(self) -> float:
        """How long it is now."""
        return len(self.samples) / RATE


def shape(channels: Sequence[Sequence[float]], rate: int) -> Shaped:
    """Make a recording ready. Raises `UnusableAudio` for one that is clipped, silent, too short or too long."""
    seconds = len(channels[0]) / rate
    if seconds > MOST_SECONDS:
        raise UnusableAudio(f"is {seconds:.0f} s long: a prompt has at most {MOST_SECONDS:.0f} s")
    if sum(clipped_runs(each) for each in channels) > MOST_RUNS:
        raise UnusableAudio("is clipped: record it again, further from the microphone or with less gain")
    mono = [sum(frame) / len(channels) for frame in zip(*channels, strict=True)]
    middle = sum(mono) / len(mono)
    heard = resample([each - middle for each in mono], rate)
    trimmed = trim(heard)
    found = speech_level(trimmed)
    samples = level(trimmed)
    return Shaped(samples, seconds - len(samples) / RATE, found, speech_level(samples))


def clipped_runs(samples: Sequence[float]) -> int:
    """How often the wave was cut off flat at full scale."""
    runs = held = 0
    for before, after in pairwise(samples):
        held = held + 1 if before == after and abs(after) >= FULL else 0
        runs += held == RUN - 1
    return runs


def resample(samples: Sequence[float], rate: int) -> list[float]:
    """The samples at 8 kHz, without what such a line cannot carry: a windowed sinc, flat to 3.4 kHz, none from 4.1."""
    if rate == RATE:
        return list(samples)
    common = gcd(rate, RATE)
    up, down = RATE // common, rate // common
    half = int(BLACKMAN_WIDTH * rate / TRANSITION_HZ / 2) + 1
    padded = [0.0] * half + list(samples) + [0.0] * (half + 1)
    taps = cache(lambda phase: _taps(half, phase / up, rate))
    resampled = []
    for number in range(max(1, len(samples) * RATE // rate)):
        start, phase = divmod(number * down, up)
        resampled.append(sum(map(mul, taps(phase), padded[start : start + 2 * half + 1])))
    return resampled


def _taps(half: int, offset: float, rate: int) -> list[float]:
    """The weights of the samples from ``half`` before to ``half`` after a point ``offset`` behind the middle one."""
    weights = []
    for each in range(-half, half + 1):
        at = each - offset
        angle = 2 * pi * CUTOFF_HZ / rate * at
        sinc = 1.0 if abs(angle) < 1e-9 else sin(angle) / angle
        around = pi * at / (half + 1)
        weights.append(sinc * (0.42 + 0.5 * cos(around) + 0.08 * cos(2 * around)))
    total = sum(weights)
    return [each / total for each in weights]


def trim(samples: Sequence[float]) -> list[float]:
    """Without the silence around it, but for a little, faded in and out. Raises `UnusableAudio` where nobody speaks."""
    active = _active(_frames(samples))
    spoken = [number for number in range(len(active)) if _belongs_to_speech(active, number)]
    if not spoken:
        raise UnusableAudio(SILENT)
    if len(spoken) * FRAME / RATE < LEAST_SECONDS:
        raise UnusableAudio(f"holds less than {LEAST_SECONDS} s of sound: is it the whole recording?")
    first = max(0, spoken[0] * FRAME - round(LEAD_SECONDS * RATE))
    last = min(len(samples), (spoken[-1] + 1) * FRAME + round(TAIL_SECONDS * RATE))
    return _faded(samples[first:last])


def _belongs_to_speech(active: Sequence[bool], number: int) -> bool:
    """A click of the mouse is as loud as a voice, but shorter."""
    around = range(max(0, number - SHORTEST_SOUND + 1), number + 1)
    return any(
        all(active[start : start + SHORTEST_SOUND])
        for start in around
        if start + SHORTEST_SOUND <= len(active)
    )


def level(samples: Sequence[float]) -> list[float]:
    """At the target level. Rare peaks are rounded off, never cut. Raises `UnusableAudio` for silence."""
    found = speech_level(samples)
    if found < FAINTEST_DB:
        raise UnusableAudio(SILENT)
    gain = 10 ** ((TARGET_DB - found) / 20)
    return [_rounded_off(each * gain) for each in samples]


def speech_level(samples: Sequence[float]) -> float:
    """The RMS, in dBFS, of the frames in which somebody speaks; -inf for silence."""
    frames = _frames(samples)
    powers = [power for power, active in zip(frames, _active(frames), strict=True) if active]
    return _decibels(sum(powers) / len(powers)) if powers else float("-inf")


def _frames(samples: Sequence[float]) -> list[float]:
    """The mean power of each 10 ms; a rest shorter than that counts as silence up to its end."""
    squares = [each * each for each in samples]
    return [sum(squares[start : start + FRAME]) / FRAME for start in range(0, len(squares), FRAME)]


def _active(frames: Sequence[float]) -> list[bool]:
    levels = [_decibels(power) for power in frames]
    loudest = max(levels, default=float("-inf"))
    if loudest < FAINTEST_DB:
        return [False] * len(levels)
    noise = sorted(levels)[len(levels) // 10]
    threshold = min(max(noise + ABOVE_NOISE_DB, loudest + DEEPEST_DB), loudest + SHALLOWEST_DB)
    return [each >= threshold for each in levels]


def _decibels(power: float) -> float:
    return 10 * log10(power) if power > 0 else float("-inf")


def _faded(samples: Sequence[float]) -> list[float]:
    length = min(round(FADE_SECONDS * RATE), len(samples) // 2)
    faded = list(samples)
    for number in range(length):
        faded[number] *= number / length
        faded[-1 - number] *= number / length
    return faded


def _rounded_off(sample: float) -> float:
    beyond = abs(sample) - KNEE
    if beyond <= 0:
        return sample
    held = KNEE + (1 - KNEE) * tanh(beyond / (1 - KNEE))
    return held if sample > 0 else -held
