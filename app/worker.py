"""What each job runs, and the worker that runs them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import structlog
from procrastinate import App

from app.alerts import Alerts
from app.asr import Transcripts
from app.chatbot import Reminders, TwilioConversations
from app.delivery import Deliveries, FollowUp
from app.ivr import Recordings
from app.jobs import QUEUE, Backoff, Task
from app.outreach import AttemptStarter, AttemptTracking, Expiry

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
HEARTBEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 8.0
SHUTDOWN_SECONDS = 5.0
# What must happen is tried for ever; what may be given up has somebody else who looks after it.
RETRY = {
    Task.FETCH_RECORDING: Backoff(limit=10),
    Task.TRANSCRIBE_RECORDING: Backoff(limit=5),
    Task.WRITE_TO_CONVERSATION: Backoff(limit=5),
}

Run = Callable[..., Awaitable[None]]
Work = Mapping[Task, Run]


def register(app: App, work: Work) -> None:
    """Say what each job runs."""
    for task, run in work.items():
        app.task(name=task.value, queue=QUEUE, retry=RETRY.get(task, Backoff()))(run)


def register_periodic(app: App, cron: str, run: Callable[[], Awaitable[None]]) -> None:
    """Have something run at its times, by one worker at a time."""
    name = run.__name__

    async def at_its_time(timestamp: int) -> None:
        del timestamp
        await run()

    app.periodic(cron=cron)(app.task(name=name, queue=QUEUE, queueing_lock=name)(at_its_time))


def register_recovery(app: App) -> None:
    """Have the jobs of workers that died taken up by the others."""

    async def retry_stalled_jobs() -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
            await app.job_manager.retry_job(job)

    register_periodic(app, "* * * * * */5", retry_stalled_jobs)


def calling(starter: AttemptStarter, tracking: AttemptTracking) -> Work:
    """Attempts: from their start to how they ended."""

    async def start_attempt(survey_id: str, number: int, *, in_line: bool = False) -> None:
        with structlog.contextvars.bound_contextvars(survey_id=survey_id):
            await starter.start_attempt(UUID(survey_id), number, in_line=in_line)

    async def look_up_attempt(attempt_id: str, tries: int) -> None:
        await tracking.look_up(UUID(attempt_id), tries)

    async def reconcile_attempt(attempt_id: str, tries: int) -> None:
        await tracking.reconcile(UUID(attempt_id), tries)

    async def hang_up(attempt_id: str, sid: str) -> None:
        await tracking.hang_up(UUID(attempt_id), sid)

    return {
        Task.START_ATTEMPT: start_attempt,
        Task.LOOK_UP_ATTEMPT: look_up_attempt,
        Task.RECONCILE_ATTEMPT: reconcile_attempt,
        Task.HANG_UP: hang_up,
    }


def listening(recordings: Recordings, transcripts: Transcripts) -> Work:
    """The sound of open answers."""

    async def collect_recordings(attempt_id: str) -> None:
        await recordings.collect(UUID(attempt_id))

    async def fetch_recording(sid: str) -> None:
        await recordings.fetch(sid)

    async def transcribe_recording(sid: str) -> None:
        await transcripts.transcribe(sid)

    return {
        Task.COLLECT_RECORDINGS: collect_recordings,
        Task.FETCH_RECORDING: fetch_recording,
        Task.TRANSCRIBE_RECORDING: transcribe_recording,
    }


def following(follow_up: FollowUp, deliveries: Deliveries) -> Work:
    """What follows from answers."""

    async def follow_response(survey_id: str) -> None:
        await follow_up.follow(UUID(survey_id))

    async def deliver(destination: str) -> None:
        await deliveries.deliver(destination)

    return {Task.FOLLOW_RESPONSE: follow_response, Task.DELIVER: deliver}


def alerting(alerts: Alerts) -> Work:
    """Telling people of answers."""

    async def send_alerts(recipient: str) -> None:
        await alerts.send(recipient)

    return {Task.SEND_ALERTS: send_alerts}


def writing(reminders: Reminders, threads: TwilioConversations, expiry: Expiry) -> Work:
    """Surveys in writing, and those that nobody answers."""

    async def send_reminder(attempt_id: str, *, in_line: bool = False) -> None:
        await reminders.remind(UUID(attempt_id), in_line=in_line)

    async def expire_attempt(attempt_id: str) -> None:
        await reminders.expire(UUID(attempt_id))

    async def write_to_conversation(survey_id: str, turn_no: int | None = None) -> None:
        await threads.write(UUID(survey_id), turn_no)

    async def expire_survey(survey_id: str) -> None:
        await expiry.expire(UUID(survey_id))

    return {
        Task.SEND_REMINDER: send_reminder,
        Task.EXPIRE_ATTEMPT: expire_attempt,
        Task.WRITE_TO_CONVERSATION: write_to_conversation,
        Task.EXPIRE_SURVEY: expire_survey,
    }


async def run(app: App, prepare: Callable[[], Awaitable[None]], concurrency: int) -> None:
    """Run jobs until cancelled; a database that goes away is waited for."""
    while True:
        try:
            await prepare()
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=concurrency,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=DEAD_AFTER_SECONDS,
                shutdown_graceful_timeout=SHUTDOWN_SECONDS,
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        except Exception:
            log.exception("worker_stopped")
        await asyncio.sleep(1)
