"""Secrets that Zeroten makes for itself, the same for every process on one database."""

from secrets import token_bytes

from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, parameters
from app.store.tables import secrets

SECRET_BYTES = 32

READ_OR_MAKE = Statement.of(
    insert(secrets)
    .values(parameters("name", "value"))
    .on_conflict_do_update(index_elements=secrets.primary_key, set_={"value": secrets.c.value})
    .returning(secrets.c.value)
)


async def read_or_make(connection: Connection, name: str) -> bytes:
    """The secret of this name, made at random by whoever asks first."""
    return await READ_OR_MAKE.one(connection, name=name, value=token_bytes(SECRET_BYTES))
