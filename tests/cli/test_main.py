"""The command itself, on machines that speak little."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = (
    sys.executable,
    "-c",
    "from app.cli.main import main; main()",
    "rehearse",
    "flows/nps.yml",
    "--language",
    "pl",
)
LOCALES = {
    "C": {"LC_ALL": "C"},
    "C, and not UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("locale", "channel"), [*((locale, "voice") for locale in LOCALES), ("ASCII", "sms")]
)
def test_a_rehearsal_speaks_polish_whatever_the_locale(locale: str, channel: str) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))
    }
    typed = "9#\nza\u017c\u00f3\u0142\u0107\n".encode()
    ran = subprocess.run(
        [*COMMAND, "--channel", channel],
        env=kept | LOCALES[locale],
        cwd=ROOT,
        input=typed,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    assert "za\u017c\u00f3\u0142\u0107" in ran.stdout.decode()
