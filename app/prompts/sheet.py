"""The sheet that a voice actor reads from, as CSV for a studio or Markdown for a page."""

import csv
import io
from collections.abc import Iterable
from typing import Literal

from app.prompts.pieces import PromptPiece
from app.prompts.recorded import ENDING

Form = Literal["csv", "markdown"]
HEADINGS = ("file", "text", "notes")


def sheet(pieces: Iterable[PromptPiece], form: Form) -> str:
    """One line for each file: its name, what to read, and how."""
    rows = [(f"{each.name}{ENDING}", each.text, _notes(each)) for each in pieces]
    return _csv(rows) if form == "csv" else _markdown(rows)


def _notes(piece: PromptPiece) -> str:
    if piece.context:
        return f"part of: {piece.context}"
    if piece.name.startswith("value."):
        return "put into sentences: read it level, as in the middle of one"
    return ""


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([HEADINGS, *rows])
    return written.getvalue()


def _markdown(rows: Iterable[tuple[str, ...]]) -> str:
    table = [HEADINGS, ("---",) * len(HEADINGS), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in table)
