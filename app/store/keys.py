"""API keys: only their digests are stored."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, columns, parameters
from app.store.tables import api_keys


@dataclass(frozen=True)
class StoredKey:
    """A key as it is stored; ``digest`` is the SHA-256 of its secret half."""

    id: str
    name: str
    digest: bytes
    scope: str


COLUMNS = columns(StoredKey, api_keys)
BY_ID = api_keys.c.id == bindparam("id")
IS_IN_FORCE = api_keys.c.revoked_at.is_(None)

WRITE = Statement.of(insert(api_keys).values(parameters("id", "name", "digest", "scope")))


async def write(connection: Connection, key: StoredKey) -> None:
    """Store a new key."""
    await WRITE.execute(connection, **vars(key))


READ = Statement.of(select(*COLUMNS).where(BY_ID, IS_IN_FORCE), StoredKey)


async def read(connection: Connection, key_id: str) -> StoredKey | None:
    """The key of this id, unless it was revoked."""
    return await READ.first(connection, id=key_id)


READ_ALL = Statement.of(
    select(*COLUMNS).where(IS_IN_FORCE).order_by(api_keys.c.name, api_keys.c.id), StoredKey
)


async def read_all(connection: Connection) -> list[StoredKey]:
    """Every key that is in force, by name."""
    return await READ_ALL.all(connection)


REVOKE = Statement.of(update(api_keys).where(BY_ID, IS_IN_FORCE).values(revoked_at=func.now()))


async def revoke(connection: Connection, key_id: str) -> bool:
    """Take a key out of force; False where there is none of this id."""
    return await REVOKE.execute(connection, id=key_id) == 1
