"""Pacing: one row a sender, advanced by every worker with one statement, so the rate holds across machines."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row

from app.store import Connection


@dataclass(frozen=True)
class PlaceInLine:
    """A place in line: when its turn comes, and how many seconds from now; not above 0 where it has come."""

    at: datetime
    seconds: float


@dataclass(frozen=True)
class Slot:
    """A moment at which one start is allowed, and the moment at which it was given, both by the database's clock."""

    at: float
    now: float


@dataclass(frozen=True)
class SenderHold:
    """Why nothing is placed for the moment, and until when."""

    held_until: datetime
    held_reason: str


TAKE: LiteralString = """
INSERT INTO pacing AS row (sender, gap_seconds, next_at)
VALUES (%(sender)s, %(gap)s, clock_timestamp() + make_interval(secs => %(lead)s + %(gap)s))
ON CONFLICT (sender) DO UPDATE SET
    next_at = greatest(row.next_at, clock_timestamp() + make_interval(secs => %(lead)s))
        + make_interval(secs => %(gap)s)
RETURNING extract(epoch FROM next_at - make_interval(secs => %(gap)s))::float8 AS at,
    extract(epoch FROM clock_timestamp())::float8 AS now
"""


async def take_slot(connection: Connection, sender: str, gap_seconds: float, lead_seconds: float) -> Slot:
    """Take the sender's next free slot, ``lead_seconds`` from now at the earliest; slots lie ``gap_seconds`` apart."""
    async with connection.cursor(row_factory=class_row(Slot)) as cursor:
        await cursor.execute(TAKE, {"sender": sender, "gap": gap_seconds, "lead": lead_seconds})
        slot = await cursor.fetchone()
        assert slot is not None, "an upsert returns its row"
        return slot


async def clock(connection: Connection) -> float:
    """The time by the database's clock, in seconds."""
    cursor = await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
    row = await cursor.fetchone()
    assert row is not None, "a SELECT without FROM returns a row"
    return float(row[0])


LINE_UP: LiteralString = """
INSERT INTO pacing AS row (sender, gap_seconds, line_at)
VALUES (%(sender)s, %(gap)s, clock_timestamp() + make_interval(secs => %(gap)s))
ON CONFLICT (sender) DO UPDATE SET
    line_at = greatest(row.line_at, row.next_at, clock_timestamp()) + make_interval(secs => %(gap)s)
RETURNING line_at - make_interval(secs => %(gap)s) AS at,
    extract(epoch FROM line_at - make_interval(secs => %(gap)s) - clock_timestamp())::float8 AS seconds
"""


async def line_up(connection: Connection, sender: str, gap_seconds: float) -> PlaceInLine:
    """When it is the turn of whoever joins the sender's line now, as far as that can be told."""
    async with connection.cursor(row_factory=class_row(PlaceInLine)) as cursor:
        await cursor.execute(LINE_UP, {"sender": sender, "gap": gap_seconds})
        place = await cursor.fetchone()
        assert place is not None, "an upsert returns its row"
        return place


async def seconds_ahead(connection: Connection, sender: str) -> float:
    """In how many seconds the sender's next free slot is."""
    cursor = await connection.execute(
        "SELECT extract(epoch FROM greatest(next_at, 'epoch') - clock_timestamp())::float8 FROM pacing"
        " WHERE sender = %s",
        (sender,),
    )
    row = await cursor.fetchone()
    return 0.0 if row is None else float(row[0])


STRETCH: LiteralString = """
UPDATE procrastinate_jobs SET scheduled_at = now() + (scheduled_at - now()) * %(factor)s FROM surveys
WHERE procrastinate_jobs.status = 'todo' AND task_name = %(task)s AND args->>'in_line' = 'true'
AND scheduled_at > now() AND surveys.id = (args->>'survey_id')::uuid AND surveys.channel = %(channel)s
"""


async def adopt_gap(connection: Connection, sender: str, gap_seconds: float, task: str, channel: str) -> int:
    """Where the sender's gap has changed, stretch its line accordingly; says how many jobs stand in it."""
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT gap_seconds FROM pacing WHERE sender = %s FOR UPDATE", (sender,)
        )
        row = await cursor.fetchone()
        if row is None or row[0] == gap_seconds:
            return 0
        factor = gap_seconds / row[0]
        await connection.execute(
            "UPDATE pacing SET gap_seconds = %s, line_at = now() + (greatest(line_at, now()) - now()) * %s"
            " WHERE sender = %s",
            (gap_seconds, factor, sender),
        )
        stretched = await connection.execute(STRETCH, {"factor": factor, "task": task, "channel": channel})
        return stretched.rowcount


async def hold(connection: Connection, sender: str, seconds: float, reason: str) -> None:
    """Have a sender that has taken a slot place nothing for a while, for a reason that an operator reads."""
    await connection.execute(
        "UPDATE pacing SET held_until = now() + %(for)s, held_reason = %(reason)s WHERE sender = %(sender)s",
        {"sender": sender, "for": f"{seconds} seconds", "reason": reason},
    )


async def held(connection: Connection, sender: str) -> SenderHold | None:
    """The hold that is in force, if any."""
    async with connection.cursor(row_factory=class_row(SenderHold)) as cursor:
        await cursor.execute(
            "SELECT held_until, held_reason FROM pacing WHERE sender = %s AND held_until > now()", (sender,)
        )
        return await cursor.fetchone()
