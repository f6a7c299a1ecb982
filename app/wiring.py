"""The explicit tables: which channels there are, what each job runs, and how the parts are put together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import structlog
from procrastinate import JobContext

from app.aftermath import Aftermath
from app.asr.ears import Ears
from app.asr.pool import RecognitionPool
from app.asr.transcripts import Transcripts
from app.asr.vosk import Vosk
from app.asr.whisper import Whisper
from app.candidates import Candidates
from app.carrier.client import Carrier
from app.carrier.signature import SignatureChecker
from app.chat_tokens import ChatTokens
from app.chatbot.incoming import WHATSAPP
from app.chatbot.message_channel import MessageChannel
from app.chatbot.threads import Threads
from app.chatbot.unanswered import Unanswered
from app.conversation import Conversations
from app.effects import Announcements
from app.expiry import LIFETIME, Expiry
from app.flow_files import load_flows
from app.ivr.channel import VoiceChannel
from app.ivr.recordings import Recordings
from app.jobs import QUEUE, Backoff, Jobs, Task
from app.outgoing import Outgoing
from app.outreach import Outreach
from app.pacing import Pacer
from app.ports import Channel, Recogniser
from app.settings import Settings
from app.store import Pool, secrets
from app.store.database import open_pool
from app.survey.flow import Flow
from app.survey.vocabulary import Vocabulary
from app.turn_saving import TurnSaving
from app.voices.inventory import PLAYED, needed_by, take_stock
from app.voices.prompts import Prompts

log = structlog.get_logger(__name__)

CHANNELS: Mapping[str, Callable[[Settings, Carrier, Conversations], Channel]] = {
    "voice": lambda settings, carrier, _: VoiceChannel(carrier, settings.public_url),
    "sms": lambda settings, carrier, conversations: MessageChannel(
        "sms", carrier, conversations, settings.twilio_from, settings.public_url
    ),
    "whatsapp": lambda settings, carrier, conversations: MessageChannel(
        "whatsapp", carrier, conversations, WHATSAPP + settings.twilio_whatsapp_from, settings.public_url
    ),
}

# In the order in which they are asked: the quickest first.
RECOGNISERS: Mapping[str, Callable[[Settings, Mapping[str, Vocabulary]], Recogniser]] = {
    "vosk": lambda settings, vocabularies: Vosk(settings.vosk_models, vocabularies),
    "whisper": lambda settings, vocabularies: Whisper(settings.whisper_model, vocabularies),
}

POLL_SECONDS = 0.1
HEARTBEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 8.0
SHUTDOWN_SECONDS = 5.0
# A start's job lives from before its slot until the carrier has answered; fewer at once would leave slots unused.
SECONDS_A_START = 2.0
# What must happen is tried for ever; what may be given up has somebody else who looks after it.
RETRY = {
    Task.ANNOUNCE_RESPONSE: Backoff(limit=15),
    Task.FETCH_RECORDING: Backoff(limit=10),
    Task.TRANSCRIBE_RECORDING: Backoff(limit=5),
    Task.WRITE_TO_CONVERSATION: Backoff(limit=5),
}


@dataclass(frozen=True)
class Services:
    """Everything a process needs, put together once."""

    settings: Settings
    pool: Pool
    jobs: Jobs
    flows: Mapping[str, Flow]
    prompts: Prompts
    timezone: ZoneInfo
    carrier: Carrier
    signatures: SignatureChecker
    candidates: Candidates
    conversations: Conversations
    aftermath: Aftermath
    outreach: Outreach
    recordings: Recordings
    ears: Ears
    transcripts: Transcripts
    announcements: Announcements | None
    unanswered: Unanswered
    threads: Threads
    expiry: Expiry
    chat_tokens: ChatTokens

    @property
    def offered(self) -> frozenset[str]:
        """The channels of surveys. A chat needs no reaching out: the person is there."""
        return frozenset(self.outreach.channels) | {"chat"}


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
        stack.callback(services.ears.pool.close)
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
    candidates = Candidates(settings)
    conversations = Conversations(pool, jobs, flows, settings, TurnSaving(pool))
    channels = {
        name: make(settings, carrier, conversations)
        for name, make in CHANNELS.items()
        if name != "whatsapp" or settings.twilio_whatsapp_from
    }
    remind_after = timedelta(hours=settings.reminder_after_hours) if settings.reminder_after_hours else None
    aftermath = Aftermath(pool, jobs, channels, candidates, conversations, timezone, remind_after)
    pacers = {name: _pacer(settings, pool, name) for name in channels}
    vocabularies = vocabularies_of(flows)
    ears = Ears([make(settings, vocabularies) for make in RECOGNISERS.values()], RecognitionPool())
    written = {name: each for name, each in channels.items() if isinstance(each, MessageChannel)}
    return Services(
        settings=settings,
        pool=pool,
        jobs=jobs,
        flows=flows,
        prompts=_prompts(settings, flows),
        timezone=timezone,
        carrier=carrier,
        signatures=SignatureChecker([settings.twilio_auth_token.get_secret_value()], settings.public_url),
        candidates=candidates,
        conversations=conversations,
        aftermath=aftermath,
        outreach=Outreach(pool, jobs, channels, candidates, aftermath, pacers),
        recordings=Recordings(pool, jobs, carrier, settings.keep_recordings_days),
        ears=ears,
        transcripts=Transcripts(pool, jobs, ears, vocabularies, settings.keep_recordings_days),
        announcements=_announcements(settings, pool, http),
        unanswered=Unanswered(pool, jobs, written, candidates, conversations, aftermath, pacers),
        threads=Threads(pool, jobs, conversations, carrier, timezone),
        expiry=Expiry(pool, conversations),
        chat_tokens=ChatTokens(chat_secret, int(LIFETIME.total_seconds())),
    )


def _pacer(settings: Settings, pool: Pool, channel: str) -> Pacer:
    rate = settings.calls_per_second if channel == "voice" else settings.messages_per_second
    return Pacer(pool, f"{settings.twilio_account_sid} {channel}", rate)


def _prompts(settings: Settings, flows: Mapping[str, Flow]) -> Prompts:
    prompts = Prompts.load(settings.prompts_dir)
    for language in sorted(prompts.languages):
        wanted = needed_by(flows.values(), language, [settings.brand])
        stock = take_stock(prompts, settings.prompts_dir, language, wanted)
        log.info(
            "prompts_loaded",
            language=language,
            played=sum(each.status in PLAYED for each in stock),
            needed=len(wanted),
            stale=[each.name for each in stock if each.status == "stale"],
        )
    return prompts


def _announcements(settings: Settings, pool: Pool, http: httpx.AsyncClient) -> Announcements | None:
    if settings.webhook_url is None:
        return None
    assert settings.webhook_secret is not None, "settings require the secret with the address"
    outgoing = Outgoing(http, settings.allow_private_urls)
    return Announcements(pool, outgoing, settings.webhook_url, settings.webhook_secret.get_secret_value())


Work = dict[Task, Callable[..., Awaitable[None]]]


def register(services: Services) -> None:
    """Say what each job runs."""
    work = {
        **_calling(services.outreach, services.aftermath),
        **_listening(services.recordings, services.transcripts),
        **_writing(services.unanswered, services.threads, services.expiry),
        Task.ANNOUNCE_RESPONSE: _announcing(services.announcements),
    }
    for task, run in work.items():
        services.jobs.app.task(name=task.value, queue=QUEUE, retry=RETRY.get(task, Backoff()))(run)
    _register_housekeeping(services)


def _calling(outreach: Outreach, aftermath: Aftermath) -> Work:
    async def start_attempt(survey_id: str, number: int, *, in_line: bool = False) -> None:
        with structlog.contextvars.bound_contextvars(survey_id=survey_id):
            await outreach.start_attempt(UUID(survey_id), number, in_line=in_line)

    async def look_up_attempt(attempt_id: str, tries: int) -> None:
        await aftermath.look_up(UUID(attempt_id), tries)

    async def reconcile_attempt(attempt_id: str, tries: int) -> None:
        await aftermath.reconcile(UUID(attempt_id), tries)

    async def hang_up(attempt_id: str, sid: str) -> None:
        await aftermath.hang_up(UUID(attempt_id), sid)

    return {
        Task.START_ATTEMPT: start_attempt,
        Task.LOOK_UP_ATTEMPT: look_up_attempt,
        Task.RECONCILE_ATTEMPT: reconcile_attempt,
        Task.HANG_UP: hang_up,
    }


def _listening(recordings: Recordings, transcripts: Transcripts) -> Work:
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


def _announcing(announcements: Announcements | None) -> Callable[..., Awaitable[None]]:
    async def announce_response(survey_id: str, kind: str | None = None) -> None:
        if announcements is not None:
            await announcements.announce(UUID(survey_id), kind)

    return announce_response


def _writing(unanswered: Unanswered, threads: Threads, expiry: Expiry) -> Work:
    async def send_reminder(attempt_id: str, *, in_line: bool = False) -> None:
        await unanswered.remind(UUID(attempt_id), in_line=in_line)

    async def expire_attempt(attempt_id: str) -> None:
        await unanswered.expire(UUID(attempt_id))

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


def _register_housekeeping(services: Services) -> None:
    app = services.jobs.app

    @app.periodic(cron="* * * * * */5")
    @app.task(name="retry_stalled_jobs", queue=QUEUE, queueing_lock="retry_stalled_jobs", pass_context=True)
    async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
        """Take up the jobs of workers that died."""
        del timestamp
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
            await manager.retry_job(job)

    @app.periodic(cron="17 * * * *")
    @app.task(name="keep_recordings_in_order", queue=QUEUE, queueing_lock="keep_recordings_in_order")
    async def keep_recordings_in_order(timestamp: int) -> None:
        """Leave no audio at the carrier, and keep none longer than was promised."""
        del timestamp
        await services.recordings.fetch_left_behind()
        await services.recordings.delete_expired()


def _starts_per_second(settings: Settings) -> float:
    return settings.calls_per_second + 2 * settings.messages_per_second


async def work(services: Services) -> None:
    """Run jobs until cancelled; a database that goes away is waited for."""
    settings = services.settings
    while True:
        try:
            await services.outreach.prepare()
            await services.jobs.app.run_worker_async(
                queues=[QUEUE],
                concurrency=max(
                    settings.worker_concurrency, ceil(_starts_per_second(settings) * SECONDS_A_START)
                ),
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


def vocabularies_of(flows: Mapping[str, Flow]) -> dict[str, Vocabulary]:
    """The words of every language that a flow speaks."""
    return {
        language: wording.vocabulary
        for flow in flows.values()
        for language, wording in flow.languages.items()
    }


def languages(flows: Mapping[str, Flow]) -> frozenset[str]:
    """The languages that every flow speaks."""
    return frozenset.intersection(*(frozenset(flow.languages) for flow in flows.values()))
