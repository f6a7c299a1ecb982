"""`zeroten prompts`, as an operator types it."""

import csv
import io
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.errors import StartError
from app.prompts import Prompts, manifest
from tests import ffmpeg
from tests.prompts import sounds

SPEECH = sounds.speech(1.5, 48_000, loudness=0.05)
GOODBYE = sounds.wav(sounds.silence(0.4, 48_000) + SPEECH + sounds.silence(0.8, 48_000), 48_000, 24, 2)


@pytest.fixture
def prompts_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROTEN_PROMPTS_DIR", str(tmp_path / "prompts"))
    monkeypatch.setenv("ZEROTEN_BRAND", "Acme")
    return tmp_path / "prompts"


def zeroten(*arguments: str, expect: int = 0) -> str:
    result = run(*arguments)
    assert result.exit_code == expect, result.output
    return result.output


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["prompts", *arguments])


def take_in(source: Path, *more: str, expect: int = 0) -> str:
    return zeroten("import", str(source), "--language", "en", *more, expect=expect)


def test_recordings_of_a_studio_become_prompts(tmp_path: Path, prompts_dir: Path) -> None:
    report = take_in(sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE))
    assert "1 imported, 0 kept, 0 refused; levelled to -20 dBFS" in report
    clip = Prompts.load(prompts_dir).clip("en", "goodbye")
    assert clip is not None
    assert clip.sound.seconds == pytest.approx(1.65, abs=0.05)
    assert "recorded" in zeroten("list", "--language", "en")


def test_faulty_files_are_refused_by_their_names_and_the_good_ones_taken(
    tmp_path: Path, prompts_dir: Path
) -> None:
    studio = sounds.directory_of(
        tmp_path / "studio",
        goodbye=GOODBYE,
        apology=sounds.wav(SPEECH, 48_000, 8, codec=sounds.MU_LAW),
        opted_out=sounds.wav([max(-1.0, min(1.0, 90 * each)) for each in SPEECH], 48_000),
        not_now=sounds.wav(sounds.silence(1)),
        score_silense=GOODBYE,
        value__brand__globex=GOODBYE,
    )
    (studio / "score_unclear.mp3").write_bytes(b"ID3\x04")
    (studio / "notes.txt").write_text("take 2 is better")
    report = take_in(studio, expect=1)
    assert "holds mu-law" in report
    assert "is clipped" in report
    assert "is silent" in report
    assert "is it score_silence.wav?" in report
    assert "name it with --brand" in report
    assert "an MP3 file" in report
    assert "notes.txt" not in report
    assert "1 imported, 0 kept, 6 refused" in report
    assert sorted(path.name for path in (prompts_dir / "en").iterdir()) == ["goodbye.wav", manifest.FILE]


