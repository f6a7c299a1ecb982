"""Sound as samples: what every other file of this room reads, writes or changes."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sys import byteorder

TELEPHONE_RATE = 8000
LOWEST_RATE, HIGHEST_RATE = TELEPHONE_RATE, 384_000
FULL_SCALE = 32768


class UnusableSound(ValueError):
    """This sound cannot be used; the message says why, as the end of a sentence that begins with the file's name."""


@dataclass(frozen=True)
class Sound:
    """One channel of sound: 16-bit samples, ``rate`` of them a second (Hz).

    ``pcm`` holds the samples one after the other, two bytes each, little-endian: so recognisers, WAV files and the
    telephone's mu-law take them. There are only whole samples, maybe none, and the rate lies between 8 and 384 kHz;
    anything else raises `UnusableSound`.
    """

    pcm: bytes
    rate: int = TELEPHONE_RATE

    def __post_init__(self) -> None:
        if len(self.pcm) % 2:
            raise UnusableSound("ends in the middle of a sample")
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise UnusableSound(
                f"has {self.rate} samples a second: record with {LOWEST_RATE} or more, best with 48000"
            )

    @classmethod
    def of(cls, samples: Iterable[float], rate: int = TELEPHONE_RATE) -> "Sound":
        """The sound with these samples, from -1 to 1; what lies beyond is held at the edge."""
        top = FULL_SCALE - 1
        numbers = array("h", (max(-FULL_SCALE, min(top, round(sample * FULL_SCALE))) for sample in samples))
        return cls(to_pcm(numbers), rate)

    @property
    def samples(self) -> list[float]:
        """The samples, from -1 to 1."""
        return [number / FULL_SCALE for number in from_pcm(self.pcm)]

    @property
    def seconds(self) -> float:
        """How long it lasts, in seconds."""
        return len(self.pcm) / 2 / self.rate


def mix(channels: Sequence[Sound]) -> Sound:
    """The mean of several channels, which have the same rate and length; a single one is given back as it is."""
    if len(channels) == 1:
        return channels[0]
    numbers = zip(*(from_pcm(channel.pcm) for channel in channels), strict=True)
    return Sound(to_pcm(array("h", (sum(moment) // len(channels) for moment in numbers))), channels[0].rate)


def from_pcm(pcm: bytes) -> "array[int]":
    """The numbers, from -32768 to 32767, of 16-bit little-endian samples."""
    numbers = array("h", pcm)
    if byteorder == "big":
        numbers.byteswap()
    return numbers


def to_pcm(numbers: "array[int]") -> bytes:
    """The numbers as 16-bit little-endian samples. A big-endian machine swaps them in place."""
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
