"""Calls as the carrier keeps them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from app.rehearsal.people import Pickup
from app.rehearsal.transcript import Transcript
from app.rehearsal.twilio.connected_caller import Ending
from app.rehearsal.twilio.recordings import new_sid
from app.rehearsal.twilio.verbs import Alert, Method, Request, Source

CallStatus = Literal[
    "queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]
ENDED: frozenset[str] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
Detection = Literal["none", "async", "sync"]


@dataclass(frozen=True)
class CallRequest:
    """What was asked for when the call was placed; times in seconds."""

    to: str
    from_: str
    source: Source
    status_url: str | None = None
    status_method: Method = "POST"
    status_events: frozenset[str] = frozenset({"completed"})
    ring_seconds: float = 60
    most_seconds: float = 14_400
    detection: Detection = "none"
    detection_url: str | None = None
    detection_method: Method = "POST"
    fallback: Request | None = None


@dataclass
class Call:
    """One call: what the carrier's interface shows of it, and what a rehearsal wants to know besides."""

    to: str
    from_: str
    direction: Literal["outbound-api", "inbound"] = "outbound-api"
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: CallStatus = "queued"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None
    seconds: int | None = None
    answered_by: str | None = None
    unmet: Pickup | None = None
    ended_by: Ending | None = None
    transcript: Transcript = field(default_factory=Transcript)
    alerts: list[Alert] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether the call has come to its end."""
        return self.status in ENDED


class Calls:
    """The calls that the carrier remembers: those that go on, and the latest ``keep`` of all."""

    def __init__(self, keep: int = 20_000) -> None:
        self._keep = keep
        self._kept: dict[str, Call] = {}

    def add(self, call: Call) -> None:
        """Remember a call, and forget the oldest that is over where there are too many."""
        self._kept[call.sid] = call
        if len(self._kept) > self._keep:
            oldest = next((each for each in self._kept.values() if each.over), None)
            if oldest is not None:
                del self._kept[oldest.sid]

    def get(self, sid: str) -> Call | None:
        """The call with this SID; None where it is unknown or forgotten."""
        return self._kept.get(sid)

    def find(self, wanted: Callable[[Call], bool]) -> list[Call]:
        """The calls that are wanted, newest first."""
        return [call for call in self if wanted(call)]

    def __iter__(self) -> Iterator[Call]:
        return iter(reversed(self._kept.values()))

    def __len__(self) -> int:
        return len(self._kept)