def test_recordings_may_be_of_other_kinds_and_a_broken_one_keeps_no_other_back(
    tmp_path: Path, prompts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ffmpeg.on_path(tmp_path / "bin", monkeypatch)
    studio = tmp_path / "studio"
    studio.mkdir()
    ffmpeg.make(studio / "goodbye.mp3")
    ffmpeg.make(studio / "opted_out.flac")
    ffmpeg.make(studio / "called.mp3").rename(studio / "not_now.wav")
    whole = ffmpeg.make(studio / "apology.m4a").read_bytes()
    (studio / "apology.m4a").write_bytes(whole[: len(whole) // 2])
    (studio / "score_silence.ogg").write_text("take 2 is better")
    (studio / "score_unclear.wav").write_bytes(b"")
    report = take_in(studio, expect=1)
    assert "3 imported, 0 kept, 3 refused" in report
    reasons = dict(re.findall(r"^(\S+) +refused +(.+?) *$", report, re.MULTILINE))
    assert reasons == {
        "apology.m4a": "is cut off: it is an M4A file whose end is missing",
        "score_silence.ogg": "is no sound file: bring it as WAV, MP3, Ogg, M4A or FLAC",
        "score_unclear.wav": "is empty",
    }
    clip = Prompts.load(prompts_dir).clip("en", "goodbye")
    assert clip is not None
    assert clip.sound.seconds == pytest.approx(ffmpeg.SECONDS, abs=0.15)


@pytest.mark.usefixtures("prompts_dir")
def test_without_ffmpeg_wav_files_are_taken_and_the_others_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    studio = sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE)
    (studio / "apology.mp3").write_bytes(b"ID3\x04")
    report = take_in(studio, expect=1)
    assert "1 imported, 0 kept, 1 refused" in report
    assert "ffmpeg, which opens those, is not installed (apt-get install ffmpeg, or brew" in report


@pytest.mark.usefixtures("prompts_dir")
def test_of_two_files_for_one_prompt_neither_is_taken(tmp_path: Path) -> None:
    studio = sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE)
    (studio / "goodbye.WAVE").write_bytes(GOODBYE)
    report = take_in(studio, expect=1)
    assert report.count("another file has this name: leave only one of them") == 2
    assert "0 imported, 0 kept, 2 refused" in report


def test_nothing_is_overwritten_unless_asked(tmp_path: Path, prompts_dir: Path) -> None:
    studio = sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE)
    take_in(studio)
    before = (prompts_dir / "en" / "goodbye.wav").read_bytes()
    sounds.directory_of(studio, goodbye=sounds.wav(sounds.speech(2.5)))
    assert "--replace takes the new one" in take_in(studio)
    assert (prompts_dir / "en" / "goodbye.wav").read_bytes() == before
    assert "1 imported" in take_in(studio, "--replace")
    assert (prompts_dir / "en" / "goodbye.wav").read_bytes() != before


@pytest.mark.usefixtures("prompts_dir")
def test_a_recording_far_too_short_for_its_text_is_taken_and_doubted(tmp_path: Path) -> None:
    assert "is it the right text" in take_in(
        sounds.directory_of(tmp_path / "studio", apology=sounds.wav(sounds.speech(0.5)))
    )


def test_a_queues_brand_is_named(tmp_path: Path, prompts_dir: Path) -> None:
    studio = sounds.directory_of(tmp_path / "studio", value__brand__globex=GOODBYE)
    assert "1 imported" in take_in(studio, "--brand", "Globex", "--brand", "Acme")
    assert manifest.read(prompts_dir / "en")["value.brand.globex"].text == "Globex"


@pytest.mark.usefixtures("prompts_dir")
def test_an_empty_or_missing_directory_is_an_error(tmp_path: Path) -> None:
    take_in(sounds.directory_of(tmp_path / "empty"), expect=1)
    assert isinstance(run("import", str(tmp_path / "nowhere"), "--language", "en").exception, StartError)


@pytest.mark.usefixtures("prompts_dir")
def test_the_sheet_names_every_file_with_its_text(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(zeroten("sheet", "--language", "en"))))
    texts = {row["file"]: row["text"] for row in rows}
    assert texts["greeting.1.wav"] == "Hello, an automated survey from"
    assert texts["value.brand.acme.wav"] == "Acme"
    assert "part of: Hello, an automated" in next(
        row["notes"] for row in rows if row["file"] == "greeting.1.wav"
    )
    take_in(sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE))
    missing = zeroten("sheet", "--language", "en", "--missing", "--format", "markdown")
    assert "| apology.wav |" in missing
    assert "goodbye.wav" not in missing


def test_every_file_of_the_sheet_can_be_imported(tmp_path: Path, prompts_dir: Path) -> None:
    rows = csv.DictReader(io.StringIO(zeroten("sheet", "--language", "pl")))
    (tmp_path / "studio").mkdir()
    content = sounds.wav(sounds.speech(0.5))
    for row in rows:
        (tmp_path / "studio" / row["file"]).write_bytes(content)
    report = zeroten("import", str(tmp_path / "studio"), "--language", "pl")
    assert "0 refused" in report
    listed = zeroten("list", "--language", "pl")
    assert "missing" not in listed
    assert Prompts.load(prompts_dir).unusable == {}


