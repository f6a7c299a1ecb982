"""Placeholders spoken by an offline voice: a program that is started and never linked, for it has its own licence."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from app.errors import StartError

Speak = Callable[[str], bytes]
PATIENCE_SECONDS = 120


def voice(named: str) -> Speak:
    """What speaks with ``espeak-ng:<voice>`` or ``piper:<model file>``: text in, a WAV file out.

    Raises `StartError` where the program or the model is not there, and says how to get it.
    """
    program, _, which_voice = named.partition(":")
    make = PROGRAMS.get(program)
    if make is None or not which_voice:
        raise StartError(
            f"{named}: a voice is espeak-ng:<voice>, such as espeak-ng:en-us, or piper:<model file>.onnx"
        )
    return make(which_voice)


def label(named: str) -> str:
    """A voice's name for the manifest: a piper model without its directory and ending."""
    program, _, which_voice = named.partition(":")
    return f"{program}:{Path(which_voice).stem}" if program == "piper" else named


def _espeak(which_voice: str) -> Speak:
    program = which("espeak-ng")
    if program is None:
        raise StartError("espeak-ng is not installed: apt-get install espeak-ng, or brew install espeak-ng")
    return lambda text: _run([program, "-v", which_voice, "--stdin", "-w"], text)


def _piper(model: str) -> Speak:
    if find_spec("piper") is None:
        raise StartError(f"piper is not installed: {sys.executable} -m pip install piper-tts")
    for path in (Path(model), Path(f"{model}.json")):
        if not path.is_file():
            raise StartError(
                f"{path}: there is no such file; a piper voice is a .onnx file with its .onnx.json beside it"
            )
    return lambda text: _run([sys.executable, "-m", "piper", "--model", model, "--output_file"], text)


PROGRAMS: Mapping[str, Callable[[str], Speak]] = {"espeak-ng": _espeak, "piper": _piper}


def _run(command: list[str], text: str) -> bytes:
    """The file that the command, whose last argument is its name, makes of the text."""
    with TemporaryDirectory() as directory:
        made = Path(directory) / "made.wav"
        try:
            ended = subprocess.run(
                [*command, str(made)],
                input=text.encode(),
                capture_output=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StartError(f"{Path(command[0]).name} did not answer in {PATIENCE_SECONDS} s") from None
        if ended.returncode != 0 or not made.is_file():
            said = ended.stderr.decode(errors="replace").strip().splitlines()
            raise StartError(f"{' '.join(command[:3])}: {said[-1] if said else 'made nothing'}")
        return made.read_bytes()
