"""One clock decides: the database's."""

import ast
from pathlib import Path

# What decides about people: when they are asked, and whether.
DECIDING = (
    "conversation/turns.py",
    "intake/triggers.py",
    "jobs.py",
    "outreach",
    "survey",
    "chatbot/reminders.py",
)


def test_nothing_that_decides_reads_this_machines_clock() -> None:
    """The database's is the only one that all processes share."""
    root = Path("app")
    files = [
        file
        for name in DECIDING
        for file in ((root / name).rglob("*.py") if (root / name).is_dir() else [root / name])
    ]
    assert len(files) > 20
    found = [
        f"{file}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"datetime.now", "time.time", "date.today"}
    ]
    assert found == []
