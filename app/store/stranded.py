"""Surveys that wait for a job which is no longer there."""

from dataclasses import dataclass
from uuid import UUID

from app.store import Connection
from app.store.statement import Statement
from app.store.tables import OPEN


@dataclass(frozen=True)
class StrandedSurvey:
    """An open survey without a job, and its newest attempt, where it has one."""

    id: UUID
    status: str
    channel: str
    attempt_id: UUID | None
    number: int | None
    over: bool
    """Whether the newest attempt has ended."""


FIND = Statement.sql(
    f"""
    SELECT surveys.id, surveys.status, surveys.channel, last.id AS attempt_id, last.number,
        last.disposition IS NOT NULL AS over
    FROM surveys LEFT JOIN LATERAL (
        SELECT id, number, disposition FROM attempts WHERE survey_id = surveys.id ORDER BY number DESC LIMIT 1
    ) AS last ON true
    WHERE surveys.status IN {OPEN}
    AND greatest(surveys.due_at, surveys.updated_at) < now() - make_interval(secs => %(quiet_seconds)s)
    AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs WHERE procrastinate_jobs.status IN ('todo', 'doing')
        AND (args->>'survey_id' = surveys.id::text OR args->>'attempt_id' IN (
            SELECT id::text FROM attempts WHERE survey_id = surveys.id))
    )
    ORDER BY surveys.due_at LIMIT 1000
    FOR UPDATE OF surveys SKIP LOCKED
    """,
    StrandedSurvey,
)


async def find(connection: Connection, quiet_seconds: float) -> list[StrandedSurvey]:
    """Open surveys, locked, that no job is about and nothing has happened to for so long; at most 1,000 of them."""
    return await FIND.all(connection, quiet_seconds=quiet_seconds)
