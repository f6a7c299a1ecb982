"""Pacing: one row a sender, advanced by every worker with one statement, so the rate holds across machines."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Double, Interval, bindparam, func, select, update

from app.store import Connection
from app.store.statement import Statement, columns, parameters
from app.store.tables import pacing


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


BY_SENDER = pacing.c.sender == bindparam("sender")

TAKE = Statement.sql(
    """
    INSERT INTO pacing AS row (sender, gap_seconds, next_at)
    VALUES (%(sender)s, %(gap)s, clock_timestamp() + make_interval(secs => %(lead)s + %(gap)s))
    ON CONFLICT (sender) DO UPDATE SET
        next_at = greatest(row.next_at, clock_timestamp() + make_interval(secs => %(lead)s))
            + make_interval(secs => %(gap)s)
    RETURNING extract(epoch FROM next_at - make_interval(secs => %(gap)s))::float8 AS at,
        extract(epoch FROM clock_timestamp())::float8 AS now
    """,
    Slot,
)


async def take_slot(connection: Connection, sender: str, gap_seconds: float, lead_seconds: float) -> Slot:
    """Take the sender's next free slot, ``lead_seconds`` from now at the earliest; slots lie ``gap_seconds`` apart."""
    return await TAKE.one(connection, sender=sender, gap=gap_seconds, lead=lead_seconds)


CLOCK = Statement.sql("SELECT extract(epoch FROM clock_timestamp())::float8", float)


async def clock(connection: Connection) -> float:
    """The time by the database's clock, in seconds."""
    return await CLOCK.one(connection)


LINE_UP = Statement.sql(
    """
    INSERT INTO pacing AS row (sender, gap_seconds, line_at)
    VALUES (%(sender)s, %(gap)s, clock_timestamp() + make_interval(secs => %(gap)s))
    ON CONFLICT (sender) DO UPDATE SET
        line_at = greatest(row.line_at, row.next_at, clock_timestamp()) + make_interval(secs => %(gap)s)
    RETURNING line_at - make_interval(secs => %(gap)s) AS at,
        extract(epoch FROM line_at - make_interval(secs => %(gap)s) - clock_timestamp())::float8 AS seconds
    """,
    PlaceInLine,
)


async def line_up(connection: Connection, sender: str, gap_seconds: float) -> PlaceInLine:
    """When it is the turn of whoever joins the sender's line now, as far as that can be told."""
    return await LINE_UP.one(connection, sender=sender, gap=gap_seconds)


SECONDS_AHEAD = Statement.sql(
    "SELECT extract(epoch FROM greatest(next_at, 'epoch') - clock_timestamp())::float8"
    " FROM pacing WHERE sender = %(sender)s",
    float,
)


async def seconds_ahead(connection: Connection, sender: str) -> float:
    """In how many seconds the sender's next free slot is."""
    return await SECONDS_AHEAD.first(connection, sender=sender) or 0.0


GAP = Statement.of(select(pacing.c.gap_seconds).where(BY_SENDER).with_for_update())
ADOPT = Statement.of(
    update(pacing)
    .where(BY_SENDER)
    .values(
        gap_seconds=bindparam("gap"),
        line_at=func.now()
        + (func.greatest(pacing.c.line_at, func.now()) - func.now()) * bindparam("factor", type_=Double),
    )
)
STRETCH = Statement.sql("""
    UPDATE procrastinate_jobs SET scheduled_at = now() + (scheduled_at - now()) * %(factor)s FROM surveys
    WHERE procrastinate_jobs.status = 'todo' AND task_name = %(task)s AND args->>'in_line' = 'true'
    AND scheduled_at > now() AND surveys.id = (args->>'survey_id')::uuid AND surveys.channel = %(channel)s
    """)


async def adopt_gap(connection: Connection, sender: str, gap_seconds: float, task: str, channel: str) -> int:
    """Where the sender's gap has changed, stretch its line accordingly; says how many jobs stand in it."""
    async with connection.transaction():
        gap = await GAP.first(connection, sender=sender)
        if gap is None or gap == gap_seconds:
            return 0
        factor = gap_seconds / gap
        await ADOPT.execute(connection, sender=sender, gap=gap_seconds, factor=factor)
        return await STRETCH.execute(connection, factor=factor, task=task, channel=channel)


HOLD = Statement.of(
    update(pacing)
    .where(BY_SENDER)
    .values(held_until=func.now() + bindparam("length", type_=Interval), **parameters("held_reason"))
)


async def hold(connection: Connection, sender: str, seconds: float, reason: str) -> None:
    """Have a sender that has taken a slot place nothing for a while, for a reason that an operator reads."""
    await HOLD.execute(connection, sender=sender, length=timedelta(seconds=seconds), held_reason=reason)


HELD = Statement.of(
    select(*columns(SenderHold, pacing)).where(BY_SENDER, pacing.c.held_until > func.now()), SenderHold
)


async def held(connection: Connection, sender: str) -> SenderHold | None:
    """The hold that is in force, if any."""
    return await HELD.first(connection, sender=sender)
