"""What a Rasa server tells an action server: the tracker, and what the survey reads from it."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.text import MendedText

ANSWER = "nps_answer"
SURVEY = "nps_survey"
REQUESTED = "requested_slot"
START = "start_survey"

# What Rasa puts before a message that is no message: an injected intent, and one that its own HTTP interface triggered.
INJECTED = ("/", "EXTERNAL: ")


def _mapping(value: object) -> object:
    return {} if value is None else value


def _list(value: object) -> object:
    return [] if value is None else value


Object = Annotated[dict[str, Any], BeforeValidator(_mapping)]


class TrackerMessage(BaseModel):
    """The latest message of the customer. Rasa gives no ``message_id`` to what its own interface triggered."""

    model_config = ConfigDict(frozen=True)

    text: MendedText | None = None
    message_id: MendedText | None = None
    intent: Object = Field(default_factory=dict)
    metadata: Object = Field(default_factory=dict)

    @property
    def is_typed(self) -> bool:
        """Whether the customer wrote it; an empty message and an injected intent are no answer to anything."""
        return bool(self.text) and not str(self.text).startswith(INJECTED)


class Tracker(BaseModel):
    """A conversation as Rasa sends it with every call; what the survey does not need is left aside."""

    model_config = ConfigDict(frozen=True)

    sender_id: MendedText
    slots: Object = Field(default_factory=dict)
    latest_message: Annotated[TrackerMessage, BeforeValidator(_mapping)] = Field(
        default_factory=TrackerMessage
    )
    events: Annotated[list[dict[str, Any]], BeforeValidator(_list)] = Field(default_factory=list)

    @property
    def sender(self) -> str:
        """The sender, told apart from every other and not to be read: some channels use the phone number."""
        return _digest(self.sender_id)

    @property
    def has_answer(self) -> bool:
        """Whether Rasa has filled the form's slot for us to look at; else the form only begins, or is come back to."""
        return self.slots.get(REQUESTED) == ANSWER and self.slots.get(ANSWER) is not None

    @property
    def asked_for_it(self) -> bool:
        """Whether the customer wrote that they want the survey."""
        return self.latest_message.is_typed and self.latest_message.intent.get("name") == START

    @property
    def occasion(self) -> str:
        """What a survey would be about, the same whenever it is asked for.

        The interaction that the metadata name; else this session of the conversation; else, where a dashboard starts
        the survey and Rasa begins no session, that start.
        """
        named = self.metadata.get("interaction")
        if isinstance(named, str) and named:
            return _digest(self.sender_id, "interaction", named)
        events = self.events if self.latest_message.message_id is None else self._session
        kind = "user" if self.latest_message.message_id is None else "session_started"
        times = [str(event.get("timestamp")) for event in events if event.get("event") == kind]
        return _digest(self.sender_id, kind, *times[-1:])

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of this session's messages; a later message's win."""
        merged: dict[str, Any] = {}
        for metadata in self._metadata():
            merged |= {key: value for key, value in metadata.items() if value is not None}
        return merged

    def _metadata(self) -> Iterator[dict[str, Any]]:
        started = self.slots.get("session_started_metadata")
        yield started if isinstance(started, dict) else {}
        for event in self._session:
            found = event.get("metadata")
            if event.get("event") == "user" and isinstance(found, dict):
                yield found
        yield self.latest_message.metadata

    @property
    def _session(self) -> list[dict[str, Any]]:
        starts = [at for at, event in enumerate(self.events) if event.get("event") == "session_started"]
        return self.events[starts[-1] :] if starts else self.events


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
