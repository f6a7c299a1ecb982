"""Recordings of every kind that people bring: opened, or refused with a reason that they understand."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from app.audio import UnusableSound, decoding, open_recording, recordings_in, shape, speech_level
from tests import ffmpeg
from tests.prompts import sounds

KINDS = {
    "mp3": ("prompt.mp3",),
    "mp3, variable, mono, 22 kHz": ("prompt.mp3", "-q:a", "6", "-ar", "22050"),
    "Vorbis": ("prompt.ogg", "-c:a", "libvorbis"),
    "Opus": ("prompt.opus",),
    "FLAC in Ogg": ("prompt.oga", "-c:a", "flac"),
    "FLAC": ("prompt.flac",),
    "FLAC, 24 bits, 96 kHz": ("prompt.flac", "-ar", "96000", "-sample_fmt", "s32"),
    "AAC": ("prompt.m4a",),
    "AAC, its list in front": ("prompt.m4a", "-movflags", "+faststart"),
    "ALAC": ("prompt.m4a", "-c:a", "alac"),
}
STEREO = sounds.wav(ffmpeg.SPEECH.samples, 44_100, 16, 2)
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ffmpeg, where a command finds it."""
    return ffmpeg.on_path(tmp_path / "bin", monkeypatch)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in ffmpeg's place; the test writes what it does."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path / "bin" / "ffmpeg"


def made(directory: Path, kind: str) -> Path:
    name, *options = KINDS[kind]
    return ffmpeg.make(directory / name, *options, channels=1 if "mono" in kind else 2)


def refused(path: Path) -> str:
    with pytest.raises(UnusableSound) as caught:
        open_recording(path)
    return str(caught.value)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.usefixtures("program")
@every_kind
def test_what_people_bring_is_opened_and_sounds_as_it_did(tmp_path: Path, kind: str) -> None:
    channels = open_recording(made(tmp_path, kind))
    assert len(channels) == (1 if "mono" in kind else 2)
    shaped, original = shape(channels), shape([ffmpeg.SPEECH])
    assert channels[0].seconds == pytest.approx(ffmpeg.SECONDS, abs=0.06)
    assert shaped.sound.seconds == pytest.approx(original.sound.seconds, abs=0.06)
    assert shaped.found_db == pytest.approx(original.found_db, abs=1.5)
    assert speech_level(shaped.sound.samples) == pytest.approx(original.level_db, abs=0.5)


@pytest.mark.usefixtures("program")
@every_kind
@pytest.mark.parametrize("share", [0.5, 0.97])
def test_a_file_cut_off_in_the_middle_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    whole = made(tmp_path, kind).read_bytes()
    reason = refused(written(tmp_path / "cut", whole[: int(share * len(whole))]))
    assert reason.startswith(("is cut off: it is a", "is broken: ffmpeg cannot decode it as a"))


@pytest.mark.usefixtures("program")
@every_kind
def test_a_file_with_a_hole_in_it_ends_well_or_is_refused(tmp_path: Path, kind: str) -> None:
    whole = made(tmp_path, kind).read_bytes()
    middle = len(whole) // 2
    holed = written(tmp_path / "holed", whole[:middle] + bytes(200) + whole[middle + 200 :])
    with suppress(UnusableSound):
        assert open_recording(holed)[0].seconds <= ffmpeg.SECONDS + 0.1


@pytest.mark.usefixtures("program")
def test_a_file_is_what_it_is_and_not_what_it_is_called(tmp_path: Path) -> None:
    called_wav = made(tmp_path, "mp3").rename(tmp_path / "prompt.wav")
    assert len(open_recording(called_wav)) == 2
    called_mp3 = written(tmp_path / "other.mp3", STEREO)
    assert open_recording(called_mp3)[0].rate == 44_100


def test_a_wav_file_needs_no_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert len(open_recording(written(tmp_path / "prompt.wav", STEREO))) == 2


def test_without_ffmpeg_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = refused(written(tmp_path / "prompt.flac", b"fLaC" + bytes(100)))
    assert reason == (
        "is a FLAC file, and ffmpeg, which opens those, is not installed"
        " (apt-get install ffmpeg, or brew install ffmpeg)"
    )


@pytest.mark.usefixtures("program")
def test_a_video_is_refused_whatever_holds_it(tmp_path: Path) -> None:
    moving = ("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64", "-shortest")
    assert refused(ffmpeg.make(tmp_path / "video.mp4", *moving)).startswith(
        "is a video: bring it as WAV, MP3"
    )
    assert "a WebM or Matroska file" in refused(ffmpeg.make(tmp_path / "video.webm", *moving))
    assert refused(ffmpeg.make(tmp_path / "video.avi", *moving)).startswith("is a video")


