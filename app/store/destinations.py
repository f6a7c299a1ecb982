"""Destinations: who pushes to one just now, and how it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from app.store import Connection

LOCKS = 8811


async def reserve(connection: Connection, destination: str) -> bool:
    """Be the only one that pushes to a destination, until `release` or the connection's end; False where one is."""
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (LOCKS, destination))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def release(connection: Connection, destination: str) -> None:
    """Let another one push to a destination."""
    await connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (LOCKS, destination))


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
class Destination:
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


async def overview(connection: Connection, names: Sequence[str]) -> list[Destination]:
    """How each of these destinations does, and every other one for which something waits."""
    async with connection.cursor(row_factory=class_row(Destination)) as cursor:
        await cursor.execute(
            "SELECT name, count(*) FILTER (WHERE status = 'waiting') AS waiting,"
            " count(*) FILTER (WHERE status = 'delivered') AS delivered,"
            " count(*) FILTER (WHERE status = 'refused') AS refused,"
            " min(wanted_at) FILTER (WHERE status = 'waiting') AS waiting_since,"
            " max(delivered_at) AS last_delivered_at, failing_since, held_until, destinations.reason"
            " FROM (SELECT unnest(%s::text[]) AS name UNION"
            " SELECT DISTINCT destination FROM deliveries WHERE status = 'waiting') AS asked"
            " LEFT JOIN deliveries ON destination = name LEFT JOIN destinations USING (name)"
            " GROUP BY name, failing_since, held_until, destinations.reason ORDER BY name",
            (list(names),),
        )
        return await cursor.fetchall()
