"""Messages: the alerts that are sent as one, what they tell, and how sending them ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, func, null, select, update

from app.store import Connection
from app.store.alerts import IS_ALARM, IS_ONE_OF, HeldFor
from app.store.statement import Statement, columns, parameters
from app.store.tables import alerts, interactions, responses
from app.survey import Band

IN_MESSAGE = alerts.c.message == bindparam("message")
IS_BEING_SENT = and_(IN_MESSAGE, alerts.c.status == "sending")
TAKE = Statement.of(
    update(alerts)
    .where(IS_ONE_OF)
    .values(
        status="sending",
        message=bindparam("message"),
        held_for=func.coalesce(alerts.c.held_for, bindparam("held_for")),
        taken_at=bindparam("now"),
        tries=alerts.c.tries + 1,
    )
)


async def take(
    connection: Connection, ids: Sequence[int], message: UUID, held_for: HeldFor | None, now: datetime
) -> None:
    """Mark alerts as being sent in this message, before it is."""
    await TAKE.execute(connection, ids=list(ids), message=message, held_for=held_for, now=now)


END = Statement.of(update(alerts).where(IS_BEING_SENT).values(parameters("status", "ended_at", "reason")))


async def end(
    connection: Connection, message: UUID, status: str, now: datetime, reason: str | None = None
) -> int:
    """Say how sending a message ended: sent, failed or unknown; gives how many alerts were in it."""
    return await END.execute(connection, message=message, status=status, ended_at=now, reason=reason)


RETRY = Statement.of(
    update(alerts)
    .where(IS_BEING_SENT)
    .values(status="waiting", message=null(), **parameters("due_at", "reason"))
)


async def retry(connection: Connection, message: UUID, at: datetime, reason: str) -> None:
    """Have what a message held sent again; it was not taken."""
    await RETRY.execute(connection, message=message, due_at=at, reason=reason)


MARK_LOST = Statement.of(
    update(alerts)
    .where(alerts.c.status == "sending", alerts.c.taken_at < bindparam("before"))
    .values(status="unknown", **parameters("ended_at", "reason"))
    .returning(alerts.c.message)
)


async def mark_lost(connection: Connection, before: datetime, now: datetime, reason: str) -> list[UUID]:
    """Nobody will say any more how these messages ended, which were begun before then; gives them."""
    lost = await MARK_LOST.all(connection, before=before, ended_at=now, reason=reason)
    return sorted({message for message in lost if message is not None})


@dataclass(frozen=True)
class AlertStory:
    """An answer, as people are told of it. ``phone`` is E.164."""

    survey_id: UUID
    rule: str
    queue: str
    agent: str
    channel: str
    score: int
    band: Band
    comment: str | None
    comment_source: str | None
    callback: bool | None
    answered_at: datetime
    name: str | None
    crm_id: str | None
    phone: str | None


IS_ABOUT = responses.c.survey_id == alerts.c.survey_id
WORST = Statement.of(
    select(*columns(AlertStory, responses, alerts, interactions))
    .select_from(alerts)
    .join(responses, IS_ABOUT)
    .join(interactions, interactions.c.id == responses.c.interaction_id)
    .where(IN_MESSAGE)
    .order_by(responses.c.score, responses.c.answered_at)
    .limit(bindparam("count")),
    AlertStory,
)


async def worst(connection: Connection, message: UUID, count: int) -> list[AlertStory]:
    """The lowest scores that a message tells of, the earliest first among equals."""
    return await WORST.all(connection, message=message, count=count)


@dataclass(frozen=True)
class QueueCount:
    """How many of a message's answers came from one queue."""

    queue: str
    count: int
    detractors: int


DETRACTORS = func.count().filter(responses.c.band == "detractor").label("detractors")
COUNT_BY_QUEUE = Statement.of(
    select(responses.c.queue, func.count().label("count"), DETRACTORS)
    .join(alerts, IS_ABOUT)
    .where(IN_MESSAGE)
    .group_by(responses.c.queue)
    .order_by(DETRACTORS.desc(), func.count().desc(), responses.c.queue),
    QueueCount,
)


async def count_by_queue(connection: Connection, message: UUID) -> list[QueueCount]:
    """A message's answers by queue, most detractors first."""
    return await COUNT_BY_QUEUE.all(connection, message=message)


FIRST_DETRACTOR = Statement.of(
    select(func.count(), func.min(responses.c.answered_at))
    .join(alerts, IS_ABOUT)
    .where(IN_MESSAGE, responses.c.band == "detractor", responses.c.answered_at > bindparam("since"))
)


async def first_detractor(
    connection: Connection, message: UUID, since: datetime
) -> tuple[int, datetime | None]:
    """How many detractors a message tells of who answered since then, and when the first of them did."""
    return await FIRST_DETRACTOR.one(connection, message=message, since=since)


READ_ALARM = Statement.of(select(alerts.c.title, alerts.c.body).where(IN_MESSAGE, IS_ALARM))


async def read_alarm(connection: Connection, message: UUID) -> tuple[str, str] | None:
    """The title and the body of an alarm; None for a message about answers."""
    row = await READ_ALARM.first(connection, message=message)
    return None if row is None else (str(row[0]), str(row[1]))
