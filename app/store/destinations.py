"""Destinations: who pushes to one just now, and how it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from app.store import Connection, locks


async def reserve(connection: Connection, destination: str) -> bool:
    """Be the only one that pushes to a destination, until `release` or the connection's end; False where one is."""
    cursor = await connection.execute(
        "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (locks.DESTINATIONS, destination)
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def release(connection: Connection, destination: str) -> None:
    """Let another one push to a destination."""
    await connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (locks.DESTINATIONS, destination))


@dataclass(frozen=True)
class Health:
    """How a destination does. ``failures`` in a row since ``failing_since``; nothing is tried before ``held_until``."""

    failures: int = 0
    failing_since: datetime | None = None
    held_until: datetime | None = None
    reason: str | None = None
    alarmed: bool = False


async def health(connection: Connection, destination: str) -> Health:
    """How a destination does; one that was never in trouble does well."""
    async with connection.cursor(row_factory=class_row(Health)) as cursor:
        await cursor.execute(
            "SELECT failures, failing_since, held_until, reason, alarmed FROM destinations WHERE name = %s",
            (destination,),
        )
        return await cursor.fetchone() or Health()


async def recovered(connection: Connection, destination: str) -> bool:
    """Note that a destination takes answers; whether people were told that it does not."""
    cursor = await connection.execute(
        "DELETE FROM destinations WHERE name = %s RETURNING alarmed", (destination,)
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def failing(
    connection: Connection, destination: str, failures: int, reason: str, hold_seconds: float | None
) -> Health:
    """Note failures of a destination, and hold it for so long."""
    async with connection.cursor(row_factory=class_row(Health)) as cursor:
        await cursor.execute(
            "INSERT INTO destinations AS known (name, failures, reason, held_until)"
            " VALUES (%(name)s, %(failures)s, %(reason)s, now() + make_interval(secs => %(hold)s))"
            " ON CONFLICT (name) DO UPDATE SET failures = known.failures + excluded.failures,"
            " failing_since = CASE known.failures WHEN 0 THEN now() ELSE known.failing_since END,"
            " reason = excluded.reason, held_until = excluded.held_until"
            " RETURNING failures, failing_since, held_until, reason, alarmed",
            {"name": destination, "failures": failures, "reason": reason, "hold": hold_seconds},
        )
        found = await cursor.fetchone()
    assert found is not None, "an upsert returns its row"
    return found


async def mark_alarmed(connection: Connection, destination: str) -> bool:
    """Note that people are told that a destination takes nothing; False where they were told before."""
    cursor = await connection.execute(
        "UPDATE destinations SET alarmed = true WHERE name = %s AND NOT alarmed", (destination,)
    )
    return cursor.rowcount == 1


async def lift_hold(connection: Connection, destination: str) -> None:
    """Let a destination be tried at once, after somebody mended it."""
    await connection.execute("UPDATE destinations SET held_until = NULL WHERE name = %s", (destination,))


@dataclass(frozen=True)
class Standing:
    """A destination as people see it. ``waiting_since`` is the oldest that waits."""

    name: str
    waiting: int
    delivered: int
    refused: int
    waiting_since: datetime | None
    last_delivered_at: datetime | None
    failing_since: datetime | None
    held_until: datetime | None
    reason: str | None


# Each part has an index of its own, and reads nothing else.
OVERVIEW = """
SELECT name, waiting, delivered, refused, waiting_since, last_delivered_at, failing_since, held_until, reason
FROM (
    SELECT unnest(%s::text[]) AS name UNION SELECT DISTINCT destination FROM deliveries WHERE status = 'waiting'
) AS asked LEFT JOIN destinations USING (name), LATERAL (
    SELECT count(*) AS waiting, min(wanted_at) AS waiting_since FROM deliveries
    WHERE destination = name AND status = 'waiting'
) AS those_waiting, LATERAL (
    SELECT count(*) AS delivered, max(delivered_at) AS last_delivered_at FROM deliveries
    WHERE destination = name AND status = 'delivered'
) AS those_delivered, LATERAL (
    SELECT count(*) AS refused FROM deliveries WHERE destination = name AND status = 'refused'
) AS those_refused
ORDER BY name
"""


async def overview(connection: Connection, names: Sequence[str]) -> list[Standing]:
    """How each of these destinations does, and every other one for which something waits."""
    async with connection.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(OVERVIEW, (list(names),))
        return await cursor.fetchall()
