"""The start of an attempt: of the processes that may wait with it one begins it, and takes it back where nothing came
of it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, null, or_, select, update

from app.store import Connection
from app.store.attempts import BY_ID
from app.store.statement import Statement
from app.store.tables import attempts, surveys
from app.store.tables.base import Moment

IS_WANTED = Statement.of(
    select(
        exists().where(
            BY_ID,
            attempts.c.status == "placing",
            attempts.c.begun_at.is_(None),
            surveys.c.id == attempts.c.survey_id,
            surveys.c.status == "contacting",
        )
    )
)


async def is_wanted(connection: Connection, attempt_id: UUID) -> bool:
    """Whether an attempt that was written is still to be placed: it is not given up, and its survey waits for it, and
    nobody has begun it.
    """
    return await IS_WANTED.one(connection, id=attempt_id)


OTHERS = attempts.alias("others")
# Of a message that was sent nothing more may ever be heard; it does not keep the next channel from being tried.
ANOTHER_RINGS = exists().where(
    OTHERS.c.survey_id == attempts.c.survey_id,
    OTHERS.c.id != attempts.c.id,
    OTHERS.c.direction == "outbound",
    OTHERS.c.disposition.is_(None),
    OTHERS.c.begun_at.is_not(None),
    or_(OTHERS.c.channel == "voice", OTHERS.c.carrier_sid.is_(None)),
)
BEGIN = Statement.of(
    update(attempts)
    .where(
        BY_ID,
        attempts.c.status == "placing",
        attempts.c.begun_at.is_(None),
        surveys.c.id == attempts.c.survey_id,
        surveys.c.status == "contacting",
        func.clock_timestamp() < bindparam("until", type_=Moment),
        ~ANOTHER_RINGS,
    )
    .values(begun_at=func.clock_timestamp())
)


async def begin(connection: Connection, attempt_id: UUID, until: datetime) -> bool:
    """Note that the carrier is about to be asked for the attempt; of several processes one is told True.

    False too from ``until`` on, when what allowed it must be looked at again, and where the attempt is given up, its
    survey no longer waits for it, or another attempt of the survey may ring.
    """
    return await BEGIN.execute(connection, id=attempt_id, until=until) == 1


PUT_OFF = Statement.of(update(attempts).where(BY_ID, attempts.c.status == "placing").values(begun_at=null()))


async def put_off(connection: Connection, attempt_id: UUID) -> None:
    """The carrier was not asked after all; only for the process that was told to `begin`."""
    await PUT_OFF.execute(connection, id=attempt_id)


ERASE_UNBEGUN = Statement.of(
    delete(attempts).where(BY_ID, attempts.c.status == "placing", attempts.c.begun_at.is_(None))
)


async def erase_unbegun(connection: Connection, attempt_id: UUID) -> bool:
    """Take back an attempt that nobody has begun; False where somebody has begun or settled it meanwhile."""
    return await ERASE_UNBEGUN.execute(connection, id=attempt_id) == 1


ERASE_UNPLACED = Statement.of(delete(attempts).where(BY_ID, attempts.c.status == "placing"))


async def erase_unplaced(connection: Connection, attempt_id: UUID) -> bool:
    """Take back an attempt that the carrier did not take; False where somebody has settled it meanwhile.

    Only for the process that was told to `begin`.
    """
    return await ERASE_UNPLACED.execute(connection, id=attempt_id) == 1
