"""What stands in the database, for tests that look behind the answers."""

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg.rows import dict_row

from app.store import Pool


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
