"""Exports, streamed: CSV straight from COPY, JSON lines and a spreadsheet row by row."""

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any, LiteralString

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.generators import copy_from
from psycopg.pq.abc import PGconn

from app.reports.nps import NpsRow
from app.reports.period import Selection
from app.store import Connection

COLUMNS = (
    "interaction_id", "survey_id", "crm_id", "queue", "agent", "channel", "language",
    "score", "band", "comment", "answered_at", "flow_version", "attributes",
)  # fmt: skip
# What people typed; the other columns are ours, or numbers.
FREE_TEXT = frozenset({"interaction_id", "crm_id", "queue", "agent", "comment"})
# The full-width signs too, which some spreadsheets take for the plain ones.
RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
UTC_TIME: LiteralString = "to_char(answered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
BLOCK = 1 << 16
ROWS_AT_ONCE = 2000
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


def _column(name: str, *, safe: bool) -> sql.Composable:
    column = sql.Identifier(name)
    if name == "answered_at":
        return sql.SQL("{} AS answered_at").format(sql.SQL(UTC_TIME))
    if safe and name in FREE_TEXT:
        starts = sql.SQL(", ").join(sql.Literal(start) for start in RUN_AS_FORMULA)
        return sql.SQL("CASE WHEN left({0}, 1) IN ({1}) THEN '''' || {0} ELSE {0} END AS {0}").format(
            column, starts
        )
    return column


def _query(selection: Selection, *, safe: bool) -> sql.Composed:
    conditions: list[sql.Composable] = [sql.SQL("true")]
    if selection.queue is not None:
        conditions.append(sql.SQL("queue = {}").format(sql.Literal(selection.queue)))
    if selection.begins_at is not None:
        conditions.append(sql.SQL("answered_at >= {}").format(sql.Literal(selection.begins_at)))
    if selection.ends_before is not None:
        conditions.append(sql.SQL("answered_at < {}").format(sql.Literal(selection.ends_before)))
    return sql.SQL("SELECT {} FROM responses WHERE {} ORDER BY responses.answered_at").format(
        sql.SQL(", ").join(_column(name, safe=safe) for name in COLUMNS), sql.SQL(" AND ").join(conditions)
    )


async def responses_csv(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as CSV with a heading, in blocks, as the database writes them."""
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(_query(selection, safe=True))
    async with connection.cursor() as cursor, cursor.copy(statement):
        while block := await connection.wait(_lines(connection.pgconn)):
            yield block
            if len(block) < BLOCK:
                return


def _lines(pgconn: PGconn) -> PQGen[bytes]:
    """The next lines of a COPY, one block of them; the last block is smaller. Line by line costs twice the time."""
    block = bytearray()
    while len(block) < BLOCK and isinstance(line := (yield from copy_from(pgconn)), memoryview):
        block += line
    return bytes(block)


async def responses_jsonl(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as one JSON object a line."""
    query = sql.SQL("SELECT to_json(response)::text FROM ({}) AS response").format(
        _query(selection, safe=False)
    )
    async with connection.transaction(), connection.cursor("responses_jsonl") as cursor:
        await cursor.execute(query)
        while rows := await cursor.fetchmany(ROWS_AT_ONCE):
            yield "".join(f"{line}\n" for (line,) in rows).encode()


async def responses_xlsx(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as a spreadsheet, put together on disk, since its index comes last."""
    spreadsheet = GrowingWorkbook()
    try:
        async with connection.transaction(), connection.cursor("responses_xlsx") as cursor:
            await cursor.execute(_query(selection, safe=False))
            while rows := await cursor.fetchmany(ROWS_AT_ONCE):
                await asyncio.to_thread(spreadsheet.append, rows)
    except Exception:
        spreadsheet.discard()
        raise
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(spreadsheet.book.save, file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


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
