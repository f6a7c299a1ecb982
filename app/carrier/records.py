"""What the carrier tells us: the objects of its library as our own records; ValueError where something lacks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.message import MessageInstance

from app.carrier.outcomes import Answerer, CallStatus, MessageStatus, answerer, call_status, message_status
from app.errors import CarrierRefused


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


def checked_sid(prefix: str, text: str) -> str:
    """The SID as it is, or `CarrierRefused`: it becomes part of a path, and may have come in a request."""
    if re.fullmatch(rf"{prefix}\w{{1,64}}", text) is None:
        raise CarrierRefused(f"that is no {prefix} identifier of the carrier's")
    return text


def recording_sid(recording: str) -> str:
    """The SID in a recording's SID or URL."""
    return checked_sid("RE", recording.rpartition("/")[2].partition(".")[0])


def given_sid(sid: str | None) -> str:
    """The SID that an answer must have."""
    if not sid:
        raise ValueError("no SID in the answer")
    return sid


def placed_call(call: CallInstance) -> PlacedCall:
    """A call that was just placed."""
    return PlacedCall(given_sid(call.sid), call_status(call.status) or "queued")


def placed_message(message: MessageInstance) -> PlacedMessage:
    """A message that was just sent."""
    return PlacedMessage(given_sid(message.sid), message_status(message.status) or "queued")


def call_record(call: CallInstance) -> CallRecord:
    """A call as it is now."""
    if call.date_created is None:
        raise ValueError("no creation time in the answer")
    return CallRecord(
        sid=given_sid(call.sid),
        to=call.to,
        from_=call._from,  # noqa: SLF001 - the library's own name for the field
        status=call_status(call.status) or "queued",
        answered_by=answerer(call.answered_by),
        created_at=call.date_created,
        started_at=call.start_time,
        ended_at=call.end_time,
        duration_seconds=int(call.duration) if call.duration else None,
    )


def message_record(message: MessageInstance) -> MessageRecord:
    """A message as it is now."""
    if message.date_created is None:
        raise ValueError("no creation time in the answer")
    return MessageRecord(
        sid=given_sid(message.sid),
        to=message.to,
        from_=message.from_,
        direction=message.direction or "",
        status=message_status(message.status) or "queued",
        error_code=message.error_code,
        created_at=message.date_created,
    )
