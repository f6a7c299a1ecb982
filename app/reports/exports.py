"""Exports as files: the report as CSV, and the responses as CSV, JSON lines or a spreadsheet, all streamed."""

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, fields
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from app.reports.nps import NpsRow
from app.store import Connection, responses
from app.store.responses import COLUMNS, RUN_AS_FORMULA
from app.store.selection import Selection

BLOCK = 1 << 16
ROWS_PER_SHEET = 1_000_000  # a spreadsheet takes 1,048,576


def neutral(text: str) -> str:
    """A cell that no spreadsheet runs: what would start a formula gets an apostrophe in front."""
    return f"'{text}" if text.startswith(RUN_AS_FORMULA) else text


def report_csv(rows: Iterable[NpsRow]) -> str:
    """The report as CSV with a heading."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(NpsRow)])
    writer.writeheader()
    for row in rows:
        writer.writerow(asdict(row) | {"group": neutral(row.group)})
    return out.getvalue()


async def responses_xlsx(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as a spreadsheet, put together on disk, since its index comes last."""
    spreadsheet = GrowingWorkbook()
    try:
        async with aclosing(responses.stream_rows(connection, selection)) as stream:
            async for rows in stream:
                await asyncio.to_thread(spreadsheet.append, rows)
    except Exception:
        spreadsheet.discard()
        raise
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(spreadsheet.book.save, file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


Form = Literal["csv", "jsonl", "xlsx"]
Export = Callable[[Connection, Selection], AsyncIterator[bytes]]
FORMATS: dict[Form, tuple[str, Export]] = {
    "csv": ("text/csv; charset=utf-8", responses.stream_csv),
    "jsonl": ("application/x-ndjson", responses.stream_json_lines),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", responses_xlsx),
}


class GrowingWorkbook:
    """A workbook that grows on disk, with as many sheets as its rows need."""

    def __init__(self) -> None:
        self.book, self.rows = Workbook(write_only=True), 0
        self._begin_sheet()

    def append(self, rows: Iterable[Sequence[object]]) -> None:
        """Add rows, each with a value for every column."""
        for row in rows:
            if self.rows == ROWS_PER_SHEET:
                self._begin_sheet()
            self.sheet.append([self._cell(value) for value in row])
            self.rows += 1

    def discard(self) -> None:
        """Leave nothing on disk of a workbook that is not going to be saved."""
        for sheet in self.book.worksheets:
            sheet.close()
            sheet._writer.cleanup()  # type: ignore[attr-defined]  # noqa: SLF001  what saving does, too

    def _begin_sheet(self) -> None:
        self.sheet, self.rows = self.book.create_sheet("Responses"), 0
        self.sheet.append(COLUMNS)

    def _cell(self, value: object) -> Any:
        if isinstance(value, int) or value is None:
            return value
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
        cell = WriteOnlyCell(self.sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
        cell.data_type = "s"  # text, whatever it begins with: never a formula
        return cell
