"""WAV files: any PCM one is read, 8 kHz mono 16-bit ones are written. https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html"""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

RATE = 8000
FULL_SCALE = 32768
LOWEST_RATE, HIGHEST_RATE = 8000, 384_000
MOST_CHANNELS = 8
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
OPEN_ENDED = 0x7FFFF000  # programs that write into a pipe give a size like this or beyond
OTHER_CODECS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "ADPCM", 0x31: "GSM", 0x50: "MPEG", 0x55: "MP3"}
OTHER_FILES = {
    b"ID3": "an MP3 file", b"\xff\xfb": "an MP3 file", b"\xff\xf3": "an MP3 file", b"\xff\xf2": "an MP3 file",
    b"OggS": "an Ogg file", b"fLaC": "a FLAC file", b"FORM": "an AIFF file", b".snd": "an AU file",
    b"\x1aE\xdf\xa3": "a WebM file", b"caff": "a CAF file", b"RF64": "an RF64 file",
}  # fmt: skip


class UnusableAudio(ValueError):
    """This file cannot become a prompt; the message says why, as the end of a sentence about the file."""


@dataclass(frozen=True)
class Wave:
    """A WAV file taken apart: its format, and the bytes of its samples."""

    codec: int
    channels: int
    rate: int
    bits: int
    data: bytes

    @property
    def playable(self) -> bool:
        """Whether it is what a phone line carries: 8 kHz, mono, 16 bits."""
        return (self.codec, self.channels, self.rate, self.bits) == (PCM, 1, RATE, 16)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.data) / (self.rate * self.channels * self.bits // 8)


def take_apart(content: bytes) -> Wave:
    """The format and the samples of a WAV file. Raises `UnusableAudio` for anything that is none, or is broken."""
    _refuse_other_files(content)
    chunks = dict(_chunks(content))
    form, data = chunks.get(b"fmt "), chunks.get(b"data")
    if form is None or data is None or len(form) < 16:
        raise UnusableAudio("is broken: it has no format or no samples")
    codec, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if codec == EXTENSIBLE and len(form) >= 26:
        (codec,) = struct.unpack_from("<H", form, 24)
    wave = Wave(codec, channels, rate, bits, data)
    _check(wave)
    return wave


def channels_of(wave: Wave) -> tuple[Sequence[float], ...]:
    """The samples of each channel, from -1 to 1."""
    values = _numbers(wave)
    return tuple(values[each :: wave.channels] for each in range(wave.channels))


def put_together(samples: Sequence[float]) -> bytes:
    """An 8 kHz mono 16-bit WAV file of samples from -1 to 1; what lies beyond is held at the edge."""
    top = FULL_SCALE - 1
    data = array("h", (max(-FULL_SCALE, min(top, round(each * FULL_SCALE))) for each in samples))
    return wrap(struct.pack(f"<{len(data)}h", *data))


def wrap(data: bytes) -> bytes:
    """An 8 kHz mono 16-bit WAV file around samples that are ready."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, 1, RATE, RATE * 2, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE")
        + form
        + struct.pack("<4sI", b"data", len(data))
        + data
    )


def samples_of(data: bytes) -> list[float]:
    """The samples, from -1 to 1, of 16-bit PCM."""
    return [each / FULL_SCALE for (each,) in struct.iter_unpack("<h", data)]


def _refuse_other_files(content: bytes) -> None:
    if not content:
        raise UnusableAudio("is empty")
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return
    named = next((what for start, what in OTHER_FILES.items() if content.startswith(start)), None)
    if content[4:8] == b"ftyp":
        named = "an MP4 or M4A file"
    raise UnusableAudio(f"is {named or 'no WAV file'}: export it as WAV, PCM, 16 or 24 bits")


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 12
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        body = content[place + 8 : place + 8 + size]
        if name == b"data" and len(body) < size < OPEN_ENDED:
            raise UnusableAudio(f"is cut off: {size - len(body)} of its {size} bytes of sound are missing")
        found.append((name, body))
        place += 8 + size + size % 2
    return found


def _check(wave: Wave) -> None:
    if wave.codec not in (PCM, FLOAT):
        named = OTHER_CODECS.get(wave.codec, f"codec {wave.codec}")
        raise UnusableAudio(f"holds {named}: export it as PCM, 16 or 24 bits")
    widths = (8, 16, 24, 32) if wave.codec == PCM else (32, 64)
    if wave.bits not in widths:
        raise UnusableAudio(f"has {wave.bits} bits a sample: export it with 16 or 24")
    if not 1 <= wave.channels <= MOST_CHANNELS:
        raise UnusableAudio(f"has {wave.channels} channels: export it with one")
    if not LOWEST_RATE <= wave.rate <= HIGHEST_RATE:
        raise UnusableAudio(f"has {wave.rate} samples a second: record with 8000 or more, best with 48000")
    if len(wave.data) < wave.channels * wave.bits // 8:
        raise UnusableAudio("is empty: it has no samples")


def _numbers(wave: Wave) -> list[float]:
    step = wave.channels * wave.bits // 8
    data = wave.data[: len(wave.data) // step * step]
    if wave.codec == FLOAT:
        return [float(each) for (each,) in struct.iter_unpack("<f" if wave.bits == 32 else "<d", data)]
    match wave.bits:
        case 8:
            return [(each - 128) / 128 for each in data]
        case 16:
            return samples_of(data)
        case 24:
            wide = bytearray(len(data) // 3 * 4)
            wide[1::4], wide[2::4], wide[3::4] = data[0::3], data[1::3], data[2::3]
            data = bytes(wide)
    return [each / 2**31 for (each,) in struct.iter_unpack("<i", data)]
