"""Deliveries: one row for each response and each place it is pushed to, and how far that has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from app.store import Connection
from app.store.destinations import lift_hold
from app.store.statement import Statement, columns, given, is_any, lists
from app.store.tables import deliveries, destinations, responses, surveys

ITS_DESTINATION = deliveries.c.destination == bindparam("destination")
IS_WAITING = deliveries.c.status == "waiting"
MAY_BE_TRIED = and_(IS_WAITING, or_(deliveries.c.retry_at.is_(None), deliveries.c.retry_at <= func.now()))
IS_COMPLETED = surveys.c.status == "completed"
# A response's version grows with what it holds, and with its survey's completion.
VERSION = responses.c.version * 2 + cast(IS_COMPLETED, Integer)
ITS_SURVEY = surveys.c.id == responses.c.survey_id


def _from_the_start(new: Insert, wanted_at: ColumnElement[datetime]) -> dict[str, Any]:
    """What a delivery becomes that is wanted again, at that time."""
    return {
        "version": new.excluded.version,
        "status": "waiting",
        "tries": 0,
        "retry_at": null(),
        "reason": null(),
        "wanted_at": wanted_at,
    }


TAKES = lists(destination=Text, queues=JSONB)
WANTED = insert(deliveries).from_select(
    ["survey_id", "destination", "version"],
    select(responses.c.survey_id, TAKES.c.destination, VERSION)
    .join(surveys, ITS_SURVEY)
    .join(
        TAKES,
        or_(func.jsonb_array_length(TAKES.c.queues) == 0, TAKES.c.queues.op("?")(responses.c.queue)),
    )
    .where(responses.c.survey_id == bindparam("survey")),
)
WANT = Statement.of(
    WANTED.on_conflict_do_update(
        index_elements=["survey_id", "destination"],
        set_=_from_the_start(WANTED, func.now()),
        where=deliveries.c.version < WANTED.excluded.version,
    ).returning(deliveries.c.destination)
)


async def want(connection: Connection, survey_id: UUID, takes: Mapping[str, Sequence[str]]) -> list[str]:
    """Have a response pushed as it stands now to each destination that takes its queue (none named: all queues).

    Gives the destinations that have not been told of it in this state yet.
    """
    queues = [Jsonb(list(names)) for names in takes.values()]
    return await WANT.all(connection, survey=survey_id, destination=list(takes), queues=queues)


ASKED = lists(name=Text)
WAITING = Statement.of(
    select(ASKED.c.name)
    .join(destinations, destinations.c.name == ASKED.c.name, isouter=True)
    .where(
        or_(destinations.c.held_until.is_(None), destinations.c.held_until <= func.now()),
        exists().where(deliveries.c.destination == ASKED.c.name, MAY_BE_TRIED),
    )
)


async def waiting(connection: Connection, names: Sequence[str]) -> list[str]:
    """Those of the destinations for which something waits that may be tried now."""
    return await WAITING.all(connection, name=list(names))


COUNT_WAITING = Statement.of(select(func.count()).where(ITS_DESTINATION, IS_WAITING))


async def count_waiting(connection: Connection, destination: str) -> int:
    """How many responses wait for a destination."""
    return await COUNT_WAITING.one(connection, destination=destination)


BEFORE = deliveries.alias("before")
IN_ORDER = func.row_number().over(order_by=responses.c.answered_at) * literal(timedelta(microseconds=1))
REPLAYED = (
    select(responses.c.survey_id, bindparam("destination", type_=Text), VERSION, func.now() + IN_ORDER)
    .join(surveys, ITS_SURVEY)
    .join(
        BEFORE,
        and_(BEFORE.c.survey_id == responses.c.survey_id, BEFORE.c.destination == bindparam("destination")),
        isouter=True,
    )
    .where(surveys.c.status.in_(["completed", "partial", "opted_out"]))
)
REPLAY_FILTERS = {
    "since": responses.c.answered_at >= bindparam("since"),
    "survey": responses.c.survey_id == bindparam("survey"),
    "refused": BEFORE.c.status == "refused",
    "queues": is_any(responses.c.queue, "queues"),
}


async def replay(
    connection: Connection,
    destination: str,
    queues: Sequence[str],
    since: datetime | None = None,
    survey_id: UUID | None = None,
    *,
    refused: bool = False,
) -> int:
    """Have responses pushed again, or for the first time: those answered since then, one, or the refused ones.

    A destination that is held may be tried at once.
    """
    values = {"since": since, "survey": survey_id, "refused": refused or None, "queues": list(queues) or None}
    chosen = REPLAYED.where(*given(REPLAY_FILTERS, values))
    new = insert(deliveries).from_select(["survey_id", "destination", "version", "wanted_at"], chosen)
    written = new.on_conflict_do_update(
        index_elements=["survey_id", "destination"], set_=_from_the_start(new, new.excluded.wanted_at)
    )
    await lift_hold(connection, destination)
    return await Statement.of(written).execute(connection, destination=destination, **values)


@dataclass(frozen=True)
class Delivery:
    """How far one response has come on its way to one destination. ``tries`` since it last changed."""

    survey_id: UUID
    interaction_id: str
    queue: str
    destination: str
    status: str
    remote_id: str | None
    tries: int
    reason: str | None
    wanted_at: datetime
    retry_at: datetime | None
    delivered_at: datetime | None


FOUND = (
    select(*columns(Delivery, deliveries, responses))
    .join(responses, responses.c.survey_id == deliveries.c.survey_id)
    .order_by(deliveries.c.wanted_at.desc())
    .limit(bindparam("limit"))
)
FIND_FILTERS = {
    "destination": ITS_DESTINATION,
    "status": deliveries.c.status == bindparam("status"),
    "survey_id": deliveries.c.survey_id == bindparam("survey_id"),
    "since": deliveries.c.wanted_at >= bindparam("since"),
}


async def find(
    connection: Connection,
    destination: str | None = None,
    status: str | None = None,
    survey_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """The newest deliveries of these kinds, newest first."""
    values = {"destination": destination, "status": status, "survey_id": survey_id, "since": since}
    found = Statement.of(FOUND.where(*given(FIND_FILTERS, values)), Delivery)
    return await found.all(connection, limit=limit, **values)
