"""Surveys as somebody's messages find them: by number, and by the messages that were taken already."""

from uuid import UUID

from psycopg.rows import class_row
from sqlalchemy import bindparam, select

from app.store import Connection
from app.store.statement import Statement
from app.store.surveys import COLUMNS, Survey
from app.store.tables import OPEN, turns


async def read_awaiting(connection: Connection, phone: str, channel: str) -> Survey | None:
    """The newest open survey on this channel that this number was written to, and may answer."""
    async with connection.cursor(row_factory=class_row(Survey)) as cursor:
        await cursor.execute(
            f"SELECT {COLUMNS} FROM surveys WHERE phone = %s AND channel = %s AND status = ANY(%s)"
            " AND (conversation IS NOT NULL OR contacted_at IS NOT NULL) ORDER BY created_at DESC LIMIT 1",
            (phone, channel, list(OPEN)),
        )
        return await cursor.fetchone()


async def open_to(connection: Connection, phone: str) -> list[UUID]:
    """The surveys under way with this number, on any channel."""
    cursor = await connection.execute(
        "SELECT id FROM surveys WHERE phone = %s AND status = ANY(%s)", (phone, list(OPEN))
    )
    return [survey_id for (survey_id,) in await cursor.fetchall()]


READ_RECEIPT = Statement.of(
    select(turns.c.survey_id, turns.c.number).where(turns.c.receipt == bindparam("receipt"))
)


async def read_receipt(connection: Connection, receipt: str) -> tuple[UUID, int] | None:
    """The survey, and the number of its turn, in which the provider's message was taken; None where it was not yet."""
    return await READ_RECEIPT.first(connection, receipt=receipt)
