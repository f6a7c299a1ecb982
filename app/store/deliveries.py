"""Deliveries: one row for each response and each place it is pushed to, and how far that has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from app.ports import CrmIdentity, ResponseToPush
from app.store import Connection, destinations
from app.store.responses import OBJECT

# A response's version grows with what it holds, and with its survey's completion.
VERSION: LiteralString = "responses.version * 2 + (surveys.status = 'completed')::int"

WANT: LiteralString = f"""
INSERT INTO deliveries AS known (survey_id, destination, version)
SELECT responses.survey_id, destination, {VERSION}
FROM responses JOIN surveys ON surveys.id = responses.survey_id,
    unnest(%(destinations)s::text[], %(queues)s::jsonb[]) AS wanted (destination, queues)
WHERE responses.survey_id = %(survey_id)s
    AND (jsonb_array_length(queues) = 0 OR queues ? responses.queue)
ON CONFLICT (survey_id, destination) DO UPDATE
    SET version = excluded.version, status = 'waiting', tries = 0, retry_at = NULL, reason = NULL, wanted_at = now()
    WHERE known.version < excluded.version
RETURNING destination
"""


async def want(connection: Connection, survey_id: UUID, takes: Mapping[str, Sequence[str]]) -> list[str]:
    """Have a response pushed as it stands now to each destination that takes its queue (none named: all queues).

    Gives the destinations that have not been told of it in this state yet.
    """
    given = {
        "survey_id": survey_id,
        "destinations": list(takes),
        "queues": [Jsonb(list(each)) for each in takes.values()],
    }
    cursor = await connection.execute(WANT, given)
    return [str(name) for (name,) in await cursor.fetchall()]


# Once claimed, it may have been carried out, until something else is known. A response that is replayed unchanged is
# told of as it was before. The version is that of the columns, which may be older or newer than the one wanted.
CLAIM: LiteralString = f"""
WITH due AS (
    SELECT survey_id, uncertain AS tried FROM deliveries
    WHERE destination = %(destination)s AND status = 'waiting' AND (retry_at IS NULL OR retry_at <= now())
    ORDER BY wanted_at LIMIT %(count)s
), claimed AS (
    UPDATE deliveries SET tries = tries + %(counted)s::int, uncertain = true FROM due
    WHERE deliveries.survey_id = due.survey_id AND destination = %(destination)s
    RETURNING deliveries.*, tried
)
SELECT claimed.survey_id, present.version, tries, remote_id, tried, CASE
        WHEN delivered IS NULL AND surveys.status = 'completed' THEN 'response.completed'
        WHEN delivered IS NULL THEN 'response.partial'
        WHEN delivered = present.version THEN event
        WHEN delivered %% 2 = 0 AND present.version %% 2 = 1 THEN 'response.completed'
        ELSE 'response.updated' END AS event,
    {OBJECT} AS columns, callback, interactions.crm_id, interactions.email, interactions.phone, interactions.name
FROM claimed JOIN responses USING (survey_id) JOIN surveys ON surveys.id = survey_id
JOIN interactions ON interactions.id = responses.interaction_id, LATERAL (SELECT {VERSION}) AS present (version)
ORDER BY wanted_at
"""


@dataclass(frozen=True)
class Claimed:
    """A delivery that is under way. ``tries`` counts this one, unless it only asks how the destination does."""

    answer: ResponseToPush
    tries: int


async def claim(
    connection: Connection, destination: str, count: int, *, counted: bool = True
) -> list[Claimed]:
    """The deliveries that have waited longest and may be tried now, with what they are to tell."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(CLAIM, {"destination": destination, "count": count, "counted": counted})
        return [_claimed(row) for row in await cursor.fetchall()]


