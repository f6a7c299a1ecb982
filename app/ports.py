"""What Zeroten asks of the parts that are plugged into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

from app.survey import AskKind, Prompt, Words

AttemptStatus = Literal["placing", "placed", "ringing", "in_progress", "ended"]
Disposition = Literal[
    "answered",
    "machine",
    "busy",
    "no_answer",
    "delivered",
    "sent",
    "failed",
    "canceled",
    "declined",
    "no_such_number",
    "refused",
    "not_placed",
]


@dataclass(frozen=True)
class Contact:
    """Who is to be reached, and in which attempt. ``address`` is E.164; ``language`` a flow's, such as ``pl``.

    ``template`` is the approved message to begin with where a channel allows no other.
    """

    survey_id: UUID
    attempt_id: UUID
    address: str
    language: str
    ring_seconds: int
    detect_machine: bool
    template: str | None = None

    @property
    def opener(self) -> str:
        """Under which name the attempt opens a conversation that it begins itself."""
        return opener(self.attempt_id)


def opener(attempt_id: UUID) -> str:
    """The name under which an attempt opens its conversation."""
    return f"attempt:{attempt_id}"


@dataclass(frozen=True)
class AttemptReport:
    """What the carrier says of an attempt; ``disposition`` is set once it is over.

    ``sid`` is the carrier's id of the call or message. ``temporary``: it failed, and another attempt may succeed.
    ``error_code`` is the carrier's own.
    """

    sid: str
    status: AttemptStatus
    disposition: Disposition | None = None
    temporary: bool = False
    error_code: int | None = None


class Channel(Protocol):
    """A way to reach a person. Adding one: a file with this, and a line in `app.services.CHANNELS`.

    Each method raises `CarrierRefused`, `CarrierMisconfigured`, `CarrierBusy` or `CarrierOutcomeUnknown`.
    """

    @property
    def answer_within(self) -> timedelta | None:
        """How long an answer may take once something was sent; None where the attempt itself holds the conversation."""
        ...

    async def start(self, contact: Contact) -> str:
        """Begin the attempt and return the carrier's id for it. Never called twice for one attempt."""
        ...

    async def find(self, contact: Contact, since: datetime) -> list[AttemptReport]:
        """Every attempt the carrier knows to this address since then, whoever began it."""
        ...

    async def look(self, sid: str) -> AttemptReport | None:
        """How the attempt stands, or None where the carrier does not know it."""
        ...

    async def stop(self, sid: str) -> None:
        """End the attempt; one that is over already is left as it is."""
        ...


@dataclass(frozen=True)
class Invitation:
    """A question that is to be heard in a media stream at ``address`` (wss), after the carrier has said its part."""

    address: str
    by_carrier: tuple[Prompt, ...]


class Utterance(Protocol):
    """One stretch of speech being recognised. Its methods block, and are called from one thread at a time."""

    def feed(self, pcm: bytes) -> None:
        """More of it: 16-bit little-endian samples, 8 kHz, one channel."""
        ...

    def so_far(self) -> Words | None:
        """What has been said up to a pause; more may follow. None from an engine that can tell only at the end."""
        ...

    def finish(self) -> Words:
        """What was said, with the engine's own confidence; the text is empty where it was no speech at all."""
        ...


class Recogniser(Protocol):
    """An engine of our own that turns speech into words. Adding one: a file with this, and a line in
    `app.services.RECOGNISERS`.

    It knows the words to expect from the wording files.
    """

    name: str
    # How many callers one thread hears in time, though all of them speak at once.
    streams_per_thread: int

    def lacks(self, language: str, kind: AskKind) -> str | None:
        """What keeps it from hearing answers to such questions in this language; None where nothing does. Cheap."""
        ...

    def begin(self, language: str, kind: AskKind) -> Utterance:
        """Make ready for one stretch of speech. Blocks; the first time of a language it loads the model.

        Raises `RecogniserError` where that fails.
        """
        ...


Event = Literal["response.completed", "response.partial", "response.updated"]


@dataclass(frozen=True)
class CrmIdentity:
    """By what a CRM may know the person who answered. ``phone`` is E.164."""

    crm_id: str | None
    email: str | None
    phone: str | None
    name: str | None


@dataclass(frozen=True)
class ResponseToPush:
    """A response as it stands, on its way to a CRM.

    ``columns`` are those of responses.jsonl. ``version`` grows when the response does. ``remote_id`` is what an earlier
    push returned for this response, if one did. ``tried`` says that an earlier push may have been carried out without
    our hearing of it.
    """

    survey_id: UUID
    event: Event
    version: int
    columns: Mapping[str, Any]
    customer: CrmIdentity
    callback: bool | None = None
    remote_id: str | None = None
    tried: bool = False


class Crm(Protocol):
    """A place that responses are pushed to. Adding one: a file in ``app/crm`` with this and its options, and a line in
    `app.services.CRMS`.

    Each method raises `CrmRefused`, `NoRecord`, `CrmMisconfigured` or `CrmBusy`.
    """

    @property
    def most_at_once(self) -> int:
        """How many answers one push may carry."""
        ...

    async def check(self) -> Sequence[str]:
        """What keeps the options from working there, such as a field that does not exist, each in a sentence."""
        ...

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Bring the records up to date, and return the ids of what now holds the answers, in their order.

        Idempotent on ``survey_id``: an answer that was pushed before, in full or in part, changes what is there.
        A push of several is taken or refused as a whole.
        """
        ...
