"""Alerts: one row for each response and recipient, and for each alarm, from its writing until it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import and_, bindparam, func, or_, select, update

from app.store import Connection, locks
from app.store.statement import Statement, columns, is_any, parameters
from app.store.tables import alerts, responses
from app.survey import Band

HeldFor = Literal["digest", "quiet_hours", "storm"]
"""Why an alert waits for others, to go in one message with them."""


@dataclass(frozen=True)
class AlertedResponse:
    """A response as rules look at it."""

    queue: str
    language: str
    score: int
    band: Band
    comment: str | None
    callback: bool | None


READ_ANSWER = Statement.of(
    select(*columns(AlertedResponse, responses)).where(responses.c.survey_id == bindparam("survey_id")),
    AlertedResponse,
)


async def read_answer(connection: Connection, survey_id: UUID) -> AlertedResponse | None:
    """The response of a survey, where it has one."""
    return await READ_ANSWER.first(connection, survey_id=survey_id)


# Whoever is told in a digest, or in the morning, is told sooner where a rule now says so; else nothing changes.
WRITE = Statement.sql(
    """
    INSERT INTO alerts AS known (survey_id, recipient, rule, due_at, held_for, created_at)
    SELECT %(survey_id)s, recipient, rule, due_at, held_for, %(now)s
    FROM jsonb_to_recordset(%(told)s) AS told (recipient text, rule text, due_at timestamptz, held_for text)
    ORDER BY recipient
    ON CONFLICT (survey_id, recipient) DO UPDATE
        SET rule = excluded.rule, due_at = excluded.due_at, held_for = excluded.held_for
        WHERE known.status = 'waiting' AND known.held_for IN ('digest', 'quiet_hours')
            AND known.due_at > excluded.due_at
    RETURNING recipient, due_at
    """,
    tuple[str, datetime],
)


async def write(
    connection: Connection, survey_id: UUID, told: Sequence[dict[str, Any]], now: datetime
) -> list[tuple[str, datetime]]:
    """Write down who is to be told of a response; gives each recipient who was not, or now is sooner, and when."""
    return await WRITE.all(connection, survey_id=survey_id, told=Jsonb(list(told)), now=now)


WRITE_ALARM = Statement.sql(
    """
    INSERT INTO alerts (recipient, rule, due_at, created_at, title, body)
    SELECT recipient, '', %(now)s, %(now)s, %(title)s, %(body)s FROM unnest(%(recipients)s::text[]) AS recipient
    """
)


async def write_alarm(
    connection: Connection, recipients: Sequence[str], title: str, body: str, now: datetime
) -> None:
    """Write down what operators are to be told."""
    await WRITE_ALARM.execute(connection, recipients=list(recipients), title=title, body=body, now=now)


@dataclass(frozen=True)
class DueAlert:
    """An alert whose time has come. An ``alarm`` is about Zeroten itself, not about an answer."""

    id: int
    rule: str
    held_for: HeldFor | None
    tries: int
    alarm: bool


IS_ALARM = alerts.c.survey_id.is_(None)
IS_THEIRS = alerts.c.recipient == bindparam("recipient")
IS_WAITING = alerts.c.status == "waiting"
IS_DUE = and_(IS_WAITING, alerts.c.due_at <= bindparam("now"))
LOCK_RECIPIENT = Statement.of(
    select(func.pg_advisory_xact_lock(locks.RECIPIENTS, func.hashtext(bindparam("recipient"))))
)
DUE = Statement.of(
    select(alerts.c.id, alerts.c.rule, alerts.c.held_for, alerts.c.tries, IS_ALARM.label("alarm"))
    .where(IS_THEIRS, IS_DUE)
    .order_by(alerts.c.due_at, alerts.c.id)
    .with_for_update(skip_locked=True),
    DueAlert,
)


async def due(connection: Connection, recipient: str, now: datetime) -> list[DueAlert]:
    """A recipient's due alerts in their order, for this transaction alone: another one waits here until it ends."""
    await LOCK_RECIPIENT.execute(connection, recipient=recipient)
    return await DUE.all(connection, recipient=recipient, now=now)


LATELY = Statement.of(
    select(func.count(), func.max(alerts.c.taken_at)).where(
        IS_THEIRS,
        ~IS_ALARM,
        alerts.c.taken_at > bindparam("since"),
        alerts.c.status.in_(["sending", "sent", "unknown"]),
        or_(alerts.c.held_for.is_(None), alerts.c.held_for == "storm"),
    )
)


async def lately(connection: Connection, recipient: str, since: datetime) -> tuple[int, datetime | None]:
    """How many alerts went to a recipient by themselves, or in a storm, since then, and when the last one did."""
    return await LATELY.one(connection, recipient=recipient, since=since)


IS_ONE_OF = is_any(alerts.c.id, "ids")
HOLD = Statement.of(update(alerts).where(IS_ONE_OF).values(parameters("due_at", "held_for")))


async def hold(connection: Connection, ids: Sequence[int], until: datetime, held_for: HeldFor) -> None:
    """Keep alerts until then, to go in one message."""
    await HOLD.execute(connection, ids=list(ids), due_at=until, held_for=held_for)


GIVE_UP = Statement.of(
    update(alerts).where(IS_THEIRS, IS_WAITING).values(status="failed", **parameters("ended_at", "reason"))
)


async def give_up(connection: Connection, recipient: str, now: datetime, reason: str) -> int:
    """End all that waits for a recipient, and say how much that was."""
    return await GIVE_UP.execute(connection, recipient=recipient, ended_at=now, reason=reason)


OVERDUE = Statement.of(select(alerts.c.recipient).where(IS_DUE).distinct())


async def overdue(connection: Connection, now: datetime) -> list[str]:
    """The recipients for whom something waits whose time has come."""
    return await OVERDUE.all(connection, now=now)


COUNT_WAITING = Statement.of(select(func.count()).where(IS_WAITING))


async def count_waiting(connection: Connection) -> int:
    """How many alerts wait for their time or for another try."""
    return await COUNT_WAITING.one(connection)


@dataclass(frozen=True)
class RecentAlert:
    """An alert as people look it up."""

    created_at: datetime
    recipient: str
    rule: str
    queue: str | None
    score: int | None
    status: str
    held_for: HeldFor | None
    due_at: datetime
    ended_at: datetime | None
    tries: int
    reason: str | None
    survey_id: UUID | None


RECENT = Statement.of(
    select(*columns(RecentAlert, alerts, responses))
    .join(responses, responses.c.survey_id == alerts.c.survey_id, isouter=True)
    .order_by(alerts.c.id.desc())
    .limit(bindparam("count")),
    RecentAlert,
)


async def recent(connection: Connection, count: int) -> list[RecentAlert]:
    """The newest alerts, newest first."""
    return await RECENT.all(connection, count=count)
