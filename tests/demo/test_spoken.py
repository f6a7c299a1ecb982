"""``zeroten demo --spoken``, as somebody types it: a person's recordings go down the line, and Whisper hears them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Timer

import pytest

from app.rehearsal.people.whisper_model import PACKAGES
from app.store import embedded
from tests.asr import people
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not pytest's own directory: the path of a socket has to be short.
    directory = Path(tempfile.mkdtemp(prefix="zeroten-"))
    yield directory
    for cluster in directory.glob("*/postgres"):
        embedded.start(cluster.parent)
        embedded.stop(cluster.parent)
    shutil.rmtree(directory, ignore_errors=True)


def demo(data_dir: Path, *arguments: str) -> list[str]:
    """What it prints until it says how to end it."""
    port = str(free_port())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZEROTEN_")}
    settings = {"DATA_DIR": data_dir, "FLOWS_DIR": ROOT / "flows", "PROMPTS_DIR": data_dir / "none"}
    environment |= {f"ZEROTEN_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-c", "from app.cli.main import main; main()", "demo", "--port", port]
    with subprocess.Popen(
        [*command, "--customers", "5", "--spoken", *arguments],
        env=environment | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        cwd=data_dir,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        alarm = Timer(PATIENCE_SECONDS, process.kill)
        alarm.start()
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if "Ctrl-C" in line:
                process.send_signal(signal.SIGINT)
        alarm.cancel()
    return lines


@pytest.mark.slow
def test_a_customer_answers_aloud_and_is_understood(data_dir: Path) -> None:
    for module in ("faster_whisper", "webrtcvad", *(each.replace("-", "_") for each in PACKAGES)):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    lines = demo(data_dir, "--voice-recordings", str(people.folder("en")))
    said = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  caller")]
    assert [each.split(" (")[0] for each in said] == ['"7"', '"vm-nobodyavail"'], lines
    heard = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  heard")]
    assert heard[0].startswith(('"seven" (9', '"seven" (100'))
    assert heard[1].startswith(f'"{people.SAID["vm-nobodyavail"]}." (')
    assert any("Thank you, that helps us get better." in line for line in lines if line.startswith("  line"))
    row = next(line for line in lines if "Heard here" in line)
    assert [each.strip() for each in row.split("│")[2:5]] == ["1", "1", "1"]
    assert not any("Not all of it could be heard here" in line for line in lines)


@pytest.mark.slow
def test_where_nobody_can_answer_aloud_the_demo_says_why_and_goes_on(data_dir: Path) -> None:
    lines = demo(data_dir, "--voice-recordings", str(data_dir))
    assert sum("No call is answered aloud: " in line for line in lines) == 1
    assert not any("Heard here" in line for line in lines)
    assert any("NPS by queue" in line for line in lines)
