"""Attempts: each call or message to a person, written before the carrier is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row

from app.store import Connection


@dataclass(frozen=True)
class Attempt:
    """An attempt as it stands; ``status`` only moves forward, ``disposition`` is set once."""

    id: UUID
    survey_id: UUID
    number: int
    channel: str
    direction: str
    status: str
    disposition: str | None
    carrier_sid: str | None
    answered_by: str | None
    created_at: datetime


COLUMNS: LiteralString = (
    "id, survey_id, number, channel, direction, status, disposition, carrier_sid, answered_by, created_at"
)


async def write(
    connection: Connection,
    attempt_id: UUID,
    survey_id: UUID,
    number: int,
    channel: str,
    direction: str = "outbound",
) -> bool:
    """Write an attempt that is about to be placed; False when this number of the survey was already written."""
    cursor = await connection.execute(
        "INSERT INTO attempts (id, survey_id, number, channel, direction) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (attempt_id, survey_id, number, channel, direction),
    )
    return cursor.rowcount == 1


async def erase_unplaced(connection: Connection, attempt_id: UUID) -> bool:
    """Take back an attempt that the carrier was never asked for; False where somebody has settled it meanwhile."""
    cursor = await connection.execute(
        "DELETE FROM attempts WHERE id = %s AND status = 'placing'", (attempt_id,)
    )
    return cursor.rowcount == 1


async def read(connection: Connection, attempt_id: UUID, *, lock: bool = False) -> Attempt | None:
    """The attempt, locked until the transaction ends when ``lock`` is set."""
    async with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        suffix: LiteralString = " FOR UPDATE" if lock else ""
        await cursor.execute(f"SELECT {COLUMNS} FROM attempts WHERE id = %s{suffix}", (attempt_id,))
        return await cursor.fetchone()


async def last(connection: Connection, survey_id: UUID) -> Attempt | None:
    """The survey's newest attempt."""
    async with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        await cursor.execute(
            f"SELECT {COLUMNS} FROM attempts WHERE survey_id = %s ORDER BY number DESC LIMIT 1", (survey_id,)
        )
        return await cursor.fetchone()


async def is_wanted(connection: Connection, attempt_id: UUID) -> bool:
    """Whether an attempt that was written is still to be placed: it is not given up, and its survey waits for it."""
    cursor = await connection.execute(
        "SELECT 1 FROM attempts JOIN surveys ON surveys.id = survey_id WHERE attempts.id = %s"
        " AND attempts.status = 'placing' AND surveys.status = 'contacting'",
        (attempt_id,),
    )
    return await cursor.fetchone() is not None


async def name_sid(connection: Connection, attempt_id: UUID, sid: str) -> bool:
    """Tie the attempt to the carrier's id; False when it has one already."""
    cursor = await connection.execute(
        "UPDATE attempts SET carrier_sid = %(sid)s, placed_at = now(),"
        " status = CASE status WHEN 'placing' THEN 'placed' ELSE status END"
        " WHERE id = %(id)s AND carrier_sid IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM attempts WHERE carrier_sid = %(sid)s)",
        {"id": attempt_id, "sid": sid},
    )
    return cursor.rowcount == 1


async def known_sids(connection: Connection, sids: list[str]) -> set[str]:
    """Those of the carrier's ids that belong to an attempt."""
    cursor = await connection.execute("SELECT carrier_sid FROM attempts WHERE carrier_sid = ANY(%s)", (sids,))
    return {sid for (sid,) in await cursor.fetchall()}


async def move(connection: Connection, attempt_id: UUID, status: str) -> None:
    """Move the status forward; callbacks come in any order, so an earlier one changes nothing."""
    await connection.execute(
        "UPDATE attempts SET status = %(status)s WHERE id = %(id)s AND disposition IS NULL"
        " AND array_position(%(order)s, status) < array_position(%(order)s, %(status)s)",
        {
            "id": attempt_id,
            "status": status,
            "order": ["placing", "placed", "ringing", "in_progress", "ended"],
        },
    )


async def note_answerer(connection: Connection, attempt_id: UUID, answered_by: str) -> None:
    """Keep who the carrier thinks picked up."""
    await connection.execute("UPDATE attempts SET answered_by = %s WHERE id = %s", (answered_by, attempt_id))


async def end(
    connection: Connection, attempt_id: UUID, disposition: str, error_code: int | None = None
) -> Attempt | None:
    """End the attempt; None when it had ended before, and what follows must not happen twice."""
    async with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        await cursor.execute(
            "UPDATE attempts SET status = 'ended', disposition = %s, error_code = %s, ended_at = now()"
            f" WHERE id = %s AND disposition IS NULL RETURNING {COLUMNS}",
            (disposition, error_code, attempt_id),
        )
        return await cursor.fetchone()


async def of_call(connection: Connection, sid: str) -> UUID | None:
    """The attempt that the carrier knows under this id."""
    cursor = await connection.execute("SELECT id FROM attempts WHERE carrier_sid = %s", (sid,))
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def count_ended(connection: Connection) -> int:
    """How many attempts are over."""
    cursor = await connection.execute("SELECT count(*) FROM attempts WHERE disposition IS NOT NULL")
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return int(row[0])


async def count_rung(connection: Connection, survey_id: UUID, channel: str) -> int:
    """How often a survey's person was tried on a channel.

    What the carrier never took, and the person's own calls, do not count.
    """
    cursor = await connection.execute(
        "SELECT count(*) FROM attempts WHERE survey_id = %s AND channel = %s AND direction = 'outbound'"
        " AND disposition IS DISTINCT FROM 'not_placed'",
        (survey_id, channel),
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return int(row[0])


async def count_unplaced(connection: Connection, survey_id: UUID) -> int:
    """How often the carrier took nothing."""
    cursor = await connection.execute(
        "SELECT count(*) FROM attempts WHERE survey_id = %s AND disposition = 'not_placed'", (survey_id,)
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return int(row[0])


async def arrived_after_all(connection: Connection, attempt_id: UUID) -> bool:
    """Correct a message that was reported lost, and then delivered; False for any other attempt."""
    cursor = await connection.execute(
        "UPDATE attempts SET disposition = 'delivered', error_code = NULL"
        " WHERE id = %s AND disposition = 'failed'",
        (attempt_id,),
    )
    return cursor.rowcount == 1
