"""A TwiML document, read into verbs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from xml.etree import ElementTree as ET

from app.rehearsal.people import ListeningFor
from app.rehearsal.twilio.verbs import (
    DEFAULT_LANGUAGE,
    EVERY_KEY,
    Alert,
    CallFailed,
    ConnectStream,
    Document,
    Gather,
    Hangup,
    Method,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    Sounding,
    StartRecording,
    StatusCallback,
    StopRecording,
    Verb,
)

# What "auto" takes for the end of speech, "the first pause" in it. An estimate.
FIRST_PAUSE_SECONDS = 1.0


@lru_cache(maxsize=1024)
def read(body: bytes) -> Document:
    """The document in these bytes; raises `CallFailed`. The same bytes are read once."""
    if not body.strip():
        raise CallFailed(12100, "Document parse failure: the document is empty")
    try:
        root = ET.fromstring(body)  # noqa: S314 - TwiML comes from our own server, and expat bounds entities
    except ET.ParseError as problem:
        raise CallFailed(12100, f"Document parse failure: {problem}") from problem
    if root.tag != "Response":
        raise CallFailed(12100, f"Document parse failure: <{root.tag}> where <Response> was expected")
    reader = _TwimlReader()
    verbs = tuple(verb for element in root for verb in reader.verbs(element))
    return Document(verbs, tuple(reader.warnings))


@dataclass
class _TwimlReader:
    """Reads elements and collects what it had to overlook."""

    warnings: list[Alert] = field(default_factory=list)

    def verbs(self, element: ET.Element) -> list[Verb]:
        if element.tag == "Connect":
            return [_connect(noun, self) for noun in element if noun.tag == "Stream"]
        if element.tag in {"Start", "Stop"}:
            return [verb for noun in element for verb in self._noun(element.tag, noun)]
        build = _BUILDERS.get(element.tag)
        if build is None:
            self.warn(f"Invalid element <{element.tag}>")
            return []
        return [build(_Attributes(element, self))]

    def _noun(self, parent: str, noun: ET.Element) -> list[Verb]:
        if noun.tag != "Recording":
            self.warn(f"Invalid element <{noun.tag}> in <{parent}>")
            return []
        name = noun.get("name")
        if parent == "Stop":
            return [StopRecording(name)]
        return [_start_recording(name, _Attributes(noun, self))]

    def warn(self, message: str) -> None:
        self.warnings.append(Alert(12200, f"Schema validation warning: {message}"))


class _Attributes:
    """One element's attributes, each read with its default and checked."""

    def __init__(self, element: ET.Element, reader: _TwimlReader) -> None:
        self.element, self.reader = element, reader

    def text(self) -> str:
        return " ".join("".join(self.element.itertext()).split())

    def get(self, name: str, default: str = "") -> str:
        return self.element.get(name, default)

    def number(self, name: str, default: float, least: float = 0) -> float:
        value = self.element.get(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = -1
        if number < least:
            self._invalid(name, value)
            return default
        return number

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.one_of(name, "true", "false", default=str(default).lower())
        return value == "true"

    def one_of(self, name: str, *allowed: str, default: str) -> str:
        value = self.get(name, default)
        if value not in allowed:
            self._invalid(name, value)
            return default
        return value

    def method(self, name: str = "method") -> Method:
        return "GET" if self.one_of(name, "GET", "POST", default="POST") == "GET" else "POST"

    def keys(self, name: str, default: str, longest: int) -> str:
        value = self.get(name, default)
        if len(value) > longest or not set(value) <= set(EVERY_KEY):
            self._invalid(name, value)
            return default
        return value

    def speech_timeout(self, timeout: float) -> float:
        """The pause that ends what is said: that of ``timeout``, unless it has its own."""
        if self.get("speechTimeout") == "auto":
            return FIRST_PAUSE_SECONDS
        return self.number("speechTimeout", timeout, least=1)

    def times(self) -> int:
        # loop="0" repeats until the caller hangs up at the carrier; a rehearsal stops after ten times.
        return int(self.number("loop", 1)) or 10

    def status_callback(self) -> StatusCallback | None:
        url = self.get("recordingStatusCallback")
        if not url:
            return None
        events = self.get("recordingStatusCallbackEvent", "completed").replace(",", " ").split()
        return StatusCallback(url, self.method("recordingStatusCallbackMethod"), frozenset(events))

    def _invalid(self, name: str, value: str) -> None:
        self.reader.warn(f"Attribute '{name}' of <{self.element.tag}> may not be '{value}'")


def _start_recording(name: str | None, given: _Attributes) -> StartRecording:
    return StartRecording(
        name,
        given.status_callback(),
        channels=1 if given.one_of("channels", "mono", "dual", default="dual") == "mono" else 2,
        caller_only=given.one_of("track", "inbound", "outbound", "both", default="both") == "inbound",
        trimmed=given.one_of("trim", "trim-silence", "do-not-trim", default="trim-silence") == "trim-silence",
    )


def _connect(stream: ET.Element, reader: _TwimlReader) -> ConnectStream:
    url = stream.get("url", "")
    # At the carrier it is wss only; a rehearsal stays on this machine.
    if not url.startswith(("wss://", "ws://127.0.0.1:", "ws://localhost:")):
        reader.warnings.append(Alert(31922, f"Stream - WebSocket - URL Schema Not Supported: '{url}'"))
    if "?" in url:
        reader.warnings.append(Alert(31920, f"Stream: query parameters are not supported: '{url}'"))
    parameters = tuple((each.get("name", ""), each.get("value", "")) for each in stream.iter("Parameter"))
    return ConnectStream(url, parameters)


def _say(given: _Attributes) -> Say:
    return Say(given.text(), given.get("language") or DEFAULT_LANGUAGE, given.times())


def _play(given: _Attributes) -> Play:
    return Play(given.text(), given.times())


def _pause(given: _Attributes) -> Pause:
    return Pause(given.number("length", 1))


def _gather(given: _Attributes) -> Gather:
    inputs = given.one_of("input", "dtmf", "speech", "dtmf speech", "speech dtmf", default="dtmf").split()
    if given.get("speechTimeout") == "auto" and given.get("speechModel"):
        given.reader.warnings.append(Alert(13335, "Gather: speechTimeout=auto with a speechModel"))
    digits, timeout = given.number("numDigits", 0, least=1), given.number("timeout", 5, least=1)
    return Gather(
        prompts=tuple(_prompts(given)),
        keys="dtmf" in inputs,
        speech="speech" in inputs,
        action=given.get("action"),
        method=given.method(),
        timeout=timeout,
        speech_timeout=given.speech_timeout(timeout),
        max_digits=int(digits) or None,
        finish_on_key=given.keys("finishOnKey", "#", longest=1),
        empty_result=given.flag("actionOnEmptyResult", default=False),
        language=given.get("language") or DEFAULT_LANGUAGE,
        hints=given.get("hints"),
        barge_in=given.flag("bargeIn", default=True),
    )


def _prompts(given: _Attributes) -> list[Sounding]:
    found: list[Sounding] = []
    for element in given.element:
        for verb in given.reader.verbs(element):
            if isinstance(verb, Sounding):
                found.append(verb)
            else:
                given.reader.warn(f"<{element.tag}> is not allowed in <Gather>")
    return found


def _record(given: _Attributes) -> Record:
    return Record(
        action=given.get("action"),
        method=given.method(),
        timeout=given.number("timeout", 5),
        finish_on_key=given.keys("finishOnKey", EVERY_KEY, longest=12),
        max_length=given.number("maxLength", 3600, least=1),
        beep=given.flag("playBeep", default=True),
        callback=given.status_callback(),
    )


def _redirect(given: _Attributes) -> Redirect:
    return Redirect(given.text(), given.method())


def _reject(given: _Attributes) -> Reject:
    busy = given.one_of("reason", "rejected", "busy", default="rejected") == "busy"
    return Reject("busy" if busy else "rejected")


def _hangup(_: _Attributes) -> Hangup:
    return Hangup()


_BUILDERS: dict[str, Callable[[_Attributes], Verb]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Gather": _gather,
    "Record": _record,
    "Redirect": _redirect,
    "Hangup": _hangup,
    "Reject": _reject,
}


def listening_while_recording(record: Record) -> ListeningFor:
    """What a recording listens for: a voice, and the keys that end it."""
    return ListeningFor(
        keys=bool(record.finish_on_key),
        speech=True,
        max_digits=1,
        finish_on_key=record.finish_on_key,
        timeout_seconds=record.timeout,
        language="",
    )
