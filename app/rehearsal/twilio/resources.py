"""Calls, messages and recordings as the carrier's REST interface shows them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from app.rehearsal.twilio.call import Call
from app.rehearsal.twilio.message import TextMessage
from app.rehearsal.twilio.recordings import CarrierRecording

Item = TypeVar("Item")
Shown = dict[str, Any]

LARGEST_PAGE = 1000


def show_call(call: Call, account_sid: str) -> Shown:
    """A call as the REST interface shows it, field by field."""
    uri = f"{_account(account_sid)}/Calls/{call.sid}"
    return {
        **_common(
            call.sid, account_sid, call.created, call.ended or call.started or call.created, f"{uri}.json"
        ),
        "parent_call_sid": None,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_,
        "from_formatted": call.from_,
        "phone_number_sid": None,
        "status": call.status,
        "start_time": _date(call.started),
        "end_time": _date(call.ended),
        "duration": None if call.seconds is None or not call.over else str(call.seconds),
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by,
        "annotation": None,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
    }


def show_message(message: TextMessage, account_sid: str) -> Shown:
    """A message as the REST interface shows it, field by field."""
    uri = f"{_account(account_sid)}/Messages/{message.sid}"
    sent = None if message.status == "queued" else message.created
    return {
        **_common(message.sid, account_sid, message.created, message.created, f"{uri}.json"),
        "body": message.body,
        "to": message.to,
        "from": message.from_,
        "status": message.status,
        "direction": message.direction,
        "date_sent": _date(sent),
        "num_segments": str(message.segments),
        "num_media": "0",
        "messaging_service_sid": message.messaging_service_sid,
        "error_code": message.error_code,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def show_recording(recording: CarrierRecording, account_sid: str, media_url: str) -> Shown:
    """A recording as the REST interface shows it, field by field."""
    uri = f"{_account(account_sid)}/Recordings/{recording.sid}.json"
    return {
        **_common(recording.sid, account_sid, recording.created, recording.created, uri),
        "call_sid": recording.call_sid,
        "conference_sid": None,
        "start_time": _date(recording.created),
        "duration": str(recording.seconds),
        "channels": recording.channels,
        "source": recording.source,
        "status": "completed",
        "error_code": None,
        "price": None,
        "price_unit": "USD",
        "encryption_details": None,
        "media_url": media_url,
        "subresource_uris": {},
    }


def show_account(account_sid: str) -> Shown:
    """The account as the REST interface shows it: active, and its name."""
    now = datetime.now(UTC)
    return {
        **_common(account_sid, account_sid, now, now, f"{_account(account_sid)}.json"),
        "friendly_name": "Rehearsal",
        "status": "active",
        "type": "Full",
        "owner_account_sid": account_sid,
        "auth_token": "",
        "subresource_uris": {},
    }


def show_page(
    name: str, items: Sequence[Item], show: Callable[[Item], Shown], path: str, query: Mapping[str, str]
) -> Shown:
    """One page of a list, with the addresses of the pages around it; ``name`` is the list's key."""
    page = _whole(query.get("Page"), 0)
    size = min(max(_whole(query.get("PageSize"), 50), 1), LARGEST_PAGE)
    first = page * size
    some = items[first : first + size]

    def address(number: int) -> str:
        return f"{path}?{urlencode({**query, 'Page': str(number), 'PageSize': str(size)})}"

    return {
        name: [show(each) for each in some],
        "page": page,
        "page_size": size,
        "start": first,
        "end": max(first, first + len(some) - 1),
        "uri": address(page),
        "first_page_uri": address(0),
        "previous_page_uri": address(page - 1) if page else None,
        "next_page_uri": address(page + 1) if first + size < len(items) else None,
    }


def _common(sid: str, account_sid: str, created: datetime, updated: datetime, uri: str) -> Shown:
    dates = {"date_created": _date(created), "date_updated": _date(updated)}
    return {"sid": sid, "account_sid": account_sid, "api_version": "2010-04-01", "uri": uri, **dates}


def _account(account_sid: str) -> str:
    return f"/2010-04-01/Accounts/{account_sid}"


def _date(when: datetime | None) -> str | None:
    return None if when is None else format_datetime(when)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
