"""Attempts: each call or message to a person, written before the carrier is asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, bindparam, case, exists, func, null, select, update
from sqlalchemy.dialects.postgresql import array, insert

from app.store import Connection
from app.store.statement import Statement, columns, is_any, parameters
from app.store.tables import attempts


@dataclass(frozen=True)
class Attempt:
    """An attempt as it stands; ``status`` only moves forward, ``disposition`` is set once."""

    id: UUID
    survey_id: UUID
    number: int
    channel: str
    direction: str
    status: str
    disposition: str | None
    carrier_sid: str | None
    answered_by: str | None
    created_at: datetime
    begun_at: datetime | None

    @property
    def may_ring(self) -> bool:
        """Whether the person's phone may ring for it yet, or a message of unknown outcome arrive.

        Of a message that was sent nothing more may ever be heard; it keeps nothing else waiting.
        """
        begun = self.direction == "outbound" and self.begun_at is not None and self.disposition is None
        return begun and (self.channel == "voice" or self.carrier_sid is None)


COLUMNS = columns(Attempt, attempts)
BY_ID = attempts.c.id == bindparam("id")

WRITE = Statement.of(
    insert(attempts)
    .values(begun_at=null(), **parameters("id", "survey_id", "number", "channel", "direction"))
    .on_conflict_do_nothing()
)


async def write(
    connection: Connection,
    attempt_id: UUID,
    survey_id: UUID,
    number: int,
    channel: str,
    direction: str = "outbound",
) -> bool:
    """Write an attempt that is about to be placed; False when this number of the survey was already written."""
    written = await WRITE.execute(
        connection, id=attempt_id, survey_id=survey_id, number=number, channel=channel, direction=direction
    )
    return written == 1


READ = Statement.of(select(*COLUMNS).where(BY_ID), Attempt)
READ_LOCKED = Statement.of(select(*COLUMNS).where(BY_ID).with_for_update(), Attempt)


async def read(connection: Connection, attempt_id: UUID, *, lock: bool = False) -> Attempt | None:
    """The attempt, locked until the transaction ends when ``lock`` is set."""
    return await (READ_LOCKED if lock else READ).first(connection, id=attempt_id)


LAST = Statement.of(
    select(*COLUMNS)
    .where(attempts.c.survey_id == bindparam("survey_id"))
    .order_by(attempts.c.number.desc())
    .limit(1),
    Attempt,
)


async def last(connection: Connection, survey_id: UUID) -> Attempt | None:
    """The survey's newest attempt."""
    return await LAST.first(connection, survey_id=survey_id)


KNOWN = attempts.alias("known")
NAME_SID = Statement.of(
    update(attempts)
    .where(
        BY_ID,
        attempts.c.carrier_sid.is_(None),
        ~exists().where(KNOWN.c.carrier_sid == bindparam("sid")),
    )
    .values(
        carrier_sid=bindparam("sid"),
        placed_at=func.now(),
        status=case((attempts.c.status == "placing", "placed"), else_=attempts.c.status),
    )
)


async def name_sid(connection: Connection, attempt_id: UUID, sid: str) -> bool:
    """Tie the attempt to the carrier's id; False when it has one already."""
    return await NAME_SID.execute(connection, id=attempt_id, sid=sid) == 1


KNOWN_SIDS = Statement.of(select(attempts.c.carrier_sid).where(is_any(attempts.c.carrier_sid, "sids")))


async def known_sids(connection: Connection, sids: list[str]) -> set[str]:
    """Those of the carrier's ids that belong to an attempt."""
    return {sid for sid in await KNOWN_SIDS.all(connection, sids=sids) if sid is not None}


ORDER = array(["placing", "placed", "ringing", "in_progress", "ended"])
MOVE = Statement.of(
    update(attempts)
    .where(
        BY_ID,
        attempts.c.disposition.is_(None),
        func.array_position(ORDER, attempts.c.status)
        < func.array_position(ORDER, bindparam("status", type_=Text)),
    )
    .values(status=bindparam("status"))
)


async def move(connection: Connection, attempt_id: UUID, status: str) -> None:
    """Move the status forward; callbacks come in any order, so an earlier one changes nothing."""
    await MOVE.execute(connection, id=attempt_id, status=status)


NOTE_ANSWERER = Statement.of(update(attempts).where(BY_ID).values(parameters("answered_by")))


async def note_answerer(connection: Connection, attempt_id: UUID, answered_by: str) -> None:
    """Keep who the carrier thinks picked up."""
    await NOTE_ANSWERER.execute(connection, id=attempt_id, answered_by=answered_by)


END = Statement.of(
    update(attempts)
    .where(BY_ID, attempts.c.disposition.is_(None))
    .values(status="ended", ended_at=func.now(), **parameters("disposition", "error_code"))
    .returning(*COLUMNS),
    Attempt,
)


async def end(
    connection: Connection, attempt_id: UUID, disposition: str, error_code: int | None = None
) -> Attempt | None:
    """End the attempt; None when it had ended before, and what follows must not happen twice."""
    return await END.first(connection, id=attempt_id, disposition=disposition, error_code=error_code)


OF_CALL = Statement.of(select(attempts.c.id).where(attempts.c.carrier_sid == bindparam("sid")))


async def of_call(connection: Connection, sid: str) -> UUID | None:
    """The attempt that the carrier knows under this id."""
    return await OF_CALL.first(connection, sid=sid)


COUNT_ENDED = Statement.of(select(func.count()).where(attempts.c.disposition.is_not(None)))


async def count_ended(connection: Connection) -> int:
    """How many attempts are over."""
    return await COUNT_ENDED.one(connection)


COUNT_RUNG = Statement.of(
    select(func.count()).where(
        attempts.c.survey_id == bindparam("survey_id"),
        attempts.c.channel == bindparam("channel"),
        attempts.c.direction == "outbound",
        attempts.c.disposition.is_distinct_from("not_placed"),
    )
)


async def count_rung(connection: Connection, survey_id: UUID, channel: str) -> int:
    """How often a survey's person was tried on a channel.

    What the carrier never took, and the person's own calls, do not count.
    """
    return await COUNT_RUNG.one(connection, survey_id=survey_id, channel=channel)


COUNT_UNPLACED = Statement.of(
    select(func.count()).where(
        attempts.c.survey_id == bindparam("survey_id"), attempts.c.disposition == "not_placed"
    )
)


async def count_unplaced(connection: Connection, survey_id: UUID) -> int:
    """How often the carrier took nothing."""
    return await COUNT_UNPLACED.one(connection, survey_id=survey_id)


REVIVE = Statement.of(
    update(attempts)
    .where(BY_ID, attempts.c.disposition == "not_placed")
    .values(status="placed", disposition=null(), error_code=null(), ended_at=null())
)


async def revive(connection: Connection, attempt_id: UUID) -> bool:
    """The carrier took an attempt that it had not known of before: it goes on. False for any other attempt."""
    return await REVIVE.execute(connection, id=attempt_id) == 1


ARRIVED_AFTER_ALL = Statement.of(
    update(attempts)
    .where(BY_ID, attempts.c.disposition == "failed")
    .values(disposition="delivered", error_code=null())
)


async def arrived_after_all(connection: Connection, attempt_id: UUID) -> bool:
    """Correct a message that was reported lost, and then delivered; False for any other attempt."""
    return await ARRIVED_AFTER_ALL.execute(connection, id=attempt_id) == 1
