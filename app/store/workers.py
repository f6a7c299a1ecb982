"""Workers and their backlog, as procrastinate's own tables show them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.store import Connection

ALIVE_SECONDS = 30


@dataclass(frozen=True)
class Backlog:
    """Jobs that could start now, and jobs that wait for their time."""

    waiting: int
    scheduled: int


async def backlog(connection: Connection) -> Backlog:
    """How much work there is."""
    cursor = await connection.execute(
        "SELECT count(*) FILTER (WHERE scheduled_at IS NULL OR scheduled_at <= now()),"
        " count(*) FILTER (WHERE scheduled_at > now()) FROM procrastinate_jobs WHERE status = 'todo'"
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returns a row"
    return Backlog(*row)


async def retry_unspent(connection: Connection, limits: Mapping[str, int | None]) -> int:
    """Have the failed jobs of these names started again that had tries left, and give their number.

    ``limits`` says by name how often a job is tried again at the most; None is for ever.
    """
    cursor = await connection.execute(
        "UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = NULL"
        " FROM unnest(%s::text[], %s::int[]) AS known (name, most)"
        " WHERE status = 'failed' AND task_name = known.name AND attempts <= coalesce(known.most, attempts)",
        (list(limits), list(limits.values())),
    )
    return cursor.rowcount


async def worker_seen(connection: Connection) -> bool:
    """Whether any worker has given a sign of life lately."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s))",
        (ALIVE_SECONDS,),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