def _claimed(row: dict[str, Any]) -> Claimed:
    customer = CrmIdentity(row["crm_id"], row["email"], row["phone"], row["name"])
    answer = ResponseToPush(
        survey_id=row["survey_id"],
        event=row["event"],
        version=row["version"],
        columns=row["columns"],
        customer=customer,
        callback=row["callback"],
        remote_id=row["remote_id"],
        tried=row["tried"],
    )
    return Claimed(answer, row["tries"])


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
SETTLE: LiteralString = """
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


async def settle(connection: Connection, destination: str, outcomes: Sequence[PushOutcome]) -> None:
    """Write down how pushes ended, each with a line in the log."""
    told = [vars(each) | {"survey_id": str(each.survey_id)} for each in outcomes]
    await connection.execute(SETTLE, {"destination": destination, "outcomes": Jsonb(told)})


async def waiting(connection: Connection, names: Sequence[str]) -> list[str]:
    """Those of the destinations for which something waits that may be tried now."""
    cursor = await connection.execute(
        "SELECT asked.name FROM unnest(%s::text[]) AS asked (name) LEFT JOIN destinations USING (name)"
        " WHERE (held_until IS NULL OR held_until <= now()) AND EXISTS (SELECT FROM deliveries"
        " WHERE destination = asked.name AND status = 'waiting' AND (retry_at IS NULL OR retry_at <= now()))",
        (list(names),),
    )
    return [str(name) for (name,) in await cursor.fetchall()]


async def count_waiting(connection: Connection, destination: str) -> int:
    """How many responses wait for a destination."""
    cursor = await connection.execute(
        "SELECT count(*) FROM deliveries WHERE destination = %s AND status = 'waiting'", (destination,)
    )
    row = await cursor.fetchone()
    assert row is not None, "a count has a row"
    return int(row[0])


async def forget_log(connection: Connection, days: int) -> None:
    """Delete the log's lines that are older than so many days."""
    await connection.execute("DELETE FROM delivery_log WHERE at < now() - make_interval(days => %s)", (days,))


REPLAY: LiteralString = f"""
INSERT INTO deliveries AS known (survey_id, destination, version, wanted_at)
SELECT responses.survey_id, %(destination)s, {VERSION},
    now() + row_number() OVER (ORDER BY answered_at) * interval '1 microsecond'
FROM responses JOIN surveys ON surveys.id = responses.survey_id
LEFT JOIN deliveries ON deliveries.survey_id = responses.survey_id AND destination = %(destination)s
WHERE (%(since)s::timestamptz IS NULL OR answered_at >= %(since)s)
    AND (%(survey_id)s::uuid IS NULL OR responses.survey_id = %(survey_id)s)
    AND (NOT %(refused)s OR deliveries.status = 'refused')
    AND (cardinality(%(queues)s::text[]) = 0 OR responses.queue = ANY(%(queues)s))
    AND surveys.status IN ('completed', 'partial', 'opted_out')
ON CONFLICT (survey_id, destination) DO UPDATE
    SET version = excluded.version, status = 'waiting', tries = 0, retry_at = NULL, reason = NULL,
        wanted_at = excluded.wanted_at
"""


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
    given = {
        "destination": destination,
        "queues": list(queues),
        "since": since,
        "survey_id": survey_id,
        "refused": refused,
    }
    await destinations.lift_hold(connection, destination)
    cursor = await connection.execute(REPLAY, given)
    return cursor.rowcount


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


async def find(
    connection: Connection,
    destination: str | None = None,
    status: str | None = None,
    survey_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """The newest deliveries of these kinds, newest first."""
    async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(
            "SELECT survey_id, interaction_id, queue, destination, status, remote_id, tries, reason, wanted_at,"
            " retry_at, delivered_at FROM deliveries JOIN responses USING (survey_id)"
            " WHERE (%(destination)s::text IS NULL OR destination = %(destination)s)"
            " AND (%(status)s::text IS NULL OR status = %(status)s)"
            " AND (%(survey_id)s::uuid IS NULL OR survey_id = %(survey_id)s)"
            " AND (%(since)s::timestamptz IS NULL OR wanted_at >= %(since)s)"
            " ORDER BY wanted_at DESC LIMIT %(limit)s",
            {
                "destination": destination,
                "status": status,
                "survey_id": survey_id,
                "since": since,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


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


async def read_log(
    connection: Connection,
    destination: str | None = None,
    survey_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Push]:
    """The newest pushes, newest first."""
    async with connection.cursor(row_factory=class_row(Push)) as cursor:
        await cursor.execute(
            "SELECT at, survey_id, destination, event, version, outcome, reason, seconds FROM delivery_log"
            " WHERE (%(destination)s::text IS NULL OR destination = %(destination)s)"
            " AND (%(survey_id)s::uuid IS NULL OR survey_id = %(survey_id)s)"
            " AND (%(since)s::timestamptz IS NULL OR at >= %(since)s) ORDER BY id DESC LIMIT %(limit)s",
            {"destination": destination, "survey_id": survey_id, "since": since, "limit": limit},
        )
        return await cursor.fetchall()
