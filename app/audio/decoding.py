"""Opens the recordings that people bring. A file is taken for what its bytes say that it is."""

from pathlib import Path

from app.audio.containers import EMPTY, HEAD, UNKNOWN, WAV, container_of
from app.audio.sound import Sound, UnusableSound
from app.audio.wav import read_channels

MOST_MEGABYTES = 64
ENDINGS = {
    ".wav", ".wave", ".mp3", ".m4a", ".mp4", ".ogg", ".oga", ".opus", ".flac", ".aif", ".aiff", ".aac", ".wma", ".au",
    ".ulaw", ".alaw", ".gsm", ".raw", ".webm", ".amr", ".caf",
}  # fmt: skip


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
    """Each channel of a recording.

    Raises `UnusableSound` for a file that cannot be read, is too large, is no WAV file, or is cut off or broken.
    """
    content = _read(path)
    container = container_of(content)
    if container is WAV:
        return read_channels(content)
    if container is EMPTY:
        raise UnusableSound("is empty")
    raise UnusableSound(f"is {container.name}: bring it as WAV, PCM, 16 or 24 bits")


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
