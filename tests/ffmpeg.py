"""A real ffmpeg for the tests, and the files that it makes."""

import subprocess
from pathlib import Path

import pytest

from app.audio import Sound, write_wav
from tests.prompts import sounds

SECONDS = 1.0
SPEECH = Sound.of(sounds.speech(SECONDS, 44_100), 44_100)


def installed() -> Path:
    """The ffmpeg of a development requirement, or the machine's own; skips the test where there is none."""
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed")
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as missing:
        pytest.skip(f"no ffmpeg: {missing}")


def on_path(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put it on the path, in a directory made for it, as it would be after an installation."""
    directory.mkdir()
    program = directory / "ffmpeg"
    program.symlink_to(installed())
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return program


def make(path: Path, *options: str, channels: int = 2) -> Path:
    """A file of `SPEECH`, of the kind that its ending says, or the options do."""
    command = [str(installed()), "-v", "error", "-y", "-i", "-", *options]
    # Of itself, ffmpeg makes two channels 3 dB quieter than the one.
    command += ["-af", "pan=stereo|c0=c0|c1=c0"] if channels == 2 else []
    command.append(str(path))
    subprocess.run(command, input=write_wav(SPEECH), check=True)
    return path
