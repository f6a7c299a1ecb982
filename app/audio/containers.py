"""What a sound file is, told by its own bytes and never by its name, and whether its end is missing."""

import re
from collections.abc import Callable
from dataclasses import dataclass


def _never(_: bytes) -> bool:
    return False


@dataclass(frozen=True)
class Container:
    """A kind of file. ``name`` is the end of "the file is ...".

    ``demuxer`` and ``decoder`` are ffmpeg's names; "" where ffmpeg is not asked to open it. ``is_cut_off`` tells of a
    file's bytes that its end is missing, as far as the kind lets one know.
    """

    name: str
    demuxer: str = ""
    decoder: str = ""
    is_cut_off: Callable[[bytes], bool] = _never


WAV = Container("a WAV file")
EMPTY = Container("empty")
UNKNOWN = Container("no sound file")
OTHER_OGG = Container("an Ogg file without Opus, Vorbis or FLAC in it")
VIDEO = Container("a video")
ID3_HEADER = 10
# Nothing that names a kind stands further behind in a file, save an MP4 file's list of what is in it.
HEAD = 4096


def container_of(content: bytes) -> Container:
    """What a file with these bytes is; `EMPTY`, `VIDEO` or `UNKNOWN` where it is no sound."""
    if not content:
        return EMPTY
    if content.startswith(b"RIFF"):
        return {b"WAVE": WAV, b"AVI ": VIDEO}.get(content[8:12], UNKNOWN)
    if content.startswith(b"OggS"):
        return _ogg(content[:HEAD])
    if content[4:8] == b"ftyp":
        return _mp4(content)
    named = next((kind for start, kind in STARTS.items() if content.startswith(start)), None)
    return named or (MP3 if _is_mp3_frame(content[:4]) else UNKNOWN)


def _ogg(head: bytes) -> Container:
    return next((kind for start, kind in OGG_STREAMS.items() if start in head), OTHER_OGG)


def _mp4(content: bytes) -> Container:
    if re.search(rb"hdlr.{8}vide", content, re.DOTALL):
        return VIDEO
    # The first entry of the table of sample descriptions: version, count and its size stand before its name.
    found = re.search(rb"stsd.{12}(mp4a|alac)", content, re.DOTALL)
    return M4A_LOSSLESS if found and found[1] == b"alac" else M4A


def _is_mp3_frame(header: bytes) -> bool:
    """Whether this is the header of a frame of MPEG audio, layer III, with a bit rate and a rate that exist."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return False
    version, bit_rate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    return version != 1 and bit_rate not in {0, 15} and rate != 3


def _mp3_is_cut_off(content: bytes) -> bool:
    """Most encoders write the number of bytes into the first frame; of a file without it nobody can tell."""
    start = 0
    if content.startswith(b"ID3"):
        start = ID3_HEADER + sum(byte << 7 * (3 - place) for place, byte in enumerate(content[6:ID3_HEADER]))
    tag = re.search(rb"(?:Xing|Info)...(.)", content[start : start + 200], re.DOTALL)
    if tag is None or not tag[1][0] & 2:
        return False
    place = start + tag.end() + (4 if tag[1][0] & 1 else 0)
    return len(content) - start < int.from_bytes(content[place : place + 4])


def _ogg_is_cut_off(content: bytes) -> bool:
    """The last page says that it is the last, and is whole."""
    page = content[content.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & 4:
        return True
    segments = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(segments)


def _mp4_is_cut_off(content: bytes) -> bool:
    """A file is a row of boxes, each beginning with its size and its name; one of them lists what is in the file."""
    place, names = 0, set()
    while place + 8 <= len(content):
        size, name = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        if size == 1:
            size = int.from_bytes(content[place + 8 : place + 16])
        names.add(name)
        place += len(content) - place if size == 0 else max(8, size)
    return place > len(content) or b"moov" not in names


MP3 = Container("an MP3 file", "mp3", "mp3float", _mp3_is_cut_off)
FLAC = Container("a FLAC file", "flac", "flac")
M4A = Container("an M4A file", "mp4", "aac", _mp4_is_cut_off)
M4A_LOSSLESS = Container("an M4A file", "mp4", "alac", _mp4_is_cut_off)
OGG_STREAMS = {
    b"\x80theora": VIDEO,
    b"OpusHead": Container("an Ogg file", "ogg", "opus", _ogg_is_cut_off),
    b"\x01vorbis": Container("an Ogg file", "ogg", "vorbis", _ogg_is_cut_off),
    b"\x7fFLAC": Container("an Ogg file", "ogg", "flac", _ogg_is_cut_off),
}
STARTS = {
    b"ID3": MP3,
    b"fLaC": FLAC,
    b"FORM": Container("an AIFF file"),
    b".snd": Container("an AU file"),
    b"caff": Container("a CAF file"),
    b"RF64": Container("an RF64 file"),
    b"#!AMR": Container("an AMR file"),
    b"\x1aE\xdf\xa3": Container("a WebM or Matroska file"),
    b"\xff\xf1": Container("an AAC file"),
    b"\xff\xf9": Container("an AAC file"),
}
