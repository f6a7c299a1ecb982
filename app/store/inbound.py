"""When people last wrote to us, where a channel allows us to write freely only for a while after that."""

from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, parameters
from app.store.tables import inbound

NOTE = Statement.of(
    insert(inbound)
    .values(last_at=func.now(), **parameters("channel", "phone"))
    .on_conflict_do_update(index_elements=inbound.primary_key, set_={"last_at": func.now()})
)


async def note(connection: Connection, channel: str, phone: str) -> None:
    """Write down that this number wrote to us on this channel now."""
    await NOTE.execute(connection, channel=channel, phone=phone)


LAST_AT = Statement.of(
    select(inbound.c.last_at).where(
        inbound.c.channel == bindparam("channel"), inbound.c.phone == bindparam("phone")
    )
)


async def last_at(connection: Connection, channel: str, phone: str) -> datetime | None:
    """When the person last wrote, if ever."""
    return await LAST_AT.first(connection, channel=channel, phone=phone)