@pytest.mark.usefixtures("program")
def test_a_picture_on_the_cover_makes_no_video(tmp_path: Path) -> None:
    cover = written(tmp_path / "cover.ppm", b"P6 2 2 255\n" + bytes(12))
    options = ("-i", str(cover), "-map", "0", "-map", "1", "-c:v", "mjpeg", "-disposition:v", "attached_pic")
    for name in ("prompt.mp3", "prompt.m4a"):
        assert len(open_recording(ffmpeg.make(tmp_path / name, *options))) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"Take 2 is better than take 1.\n", "is no sound file"),
        ("Żółw mówi: dzień dobry".encode("utf-16"), "is no sound file"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/prompt.mp3\n", "is no sound file"),
        (b"ffconcat version 1.0\nfile /etc/hosts\n", "is no sound file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is no sound file"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "is no sound file"),
        (b"\xff\xf1\x50\x80" + bytes(100), "is an AAC file"),
        (b"OggS" + bytes(100), "is an Ogg file without Opus, Vorbis or FLAC in it"),
        (b"#!AMR\n" + bytes(100), "is an AMR file"),
        (b"\xff\xfb\x90\x64" + bytes(100), "is broken: ffmpeg cannot decode it as an MP3 file"),
        (b"fLaC" + bytes(100), "is broken: ffmpeg cannot decode it as a FLAC file"),
        (b"\0\0\0\x0cftypM4A \0\0\0\x08moov", "is broken: ffmpeg cannot decode it as an M4A file"),
        (b"\0\0\0\x0cftypM4A \0\0\0\x08mdat", "is cut off: it is an M4A file whose end is missing"),
        (b"\0\0\0\0ftyp\0\0\0\0", "is cut off: it is an M4A file whose end is missing"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("program")
def test_what_is_no_recording_is_refused_by_what_it_is(tmp_path: Path, content: bytes, reason: str) -> None:
    assert refused(written(tmp_path / "prompt.mp3", content)).startswith(reason)


def test_a_file_that_cannot_be_read_is_refused_too(tmp_path: Path) -> None:
    assert refused(tmp_path) == "cannot be read: Is a directory"
    assert refused(tmp_path / "gone.mp3") == "cannot be read: No such file or directory"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "prompt.mp3").open("wb") as file:
        file.truncate(decoding.MOST_MEGABYTES * 1024**2 + 1)
    assert refused(tmp_path / "prompt.mp3") == "is larger than 64 MB"


@pytest.mark.usefixtures("program")
def test_of_a_file_that_is_too_long_only_so_much_is_decoded_that_it_is_refused(tmp_path: Path) -> None:
    minutes = ("-af", "aloop=loop=-1:size=44100", "-t", "300", "-ar", "8000", "-b:a", "8k")
    channels = open_recording(ffmpeg.make(tmp_path / "minutes.mp3", *minutes, channels=1))
    assert channels[0].seconds == pytest.approx(61, abs=0.1)
    with pytest.raises(UnusableSound, match="is longer than 60 s"):
        shape(channels)


def test_ffmpeg_is_bound_to_the_file_and_to_what_it_is(tmp_path: Path, fake: Path) -> None:
    fake.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\nexit 1\n')
    fake.chmod(0o755)
    assert refused(written(tmp_path / "prompt", b"fLaC" + bytes(100))).startswith("is broken")
    told = (tmp_path / "told").read_text()
    before, after = told.split(" -i ")
    assert before == "-nostdin -v error -xerror -protocol_whitelist file,pipe -y -f flac -acodec flac"
    assert after.endswith("-vn -f wav -t 61.0 -\n")


def test_an_ffmpeg_that_does_not_end_is_ended(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "FFMPEG_SECONDS", 1)
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    assert (
        refused(written(tmp_path / "prompt", b"fLaC" + bytes(100))) == "keeps ffmpeg busy for more than 1 s"
    )


def test_where_no_program_may_be_started_it_is_said(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert refused(written(tmp_path / "prompt", b"fLaC" + bytes(100))).startswith("cannot be given to ffmpeg")


def test_a_program_in_the_present_directory_is_not_taken_for_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    written(tmp_path / "ffmpeg", b"#!/bin/sh\n").chmod(0o755)
    assert "is not installed" in refused(written(tmp_path / "prompt", b"fLaC" + bytes(100)))


def test_a_directory_s_recordings_are_found_by_what_they_are_or_are_called(tmp_path: Path) -> None:
    written(tmp_path / "goodbye", STEREO)
    written(tmp_path / "apology.mp3", b"no sound")
    written(tmp_path / "notes.txt", b"take 2 is better")
    written(tmp_path / ".hidden.wav", STEREO)
    (tmp_path / "directory.wav").mkdir()
    assert [path.name for path in recordings_in(tmp_path)] == ["apology.mp3", "goodbye"]
    assert recordings_in(tmp_path / "nowhere") == []


def run_python(code: str, *options: str) -> str:
    """A fresh interpreter, for which there is no ffmpeg."""
    command = [sys.executable, *options, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/nowhere"})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_importing_pydub_warns_of_nothing() -> None:
    assert run_python("from app.audio import decoding\ndecoding._pydub()", "-W", "error") == ""
    assert run_python("from app.audio import decoding\ndecoding._pydub()", "-W", "always") == ""


def test_what_serves_calls_never_imports_pydub() -> None:
    code = "import sys, app.main, app.worker, app.process\nprint('pydub' in sys.modules)"
    assert run_python(code) == "False\n"
