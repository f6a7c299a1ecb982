"""One call's TwiML, performed as a phone would; it asks for documents and knows nothing of HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import assert_never
from urllib.parse import urljoin, urlsplit

from app.rehearsal.clock import Clock, speaking_seconds
from app.rehearsal.people import Caller, HungUp, Nothing, Pressed, Spoken
from app.rehearsal.transcript import Transcript
from app.rehearsal.twilio.call_recordings import CallRecordings, Notify
from app.rehearsal.twilio.connected_caller import CallOver, ConnectedCaller, Ending, LengthOf
from app.rehearsal.twilio.document import listening_while_recording, read
from app.rehearsal.twilio.gathering import perform_gather
from app.rehearsal.twilio.recordings import CarrierRecordings
from app.rehearsal.twilio.streaming import StreamedCall
from app.rehearsal.twilio.verbs import (
    Alert,
    CallFailed,
    ConnectStream,
    Document,
    Gather,
    Hangup,
    Inline,
    Method,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Request,
    Say,
    Source,
    StartRecording,
    StopRecording,
    Verb,
)

Fetch = Callable[[str, Method, Mapping[str, str]], Awaitable[bytes]]
# The headers of a WebSocket's handshake, for its address.
Handshake = Callable[[str], Mapping[str, str]]

MAX_DOCUMENTS = 100
APOLOGY = Say("We are sorry, an application error has occurred. Goodbye.")
# How long a file is taken to last where nobody measures it.
PLAYED_SECONDS = 3.0


def _unsigned(_: str) -> Mapping[str, str]:
    return {}


async def unmeasured(_: str) -> float:
    """How long a file lasts, as far as anybody can tell who does not open it."""
    return PLAYED_SECONDS


class Performance:
    """Performs documents for one caller until somebody hangs up.

    ``fetch(url, method, form)`` returns a document's bytes or raises `CallFailed`. ``identity`` are the fields that
    every webhook of the call carries (``CallSid``, ``From``, ...). ``notify`` takes recording callbacks and must not
    wait. ``submits_at_hang_up``: whoever hangs up in the middle of an entry has its keys submitted all the same, which
    the carrier's documentation leaves open. What happened, and when, is in ``transcript`` and ``alerts``.
    """

    def __init__(
        self,
        caller: Caller,
        clock: Clock,
        fetch: Fetch,
        identity: Mapping[str, str],
        recordings: CarrierRecordings,
        notify: Notify,
        fallback: Request | None = None,
        transcript: Transcript | None = None,
        alerts: list[Alert] | None = None,
        handshake: Handshake = _unsigned,
        *,
        length_of: LengthOf = unmeasured,
        submits_at_hang_up: bool = False,
    ) -> None:
        self.transcript = Transcript() if transcript is None else transcript
        self.alerts: list[Alert] = [] if alerts is None else alerts
        self._caller, self._fetch, self._identity = caller, fetch, identity
        self._clock, self._fallback, self._handshake = clock, fallback, handshake
        self._call_recordings = CallRecordings(identity["CallSid"], recordings, clock, notify)
        self._connected = ConnectedCaller(caller, clock, self.transcript, self._call_recordings, length_of)
        self._submits_at_hang_up = submits_at_hang_up
        self._url = ""

    async def perform(self, source: Source) -> Ending:
        """Perform this document and all that follow from it; returns who ended the call, and how."""
        try:
            for _ in range(MAX_DOCUMENTS):
                source = await self._perform_one(source)
        except CallOver as over:
            return over.ending
        return await self._apologise(Alert(11215, f"More than {MAX_DOCUMENTS} documents in one call"))

    def close(self) -> None:
        """The call is over: recordings that still run are finished."""
        self._call_recordings.close()

    async def _perform_one(self, source: Source) -> Source:
        try:
            document = await self._load(source)
            return await self._run(document)
        except CallFailed as failure:
            if self._fallback is None:
                raise CallOver(await self._apologise(failure.alert)) from failure
            return self._fall_back(failure.alert, self._fallback)

    def _fall_back(self, alert: Alert, fallback: Request) -> Source:
        self.alerts.append(alert)
        self._fallback = None
        return replace(fallback, form={"ErrorCode": str(alert.code), "ErrorUrl": self._url})

    async def _apologise(self, alert: Alert) -> Ending:
        self.alerts.append(alert)
        await self._connected.hear(APOLOGY, self._url)
        return "error"

    async def _load(self, source: Source) -> Document:
        match source:
            case Inline(twiml):
                self._url, body = "", twiml.encode()
            case Request(url, method, form):
                self._url = url
                body = await self._fetch(url, method, {**self._identity, "CallStatus": "in-progress", **form})
            case _:
                assert_never(source)
        document = read(body)
        self.alerts.extend(document.warnings)
        return document

    async def _run(self, document: Document) -> Source:
        for verb in document.verbs:
            following = await self._do(verb)
            if following is not None:
                return following
        raise CallOver("line")

    async def _do(self, verb: Verb) -> Source | None:
        match verb:
            case Say() | Play() | Pause():
                await self._connected.hear(verb, self._url)
            case Gather():
                return await self._gather(verb)
            case Record():
                return await self._record(verb)
            case ConnectStream():
                await self._stream(verb)
            case Redirect(url, method):
                return self._follow(url, method, {})
            case StartRecording():
                self._call_recordings.start(verb, self._url)
            case StopRecording(name):
                self._call_recordings.stop(name)
            case Hangup():
                raise CallOver("line")
            case Reject(reason):
                raise CallOver(reason)
            case _:
                assert_never(verb)
        return None

    async def _stream(self, verb: ConnectStream) -> None:
        """Hold the stream; where it cannot be opened, or is closed, the document goes on."""
        stream = StreamedCall(self._caller, self.transcript, self._identity, self._clock.pace)
        alert = await stream.run(verb, self._handshake(verb.url))
        if alert is not None:
            self.alerts.append(alert)
        if stream.hung_up:
            raise CallOver("caller")

    def _follow(self, url: str, method: Method, form: Mapping[str, str]) -> Request:
        resolved = urljoin(self._url, url) if url else self._url
        if urlsplit(resolved).scheme not in {"http", "https"}:
            raise CallFailed(11100, f"Invalid URL format: '{url}'")
        return Request(resolved, method, form)

    async def _gather(self, gather: Gather) -> Source | None:
        try:
            form = await perform_gather(gather, self._connected, self._url)
        except CallOver as over:
            if over.keys and self._submits_at_hang_up:
                await self._leave(self._follow(gather.action, gather.method, {"Digits": over.keys}))
            raise
        return None if form is None else self._follow(gather.action, gather.method, form)

    async def _record(self, record: Record) -> Source | None:
        if record.beep:
            self.transcript.noted("beep")
        reaction = await self._caller.react(listening_while_recording(record))
        self.transcript.reacted(reaction)
        match reaction:
            case Nothing():
                return None
            case Pressed(keys):
                key = next((each for each in keys if each in record.finish_on_key), None)
                return None if key is None else self._recorded(record, "", key)
            case Spoken(text, _, then_hangs_up):
                self._call_recordings.hear(reaction)
                following = self._recorded(record, text, "hangup" if then_hangs_up else "")
                return await self._leave(following) if then_hangs_up else following
            case HungUp():
                return await self._leave(self._recorded(record, "", "hangup"))
            case _:
                assert_never(reaction)

    def _recorded(self, record: Record, said: str, digits: str) -> Request:
        seconds = min(speaking_seconds(said), record.max_length)
        recording, url = self._call_recordings.keep_answer(said, seconds, record.callback, self._url)
        form = {
            "RecordingUrl": url,
            "RecordingSid": recording.sid,
            "RecordingDuration": str(recording.seconds),
        }
        return self._follow(record.action, record.method, {**form, "Digits": digits})

    async def _leave(self, last: Request) -> Source:
        """The action is told of the hang-up; nobody is left to hear what it answers."""
        form = {**self._identity, "CallStatus": "completed", **last.form}
        try:
            await self._fetch(last.url, last.method, form)
        except CallFailed as failure:
            self.alerts.append(failure.alert)
        raise CallOver("caller")
