"""What stands in the database, for tests that look behind the answers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from app.store import Pool
from app.store.interactions import NewInteraction


async def rows(pool: Pool, query: LiteralString, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Every row of a query, by column."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


async def row(pool: Pool, query: LiteralString, values: Sequence[Any] = ()) -> dict[str, Any]:
    """The only row of a query."""
    (only,) = await rows(pool, query, values)
    return only


async def execute(pool: Pool, statement: LiteralString, values: Sequence[Any] = ()) -> None:
    """Change something behind the product's back."""
    async with pool.connection() as connection:
        await connection.execute(statement, values)


async def jobs_of(pool: Pool, survey_id: str) -> list[dict[str, Any]]:
    """The jobs that are to call for this survey."""
    return await rows(
        pool,
        "SELECT args, scheduled_at, status::text FROM procrastinate_jobs"
        " WHERE task_name = 'start_attempt' AND args->>'survey_id' = %s",
        (survey_id,),
    )


def new_interaction(survey_id: UUID, **fields: Any) -> NewInteraction:
    """An interaction of nobody in particular that gets this survey, due at once."""
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "id": f"call-{survey_id}", "channel": "voice", "queue": "billing", "agent": "anna", "ended_at": now,
        "language": "en", "talk_seconds": None, "survey_by": "voice", "person": f"person-{survey_id}",
        "crm_id": None, "phone": None, "email": None, "name": None, "timezone": None, "consent": None,
        "attributes": {}, "decision": "scheduled", "reason": None, "due_at": now, "survey_id": survey_id,
    }  # fmt: skip
    return NewInteraction(**usual | fields)
