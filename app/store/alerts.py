"""Alerts: one row for each response and recipient, and for each alarm; what was sent together shares a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.store import Connection, locks
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


async def read_answer(connection: Connection, survey_id: UUID) -> AlertedResponse | None:
    """The response of a survey, where it has one."""
    async with connection.cursor(row_factory=class_row(AlertedResponse)) as cursor:
        await cursor.execute(
            "SELECT queue, language, score, band, comment, callback FROM responses WHERE survey_id = %s",
            (survey_id,),
        )
        return await cursor.fetchone()


# Whoever is told in a digest, or in the morning, is told sooner where a rule now says so; else nothing changes.
WRITE: LiteralString = """
INSERT INTO alerts AS known (survey_id, recipient, rule, due_at, held_for, created_at)
SELECT %(survey_id)s, recipient, rule, due_at, held_for, %(now)s
FROM jsonb_to_recordset(%(told)s) AS told (recipient text, rule text, due_at timestamptz, held_for text)
ORDER BY recipient
ON CONFLICT (survey_id, recipient) DO UPDATE
    SET rule = excluded.rule, due_at = excluded.due_at, held_for = excluded.held_for
    WHERE known.status = 'waiting' AND known.held_for IN ('digest', 'quiet_hours') AND known.due_at > excluded.due_at
RETURNING recipient, due_at
"""


async def write(
    connection: Connection, survey_id: UUID, told: Sequence[dict[str, Any]], now: datetime
) -> list[tuple[str, datetime]]:
    """Write down who is to be told of a response; gives each recipient who was not, or now is sooner, and when."""
    values = {"survey_id": survey_id, "told": Jsonb(list(told)), "now": now}
    cursor = await connection.execute(WRITE, values)
    return [(recipient, due_at) for recipient, due_at in await cursor.fetchall()]


async def write_alarm(
    connection: Connection, recipients: Sequence[str], title: str, body: str, now: datetime
) -> None:
    """Write down what operators are to be told."""
    await connection.execute(
        "INSERT INTO alerts (recipient, rule, due_at, created_at, title, body)"
        " SELECT recipient, '', %s, %s, %s, %s FROM unnest(%s::text[]) AS recipient",
        (now, now, title, body, list(recipients)),
    )


@dataclass(frozen=True)
class DueAlert:
    """An alert whose time has come. An ``alarm`` is about Zeroten itself, not about an answer."""

    id: int
    rule: str
    held_for: HeldFor | None
    tries: int
    alarm: bool


async def due(connection: Connection, recipient: str, now: datetime) -> list[DueAlert]:
    """A recipient's due alerts in their order, for this transaction alone: another one waits here until it ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (locks.RECIPIENTS, recipient))
    async with connection.cursor(row_factory=class_row(DueAlert)) as cursor:
        await cursor.execute(
            "SELECT id, rule, held_for, tries, survey_id IS NULL AS alarm FROM alerts"
            " WHERE recipient = %s AND status = 'waiting' AND due_at <= %s ORDER BY due_at, id"
            " FOR UPDATE SKIP LOCKED",
            (recipient, now),
        )
        return await cursor.fetchall()


