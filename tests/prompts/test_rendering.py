"""Offline voices, where they are installed. What is asked of their programs is tested with the commands."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.audio import read_channels, shape
from app.errors import StartError
from app.prompts import rendering


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_real_espeak_speaks_what_can_be_made_a_prompt() -> None:
    spoken = rendering.voice("espeak-ng:nb")("--Takk for praten, ha det bra.")
    assert 1.0 < shape(read_channels(spoken)).sound.seconds < 5.0


def test_a_piper_voice_needs_its_program_and_its_model(tmp_path: Path) -> None:
    named = "nowhere.onnx" if find_spec("piper") else "piper is not installed"
    with pytest.raises(StartError, match=named):
        rendering.voice(f"piper:{tmp_path / 'nowhere.onnx'}")


def test_a_voice_is_written_down_without_this_machines_directories() -> None:
    assert rendering.label("piper:/home/anna/voices/en_US-joe-medium.onnx") == "piper:en_US-joe-medium"
    assert rendering.label("espeak-ng:en-us") == "espeak-ng:en-us"
