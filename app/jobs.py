"""Background work on procrastinate, deferred on the writer's own connection: a row and its job live or die together.

A job is a frozen dataclass. Its name on the wire, its JSON and its types stand in one place, and what it runs is
registered by its type::

    @dataclass(frozen=True)
    class Deliver(Job):
        name = "deliver"

        destination: str

    jobs.register(Deliver, deliveries.deliver)
    await jobs.defer(connection, Deliver("crm"))

While a deployment is upgraded, workers of two versions run each other's jobs. A job that gains a field gives it a
default, so that the older JSON can still be read; what a worker cannot read waits for one that can.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate import jobs as wire
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from pydantic import TypeAdapter, ValidationError

from app.store import Connection, Pool, clock, workers

log = structlog.get_logger(__name__)

QUEUE = "zeroten"
LONGEST_PAUSE_SECONDS = 300
POLL_SECONDS = 0.1
HEARTBEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 8.0
SHUTDOWN_SECONDS = 5.0
AT_ONCE = timedelta()

Arguments = Mapping[str, str | int | bool | None]
"""A job's JSON."""


class UnreadableJob(Exception):
    """A job's JSON is not what its type says, as after an upgrade that another worker has had and this one has not."""


@dataclass(frozen=True)
class Backoff(BaseRetryStrategy):
    """A failed job is run again, twice as late each time, after five minutes at most; ``limit`` times or for ever.

    One that cannot be read was never run: it is kept for a worker that can read it.
    """

    limit: int | None = None

    def get_retry_decision(self, *, exception: BaseException, job: wire.Job) -> RetryDecision | None:
        """When to run it again."""
        spent = self.limit is not None and job.attempts >= self.limit
        if spent and not isinstance(exception, UnreadableJob):
            return None
        seconds = 2 ** min(job.attempts + 1, 10)
        return RetryDecision(retry_in={"seconds": min(seconds, LONGEST_PAUSE_SECONDS)})


@dataclass(frozen=True)
class Job:
    """Something to be done later. ``name`` is its name on the wire, and its fields are its JSON.

    ``retry`` is what follows a failure. What must happen is tried for ever; what may be given up has somebody else who
    looks after it.
    """

    name: ClassVar[str]
    retry: ClassVar[Backoff] = Backoff()

    @property
    def delay(self) -> timedelta:
        """How long it waits where it is deferred without a time."""
        return AT_ONCE

    @property
    def priority(self) -> int:
        """Among the jobs that are due, those of a higher priority go first."""
        return 0

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids among its fields, by which its log lines are found."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: str(value) for name, value in named if isinstance(value, UUID)}

    def to_json(self) -> dict[str, Any]:
        """The job's fields as JSON types; `from_json` reads them."""
        return dict(_json_of(type(self)).dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, arguments: Arguments) -> Self:
        """Read its JSON, also an older or a newer version's: keys that are not known here are left aside.

        Raises `UnreadableJob` where a key that it needs is missing or holds something else.
        """
        if unknown := arguments.keys() - {field.name for field in fields(cls)}:
            log.info("job_keys_unknown", keys=sorted(unknown))
        try:
            job: Self = _json_of(cls).validate_python(arguments)
        except ValidationError as wrong:
            keys = sorted({".".join(map(str, error["loc"])) for error in wrong.errors()})
            log.error("job_unreadable", keys=keys)  # noqa: TRY400 - it may quote what the job holds
            raise UnreadableJob(f"{cls.name}: {', '.join(keys)}") from None
        return job


def _json_of(kind: type[Job]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[type[Job], TypeAdapter[Any]] = {}

J = TypeVar("J", bound=Job)


class Jobs:
    """The queue of jobs, over the pool that everything else uses."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.app = App(connector=PsycopgConnector())
        self.kinds: dict[str, type[Job]] = {}

    async def open(self) -> None:
        """Attach to the pool; needed before anything is deferred."""
        await self.app.open_async(self._pool)

    async def defer(self, connection: Connection, *jobs: Job, at: datetime | None = None) -> None:
        """Add jobs in the transaction of ``connection``: a rollback leaves none of them.

        They start at ``at`` at the earliest; without it, once the `Job.delay` of each is over.
        """
        await self.defer_planned(connection, ((job, at) for job in jobs))

    async def defer_planned(
        self, connection: Connection, planned: Iterable[tuple[Job, datetime | None]]
    ) -> None:
        """As `defer`, each job with a time of its own, all in one statement."""
        jobs = list(planned)
        is_delayed = any(at is None and job.delay for job, at in jobs)
        now = await clock.now(connection) if is_delayed else None
        if deferred := [_deferred(job, at, now) for job, at in jobs]:
            await self.app.job_manager.batch_defer_jobs_async(deferred, connection)

    def register(self, kind: type[J], run: Callable[[J], Awaitable[None]]) -> None:
        """Have this worker run jobs of this kind; the ids that one carries are in everything that is logged of it."""

        async def read_and_run(**arguments: str | int | bool | None) -> None:
            with structlog.contextvars.bound_contextvars(job=kind.name):
                job = kind.from_json(arguments)
                with structlog.contextvars.bound_contextvars(**job.ids):
                    await _run_logged(run(job))

        self.app.task(name=kind.name, queue=QUEUE, retry=kind.retry)(read_and_run)
        self.kinds[kind.name] = kind

    async def retry_unknown_jobs(self) -> None:
        """Take up the jobs that a worker of an older version failed, since it did not know their name."""
        limits = {name: kind.retry.limit for name, kind in self.kinds.items()}
        async with self._pool.connection() as connection:
            count = await workers.retry_unspent(connection, limits)
        if count:
            log.warning("unknown_jobs_retried", count=count)

    async def retry_stalled_jobs(self) -> None:
        """Take up the jobs of workers that died."""
        for job in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
            await self.app.job_manager.retry_job(job)

    async def work(self, concurrency: int) -> None:
        """Run so many jobs at once until cancelled. Raises what the database raises when it goes away."""
        await self.app.run_worker_async(
            queues=[QUEUE],
            concurrency=concurrency,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=DEAD_AFTER_SECONDS,
            shutdown_graceful_timeout=SHUTDOWN_SECONDS,
            fetch_job_polling_interval=POLL_SECONDS,
            delete_jobs="successful",
            install_signal_handlers=False,
        )

    def register_periodic(self, cron: str, run: Callable[[], Awaitable[None]]) -> None:
        """Have something run at its times, each time by one of the workers; its name is its function's."""
        name = run.__name__

        async def run_at_its_time(timestamp: int) -> None:
            del timestamp
            await run()

        self.app.periodic(cron=cron)(
            self.app.task(name=name, queue=QUEUE, queueing_lock=name)(run_at_its_time)
        )


async def _run_logged(running: Awaitable[None]) -> None:
    """The library says nothing of a failure that is followed by another try."""
    try:
        await running
    except Exception:
        log.warning("job_failed", exc_info=True)
        raise


def _deferred(job: Job, at: datetime | None, now: datetime | None) -> wire.Job:
    due_at = now + job.delay if at is None and now is not None and job.delay else at
    return wire.Job(
        queue=QUEUE,
        lock=None,
        queueing_lock=None,
        task_name=job.name,
        task_kwargs=job.to_json(),
        scheduled_at=due_at,
        priority=job.priority,
    )
