"""What each job runs, and the worker that runs them."""

import asyncio
from math import ceil

import structlog

from app.alerts import SendAlerts
from app.conversation import FollowResponse, TranscribeRecording
from app.delivery import Deliver
from app.ivr import FetchRecording
from app.outreach import (
    CollectRecordings,
    ExpireAttempt,
    ExpireSurvey,
    HangUp,
    LookUpAttempt,
    ReconcileAttempt,
    SendReminder,
    StartAttempt,
    WriteToConversation,
)
from app.services import Services

log = structlog.get_logger(__name__)

# A start's job lives from before its slot until the carrier has answered; fewer at once would leave slots unused.
SECONDS_A_START = 2.0


def register(services: Services) -> None:
    """Say what each job runs, and what happens by the clock."""
    jobs, recordings = services.jobs, services.recordings
    jobs.register(StartAttempt, services.starter.start)
    jobs.register(LookUpAttempt, services.tracking.look_up)
    jobs.register(ReconcileAttempt, services.tracking.reconcile)
    jobs.register(HangUp, services.tracking.hang_up)
    jobs.register(CollectRecordings, recordings.collect)
    jobs.register(FetchRecording, recordings.fetch)
    jobs.register(TranscribeRecording, services.transcripts.transcribe)
    jobs.register(SendReminder, services.reminders.remind)
    jobs.register(ExpireAttempt, services.reminders.expire)
    jobs.register(WriteToConversation, services.twilio_conversations.write)
    jobs.register(ExpireSurvey, services.expiry.expire)
    jobs.register(FollowResponse, services.follow_up.follow)
    jobs.register(Deliver, services.deliveries.deliver)
    jobs.register(SendAlerts, services.alerts.send)
    jobs.register_periodic("* * * * * */5", services.deliveries.deliver_waiting)
    jobs.register_periodic("*/5 * * * *", services.follow_up.follow_cut_off)
    jobs.register_periodic("23 * * * *", services.deliveries.forget)
    jobs.register_periodic("* * * * * */15", services.alerts.send_waiting_alerts)
    jobs.register_periodic("17 * * * *", recordings.fetch_left_behind)
    jobs.register_periodic("17 * * * *", recordings.delete_expired)
    jobs.register_periodic("* * * * * */5", jobs.retry_stalled_jobs)
    jobs.register_periodic("* * * * *", jobs.retry_unknown_jobs)


async def work_on(services: Services) -> None:
    """Run jobs until cancelled."""
    settings = services.settings
    starts = settings.calls_per_second + 2 * settings.messages_per_second
    concurrency = max(settings.worker_concurrency, ceil(starts * SECONDS_A_START))
    checking = asyncio.create_task(services.deliveries.check(), name="check destinations")
    try:
        await _run(services, concurrency)
    finally:
        checking.cancel()


async def _run(services: Services, concurrency: int) -> None:
    """Run so many jobs at once; a database that goes away is waited for."""
    task = asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"
    # A worker that is cancelled while its database is away raises something else than that it was.
    while not task.cancelling():
        try:
            await services.starter.prepare()
            await services.jobs.work(concurrency)
        except Exception:
            log.exception("worker_stopped")
        await asyncio.sleep(1)
