"""Secrets that Zeroten makes for itself, the same for every process on one database."""

import secrets

from app.store import Connection

SECRET_BYTES = 32


async def read_or_make(connection: Connection, name: str) -> bytes:
    """The secret of this name, made at random by whoever asks first."""
    cursor = await connection.execute(
        "INSERT INTO secrets AS known (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = known.value RETURNING value",
        (name, secrets.token_bytes(SECRET_BYTES)),
    )
    row = await cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return bytes(row[0])
