"""Pacing: one row a sender, advanced by every worker with one statement, so the rate holds across machines."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from app.store import Connection


@dataclass(frozen=True)
class Slot:
    """A moment at which one start is allowed; ``seconds`` from now by the database's clock, negative when past."""

    at: datetime
    seconds: float


@dataclass(frozen=True)
class Hold:
    """Why nothing is placed for the moment, and until when."""

    held_until: datetime
    held_reason: str


async def take(connection: Connection, sender: str, gap_seconds: float, lead_seconds: float) -> Slot:
    """Take the sender's next free slot, ``lead_seconds`` from now at the earliest; slots lie ``gap_seconds`` apart."""
    async with connection.cursor(row_factory=class_row(Slot)) as cursor:
        await cursor.execute(
            "INSERT INTO pacing AS row (sender, next_at)"
            " VALUES (%(sender)s, clock_timestamp() + make_interval(secs => %(lead)s + %(gap)s))"
            " ON CONFLICT (sender) DO UPDATE SET next_at ="
            " greatest(row.next_at, clock_timestamp() + make_interval(secs => %(lead)s))"
            " + make_interval(secs => %(gap)s)"
            " RETURNING next_at - make_interval(secs => %(gap)s) AS at,"
            " extract(epoch FROM next_at - make_interval(secs => %(gap)s) - clock_timestamp())::float8 AS seconds",
            {"sender": sender, "gap": gap_seconds, "lead": lead_seconds},
        )
        slot = await cursor.fetchone()
        assert slot is not None, "an upsert returns its row"
        return slot


async def seconds_until(connection: Connection, at: datetime) -> float:
    """How far away a moment is by the database's clock, which all workers share."""
    cursor = await connection.execute("SELECT extract(epoch FROM %s - clock_timestamp())::float8", (at,))
    row = await cursor.fetchone()
    assert row is not None, "a SELECT without FROM returns a row"
    return float(row[0])


async def hold(connection: Connection, sender: str, seconds: float, reason: str) -> None:
    """Place nothing for a while, for a reason that an operator reads."""
    await connection.execute(
        "INSERT INTO pacing (sender, held_until, held_reason) VALUES (%(sender)s, now() + %(for)s, %(reason)s)"
        " ON CONFLICT (sender) DO UPDATE SET held_until = excluded.held_until, held_reason = excluded.held_reason",
        {"sender": sender, "for": f"{seconds} seconds", "reason": reason},
    )


async def held(connection: Connection, sender: str) -> Hold | None:
    """The hold that is in force, if any."""
    async with connection.cursor(row_factory=class_row(Hold)) as cursor:
        await cursor.execute(
            "SELECT held_until, held_reason FROM pacing WHERE sender = %s AND held_until > now()", (sender,)
        )
        return await cursor.fetchone()
