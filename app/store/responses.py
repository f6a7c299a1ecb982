"""Responses, as other systems are told of them: one by one, and all of them, streamed."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.abc import PQGen
from psycopg.generators import copy_from
from psycopg.pq.abc import PGconn

from app.store import Connection
from app.store.selection import Selection

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

# Under the names of the exports.
OBJECT: LiteralString = """json_build_object(
    'interaction_id', responses.interaction_id, 'survey_id', responses.survey_id, 'crm_id', responses.crm_id,
    'queue', responses.queue, 'agent', responses.agent, 'channel', responses.channel,
    'language', responses.language, 'score', score, 'band', band, 'comment', comment,
    'answered_at', to_char(answered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'flow_version', flow_version, 'attributes', responses.attributes)"""


async def cut_off(connection: Connection) -> list[UUID]:
    """The responses of surveys that an opt-out ended in the last hours, be it one from elsewhere."""
    cursor = await connection.execute(
        "SELECT survey_id FROM responses JOIN surveys ON surveys.id = survey_id WHERE status = 'opted_out'"
        " AND answered_at > now() - interval '3 days' AND updated_at > now() - interval '2 hours'"
    )
    return [row[0] for row in await cursor.fetchall()]


async def latest(connection: Connection, count: int) -> list[dict[str, Any]]:
    """The newest responses, newest first: survey_id, queue, language, score, band, comment, answered_at."""
    cursor = await connection.execute(
        "SELECT json_build_object('survey_id', survey_id, 'queue', queue, 'language', language, 'score', score,"
        " 'band', band, 'comment', comment, 'answered_at', answered_at)"
        " FROM responses ORDER BY answered_at DESC LIMIT %s",
        (count,),
    )
    return [row[0] for row in await cursor.fetchall()]


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


async def stream_csv(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
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


async def stream_json_lines(connection: Connection, selection: Selection) -> AsyncIterator[bytes]:
    """The responses as one JSON object a line."""
    query = sql.SQL("SELECT to_json(response)::text FROM ({}) AS response").format(
        _query(selection, safe=False)
    )
    async with connection.transaction(), connection.cursor("responses_jsonl") as cursor:
        await cursor.execute(query)
        while rows := await cursor.fetchmany(ROWS_AT_ONCE):
            yield "".join(f"{line}\n" for (line,) in rows).encode()


async def stream_rows(
    connection: Connection, selection: Selection
) -> AsyncGenerator[Sequence[tuple[object, ...]], None]:
    """The responses in the order of their answers, some at once, with a value for each of `COLUMNS`."""
    async with connection.transaction(), connection.cursor("responses_rows") as cursor:
        await cursor.execute(_query(selection, safe=False))
        while rows := await cursor.fetchmany(ROWS_AT_ONCE):
            yield rows
