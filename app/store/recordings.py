"""Recordings of open answers: announced by the carrier, fetched, kept for a time, deleted."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row

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


async def left_behind(connection: Connection, keep_days: int) -> list[str]:
    """The recordings that were announced hours ago and are still at the carrier, as far as they may still be kept.

    Those that nobody could fetch while they might have been kept are marked as deleted; so they are tried to be
    deleted at the carrier, once more.
    """
    cursor = await connection.execute(
        "UPDATE recordings SET status = CASE"
        " WHEN announced_at > now() - make_interval(days => %s) THEN status ELSE 'deleted' END"
        " WHERE status = 'announced' AND announced_at < now() - interval '2 hours' RETURNING sid",
        (max(1, keep_days),),
    )
    return [sid for (sid,) in await cursor.fetchall()]


async def add(
    connection: Connection, sid: str, survey_id: UUID, seconds: int, audio: bytes, days: int
) -> None:
    """Store audio (WAV) of our own until its retention is over."""
    await connection.execute(
        "INSERT INTO recordings (sid, survey_id, status, seconds, audio, delete_after)"
        " VALUES (%s, %s, 'kept', %s, %s, now() + make_interval(days => %s))",
        (sid, survey_id, seconds, audio, days),
    )


@dataclass(frozen=True)
class Untold:
    """A recording whose response has no comment yet, or a doubtful one."""

    survey_id: UUID
    language: str
    audio: bytes
    comment: str | None
    confidence: float | None


async def read_untold(connection: Connection, sid: str, doubtful_below: float) -> Untold | None:
    """The recording, where its audio is here and its response could use its text; else None."""
    async with connection.cursor(row_factory=class_row(Untold)) as cursor:
        await cursor.execute(
            "SELECT survey_id, language, audio, comment, comment_confidence AS confidence"
            " FROM recordings JOIN responses USING (survey_id) WHERE sid = %s AND audio IS NOT NULL"
            " AND (comment IS NULL OR comment_source = 'speech' AND comment_confidence < %s)",
            (sid, doubtful_below),
        )
        return await cursor.fetchone()


async def attach(connection: Connection, kept: Untold, text: str, confidence: float | None) -> bool:
    """Make this text the response's comment; False where it has got another one meanwhile."""
    cursor = await connection.execute(
        "UPDATE responses SET comment = %s, comment_source = 'recording', comment_confidence = %s,"
        " version = version + 1 WHERE survey_id = %s AND comment IS NOT DISTINCT FROM %s",
        (text, confidence, kept.survey_id, kept.comment),
    )
    return cursor.rowcount == 1
