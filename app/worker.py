"""What each job runs, and the worker that runs them."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from math import ceil
from typing import Any

import structlog

from app import metrics
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
from app.store import Pool, clock

log = structlog.get_logger(__name__)

# A start's job lives from before its slot until the carrier has answered; fewer at once would leave slots unused.
SECONDS_A_START = 2.0
CLOCK_CHECK_SECONDS = 5.0


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
    jobs.register_periodic("*/5 * * * *", services.recovery.take_up_stranded)
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
            await _clock_to_be_right(services.pool)
            await services.starter.prepare()
            await _first_of(services.jobs.work(concurrency), _clock_to_differ(services.pool))
        except Exception:
            log.exception("worker_stopped")
        await asyncio.sleep(1)


async def _clock_to_be_right(pool: Pool) -> None:
    """Wait for a clock that may be worked by; without one this worker takes no job, and says why."""
    while not clock.is_trusted(ahead := await _clock_ahead(pool)):
        log.error("clock_differs", seconds=ahead.total_seconds(), until="no jobs are run")
        await asyncio.sleep(CLOCK_CHECK_SECONDS)


async def _clock_to_differ(pool: Pool) -> None:
    """Return once this process's clock may no longer be worked by."""
    while clock.is_trusted(await _clock_ahead(pool)):  # noqa: ASYNC110 - nobody tells of a clock that is set
        await asyncio.sleep(CLOCK_CHECK_SECONDS)


async def _clock_ahead(pool: Pool) -> timedelta:
    async with pool.connection() as connection:
        ahead = await clock.ahead(connection)
    metrics.CLOCK_AHEAD.set(ahead.total_seconds())
    return ahead


async def _first_of(*running: Coroutine[Any, Any, None]) -> None:
    """Run these until one of them ends; raises what it raised. The others are told to end, and waited for."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in running]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
