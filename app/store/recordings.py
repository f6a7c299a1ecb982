"""Recordings of open answers: announced by the carrier, fetched, kept for a time, deleted."""

from typing import LiteralString
from uuid import UUID

from app.store import Connection


async def announce(connection: Connection, sid: str, survey_id: UUID, seconds: int | None) -> bool:
    """Write down that the carrier holds this recording; False when we knew."""
    cursor = await connection.execute(
        "INSERT INTO recordings (sid, survey_id, seconds) SELECT %s, id, %s FROM surveys WHERE id = %s"
        " ON CONFLICT (sid) DO NOTHING",
        (sid, seconds, survey_id),
    )
    return cursor.rowcount == 1


async def status(connection: Connection, sid: str) -> str | None:
    """announced, kept or deleted; None for a recording that is not ours."""
    cursor = await connection.execute("SELECT status FROM recordings WHERE sid = %s", (sid,))
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def keep(connection: Connection, sid: str, audio: bytes, days: int) -> None:
    """Store the audio (WAV) until its retention is over."""
    await connection.execute(
        "UPDATE recordings SET audio = %s, status = 'kept', delete_after = now() + make_interval(days => %s)"
        " WHERE sid = %s AND status = 'announced'",
        (audio, days, sid),
    )


EXPIRED: LiteralString = (
    "UPDATE recordings SET audio = NULL, status = 'deleted' WHERE status = 'kept' AND delete_after <= now()"
)


async def delete_expired(connection: Connection) -> int:
    """Delete the audio whose retention is over, and say how many there were."""
    return (await connection.execute(EXPIRED)).rowcount
