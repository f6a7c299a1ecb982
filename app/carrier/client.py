"""Twilio's REST interface: calls, messages, conversations and recordings."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Self, TypeVar

import httpx
from twilio.base.values import unset
from twilio.rest import Client

from app.carrier.outcomes import meaning_of
from app.carrier.recording import download
from app.carrier.records import (
    CallRecord,
    MessageRecord,
    PlacedCall,
    PlacedMessage,
    Template,
    call_record,
    checked_sid,
    given_sid,
    message_record,
    placed_call,
    placed_message,
    recording_sid,
)
from app.carrier.transport import TWILIO_API_URL, HttpxTransport, ask
from app.config import Settings
from app.errors import CarrierError, CarrierMisconfigured
from app.web import tls

TIMEOUT = httpx.Timeout(connect=5.0, read=15.0, write=10.0, pool=5.0)
DEADLINE_SECONDS = 40.0
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=20.0)

CALL_EVENTS = ["initiated", "ringing", "answered", "completed"]
# How far the carrier's clock may be from our database's. Not more: somebody may have called the same person a few
# minutes ago, from the same number.
CLOCK_TOLERANCE = timedelta(seconds=90)
LOOK_UP_LIMIT = 200
LOOK_UP_PAGE = 50

Said = TypeVar("Said")
Read = TypeVar("Read")


class Carrier:
    """One Twilio account over one pool of connections; make one per process and `aclose` it.

    Every method raises `CarrierRefused`, `CarrierMisconfigured` or `CarrierBusy`; `place_call`, `send_message` and
    `write_in_conversation` also raise `CarrierOutcomeUnknown`. Nothing is ever sent twice, and no error's text holds
    a number, a token or a body.
    """

    def __init__(
        self,
        account_sid: str,
        *,
        auth_token: str,
        from_number: str,
        api_url: str = TWILIO_API_URL,
        timeout: httpx.Timeout = TIMEOUT,
        deadline_seconds: float = DEADLINE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._from, self._api_url, self._deadline = from_number, api_url.rstrip("/"), deadline_seconds
        self._http = httpx.AsyncClient(timeout=timeout, limits=LIMITS, transport=transport, verify=tls())
        self._twilio = self._library(account_sid, auth_token) if account_sid and auth_token else None

    @classmethod
    def from_settings(cls, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> Self:
        """The carrier that these settings name, with a pool of connections of its own."""
        return cls(
            settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token.get_secret_value(),
            from_number=settings.twilio_from,
            api_url=settings.twilio_api_url,
            transport=transport,
        )

    async def place_call(
        self,
        *,
        to: str,
        voice_url: str,
        status_url: str,
        ring_seconds: int,
        time_limit_seconds: int,
        amd_url: str | None = None,
        fallback_url: str | None = None,
    ) -> PlacedCall:
        """Call ``to`` (E.164); with ``amd_url`` find out during the call who answered, and report it there."""
        request = self._account().calls.create_async(
            to=to,
            from_=self._sender(),
            url=voice_url,
            fallback_url=fallback_url or unset,
            timeout=ring_seconds,
            time_limit=time_limit_seconds,
            status_callback=status_url,
            status_callback_event=CALL_EVENTS,
            # Not DetectMessageEnd, which waits for the beep: we leave no message.
            machine_detection="Enable" if amd_url else unset,
            async_amd="true" if amd_url else unset,
            async_amd_status_callback=amd_url or unset,
        )
        return await self._ask(request, placed_call, repeatable=False)

    async def find_calls(self, to: str, started_after: datetime) -> list[CallRecord]:
        """Our calls to ``to`` created since then, newest first: what became of one whose outcome is unknown.

        A queued call has no start time yet, so the carrier's own filter by start time could miss it; its
        creation is compared here, with `CLOCK_TOLERANCE` for the two clocks. The caller leaves out the calls
        it knows.
        """
        sender, earliest = self._sender(), started_after - CLOCK_TOLERANCE
        request = self._account().calls.list_async(
            to=to, from_=sender, limit=LOOK_UP_LIMIT, page_size=LOOK_UP_PAGE
        )
        records = await self._ask(
            request, lambda calls: [call_record(each) for each in calls], repeatable=True
        )
        ours = (each for each in records if (each.to, each.from_) == (to, sender))
        recent = (each for each in ours if each.created_at >= earliest)
        return sorted(recent, key=lambda each: each.created_at, reverse=True)

    async def fetch_call(self, sid: str) -> CallRecord | None:
        """The call as it is now, or None where the account has no such call."""
        call = self._account().calls(checked_sid("CA", sid))
        try:
            return await self._ask(call.fetch_async(), call_record, repeatable=True)
        except CarrierError as error:
            if error.http_status == 404:
                return None
            raise

    async def hang_up(self, sid: str) -> None:
        """End the call, ringing or answered; one that has ended already is left as it is."""
        await self._end(sid, "completed")

    async def cancel(self, sid: str) -> None:
        """End the call unless it has been answered."""
        await self._end(sid, "canceled")

    async def send_message(
        self,
        *,
        to: str,
        content: str | Template,
        status_url: str,
        validity_seconds: int,
        sender: str | None = None,
    ) -> PlacedMessage:
        """Send text or a template, and give up after ``validity_seconds`` (1-36000)."""
        template = content if isinstance(content, Template) else None
        request = self._account().messages.create_async(
            to=to,
            from_=sender or self._sender(),
            body=content if isinstance(content, str) else unset,
            content_sid=template.content_sid if template else unset,
            content_variables=json.dumps(dict(template.variables)) if template else unset,
            status_callback=status_url,
            validity_period=validity_seconds,
        )
        return await self._ask(request, placed_message, repeatable=False)

    async def find_messages(
        self, to: str, started_after: datetime, sender: str | None = None
    ) -> list[MessageRecord]:
        """The messages we sent to ``to`` by REST since then, newest first; see `find_calls`."""
        sender, earliest = sender or self._sender(), started_after - CLOCK_TOLERANCE
        request = self._account().messages.list_async(
            to=to, from_=sender, limit=LOOK_UP_LIMIT, page_size=LOOK_UP_PAGE
        )
        records = await self._ask(
            request, lambda found: [message_record(each) for each in found], repeatable=True
        )
        # Replies that the carrier took from our webhook's answer are in its list, too.
        ours = (
            record
            for record in records
            if (record.to, record.from_, record.direction) == (to, sender, "outbound-api")
        )
        recent = (each for each in ours if each.created_at >= earliest)
        return sorted(recent, key=lambda each: each.created_at, reverse=True)

    async def fetch_message(self, sid: str) -> MessageRecord | None:
        """The message as it is now, or None where the account has no such message."""
        message = self._account().messages(checked_sid("[SM]M", sid))
        try:
            return await self._ask(message.fetch_async(), message_record, repeatable=True)
        except CarrierError as error:
            if error.http_status == 404:
                return None
            raise

    async def write_in_conversation(self, conversation_sid: str, author: str, text: str) -> str:
        """Add a message to a conversation and return its SID. No webhook tells us of it."""
        conversation = self._account().conversations.v1.conversations(checked_sid("CH", conversation_sid))
        request = conversation.messages.create_async(author=author, body=text)
        return await self._ask(request, lambda written: given_sid(written.sid), repeatable=False)

    async def fetch_recording(self, recording: str) -> bytes:
        """The WAV file of a recording, given its SID or URL (which must name one); at most 16 MiB.

        A recording that is not there yet is `CarrierBusy` with ``http_status`` 404.
        """
        account, sid = self._account(), recording_sid(recording)
        url = f"{self._api_url}/2010-04-01/Accounts/{account.account_sid}/Recordings/{sid}.wav"
        return await self._ask(download(self._http, url, account.auth), bytes, repeatable=True)

    async def find_recordings(self, call_sid: str) -> list[str]:
        """The SIDs of the recordings that were made of a call and are still there."""
        request = self._account().recordings.list_async(
            call_sid=checked_sid("CA", call_sid), limit=LOOK_UP_LIMIT
        )
        return await self._ask(
            request, lambda found: [given_sid(each.sid) for each in found], repeatable=True
        )

    async def delete_recording(self, recording: str) -> None:
        """Remove a recording at the carrier, given its SID or URL; one that is gone already is fine."""
        request = self._account().recordings(recording_sid(recording)).delete_async()
        try:
            await self._ask(request, bool, repeatable=True)
        except CarrierError as error:
            if error.http_status != 404:
                raise

    async def aclose(self) -> None:
        """Close the connections; requests under way fail."""
        await self._http.aclose()

    async def _end(self, sid: str, status: str) -> None:
        call = self._account().calls(checked_sid("CA", sid))
        try:
            await self._ask(call.update_async(status=status), bool, repeatable=True)
        except CarrierError as error:
            if error.http_status != 404 and meaning_of(error.carrier_code).consequence != "harmless":
                raise

    async def _ask(self, request: Awaitable[Said], read: Callable[[Said], Read], *, repeatable: bool) -> Read:
        return await ask(request, read, repeatable=repeatable, deadline_seconds=self._deadline)

    def _library(self, account_sid: str, auth_token: str) -> Client:
        # An environment with an edge in it, if an empty one, keeps the library from reading ours.
        return Client(
            account_sid,
            auth_token,
            http_client=HttpxTransport(self._http, self._api_url),
            environment={"TWILIO_EDGE": ""},
        )

    def _account(self) -> Client:
        if self._twilio is None:
            raise CarrierMisconfigured("ZEROTEN_TWILIO_ACCOUNT_SID or ZEROTEN_TWILIO_AUTH_TOKEN is not set")
        return self._twilio

    def _sender(self) -> str:
        if not self._from:
            raise CarrierMisconfigured("ZEROTEN_TWILIO_FROM is not set")
        return self._from
