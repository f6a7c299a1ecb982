"""WAV files: any PCM one is read, 16-bit ones of one channel are written.

The format: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
"""

import struct
from dataclasses import dataclass
from math import isfinite

from app.audio.containers import WAV, container_of
from app.audio.sound import TELEPHONE_RATE, Sound, UnusableSound, from_pcm, mix, to_pcm

MOST_CHANNELS = 8
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
OPEN_ENDED = 0x7FFFF000  # programs that write into a pipe give a size like this or beyond
OTHER_CODECS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "ADPCM", 0x31: "GSM", 0x50: "MPEG", 0x55: "MP3"}
SIGN_FLIPPED = bytes(byte ^ 0x80 for byte in range(256))


@dataclass(frozen=True)
class _WavFile:
    """Its format, and the bytes of its samples."""

    codec: int
    channels: int
    rate: int
    bits: int
    data: bytes

    @property
    def form(self) -> tuple[int, int, int, int]:
        return self.codec, self.channels, self.rate, self.bits


def read_wav(content: bytes) -> Sound:
    """The sound of a WAV file, the mean of its channels. Raises `UnusableSound` for one that is none, or is broken."""
    return mix(read_channels(content))


def read_channels(content: bytes) -> tuple[Sound, ...]:
    """Each channel of a WAV file. Raises `UnusableSound`.

    Wider samples lose what is below 16 bits. A floating-point file whose samples go beyond full scale is made quieter.
    """
    file = _take_apart(content)
    numbers = from_pcm(_as_16_bit(file))
    return tuple(
        Sound(to_pcm(numbers[channel :: file.channels]), file.rate) for channel in range(file.channels)
    )


def is_playable(content: bytes) -> bool:
    """Whether a WAV file is what the carrier plays: 8 kHz, one channel, 16 bits. Raises `UnusableSound`."""
    return _take_apart(content).form == (PCM, 1, TELEPHONE_RATE, 16)


def write_wav(sound: Sound) -> bytes:
    """A WAV file: 16 bits, one channel, at the sound's rate."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, 1, sound.rate, sound.rate * 2, 2, 16)
    data = struct.pack("<4sI", b"data", len(sound.pcm)) + sound.pcm
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


def _take_apart(content: bytes) -> _WavFile:
    container = container_of(content)
    if container is not WAV:
        raise UnusableSound(f"is {container.name}, where a WAV file is needed")
    chunks = dict(_chunks(content))
    form, data = chunks.get(b"fmt "), chunks.get(b"data")
    if form is None or data is None or len(form) < 16:
        raise UnusableSound("is broken: it has no format or no samples")
    codec, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if codec == EXTENSIBLE and len(form) >= 26:
        (codec,) = struct.unpack_from("<H", form, 24)
    file = _WavFile(codec, channels, rate, bits, data)
    _check(file)
    return file


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 12
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        body = content[place + 8 : place + 8 + size]
        if name == b"data" and len(body) < size < OPEN_ENDED:
            raise UnusableSound(f"is cut off: {size - len(body)} of its {size} bytes of sound are missing")
        found.append((name, body))
        place += 8 + size + size % 2
    return found


def _check(file: _WavFile) -> None:
    if file.codec not in (PCM, FLOAT):
        named = OTHER_CODECS.get(file.codec, f"codec {file.codec}")
        raise UnusableSound(f"holds {named}: export it as PCM, 16 or 24 bits")
    widths = (8, 16, 24, 32) if file.codec == PCM else (32, 64)
    if file.bits not in widths:
        raise UnusableSound(f"has {file.bits} bits a sample: export it with 16 or 24")
    if not 1 <= file.channels <= MOST_CHANNELS:
        raise UnusableSound(f"has {file.channels} channels: export it with one")
    if len(file.data) < file.channels * file.bits // 8:
        raise UnusableSound("is empty: it has no samples")


def _as_16_bit(file: _WavFile) -> bytes:
    step = file.channels * file.bits // 8
    data = file.data[: len(file.data) // step * step]
    if file.codec == FLOAT:
        return _from_floats(data, "<f" if file.bits == 32 else "<d")
    width = file.bits // 8
    pcm = bytearray(2 * (len(data) // width))
    if width > 1:
        pcm[0::2] = data[width - 2 :: width]
        pcm[1::2] = data[width - 1 :: width]
    else:
        pcm[1::2] = data.translate(SIGN_FLIPPED)
    return bytes(pcm)


def _from_floats(data: bytes, form: str) -> bytes:
    values = [value for (value,) in struct.iter_unpack(form, data)]
    if not all(map(isfinite, values)):
        raise UnusableSound("is broken: some of its samples are no numbers")
    loudest = max((1.0, *map(abs, values)))
    return Sound.of(value / loudest for value in values).pcm
