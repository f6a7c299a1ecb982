"""The explicit tables: which channels there are, what each job runs, and how the parts are put together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import structlog
from procrastinate import JobContext, RetryStrategy

from app.aftermath import Aftermath
from app.candidates import Candidates
from app.carrier.client import Carrier
from app.carrier.signature import SignatureChecker
from app.chat_tokens import ChatTokens
from app.conversation import Conversations
from app.effects import Announcements
from app.flow_files import load_flows
from app.ivr.channel import VoiceChannel
from app.ivr.recordings import Recordings
from app.jobs import QUEUE, Jobs, Task
from app.outgoing import Outgoing
from app.outreach import Outreach
from app.pacing import Pacer
from app.ports import Channel
from app.settings import Settings
from app.store import Pool, secrets
from app.store.database import open_pool
from app.survey.flow import Flow

log = structlog.get_logger(__name__)

CHANNELS: Mapping[str, Callable[[Settings, Carrier], Channel]] = {
    "voice": lambda settings, carrier: VoiceChannel(carrier, settings.public_url),
}

POLL_SECONDS = 0.1
CHAT_LIFETIME_SECONDS = 24 * 3600
RETRY = RetryStrategy(max_attempts=10, exponential_wait=2)


@dataclass(frozen=True)
class Services:
    """Everything a process needs, put together once."""

    settings: Settings
    pool: Pool
    jobs: Jobs
    flows: Mapping[str, Flow]
    timezone: ZoneInfo
    carrier: Carrier
    signatures: SignatureChecker
    candidates: Candidates
    conversations: Conversations
    aftermath: Aftermath
    outreach: Outreach
    recordings: Recordings
    announcements: Announcements | None
    chat_tokens: ChatTokens


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """The services of a process, with the database open and migrated; closed in order at the end."""
    flows = load_flows(settings.flows_dir)
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.push_async_callback(pool.close)
        carrier = Carrier.from_settings(settings)
        stack.push_async_callback(carrier.aclose)
        http = await stack.enter_async_context(httpx.AsyncClient())
        async with pool.connection() as connection:
            chat_secret = await secrets.read_or_make(connection, "chat")
        services = assemble(settings, pool, flows, carrier, http, chat_secret)
        register(services)
        await services.jobs.open()
        yield services


def assemble(
    settings: Settings,
    pool: Pool,
    flows: Mapping[str, Flow],
    carrier: Carrier,
    http: httpx.AsyncClient,
    chat_secret: bytes,
) -> Services:
    """Put the parts together."""
    jobs, timezone = Jobs(pool), ZoneInfo(settings.reporting_timezone)
    channels = {name: make(settings, carrier) for name, make in CHANNELS.items()}
    candidates = Candidates(settings)
    conversations = Conversations(pool, jobs, flows, settings)
    aftermath = Aftermath(pool, jobs, channels, candidates, conversations, timezone)
    pacers = {"voice": Pacer(pool, f"{settings.twilio_account_sid} voice", settings.calls_per_second)}
    return Services(
        settings=settings,
        pool=pool,
        jobs=jobs,
        flows=flows,
        timezone=timezone,
        carrier=carrier,
        signatures=SignatureChecker([settings.twilio_auth_token.get_secret_value()], settings.public_url),
        candidates=candidates,
        conversations=conversations,
        aftermath=aftermath,
        outreach=Outreach(pool, jobs, channels, candidates, aftermath, pacers),
        recordings=Recordings(pool, jobs, carrier, settings.keep_recordings_days),
        announcements=_announcements(settings, pool, http),
        chat_tokens=ChatTokens(chat_secret, CHAT_LIFETIME_SECONDS),
    )


def _announcements(settings: Settings, pool: Pool, http: httpx.AsyncClient) -> Announcements | None:
    if settings.webhook_url is None:
        return None
    assert settings.webhook_secret is not None, "settings require the secret with the address"
    outgoing = Outgoing(http, settings.allow_private_urls)
    return Announcements(pool, outgoing, settings.webhook_url, settings.webhook_secret.get_secret_value())


def register(services: Services) -> None:
    """Say what each job runs."""
    outreach, aftermath, recordings = services.outreach, services.aftermath, services.recordings

    async def start_attempt(survey_id: str, number: int, slot: str | None = None) -> None:
        at = None if slot is None else datetime.fromisoformat(slot)
        with structlog.contextvars.bound_contextvars(survey_id=survey_id):
            await outreach.start_attempt(UUID(survey_id), number, at)

    async def look_up_attempt(attempt_id: str, tries: int) -> None:
        await aftermath.look_up(UUID(attempt_id), tries)

    async def reconcile_attempt(attempt_id: str, tries: int) -> None:
        await aftermath.reconcile(UUID(attempt_id), tries)

    async def hang_up(attempt_id: str, sid: str) -> None:
        await aftermath.hang_up(UUID(attempt_id), sid)

    async def collect_recordings(attempt_id: str) -> None:
        await recordings.collect(UUID(attempt_id))

    async def fetch_recording(sid: str) -> None:
        await recordings.fetch(sid)

    async def announce_response(survey_id: str) -> None:
        if services.announcements is not None:
            await services.announcements.announce(UUID(survey_id))

    work: dict[Task, Callable[..., Awaitable[None]]] = {
        Task.START_ATTEMPT: start_attempt,
        Task.LOOK_UP_ATTEMPT: look_up_attempt,
        Task.RECONCILE_ATTEMPT: reconcile_attempt,
        Task.HANG_UP: hang_up,
        Task.COLLECT_RECORDINGS: collect_recordings,
        Task.FETCH_RECORDING: fetch_recording,
        Task.ANNOUNCE_RESPONSE: announce_response,
    }
    for task, run in work.items():
        services.jobs.app.task(name=task.value, queue=QUEUE, retry=RETRY)(run)
    _register_housekeeping(services)


def _register_housekeeping(services: Services) -> None:
    app = services.jobs.app

    @app.periodic(cron="* * * * *")
    @app.task(name="retry_stalled_jobs", queue=QUEUE, queueing_lock="retry_stalled_jobs", pass_context=True)
    async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
        """Take up the jobs of workers that died."""
        del timestamp
        for job in await context.app.job_manager.get_stalled_jobs():
            await context.app.job_manager.retry_job(job)

    @app.periodic(cron="17 * * * *")
    @app.task(name="delete_expired_recordings", queue=QUEUE, queueing_lock="delete_expired_recordings")
    async def delete_expired_recordings(timestamp: int) -> None:
        """Keep no audio longer than was promised."""
        del timestamp
        await services.recordings.delete_expired()


async def work(services: Services) -> None:
    """Run jobs until cancelled; a database that goes away is waited for."""
    while True:
        try:
            await services.jobs.app.run_worker_async(
                queues=[QUEUE],
                concurrency=services.settings.worker_concurrency,
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        except Exception:
            log.exception("worker_stopped")
        await asyncio.sleep(1)


def languages(flows: Mapping[str, Flow]) -> frozenset[str]:
    """The languages that every flow speaks."""
    return frozenset.intersection(*(frozenset(flow.languages) for flow in flows.values()))
