"""Text messages as the carrier keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from app.carrier.segments import segments
from app.rehearsal.twilio.recordings import new_sid
from app.rehearsal.twilio.verbs import Method

MessageStatus = Literal["queued", "sent", "delivered", "read", "failed", "undelivered", "received"]


@dataclass
class TextMessage:
    """One text message; ``status_url`` gets its status callbacks."""

    to: str
    from_: str
    body: str
    direction: Literal["outbound-api", "outbound-reply", "inbound"] = "outbound-api"
    status: MessageStatus = "queued"
    error_code: int | None = None
    content_sid: str | None = None
    content_variables: str = ""
    status_url: str | None = None
    status_method: Method = "POST"
    messaging_service_sid: str | None = None
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def segments(self) -> int:
        """How many segments it is billed as."""
        return segments(self.body).count


class TextMessages:
    """The text messages that the carrier remembers: the latest ``keep`` of them."""

    def __init__(self, keep: int = 20_000) -> None:
        self._keep = keep
        self._kept: dict[str, TextMessage] = {}

    def add(self, message: TextMessage) -> None:
        """Remember a message, and forget the oldest where there are too many."""
        self._kept[message.sid] = message
        if len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]

    def get(self, sid: str) -> TextMessage | None:
        """The message with this SID; None where it is unknown or forgotten."""
        return self._kept.get(sid)

    def __iter__(self) -> Iterator[TextMessage]:
        return iter(reversed(self._kept.values()))
