"""What has happened with people before, asked for many of them at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select

from app.store import Connection, locks
from app.store.statement import Statement, is_any
from app.store.tables import OPEN, surveys


@dataclass(frozen=True)
class PersonHistory:
    """A person's past with us, as of now. ``last_surveyed_at`` is when we last got through to their phone or screen."""

    opted_out: bool
    no_such_number: bool
    last_surveyed_at: datetime | None
    survey_open: bool
    calls_last_30_days: int


@dataclass(frozen=True)
class PersonAsked:
    """Whose past is asked for. ``by_phone``: they would be called or written to, so what reached their phone counts,
    whoever was meant by it.
    """

    person: str
    phone: str | None
    email: str | None
    by_phone: bool


# Someone known by crm_id also meets what we did with their number before we knew the id, and the other way round.
PASTS = Statement.sql(
    f"""
    SELECT opted_out, no_such_number, last_surveyed_at, survey_open, calls_last_30_days
    FROM unnest(%(persons)s::text[], %(phones)s::text[], %(emails)s::text[], %(by_phone)s::boolean[])
        WITH ORDINALITY AS asked (person, phone, email, by_phone, place),
    LATERAL (
        SELECT coalesce(bool_or(reason = 'opted_out'), false) AS opted_out,
            coalesce(bool_or(reason = 'no_such_number'), false) AS no_such_number
        FROM suppressions WHERE lifted_at IS NULL
        AND address IN (person, 'phone:' || phone, 'email:' || lower(email))
    ) AS suppressed,
    LATERAL (
        SELECT max(contacted_at) AS last_surveyed_at,
            coalesce(bool_or(status IN {OPEN}), false) AS survey_open
        FROM (
            SELECT contacted_at, status FROM surveys
            WHERE surveys.person = asked.person AND id IS DISTINCT FROM %(except_survey)s
            UNION ALL
            SELECT contacted_at, status FROM surveys
            WHERE surveys.phone = asked.phone AND surveys.person <> asked.person
            AND (asked.by_phone AND surveys.channel <> 'chat'
                OR asked.person LIKE 'phone:%%' OR surveys.person LIKE 'phone:%%')
            AND id IS DISTINCT FROM %(except_survey)s
        ) AS theirs
    ) AS surveyed,
    LATERAL (
        SELECT count(*) AS calls_last_30_days FROM attempts JOIN surveys ON surveys.id = attempts.survey_id
        WHERE surveys.phone = asked.phone AND attempts.channel = 'voice' AND attempts.direction = 'outbound'
        AND attempts.created_at > now() - interval '30 days'
    ) AS called
    ORDER BY place
    """,
    PersonHistory,
)


async def read(
    connection: Connection,
    people: Sequence[PersonAsked],
    except_survey: UUID | None = None,
) -> list[PersonHistory]:
    """The past of each person, in their order; ``except_survey`` does not count against itself."""
    return await PASTS.all(
        connection,
        persons=[asked.person for asked in people],
        phones=[asked.phone for asked in people],
        emails=[asked.email for asked in people],
        by_phone=[asked.by_phone for asked in people],
        except_survey=except_survey,
    )


SCHEDULED_SINCE = Statement.of(
    select(surveys.c.queue, func.count())
    .where(is_any(surveys.c.queue, "queues"), surveys.c.created_at >= bindparam("since"))
    .group_by(surveys.c.queue)
)


async def scheduled_since(connection: Connection, queues: Collection[str], since: datetime) -> dict[str, int]:
    """How many surveys each queue has scheduled since a moment; queues without any are absent."""
    return dict(await SCHEDULED_SINCE.all(connection, queues=list(queues), since=since))


LOCK_QUEUES = Statement.sql(
    "SELECT pg_advisory_xact_lock(%(space)s, lock) FROM"
    " (SELECT DISTINCT hashtext(name) & 255 AS lock FROM unnest(%(queues)s::text[]) AS name) AS locks ORDER BY lock"
)


async def lock_queues(connection: Connection, queues: Collection[str]) -> None:
    """Let one transaction at a time decide for queues that have a daily cap, so that the cap is exact.

    Queues share 256 locks, since the server has room for a few thousand.
    """
    await LOCK_QUEUES.execute(connection, space=locks.QUEUES, queues=list(queues))