async def lately(connection: Connection, recipient: str, since: datetime) -> tuple[int, datetime | None]:
    """How many alerts went to a recipient by themselves, or in a storm, since then, and when the last one did."""
    cursor = await connection.execute(
        "SELECT count(*), max(taken_at) FROM alerts WHERE recipient = %s AND taken_at > %s"
        " AND status IN ('sending', 'sent', 'unknown') AND survey_id IS NOT NULL"
        " AND (held_for IS NULL OR held_for = 'storm')",
        (recipient, since),
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return row[0], row[1]


async def take(
    connection: Connection, ids: Sequence[int], message: UUID, held_for: HeldFor | None, now: datetime
) -> None:
    """Mark alerts as being sent in this message, before it is."""
    await connection.execute(
        "UPDATE alerts SET status = 'sending', message = %s, held_for = coalesce(held_for, %s), taken_at = %s,"
        " tries = tries + 1 WHERE id = ANY(%s)",
        (message, held_for, now, list(ids)),
    )


async def hold(connection: Connection, ids: Sequence[int], until: datetime, held_for: HeldFor) -> None:
    """Keep alerts until then, to go in one message."""
    await connection.execute(
        "UPDATE alerts SET due_at = %s, held_for = %s WHERE id = ANY(%s)", (until, held_for, list(ids))
    )


async def end(
    connection: Connection, message: UUID, status: str, now: datetime, reason: str | None = None
) -> int:
    """Say how sending a message ended: sent, failed or unknown; gives how many alerts were in it."""
    cursor = await connection.execute(
        "UPDATE alerts SET status = %s, ended_at = %s, reason = %s WHERE message = %s AND status = 'sending'",
        (status, now, reason, message),
    )
    return cursor.rowcount


async def retry(connection: Connection, message: UUID, at: datetime, reason: str) -> None:
    """Have what a message held sent again; it was not taken."""
    await connection.execute(
        "UPDATE alerts SET status = 'waiting', due_at = %s, reason = %s, message = NULL"
        " WHERE message = %s AND status = 'sending'",
        (at, reason, message),
    )


async def give_up(connection: Connection, recipient: str, now: datetime, reason: str) -> int:
    """End all that waits for a recipient, and say how much that was."""
    cursor = await connection.execute(
        "UPDATE alerts SET status = 'failed', ended_at = %s, reason = %s WHERE recipient = %s AND status = 'waiting'",
        (now, reason, recipient),
    )
    return cursor.rowcount


async def mark_lost(connection: Connection, before: datetime, now: datetime, reason: str) -> list[UUID]:
    """Nobody will say any more how these messages ended, which were begun before then; gives them."""
    cursor = await connection.execute(
        "UPDATE alerts SET status = 'unknown', ended_at = %s, reason = %s"
        " WHERE status = 'sending' AND taken_at < %s RETURNING message",
        (now, reason, before),
    )
    return sorted({message for (message,) in await cursor.fetchall()})


async def overdue(connection: Connection, now: datetime) -> list[str]:
    """The recipients for whom something waits whose time has come."""
    cursor = await connection.execute(
        "SELECT DISTINCT recipient FROM alerts WHERE status = 'waiting' AND due_at <= %s", (now,)
    )
    return [recipient for (recipient,) in await cursor.fetchall()]


async def count_waiting(connection: Connection) -> int:
    """How many alerts wait for their time or for another try."""
    cursor = await connection.execute("SELECT count(*) FROM alerts WHERE status = 'waiting'")
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return int(row[0])


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


async def worst(connection: Connection, message: UUID, count: int) -> list[AlertStory]:
    """The lowest scores that a message tells of, the earliest first among equals."""
    async with connection.cursor(row_factory=class_row(AlertStory)) as cursor:
        await cursor.execute(
            "SELECT responses.survey_id, alerts.rule, responses.queue, responses.agent, responses.channel, score, band,"
            " comment, comment_source, callback, answered_at, interactions.name, responses.crm_id, interactions.phone"
            " FROM alerts JOIN responses USING (survey_id)"
            " JOIN interactions ON interactions.id = responses.interaction_id"
            " WHERE message = %s ORDER BY score, answered_at LIMIT %s",
            (message, count),
        )
        return await cursor.fetchall()


@dataclass(frozen=True)
class QueueCount:
    """How many of a message's answers came from one queue."""

    queue: str
    count: int
    detractors: int


async def count_by_queue(connection: Connection, message: UUID) -> list[QueueCount]:
    """A message's answers by queue, most detractors first."""
    async with connection.cursor(row_factory=class_row(QueueCount)) as cursor:
        await cursor.execute(
            "SELECT queue, count(*), count(*) FILTER (WHERE band = 'detractor') AS detractors"
            " FROM alerts JOIN responses USING (survey_id) WHERE message = %s"
            " GROUP BY queue ORDER BY detractors DESC, count(*) DESC, queue",
            (message,),
        )
        return await cursor.fetchall()


async def first_detractor(
    connection: Connection, message: UUID, since: datetime
) -> tuple[int, datetime | None]:
    """How many detractors a message tells of who answered since then, and when the first of them did."""
    cursor = await connection.execute(
        "SELECT count(*), min(answered_at) FROM alerts JOIN responses USING (survey_id)"
        " WHERE message = %s AND band = 'detractor' AND answered_at > %s",
        (message, since),
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return row[0], row[1]


async def read_alarm(connection: Connection, message: UUID) -> tuple[str, str] | None:
    """The title and the body of an alarm; None for a message about answers."""
    cursor = await connection.execute(
        "SELECT title, body FROM alerts WHERE message = %s AND survey_id IS NULL", (message,)
    )
    row = await cursor.fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


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


async def recent(connection: Connection, count: int) -> list[RecentAlert]:
    """The newest alerts, newest first."""
    async with connection.cursor(row_factory=class_row(RecentAlert)) as cursor:
        await cursor.execute(
            "SELECT created_at, recipient, rule, queue, score, alerts.status, held_for, due_at, ended_at, tries,"
            " reason, alerts.survey_id FROM alerts LEFT JOIN responses USING (survey_id)"
            " ORDER BY alerts.id DESC LIMIT %s",
            (count,),
        )
        return await cursor.fetchall()
