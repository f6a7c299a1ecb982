"""API keys: only their digests are stored."""

from dataclasses import dataclass
from typing import LiteralString

from psycopg.rows import class_row

from app.store import Connection


@dataclass(frozen=True)
class StoredKey:
    """A key as it is stored; ``digest`` is the SHA-256 of its secret half."""

    id: str
    name: str
    digest: bytes
    scope: str


COLUMNS: LiteralString = "id, name, digest, scope"


async def write(connection: Connection, key: StoredKey) -> None:
    """Store a new key."""
    await connection.execute(
        "INSERT INTO api_keys (id, name, digest, scope) VALUES (%s, %s, %s, %s)",
        (key.id, key.name, key.digest, key.scope),
    )


async def read(connection: Connection, key_id: str) -> StoredKey | None:
    """The key of this id, unless it was revoked."""
    async with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        await cursor.execute(
            f"SELECT {COLUMNS} FROM api_keys WHERE id = %s AND revoked_at IS NULL", (key_id,)
        )
        return await cursor.fetchone()


async def read_all(connection: Connection) -> list[StoredKey]:
    """Every key that is in force, by name."""
    async with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        await cursor.execute(f"SELECT {COLUMNS} FROM api_keys WHERE revoked_at IS NULL ORDER BY name, id")
        return await cursor.fetchall()


async def revoke(connection: Connection, key_id: str) -> bool:
    """Take a key out of force; False where there is none of this id."""
    cursor = await connection.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL", (key_id,)
    )
    return cursor.rowcount == 1
