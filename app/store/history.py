"""What has happened with people before, asked for many of them at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row

from app.store import Connection, locks


@dataclass(frozen=True)
class PersonHistory:
    """A person's past with us, as of now. ``last_surveyed_at`` is when we last got through to their phone or screen."""

    opted_out: bool
    last_surveyed_at: datetime | None
    survey_open: bool
    calls_last_30_days: int


# Someone known by crm_id also meets what we did with their number before we knew the id, and the other way round.
PASTS: LiteralString = """
SELECT opted_out, last_surveyed_at, survey_open, calls_last_30_days
FROM unnest(%(persons)s::text[], %(phones)s::text[], %(emails)s::text[])
    WITH ORDINALITY AS asked (person, phone, email, place),
LATERAL (
    SELECT EXISTS (
        SELECT 1 FROM suppressions WHERE lifted_at IS NULL
        AND address IN (person, 'phone:' || phone, 'email:' || lower(email))
    ) AS opted_out
) AS suppressed,
LATERAL (
    SELECT max(contacted_at) AS last_surveyed_at,
        coalesce(bool_or(status IN ('scheduled', 'contacting', 'in_progress')), false) AS survey_open
    FROM (
        SELECT contacted_at, status FROM surveys
        WHERE surveys.person = asked.person AND id IS DISTINCT FROM %(except_survey)s
        UNION ALL
        SELECT contacted_at, status FROM surveys
        WHERE surveys.phone = asked.phone AND surveys.person <> asked.person
        AND (asked.person LIKE 'phone:%%' OR surveys.person LIKE 'phone:%%')
        AND id IS DISTINCT FROM %(except_survey)s
    ) AS theirs
) AS surveyed,
LATERAL (
    SELECT count(*) AS calls_last_30_days FROM attempts JOIN surveys ON surveys.id = attempts.survey_id
    WHERE surveys.phone = asked.phone AND attempts.channel = 'voice' AND attempts.direction = 'outbound'
    AND attempts.created_at > now() - interval '30 days'
) AS called
ORDER BY place
"""


async def read(
    connection: Connection,
    people: Sequence[tuple[str, str | None, str | None]],
    except_survey: UUID | None = None,
) -> list[PersonHistory]:
    """The past of each (person, phone, email), in their order; ``except_survey`` does not count against itself."""
    persons, phones, emails = zip(*people, strict=True) if people else ((), (), ())
    values = {"persons": list(persons), "phones": list(phones), "emails": list(emails)}
    async with connection.cursor(row_factory=class_row(PersonHistory)) as cursor:
        await cursor.execute(PASTS, values | {"except_survey": except_survey})
        return await cursor.fetchall()


async def scheduled_since(connection: Connection, queues: Collection[str], since: datetime) -> dict[str, int]:
    """How many surveys each queue has scheduled since a moment; queues without any are absent."""
    cursor = await connection.execute(
        "SELECT queue, count(*) FROM surveys WHERE queue = ANY(%s) AND created_at >= %s GROUP BY queue",
        (list(queues), since),
    )
    return dict(await cursor.fetchall())


async def lock_queues(connection: Connection, queues: Collection[str]) -> None:
    """Let one transaction at a time decide for queues that have a daily cap, so that the cap is exact.

    Queues share 256 locks, since the server has room for a few thousand.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock(%s, lock) FROM"
        " (SELECT DISTINCT hashtext(name) & 255 AS lock FROM unnest(%s::text[]) AS name) AS locks ORDER BY lock",
        (locks.QUEUES, list(queues)),
    )
