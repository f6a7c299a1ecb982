"""The verbs of TwiML that a rehearsed phone performs: https://www.twilio.com/docs/voice/twiml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Method = Literal["GET", "POST"]

DEFAULT_LANGUAGE = "en-US"
EVERY_KEY = "1234567890*#"


@dataclass(frozen=True)
class Alert:
    """The carrier's error or warning code and a sentence: https://www.twilio.com/docs/api/errors."""

    code: int
    message: str


class CallFailed(Exception):
    """The call cannot go on with this document: the caller hears the carrier's apology."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.alert = Alert(code, message)


@dataclass(frozen=True)
class Say:
    """Text that the carrier's voice speaks, ``times`` over."""

    text: str
    language: str = DEFAULT_LANGUAGE
    times: int = 1


@dataclass(frozen=True)
class Play:
    """An audio file, by its address."""

    url: str
    times: int = 1


@dataclass(frozen=True)
class Pause:
    """Silence on the line for so many seconds."""

    seconds: float = 1


Sounding = Say | Play | Pause


@dataclass(frozen=True)
class Gather:
    """A question: what it says while it listens, and what it listens for."""

    prompts: tuple[Sounding, ...] = ()
    keys: bool = True
    speech: bool = False
    action: str = ""
    method: Method = "POST"
    timeout: float = 5
    speech_timeout: float = 5
    max_digits: int | None = None
    finish_on_key: str = "#"
    empty_result: bool = False
    language: str = DEFAULT_LANGUAGE
    hints: str = ""
    barge_in: bool = True


@dataclass(frozen=True)
class StatusCallback:
    """Where a recording's progress is told, and which of it."""

    url: str
    method: Method = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True)
class Record:
    """Record the caller until silence, a key or the longest time ends it."""

    action: str = ""
    method: Method = "POST"
    timeout: float = 5
    finish_on_key: str = EVERY_KEY
    max_length: float = 3600
    beep: bool = True
    callback: StatusCallback | None = None


@dataclass(frozen=True)
class Redirect:
    """Go on with the document at another address."""

    url: str
    method: Method = "POST"


@dataclass(frozen=True)
class Hangup:
    """End the call; what follows is not performed."""


@dataclass(frozen=True)
class Reject:
    """Refuse an incoming call without picking it up."""

    reason: Literal["rejected", "busy"] = "rejected"


@dataclass(frozen=True)
class StartRecording:
    """Record the call from here on; ``trimmed`` of silence, and on the ``caller_only`` track or on both."""

    name: str | None = None
    callback: StatusCallback | None = None
    channels: int = 2
    caller_only: bool = False
    trimmed: bool = True


@dataclass(frozen=True)
class StopRecording:
    """Stop the recording of this name."""

    name: str | None = None


@dataclass(frozen=True)
class ConnectStream:
    """The call's sound, to and from a WebSocket at ``url``; the document goes on when that is closed."""

    url: str
    parameters: tuple[tuple[str, str], ...] = ()


Verb = (
    ConnectStream
    | Say
    | Play
    | Pause
    | Gather
    | Record
    | Redirect
    | Hangup
    | Reject
    | StartRecording
    | StopRecording
)


@dataclass(frozen=True)
class Document:
    """The verbs in order, and what was wrong with the document without stopping the call."""

    verbs: tuple[Verb, ...]
    warnings: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Request:
    """A document to be fetched; ``form`` is what is sent beside the call's own fields."""

    url: str
    method: Method = "POST"
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inline:
    """A document that came with the call. It has no address, so its URLs must be absolute."""

    twiml: str


Source = Request | Inline
