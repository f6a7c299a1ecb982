"""When people last wrote to us, where a channel allows us to write freely only for a while after that."""

from datetime import datetime

from app.store import Connection


async def note(connection: Connection, channel: str, phone: str) -> None:
    """The person has just written."""
    await connection.execute(
        "INSERT INTO inbound (channel, phone, last_at) VALUES (%s, %s, now())"
        " ON CONFLICT (channel, phone) DO UPDATE SET last_at = excluded.last_at",
        (channel, phone),
    )


async def last_at(connection: Connection, channel: str, phone: str) -> datetime | None:
    """When the person last wrote, if ever."""
    cursor = await connection.execute(
        "SELECT last_at FROM inbound WHERE channel = %s AND phone = %s", (channel, phone)
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]