def test_a_recording_of_older_words_can_be_accepted_after_listening(
    tmp_path: Path, prompts_dir: Path
) -> None:
    take_in(sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE))
    entries = manifest.read(prompts_dir / "en")
    old = manifest.ManifestEntry("Cheerio.", manifest.RECORDING, entries["goodbye"].digest)
    manifest.write(prompts_dir / "en", {"goodbye": old})
    assert "stale" in zeroten("list", "--language", "en")
    zeroten("accept", "goodbye", "--language", "en")
    assert "1 recorded" in zeroten("list", "--language", "en")
    assert isinstance(run("accept", "apology", "--language", "en").exception, StartError)


@pytest.mark.usefixtures("prompts_dir")
def test_an_unknown_language_is_named_with_the_known_ones() -> None:
    assert "de is not one of en, fr, nb, pl" in str(run("sheet", "--language", "de").exception)


@pytest.mark.parametrize(
    ("voice", "named"),
    [
        ("daisy", "a voice is espeak-ng"),
        ("piper:nowhere.onnx", "piper"),
        ("festival:kal", "a voice is espeak-ng"),
    ],
)
def test_a_voice_that_is_not_there_is_named(prompts_dir: Path, voice: str, named: str) -> None:
    failed = run("render", "--language", "en", "--voice", voice).exception
    assert isinstance(failed, StartError)
    assert named in str(failed)
    assert not prompts_dir.exists()


def program(directory: Path, name: str, script: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is called as espeak-ng is and copies the same sound each time; what it was told is kept."""
    (tmp_path / "sound.wav").write_bytes(sounds.wav(sounds.speech(0.4)))
    script = (
        'test "$2" = en-us || { echo "no such voice" >&2; exit 1; }\n'
        f'cat >> "{tmp_path}/told"; echo >> "{tmp_path}/told"\n'
        f'cp "{tmp_path}/sound.wav" "$5"'
    )
    program(tmp_path / "bin", "espeak-ng", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path / "told"


def test_placeholders_fill_what_nobody_recorded(tmp_path: Path, prompts_dir: Path, spoken: Path) -> None:
    take_in(sounds.directory_of(tmp_path / "studio", goodbye=GOODBYE))
    recording = (prompts_dir / "en" / "goodbye.wav").read_bytes()
    zeroten("render", "--language", "en", "--voice", "espeak-ng:en-us")
    assert "Hello, an automated survey from" in spoken.read_text().splitlines()
    listed = zeroten("list", "--language", "en")
    assert "1 recorded" in listed
    assert "missing" not in listed
    spoken.unlink()
    assert "0 rendered" in zeroten("render", "--language", "en", "--voice", "espeak-ng:en-us")
    zeroten("render", "--language", "en", "--voice", "espeak-ng:en-us", "--replace")
    assert "Acme" in spoken.read_text().splitlines()
    assert (prompts_dir / "en" / "goodbye.wav").read_bytes() == recording
    assert "zeroten" not in manifest.read(prompts_dir / "en")["apology"].voice


def test_what_a_voices_program_complains_of_is_passed_on(prompts_dir: Path, spoken: Path) -> None:
    failed = run("render", "--language", "en", "--voice", "espeak-ng:klingon").exception
    assert "no such voice" in str(failed)
    assert not spoken.exists()
    assert not prompts_dir.exists()


def test_every_command_that_the_documentation_names_is_there() -> None:
    text = Path("docs/prompts.md").read_text(encoding="utf-8")
    named = set(re.findall(r"zeroten prompts (\w+)", text))
    assert named == {"sheet", "import", "list", "accept", "render"}
    for command in named:
        options = zeroten(command, "--help")
        for line in text.splitlines():
            if f"zeroten prompts {command} " in line:
                assert set(re.findall(r"--\w+", line)) <= set(re.findall(r"--\w+", options))
