"""Opens the recordings that people bring: WAV files by ourselves, MP3, Ogg, M4A and FLAC by pydub through ffmpeg.

A file is taken for what its bytes say that it is. Only commands open files like this: pydub is imported when the first
file needs it, and ffmpeg is a program of its own, so that no call ever waits for either.
"""

import shlex
import shutil
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from app.audio.containers import EMPTY, HEAD, UNKNOWN, WAV, Container, container_of
from app.audio.shaping import MOST_SECONDS
from app.audio.sound import Sound, UnusableSound
from app.audio.wav import read_channels

MOST_MEGABYTES = 64
FFMPEG_SECONDS = 30
ENDINGS = {
    ".wav", ".wave", ".mp3", ".m4a", ".mp4", ".ogg", ".oga", ".opus", ".flac", ".aif", ".aiff", ".aac", ".wma", ".au",
    ".ulaw", ".alaw", ".gsm", ".raw", ".webm", ".amr", ".caf",
}  # fmt: skip
TAKEN = "WAV, MP3, Ogg, M4A or FLAC"
INSTALL_FFMPEG = "apt-get install ffmpeg, or brew install ffmpeg"
GUARD = Path(__file__).with_name("guarded_ffmpeg.py")


def ffmpeg_path() -> Path | None:
    """Where ffmpeg is; None where it is not installed."""
    found = shutil.which("ffmpeg")
    return None if found is None else Path(found).absolute()


def recordings_in(directory: Path) -> list[Path]:
    """The files of a directory that are sound by their bytes, or say so by their names; hidden ones are left out.

    They come in the order of their names. Where there is no such directory, there are none.
    """
    found = directory.iterdir() if directory.is_dir() else ()
    return sorted(
        path
        for path in found
        if not path.name.startswith(".")
        and path.is_file()
        and (path.suffix.lower() in ENDINGS or _is_sound(path))
    )


def open_recording(path: Path) -> tuple[Sound, ...]:
    """Each channel of a recording; of one that lasts too long for `shape`, only so much that `shape` refuses it.

    Raises `UnusableSound` for a file that cannot be read, is too large, is no sound, is cut off or broken, or needs
    ffmpeg where that is not installed.
    """
    content = _read(path)
    container = container_of(content)
    if container is WAV:
        return read_channels(content)
    if container is EMPTY:
        raise UnusableSound("is empty")
    if not container.decoder:
        raise UnusableSound(f"is {container.name}: bring it as {TAKEN}")
    if container.is_cut_off(content):
        raise UnusableSound(f"is cut off: it is {container.name} whose end is missing")
    return _decode(content, container)


def _is_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return container_of(file.read(HEAD)) not in {EMPTY, UNKNOWN}
    except OSError:
        return False


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_MEGABYTES * 1024**2:
            raise UnusableSound(f"is larger than {MOST_MEGABYTES} MB")
        return path.read_bytes()
    except OSError as error:
        raise UnusableSound(f"cannot be read: {error.strerror}") from None


def _decode(content: bytes, container: Container) -> tuple[Sound, ...]:
    ffmpeg = ffmpeg_path()
    if ffmpeg is None:
        raise UnusableSound(
            f"is {container.name}, and ffmpeg, which opens those, is not installed ({INSTALL_FFMPEG})"
        )
    try:
        with TemporaryDirectory(prefix="zeroten-") as directory:
            recording = Path(directory) / "recording"
            recording.write_bytes(content)
            return _by_pydub(recording, container, _guarded(ffmpeg, Path(directory)))
    except OSError as error:
        raise UnusableSound(f"cannot be given to ffmpeg: {error}") from None


def _guarded(ffmpeg: Path, directory: Path) -> Path:
    """A program for pydub to start, which takes no more than a path, and has no time-out of its own."""
    guarded = directory / "ffmpeg"
    command = [sys.executable, "-I", str(GUARD), str(FFMPEG_SECONDS), str(ffmpeg)]
    guarded.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    guarded.chmod(0o700)
    return guarded


def _by_pydub(recording: Path, container: Container, converter: Path) -> tuple[Sound, ...]:
    """With the kind and the codec given, pydub leaves ffprobe alone, and ffmpeg does not guess."""
    pydub, began = _pydub(), time.monotonic()
    pydub.AudioSegment.converter = str(converter)
    try:
        opened = pydub.AudioSegment.from_file(
            str(recording), container.demuxer, container.decoder, duration=MOST_SECONDS + 1
        )
    except pydub.exceptions.CouldntDecodeError:
        if time.monotonic() - began >= FFMPEG_SECONDS:
            raise UnusableSound(f"keeps ffmpeg busy for more than {FFMPEG_SECONDS} s") from None
        raise UnusableSound(f"is broken: ffmpeg cannot decode it as {container.name}") from None
    channels = opened.set_sample_width(2).split_to_mono()
    return tuple(Sound(channel.raw_data, channel.frame_rate) for channel in channels)


def _pydub() -> ModuleType:
    """pydub warns of audioop, which Python keeps up to 3.12, and looks for an ffmpeg of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pydub  # noqa: PLC0415 - only what is no WAV file needs it
        import pydub.exceptions  # noqa: PLC0415
    return pydub
