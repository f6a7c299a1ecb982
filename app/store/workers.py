"""Workers and their backlog, as procrastinate's own tables show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Integer, Text, exists, func, null, or_, select, update

from app.store import Connection
from app.store.statement import Statement, lists
from app.store.tables import procrastinate_jobs as jobs
from app.store.tables import procrastinate_workers as workers

ALIVE = timedelta(seconds=30)


@dataclass(frozen=True)
class Backlog:
    """Jobs that could start now, and jobs that wait for their time."""

    waiting: int
    scheduled: int


MAY_START = or_(jobs.c.scheduled_at.is_(None), jobs.c.scheduled_at <= func.now())
BACKLOG = Statement.of(
    select(
        func.count().filter(MAY_START).label("waiting"),
        func.count().filter(jobs.c.scheduled_at > func.now()).label("scheduled"),
    ).where(jobs.c.status == "todo"),
    Backlog,
)


async def backlog(connection: Connection) -> Backlog:
    """How much work there is."""
    return await BACKLOG.one(connection)


SEEN = Statement.of(select(exists().where(workers.c.last_heartbeat > func.now() - ALIVE)))


async def worker_seen(connection: Connection) -> bool:
    """Whether any worker has given a sign of life lately."""
    return await SEEN.one(connection)


KNOWN = lists(name=Text, most=Integer)
RETRY_UNSPENT = Statement.of(
    update(jobs)
    .where(
        jobs.c.status == "failed",
        jobs.c.task_name == KNOWN.c.name,
        jobs.c.attempts <= func.coalesce(KNOWN.c.most, jobs.c.attempts),
    )
    .values(status="todo", scheduled_at=null())
)


async def retry_unspent(connection: Connection, limits: Mapping[str, int | None]) -> int:
    """Have the failed jobs of these names started again that had tries left, and give their number.

    ``limits`` says by name how often a job is tried again at the most; None is for ever.
    """
    return await RETRY_UNSPENT.execute(connection, name=list(limits), most=list(limits.values()))
