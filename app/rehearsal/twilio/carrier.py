"""A carrier without a network: places calls to rehearsed phones and tells the product of them as Twilio would."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree as ET

from app.rehearsal.people import Correspondent, Phone, PhoneBook, PhoneFor
from app.rehearsal.twilio.call import Call, CallRequest, Calls
from app.rehearsal.twilio.conversations import HostedConversations
from app.rehearsal.twilio.faults import FaultPlan, Faults
from app.rehearsal.twilio.live_call import LiveCall
from app.rehearsal.twilio.message import MessageStatus, TextMessage, TextMessages
from app.rehearsal.twilio.recordings import CarrierRecordings
from app.rehearsal.twilio.verbs import CallFailed, Source
from app.rehearsal.twilio.webhooks import Webhooks

WHATSAPP = "whatsapp:"
API_VERSION = "2010-04-01"

logger = logging.getLogger(__name__)


class RehearsedCarrier:
    """One account at a rehearsed carrier.

    ``phone_for`` gives a phone for every call; ``fault_plan`` tells how calls go wrong. ``base_url`` is where its REST
    interface is (`app.rehearsal.twilio.rest`), for the addresses of recordings; ``message_url`` is where it takes the
    messages that people write. `close` it in the end.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        phone_for: PhoneFor,
        base_url: str = "",
        keep: int = 20_000,
        message_url: str = "",
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.message_url = message_url
        self.phones = PhoneBook(phone_for)
        self.fault_plan = FaultPlan()
        self.calls, self.messages = Calls(keep), TextMessages(keep)
        self.recordings = CarrierRecordings(account_sid, base_url)
        self.webhooks = Webhooks(auth_token)
        self.conversations = HostedConversations(account_sid, self.webhooks)
        self._threads: dict[str, Phone] = {}
        self._live: dict[str, LiveCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Drop every call and close the connections."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.webhooks.close()

    async def quiet(self) -> None:
        """Return when every call is over and every callback has been delivered."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    @property
    def base_url(self) -> str:
        """The address of the REST interface, as recordings are linked from it."""
        return self.recordings.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.recordings.base_url = url

    def place(self, request: CallRequest, faults: Faults | None = None) -> Call:
        """Call a number; the call goes on by itself."""
        call = Call(request.to, request.from_)
        self._start(call, request, self.phones(request.to), faults or self.fault_plan.take(request.to))
        return call

    def receive(self, request: CallRequest, phone: Phone, faults: Faults | None = None) -> Call:
        """Have somebody call the product; ``request.source`` is its voice URL."""
        call = Call(request.to, request.from_, "inbound")
        self._start(call, request, phone, faults or self.fault_plan.take(request.from_))
        return call

    def end(self, call: Call) -> None:
        """Hang up, as an update with ``Status=completed`` does."""
        self._live[call.sid].hang_up("completed" if call.status == "in-progress" else "canceled")

    def redirect(self, call: Call, source: Source) -> None:
        """Go on with another document, as an update with ``Url`` or ``Twiml`` does."""
        self._live[call.sid].redirect(source)

    def send(self, message: TextMessage, faults: Faults) -> None:
        """Send a message; its status callbacks follow."""
        self.messages.add(message)
        self._spawn(self._deliver(message, faults))

    async def _converse(self, message: TextMessage) -> None:
        """Let the person who was written to write back, and so on, for as long as there is something to say."""
        number = message.to.removeprefix(WHATSAPP)
        if number not in self._threads:
            self._threads[number] = self.phones(number)
        caller, text = self._threads[number].caller, message.body
        while self.message_url and isinstance(caller, Correspondent):
            written = await caller.read(text)
            if written is None:
                return
            try:
                replies = await self.write_in(message.to, message.from_, written, self.message_url)
            except CallFailed:
                return
            text = "\n".join(each.body for each in replies)
            if not text:
                return

    async def write_in(self, from_: str, to: str, body: str, url: str) -> list[TextMessage]:
        """Have somebody write to the product's ``url``; returns what it replied."""
        message = TextMessage(to, from_, body, "inbound", "received")
        self.messages.add(message)
        answer = await self.webhooks.fetch(url, "POST", self._incoming(message))
        replies = [
            TextMessage(from_, to, text, "outbound-reply", "delivered") for text in _message_texts(answer)
        ]
        for reply in replies:
            self.messages.add(reply)
        return replies

    def _start(self, call: Call, request: CallRequest, phone: Phone, faults: Faults) -> None:
        identity = {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": call.sid,
            "Direction": call.direction,
            "From": call.from_,
            "To": call.to,
            "Caller": call.from_,
            "Called": call.to,
        }
        live = LiveCall(call, request, phone, faults, identity, self.webhooks, self.recordings, self._spawn)
        self.calls.add(call)
        self._live[call.sid] = live
        live.start().add_done_callback(lambda _: self._live.pop(call.sid, None))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("a rehearsed call broke", exc_info=problem)

    async def _deliver(self, message: TextMessage, faults: Faults) -> None:
        fate = faults.message
        way: tuple[MessageStatus, ...] = (fate,) if fate in {"sent", "failed"} else ("sent", fate)
        if fate in {"failed", "undelivered"}:
            message.error_code = faults.message_error
        statuses = way[::-1] if faults.callbacks == "reversed" else way
        times = {"lost": 0, "twice": 2}.get(faults.callbacks, 1)
        for status in statuses:
            message.status = status
            for _ in range(times):
                await self._tell_status(message, status)
        message.status = fate
        if message.error_code is None:
            await self._converse(message)

    async def _tell_status(self, message: TextMessage, status: str) -> None:
        if message.status_url is None:
            return
        form = {**self._message_identity(message), "MessageStatus": status, "SmsStatus": status}
        if status in {"failed", "undelivered"}:
            form["ErrorCode"] = str(message.error_code)
        with suppress(CallFailed):
            await self.webhooks.tell(message.status_url, message.status_method, form)

    def _message_identity(self, message: TextMessage) -> dict[str, str]:
        return {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "From": message.from_,
            "To": message.to,
        }

    def _incoming(self, message: TextMessage) -> dict[str, str]:
        counts = {"NumMedia": "0", "NumSegments": str(message.segments)}
        return {**self._message_identity(message), **counts, "Body": message.body, "SmsStatus": "received"}


def _message_texts(answer: bytes) -> list[str]:
    """The messages in a messaging document; an empty answer has none."""
    if not answer.strip():
        return []
    root = ET.fromstring(answer)  # noqa: S314 - the document comes from our own server
    return ["".join(each.itertext()).strip() for each in root.iter("Message")]
