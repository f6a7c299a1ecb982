"""Pushes: each try to deliver a response: claimed, carried out, settled, with a line in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Interval, and_, bindparam, case, delete, func, select, true, update

from app.ports import CrmIdentity, Event, ResponseToPush
from app.store import Connection
from app.store.deliveries import IS_COMPLETED, ITS_DESTINATION, ITS_SURVEY, MAY_BE_TRIED, VERSION
from app.store.responses import AS_OBJECT
from app.store.statement import Statement, columns, given
from app.store.tables import deliveries, delivery_log, interactions, responses, surveys

# Once claimed, it may have been carried out, until something else is known. A response that is replayed unchanged is
# told of as it was before. The version is that of the columns, which may be older or newer than the one wanted.
DUE = (
    select(deliveries.c.survey_id, deliveries.c.uncertain.label("tried"))
    .where(ITS_DESTINATION, MAY_BE_TRIED)
    .order_by(deliveries.c.wanted_at)
    .limit(bindparam("count"))
    .cte("due")
)
CLAIMED = (
    update(deliveries)
    .where(deliveries.c.survey_id == DUE.c.survey_id, ITS_DESTINATION)
    .values(tries=deliveries.c.tries + bindparam("counted"), uncertain=true())
    .returning(deliveries, DUE.c.tried)
    .cte("claimed")
)
EVENT = case(
    (and_(CLAIMED.c.delivered.is_(None), IS_COMPLETED), "response.completed"),
    (CLAIMED.c.delivered.is_(None), "response.partial"),
    (CLAIMED.c.delivered == VERSION, CLAIMED.c.event),
    (and_(CLAIMED.c.delivered % 2 == 0, VERSION % 2 == 1), "response.completed"),
    else_="response.updated",
)


@dataclass(frozen=True)
class ClaimedRow:
    """A claimed delivery, what it is to tell, and of whom."""

    survey_id: UUID
    event: Event
    version: int
    columns: dict[str, Any]
    callback: bool | None
    remote_id: str | None
    tried: bool
    tries: int
    crm_id: str | None
    email: str | None
    phone: str | None
    name: str | None


CLAIM = Statement.of(
    select(
        CLAIMED.c.survey_id,
        EVENT.label("event"),
        VERSION.label("version"),
        AS_OBJECT.label("columns"),
        responses.c.callback,
        CLAIMED.c.remote_id,
        CLAIMED.c.tried,
        CLAIMED.c.tries,
        *columns(CrmIdentity, interactions),
    )
    .join(responses, responses.c.survey_id == CLAIMED.c.survey_id)
    .join(surveys, ITS_SURVEY)
    .join(interactions, interactions.c.id == responses.c.interaction_id)
    .order_by(CLAIMED.c.wanted_at),
    ClaimedRow,
)


@dataclass(frozen=True)
class Claimed:
    """A delivery that is under way. ``tries`` counts this one, unless it only asks how the destination does."""

    answer: ResponseToPush
    tries: int


async def claim(
    connection: Connection, destination: str, count: int, *, counted: bool = True
) -> list[Claimed]:
    """The deliveries that have waited longest and may be tried now, with what they are to tell."""
    rows = await CLAIM.all(connection, destination=destination, count=count, counted=int(counted))
    return [_claimed(row) for row in rows]


def _claimed(row: ClaimedRow) -> Claimed:
    answer = ResponseToPush(
        survey_id=row.survey_id,
        event=row.event,
        version=row.version,
        columns=row.columns,
        customer=CrmIdentity(row.crm_id, row.email, row.phone, row.name),
        callback=row.callback,
        remote_id=row.remote_id,
        tried=row.tried,
    )
    return Claimed(answer, row.tries)


@dataclass(frozen=True)
class PushOutcome:
    """How a push of one response ended. ``status`` is delivered, refused, or waiting: to be tried again.

    ``reason`` holds nothing of the customer's. ``retry_in`` is in seconds. ``uncertain``: it may have been carried out.
    """

    survey_id: UUID
    version: int
    event: str
    status: str
    seconds: float
    remote_id: str | None = None
    reason: str | None = None
    retry_in: float | None = None
    uncertain: bool = False


# What grew while it was under way waits again, to be told of as it is now.
SETTLE = Statement.sql(
    """
    WITH ended AS (
        SELECT * FROM jsonb_to_recordset(%(outcomes)s) AS ended (
            survey_id uuid, version integer, event text, status text, seconds real, remote_id text, reason text,
            retry_in double precision, uncertain boolean)
    ), settled AS (
        UPDATE deliveries SET
            status = CASE WHEN deliveries.version > ended.version THEN 'waiting' ELSE ended.status END,
            version = greatest(deliveries.version, ended.version),
            remote_id = coalesce(ended.remote_id, deliveries.remote_id),
            reason = ended.reason,
            uncertain = ended.uncertain,
            tries = CASE WHEN deliveries.version > ended.version THEN 0 ELSE tries END,
            retry_at = now() + make_interval(secs => ended.retry_in),
            delivered = CASE WHEN ended.status = 'delivered' THEN ended.version ELSE delivered END,
            event = CASE WHEN ended.status = 'delivered' THEN ended.event ELSE deliveries.event END,
            delivered_at = CASE WHEN ended.status = 'delivered' THEN now() ELSE delivered_at END
        FROM ended WHERE deliveries.survey_id = ended.survey_id AND destination = %(destination)s
    )
    INSERT INTO delivery_log (survey_id, destination, event, version, outcome, reason, seconds)
    SELECT survey_id, %(destination)s, event, version, CASE WHEN status = 'waiting' THEN 'failed' ELSE status END,
        reason, seconds
    FROM ended
    """
)


async def settle(connection: Connection, destination: str, outcomes: Sequence[PushOutcome]) -> None:
    """Write down how pushes ended, each with a line in the log."""
    told = [vars(outcome) | {"survey_id": str(outcome.survey_id)} for outcome in outcomes]
    await SETTLE.execute(connection, destination=destination, outcomes=Jsonb(told))


@dataclass(frozen=True)
class Push:
    """A line of the log: one push of one response. ``seconds`` is what it took."""

    at: datetime
    survey_id: UUID
    destination: str
    event: str
    version: int
    outcome: str
    reason: str | None
    seconds: float


NEWEST = select(*columns(Push, delivery_log)).order_by(delivery_log.c.id.desc()).limit(bindparam("limit"))
LOG_FILTERS = {
    "destination": delivery_log.c.destination == bindparam("destination"),
    "survey_id": delivery_log.c.survey_id == bindparam("survey_id"),
    "since": delivery_log.c.at >= bindparam("since"),
}


async def read_log(
    connection: Connection,
    destination: str | None = None,
    survey_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Push]:
    """The newest pushes, newest first."""
    values = {"destination": destination, "survey_id": survey_id, "since": since}
    chosen = Statement.of(NEWEST.where(*given(LOG_FILTERS, values)), Push)
    return await chosen.all(connection, limit=limit, **values)


FORGET_LOG = Statement.of(
    delete(delivery_log).where(delivery_log.c.at < func.now() - bindparam("age", type_=Interval))
)


async def forget_log(connection: Connection, days: int) -> None:
    """Delete the log's lines that are older than so many days."""
    await FORGET_LOG.execute(connection, age=timedelta(days=days))
