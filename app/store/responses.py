"""Responses, as other systems are told of them: one by one, and all of them, streamed."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from psycopg.abc import PQGen
from psycopg.generators import copy_from
from psycopg.pq.abc import PGconn
from sqlalchemy import ColumnElement, Select, Text, bindparam, case, cast, func, literal, select

from app.store import Connection
from app.store.selection import Selection
from app.store.statement import Statement, columns, given, take_time
from app.store.tables import responses, surveys

COLUMNS = (
    "interaction_id", "survey_id", "crm_id", "queue", "agent", "channel", "language",
    "score", "band", "comment", "answered_at", "flow_version", "attributes",
)  # fmt: skip
# What people typed; the other columns are ours, or numbers.
FREE_TEXT = frozenset({"interaction_id", "crm_id", "queue", "agent", "comment"})
# The full-width signs too, which some spreadsheets take for the plain ones.
RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BLOCK = 1 << 16
ROWS_AT_ONCE = 2000

ANSWERED_AT = func.to_char(func.timezone("UTC", responses.c.answered_at), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
TOLD: dict[str, ColumnElement[Any]] = {
    name: ANSWERED_AT if name == "answered_at" else responses.c[name] for name in COLUMNS
}
AS_OBJECT = func.json_build_object(*chain.from_iterable(TOLD.items()))
"""A response as one JSON object, under the names of the exports."""

CUT_OFF = Statement.of(
    select(responses.c.survey_id)
    .join(surveys, surveys.c.id == responses.c.survey_id)
    .where(
        surveys.c.status == "opted_out",
        responses.c.answered_at > func.now() - timedelta(days=3),
        surveys.c.updated_at > func.now() - timedelta(hours=2),
    )
)


async def cut_off(connection: Connection) -> list[UUID]:
    """The responses of surveys that an opt-out ended in the last hours, be it one from elsewhere."""
    return await CUT_OFF.all(connection)


@dataclass(frozen=True)
class LatestResponse:
    """A response as a board shows it."""

    survey_id: UUID
    queue: str
    language: str
    score: int
    band: str
    comment: str | None
    answered_at: datetime


LATEST = Statement.of(
    select(*columns(LatestResponse, responses))
    .order_by(responses.c.answered_at.desc())
    .limit(bindparam("count")),
    LatestResponse,
)


async def latest(connection: Connection, count: int) -> list[LatestResponse]:
    """The newest responses, newest first."""
    return await LATEST.all(connection, count=count)


FILTERS = {
    "queue": responses.c.queue == bindparam("queue"),
    "begins_at": responses.c.answered_at >= bindparam("begins_at"),
    "ends_before": responses.c.answered_at < bindparam("ends_before"),
}


def _selected(selection: Selection, values: dict[str, ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    return (
        select(*(value.label(name) for name, value in values.items()))
        .where(*given(FILTERS, selection.values))
        .order_by(responses.c.answered_at)
    )


def _neutral(text: ColumnElement[Any]) -> ColumnElement[str]:
    return case((func.left(text, 1).in_(RUN_AS_FORMULA), literal("'") + text), else_=text)


NEUTRAL = TOLD | {name: _neutral(TOLD[name]) for name in FREE_TEXT}


async def stream_csv(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as CSV with a heading, in blocks, as the database writes them."""
    statement = Statement.of(_selected(selection, NEUTRAL))
    copying = b"COPY (%b) TO STDOUT (FORMAT csv, HEADER)" % statement.text
    async with connection.transaction(), connection.cursor() as cursor:
        await take_time(connection)
        async with cursor.copy(copying, selection.values):
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


async def stream_json_lines(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as one JSON object a line."""
    response = _selected(selection, TOLD).subquery("response")
    statement = Statement.of(select(cast(func.to_json(response.table_valued()), Text)))
    batches = statement.batches(connection, ROWS_AT_ONCE, **selection.values)
    async with aclosing(batches):
        async for rows in batches:
            yield "".join(f"{line}\n" for line in rows).encode()


def stream_rows(connection: Connection, selection: Selection) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    """The responses in the order of their answers, some at once, with a value for each of `COLUMNS`.

    Read it inside `contextlib.aclosing`: it holds a transaction until its end.
    """
    return Statement.of(_selected(selection, TOLD)).batches(connection, ROWS_AT_ONCE, **selection.values)
