"""Queues: what each one overrides."""

from collections.abc import Collection, Mapping
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, is_any, parameters
from app.store.tables import queues

READ = Statement.of(select(queues.c.settings).where(queues.c.name == bindparam("name")))


async def read(connection: Connection, name: str) -> dict[str, Any]:
    """The queue's own settings; a queue nobody has set up has none."""
    return await READ.first(connection, name=name) or {}


READ_MANY = Statement.of(select(queues.c.name, queues.c.settings).where(is_any(queues.c.name, "names")))


async def read_many(connection: Connection, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """The settings of several queues by name; queues without any are absent."""
    return dict(await READ_MANY.all(connection, names=list(names)))


NEW = insert(queues).values(parameters("name", "settings"))
WRITE = Statement.of(
    NEW.on_conflict_do_update(
        index_elements=queues.primary_key,
        set_={"settings": NEW.excluded.settings, "updated_at": func.now()},
    )
)


async def write(connection: Connection, name: str, settings: Mapping[str, Any]) -> None:
    """Replace the queue's settings."""
    await WRITE.execute(connection, name=name, settings=Jsonb(dict(settings)))
