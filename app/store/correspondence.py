"""Surveys as somebody's messages find them: by number, and by the messages that were taken already."""

from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, parameters
from app.store.surveys import COLUMNS, IS_OPEN, Survey
from app.store.tables import receipts, surveys, turns

READ_AWAITING = Statement.of(
    select(*COLUMNS)
    .where(
        surveys.c.phone == bindparam("phone"),
        surveys.c.channel == bindparam("channel"),
        IS_OPEN,
        or_(surveys.c.conversation.is_not(None), surveys.c.contacted_at.is_not(None)),
    )
    .order_by(surveys.c.created_at.desc())
    .limit(1),
    Survey,
)


async def read_awaiting(connection: Connection, phone: str, channel: str) -> Survey | None:
    """The newest open survey on this channel that this number was written to, and may answer."""
    return await READ_AWAITING.first(connection, phone=phone, channel=channel)


OPEN_TO = Statement.of(select(surveys.c.id).where(surveys.c.phone == bindparam("phone"), IS_OPEN))


async def open_to(connection: Connection, phone: str) -> list[UUID]:
    """The surveys under way with this number, on any channel."""
    return await OPEN_TO.all(connection, phone=phone)


READ_RECEIPT = Statement.of(
    select(turns.c.survey_id, turns.c.number).where(turns.c.receipt == bindparam("receipt"))
)


async def read_receipt(connection: Connection, receipt: str) -> tuple[UUID, int] | None:
    """The survey, and the number of its turn, in which the provider's message was taken; None where it was not yet."""
    return await READ_RECEIPT.first(connection, receipt=receipt)


TAKE = Statement.of(insert(receipts).values(**parameters("receipt")).on_conflict_do_nothing())


async def take(connection: Connection, receipt: str) -> bool:
    """Whether this message comes for the first time: whoever has its bytes may post it again, with its signature."""
    return not receipt or await TAKE.execute(connection, receipt=receipt) == 1
