"""What makes recordings sound alike on the phone: 8 kHz, no silence around them, the same loudness.

Loudness is the active speech level: the RMS of the frames in which somebody speaks, in dB below a square wave of full
scale (so a sine of full scale is at -3). What is worked on in between are samples from -1 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import cos, gcd, log10, pi, sin, tanh
from operator import mul

from app.audio.sound import FULL_SCALE, TELEPHONE_RATE, Sound, UnusableSound, from_pcm, mix

# Loud enough for a noisy street, with room for the peaks of speech, which reach 15 dB above it.
TARGET_DB = -20.0
FRAME = TELEPHONE_RATE // 100
LEAST_SECONDS, MOST_SECONDS = 0.15, 60.0
# Silence is what lies this far below the loudest frame; a noisy room raises it, within bounds.
DEEPEST_DB, SHALLOWEST_DB, ABOVE_NOISE_DB = -45.0, -30.0, 6.0
FAINTEST_DB, SILENT = -55.0, "is silent, or far too quiet"
SHORTEST_SOUND = 3
LEAD_SECONDS, TAIL_SECONDS, FADE_SECONDS = 0.05, 0.12, 0.005
KNEE = 0.7
CUTOFF_HZ, TRANSITION_HZ = 3750, 700
BLACKMAN_WIDTH = 5.5
FULL = 0.999 * FULL_SCALE
RUN, MOST_RUNS = 3, 2


@dataclass(frozen=True)
class Shaped:
    """A recording made ready, at 8 kHz, and what was done to it. Levels are in dBFS, of active speech."""

    sound: Sound
    cut_seconds: float
    found_db: float
    level_db: float


def shape(channels: Sequence[Sound]) -> Shaped:
    """Make a recording ready, given its channels.

    Raises `UnusableSound` for one that is clipped, silent, too short or longer than `MOST_SECONDS`.
    """
    whole = mix(channels)
    if whole.seconds > MOST_SECONDS:
        raise UnusableSound(f"is longer than {MOST_SECONDS:.0f} s, which is the most")
    if sum(clipped_runs(channel) for channel in channels) > MOST_RUNS:
        raise UnusableSound("is clipped: record it again, further from the microphone or with less gain")
    mono = whole.samples
    middle = sum(mono) / max(1, len(mono))
    trimmed = trim(resample([sample - middle for sample in mono], whole.rate))
    found = speech_level(trimmed)
    samples = level(trimmed)
    sound = Sound.of(samples)
    return Shaped(sound, whole.seconds - sound.seconds, found, speech_level(samples))


def at_telephone_rate(sound: Sound) -> Sound:
    """The sound at 8 kHz; the same where it is so already."""
    return sound if sound.rate == TELEPHONE_RATE else Sound.of(resample(sound.samples, sound.rate))


def clipped_runs(sound: Sound) -> int:
    """How often the wave was cut off flat at full scale."""
    numbers = from_pcm(sound.pcm)
    if max(numbers, default=0) < FULL and min(numbers, default=0) > -FULL:
        return 0
    runs = held = 0
    for before, after in pairwise(numbers):
        held = held + 1 if before == after and abs(after) >= FULL else 0
        runs += held == RUN - 1
    return runs


def resample(samples: Sequence[float], rate: int) -> list[float]:
    """The samples at 8 kHz, without what such a line cannot carry: a windowed sinc, flat to 3.4 kHz, none from 4.1."""
    if rate == TELEPHONE_RATE:
        return list(samples)
    common = gcd(rate, TELEPHONE_RATE)
    up, down = TELEPHONE_RATE // common, rate // common
    half = int(BLACKMAN_WIDTH * rate / TRANSITION_HZ / 2) + 1
    padded = [0.0] * half + list(samples) + [0.0] * (half + 1)
    taps = cache(lambda phase: _taps(half, phase / up, rate))
    resampled = []
    for number in range(max(1, len(samples) * TELEPHONE_RATE // rate)):
        start, phase = divmod(number * down, up)
        resampled.append(sum(map(mul, taps(phase), padded[start : start + 2 * half + 1])))
    return resampled


def _taps(half: int, offset: float, rate: int) -> list[float]:
    """The weights of the samples from ``half`` before to ``half`` after a point ``offset`` behind the middle one."""
    weights = []
    for place in range(-half, half + 1):
        at = place - offset
        angle = 2 * pi * CUTOFF_HZ / rate * at
        sinc = 1.0 if abs(angle) < 1e-9 else sin(angle) / angle
        around = pi * at / (half + 1)
        weights.append(sinc * (0.42 + 0.5 * cos(around) + 0.08 * cos(2 * around)))
    total = sum(weights)
    return [each / total for each in weights]


def trim(samples: Sequence[float]) -> list[float]:
    """Without the silence around it, but for a little, faded in and out. Raises `UnusableSound` where nobody speaks."""
    active = _active(_frames(samples))
    spoken = [number for number in range(len(active)) if _belongs_to_speech(active, number)]
    if not spoken:
        raise UnusableSound(SILENT)
    if len(spoken) * FRAME / TELEPHONE_RATE < LEAST_SECONDS:
        raise UnusableSound(f"holds less than {LEAST_SECONDS} s of sound: is it the whole recording?")
    first = max(0, spoken[0] * FRAME - round(LEAD_SECONDS * TELEPHONE_RATE))
    last = min(len(samples), (spoken[-1] + 1) * FRAME + round(TAIL_SECONDS * TELEPHONE_RATE))
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
    """At the target level. Rare peaks are rounded off, never cut. Raises `UnusableSound` for silence."""
    found = speech_level(samples)
    if found < FAINTEST_DB:
        raise UnusableSound(SILENT)
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
    length = min(round(FADE_SECONDS * TELEPHONE_RATE), len(samples) // 2)
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
