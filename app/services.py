"""Makes every part of a process once and connects them: `running`, `assemble` and the tables of what plugs in.

`CHANNELS`, `RECOGNISERS` and `CRMS` name every channel, recogniser and CRM; a new one is a line in its table.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from app.alerts import Alerts
from app.asr import MediaStreams, Recognisers, RecognitionPool, Transcripts
from app.asr.vosk import Vosk
from app.asr.whisper import Whisper
from app.carrier import Carrier, SignatureChecker
from app.chatbot import (
    WHATSAPP,
    Chats,
    ChatTokens,
    MessageAnswering,
    MessageChannel,
    MessageWebhooks,
    Origins,
    RasaSurveys,
    Reminders,
    TokenGate,
    TwilioConversations,
)
from app.config import Settings, load_flows
from app.conversation import Conversations, TurnWriter
from app.crm import (
    ConfiguredCrm,
    CrmKinds,
    activecampaign,
    airtable,
    chosen_destinations,
    getresponse,
    google_sheets,
    hubspot,
    intercom,
    mailchimp,
    monday,
    salesforce,
    webhook,
    zendesk,
)
from app.delivery import Deliveries, Destination, FollowUp
from app.errors import FlowError
from app.intake import Chat, Triggers
from app.ivr import Inbound, Playback, Recordings, Voice, VoiceChannel, VoiceWebhooks
from app.jobs import Jobs
from app.outreach import LIFETIME, AttemptStarter, AttemptTracking, Expiry, Pacer, Planner, Recovery
from app.ports import Channel, Recogniser
from app.prompts import Prompts, load_prompts
from app.store import Pool, secrets
from app.store.database import open_pool
from app.survey import DEFAULT_FLOW, Flows, Vocabulary
from app.web import ApiKeys, GuardedHttp, tls

CRMS: CrmKinds = {
    "webhook": webhook.KIND,
    "activecampaign": activecampaign.KIND,
    "airtable": airtable.KIND,
    "getresponse": getresponse.KIND,
    "google_sheets": google_sheets.KIND,
    "hubspot": hubspot.KIND,
    "intercom": intercom.KIND,
    "mailchimp": mailchimp.KIND,
    "monday": monday.KIND,
    "salesforce": salesforce.KIND,
    "zendesk": zendesk.KIND,
}

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

# Exports hold a connection for as long as somebody downloads; these are not the callers' connections.
EXPORTS_AT_ONCE = 4


@dataclass(
    frozen=True, repr=False
)  # asyncio and tracebacks write out what they meet: this would be megabytes
class Services:
    """Everything a process needs, put together once. What only its web application needs is made with that."""

    settings: Settings
    pool: Pool
    export_pool: Pool
    jobs: Jobs
    flows: Flows
    prompts: Prompts
    timezone: ZoneInfo
    carrier: Carrier
    signatures: SignatureChecker
    planner: Planner
    conversations: Conversations
    tracking: AttemptTracking
    starter: AttemptStarter
    recordings: Recordings
    recognisers: Recognisers
    transcripts: Transcripts
    deliveries: Deliveries
    follow_up: FollowUp
    alerts: Alerts
    reminders: Reminders
    twilio_conversations: TwilioConversations
    expiry: Expiry
    recovery: Recovery
    chat_tokens: ChatTokens

    @property
    def offered(self) -> frozenset[str]:
        """The channels of surveys. A chat needs no reaching out: the person is there."""
        return frozenset(self.starter.channels) | {"chat"}

    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.pool, self.settings.admin_key)

    @cached_property
    def triggers(self) -> Triggers:
        return Triggers(self.pool, self.jobs, self.planner, self.flows.languages, self.offered, self.timezone)

    def invite(self, survey_id: UUID, at: datetime) -> Chat:
        """How the person of a survey in a chat reaches it, once it is due ``at``."""
        token = self.chat_tokens.make(survey_id, at)
        return Chat(token=token, url=f"{self.settings.public_url}/chat/{token}")

    @cached_property
    def chats(self) -> Chats:
        return Chats(self.pool, self.conversations, TokenGate(self.chat_tokens), self.timezone)

    @cached_property
    def origins(self) -> Origins:
        return Origins(self.settings.chat_origins, self.settings.public_url)

    @cached_property
    def rasa_surveys(self) -> RasaSurveys:
        language, brand = self.settings.default_language, self.settings.brand
        return RasaSurveys(self.chats, self.chat_tokens, language, brand, self.triggers.accept)

    @cached_property
    def playback(self) -> Playback:
        return Playback(self.prompts, self.settings.public_url)

    @cached_property
    def media_streams(self) -> MediaStreams:
        return MediaStreams(
            self.signatures,
            self.conversations,
            self.recognisers,
            self.prompts,
            self.transcripts.keep,
            self.settings.public_url,
        )

    @cached_property
    def voice_webhooks(self) -> VoiceWebhooks:
        settings, sounds = self.settings, self.playback.addresses
        flow = self.flows.default
        inbound = Inbound(self.pool, self.tracking, flow, settings.brand, settings.public_url, sounds)
        return VoiceWebhooks(
            self.signatures,
            self.conversations,
            self.tracking,
            self.recordings,
            inbound,
            Voice(self.flows, sounds),
            self.media_streams.invite,
        )

    @cached_property
    def message_webhooks(self) -> MessageWebhooks:
        answering = MessageAnswering(self.pool, self.conversations, self.settings.brand)
        return MessageWebhooks(self.signatures, answering, self.twilio_conversations, self.tracking)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """The services of a process, with the database open and migrated; closed in order at the end."""
    flows = load_flows(settings.flows_dir)
    if DEFAULT_FLOW not in flows:
        raise FlowError(str(settings.flows_dir), f"flows.{DEFAULT_FLOW}", "no file here has this flow")
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.push_async_callback(pool.close)
        export_pool = await open_pool(settings, size=EXPORTS_AT_ONCE, kept=0)
        stack.push_async_callback(export_pool.close)
        carrier = Carrier.from_settings(settings)
        stack.push_async_callback(carrier.aclose)
        http = await stack.enter_async_context(httpx.AsyncClient(verify=tls()))
        async with pool.connection() as connection:
            chat_secret = await secrets.read_or_make(connection, "chat")
        services = assemble(settings, pool, export_pool, flows, carrier, http, chat_secret)
        stack.callback(services.recognisers.pool.close)
        await services.jobs.open()
        yield services


def assemble(
    settings: Settings,
    pool: Pool,
    export_pool: Pool,
    flows: Flows,
    carrier: Carrier,
    http: httpx.AsyncClient,
    chat_secret: bytes,
) -> Services:
    """Put the parts together."""
    jobs, timezone = Jobs(pool), ZoneInfo(settings.reporting_timezone)
    planner = Planner(settings)
    conversations = Conversations(pool, jobs, flows, settings, TurnWriter(pool))
    channels = {
        name: make(settings, carrier, conversations)
        for name, make in CHANNELS.items()
        if name != "whatsapp" or settings.twilio_whatsapp_from
    }
    remind_after = timedelta(hours=settings.reminder_after_hours) if settings.reminder_after_hours else None
    tracking = AttemptTracking(pool, jobs, channels, planner, conversations, timezone, remind_after)
    pacers = {name: _pacer(settings, pool, name) for name in channels}
    vocabularies = flows.vocabularies
    recognisers = Recognisers(
        [make(settings, vocabularies) for make in RECOGNISERS.values()], RecognitionPool()
    )
    alerts = Alerts.from_settings(settings, pool, jobs)
    deliveries = Deliveries(pool, jobs, _destinations(settings, http), alerts.alarm)
    written = {name: each for name, each in channels.items() if isinstance(each, MessageChannel)}
    return Services(
        settings=settings,
        pool=pool,
        export_pool=export_pool,
        jobs=jobs,
        flows=flows,
        prompts=load_prompts(settings.prompts_dir, flows.values(), settings.brand),
        timezone=timezone,
        carrier=carrier,
        signatures=SignatureChecker([settings.twilio_auth_token.get_secret_value()], settings.public_url),
        planner=planner,
        conversations=conversations,
        tracking=tracking,
        starter=AttemptStarter(pool, jobs, channels, planner, tracking, pacers),
        recordings=Recordings(pool, jobs, carrier, settings.keep_recordings_days),
        recognisers=recognisers,
        transcripts=Transcripts(pool, jobs, recognisers, vocabularies, settings.keep_recordings_days),
        deliveries=deliveries,
        follow_up=FollowUp(pool, deliveries, alerts),
        alerts=alerts,
        reminders=Reminders(pool, jobs, written, planner, conversations, tracking, pacers),
        twilio_conversations=TwilioConversations(pool, jobs, conversations, carrier, timezone),
        expiry=Expiry(pool, conversations),
        recovery=Recovery(pool, jobs),
        chat_tokens=ChatTokens(chat_secret, int(LIFETIME.total_seconds())),
    )


def _pacer(settings: Settings, pool: Pool, channel: str) -> Pacer:
    rate = settings.calls_per_second if channel == "voice" else settings.messages_per_second
    return Pacer(pool, f"{settings.twilio_account_sid} {channel}", rate)


def _destinations(settings: Settings, http: httpx.AsyncClient) -> dict[str, Destination]:
    outgoing = GuardedHttp(http, settings.allow_private_urls)
    return {
        name: _destination(name, chosen, outgoing)
        for name, chosen in chosen_destinations(settings, CRMS).items()
    }


def _destination(name: str, chosen: ConfiguredCrm, outgoing: GuardedHttp) -> Destination:
    options = chosen.options
    return Destination(name, chosen.connect(outgoing), options.per_second, options.at_once, options.queues)
