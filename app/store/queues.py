"""Queues: what each one overrides."""

from collections.abc import Collection, Mapping
from typing import Any

from psycopg.types.json import Jsonb

from app.store import Connection


async def read(connection: Connection, name: str) -> dict[str, Any]:
    """The queue's own settings; a queue nobody has set up has none."""
    cursor = await connection.execute("SELECT settings FROM queues WHERE name = %s", (name,))
    row = await cursor.fetchone()
    return {} if row is None else dict(row[0])


async def read_many(connection: Connection, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """The settings of several queues by name; queues without any are absent."""
    cursor = await connection.execute(
        "SELECT name, settings FROM queues WHERE name = ANY(%s)", (list(names),)
    )
    return dict(await cursor.fetchall())


async def write(connection: Connection, name: str, settings: Mapping[str, Any]) -> None:
    """Replace the queue's settings."""
    await connection.execute(
        "INSERT INTO queues (name, settings) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, updated_at = now()",
        (name, Jsonb(dict(settings))),
    )
