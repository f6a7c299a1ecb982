"""Background work on procrastinate, deferred on the writer's own connection: a row and its job live or die together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from app.store import Connection, Pool

QUEUE = "zeroten"
LONGEST_PAUSE_SECONDS = 300


class Task(StrEnum):
    """The names under which work is deferred; `app.services` says what each one runs."""

    START_ATTEMPT = "start_attempt"
    LOOK_UP_ATTEMPT = "look_up_attempt"
    RECONCILE_ATTEMPT = "reconcile_attempt"
    SEND_REMINDER = "send_reminder"
    EXPIRE_ATTEMPT = "expire_attempt"
    WRITE_TO_CONVERSATION = "write_to_conversation"
    HANG_UP = "hang_up"
    COLLECT_RECORDINGS = "collect_recordings"
    FETCH_RECORDING = "fetch_recording"
    TRANSCRIBE_RECORDING = "transcribe_recording"
    FOLLOW_RESPONSE = "follow_response"
    DELIVER = "deliver"
    SEND_ALERTS = "send_alerts"
    EXPIRE_SURVEY = "expire_survey"


@dataclass(frozen=True)
class Backoff(BaseRetryStrategy):
    """A failed job is run again, twice as late each time, after five minutes at most; ``limit`` times or for ever."""

    limit: int | None = None

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        """When to run it again."""
        if self.limit is not None and job.attempts >= self.limit:
            return None
        seconds = 2 ** min(job.attempts + 1, 10)
        return RetryDecision(retry_in={"seconds": min(seconds, LONGEST_PAUSE_SECONDS)})


@dataclass(frozen=True)
class Deferral:
    """One job to be: its task, its JSON arguments, and when it may start at the earliest (None: at once).

    Jobs of a higher ``priority`` go first among those that are due.
    """

    task: Task
    arguments: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    priority: int = 0


class Jobs:
    """The queue of jobs, over the pool that everything else uses."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.app = App(connector=PsycopgConnector())

    async def open(self) -> None:
        """Attach to the pool; needed before anything is deferred."""
        await self.app.open_async(self._pool)

    async def defer(self, connection: Connection, *deferrals: Deferral) -> None:
        """Add jobs in the transaction of ``connection``, all in one statement: a rollback leaves none of them."""
        if deferrals:
            await self.app.job_manager.batch_defer_jobs_async([_job(each) for each in deferrals], connection)


def _job(deferral: Deferral) -> Job:
    return Job(
        queue=QUEUE,
        lock=None,
        queueing_lock=None,
        task_name=deferral.task.value,
        task_kwargs=dict(deferral.arguments),
        scheduled_at=deferral.at,
        priority=deferral.priority,
    )
