"""Destinations: who pushes to one just now, and how it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Interval, bindparam, case, delete, func, null, select, true, update
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection, locks
from app.store.statement import Statement, columns, parameters
from app.store.tables import destinations

BY_NAME = destinations.c.name == bindparam("destination")
LOCK = (locks.DESTINATIONS, func.hashtext(bindparam("destination")))
RESERVE = Statement.of(select(func.pg_try_advisory_lock(*LOCK)))
RELEASE = Statement.of(select(func.pg_advisory_unlock(*LOCK)))


async def reserve(connection: Connection, destination: str) -> bool:
    """Be the only one that pushes to a destination, until `release` or the connection's end; False where one is."""
    return bool(await RESERVE.one(connection, destination=destination))


async def release(connection: Connection, destination: str) -> None:
    """Let another one push to a destination."""
    await RELEASE.execute(connection, destination=destination)


@dataclass(frozen=True)
class DestinationHealth:
    """How a destination does. ``failures`` in a row since ``failing_since``; nothing is tried before ``held_until``."""

    failures: int = 0
    failing_since: datetime | None = None
    held_until: datetime | None = None
    reason: str | None = None
    alarmed: bool = False


HEALTH = Statement.of(select(*columns(DestinationHealth, destinations)).where(BY_NAME), DestinationHealth)


async def health(connection: Connection, destination: str) -> DestinationHealth:
    """How a destination does; one that was never in trouble does well."""
    return await HEALTH.first(connection, destination=destination) or DestinationHealth()


RECOVERED = Statement.of(delete(destinations).where(BY_NAME).returning(destinations.c.alarmed))


async def recovered(connection: Connection, destination: str) -> bool:
    """Note that a destination takes answers; whether people were told that it does not."""
    return bool(await RECOVERED.first(connection, destination=destination))


FAILED = insert(destinations).values(
    held_until=func.now() + bindparam("hold", type_=Interval), **parameters("name", "failures", "reason")
)
FAILING = Statement.of(
    FAILED.on_conflict_do_update(
        index_elements=[destinations.c.name],
        set_={
            "failures": destinations.c.failures + FAILED.excluded.failures,
            "failing_since": case(
                (destinations.c.failures == 0, func.now()), else_=destinations.c.failing_since
            ),
            "reason": FAILED.excluded.reason,
            "held_until": FAILED.excluded.held_until,
        },
    ).returning(*columns(DestinationHealth, destinations)),
    DestinationHealth,
)


async def failing(
    connection: Connection, destination: str, failures: int, reason: str, hold_seconds: float | None
) -> DestinationHealth:
    """Note failures of a destination, and hold it for so long."""
    hold = None if hold_seconds is None else timedelta(seconds=hold_seconds)
    return await FAILING.one(connection, name=destination, failures=failures, reason=reason, hold=hold)


MARK_ALARMED = Statement.of(
    update(destinations).where(BY_NAME, ~destinations.c.alarmed).values(alarmed=true())
)


async def mark_alarmed(connection: Connection, destination: str) -> bool:
    """Note that people are told that a destination takes nothing; False where they were told before."""
    return await MARK_ALARMED.execute(connection, destination=destination) == 1


LIFT_HOLD = Statement.of(update(destinations).where(BY_NAME).values(held_until=null()))


async def lift_hold(connection: Connection, destination: str) -> None:
    """Let a destination be tried at once, after somebody mended it."""
    await LIFT_HOLD.execute(connection, destination=destination)


@dataclass(frozen=True)
class DestinationStatus:
    """A destination as people see it."""

    name: str
    waiting: int
    delivered: int
    refused: int
    last_delivered_at: datetime | None
    failing_since: datetime | None
    held_until: datetime | None
    reason: str | None


# Each part has an index of its own, and reads nothing else.
OVERVIEW = Statement.sql(
    """
    SELECT name, waiting, delivered, refused, last_delivered_at, failing_since, held_until, reason
    FROM (
        SELECT unnest(%(names)s::text[]) AS name
        UNION SELECT DISTINCT destination FROM deliveries WHERE status = 'waiting'
    ) AS asked LEFT JOIN destinations USING (name), LATERAL (
        SELECT count(*) AS waiting FROM deliveries
        WHERE destination = name AND status = 'waiting'
    ) AS those_waiting, LATERAL (
        SELECT count(*) AS delivered, max(delivered_at) AS last_delivered_at FROM deliveries
        WHERE destination = name AND status = 'delivered'
    ) AS those_delivered, LATERAL (
        SELECT count(*) AS refused FROM deliveries WHERE destination = name AND status = 'refused'
    ) AS those_refused
    ORDER BY name
    """,
    DestinationStatus,
)


async def overview(connection: Connection, names: Sequence[str]) -> list[DestinationStatus]:
    """How each of these destinations does, and every other one for which something waits."""
    return await OVERVIEW.all(connection, names=list(names))
