"""The one clock by which anything is decided: the database's, which every process shares."""

from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import func, select

from app.store import Connection
from app.store.statement import Statement

# A worker whose own clock differs more than this does no work: its library plans repetitions by it.
TRUSTED = timedelta(seconds=2)

NOW = Statement.of(select(func.clock_timestamp()))


async def now(connection: Connection) -> datetime:
    """The time by the database's clock, which goes on within a transaction."""
    moment: datetime = await NOW.one(connection)
    return moment


async def today(connection: Connection, timezone: tzinfo) -> str:
    """The present day of ``timezone``, such as 2026-11-28, by the database's clock."""
    return (await now(connection)).astimezone(timezone).date().isoformat()


async def ahead(connection: Connection) -> timedelta:
    """How far this process's clock is ahead of the database's; below zero where it is behind.

    What the question itself may have taken is not counted, so the truth is at least that far from zero.
    """
    asked = datetime.now(UTC)
    theirs = await now(connection)
    answered = datetime.now(UTC)
    return max(asked - theirs, timedelta()) + min(answered - theirs, timedelta())


def is_trusted(ahead: timedelta) -> bool:
    """Whether a clock that differs so much may be worked by."""
    return abs(ahead) <= TRUSTED
