"""What the carrier tells us, in our own types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.carrier.outcomes import Answerer, CallStatus, MessageStatus


@dataclass(frozen=True)
class PlacedCall:
    """A call the carrier has accepted."""

    sid: str
    status: CallStatus


@dataclass(frozen=True)
class PlacedMessage:
    """A message the carrier has accepted."""

    sid: str
    status: MessageStatus


@dataclass(frozen=True)
class CallRecord:
    """A call as the carrier has it now; times are UTC, and ``started_at`` is None until it is dialled."""

    sid: str
    to: str = field(repr=False)
    from_: str = field(repr=False)
    status: CallStatus
    answered_by: Answerer
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None


@dataclass(frozen=True)
class MessageRecord:
    """A message as the carrier has it now; ``direction`` is ``outbound-api`` where we asked for it by REST."""

    sid: str
    to: str = field(repr=False)
    from_: str = field(repr=False)
    direction: str
    status: MessageStatus
    error_code: int | None
    created_at: datetime


@dataclass(frozen=True)
class Template:
    """A message approved beforehand, as WhatsApp requires outside its 24 hours; ``content_sid`` is HX..."""

    content_sid: str
    variables: Mapping[str, str] = field(default_factory=dict)
