"""What a request to the carrier's REST interface asks for, checked as the carrier checks it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from app.rehearsal.twilio.call import Call, CallRequest, Detection
from app.rehearsal.twilio.message import TextMessage
from app.rehearsal.twilio.verbs import Inline, Method, Request, Source

E164 = re.compile(r"\+[1-9]\d{1,14}")
CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
LONGEST_TWIML, LONGEST_BODY = 4000, 1600


class RequestRefused(Exception):
    """The carrier's answer to a request it does not accept: HTTP status, its error code, a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Parameters:
    """A form or query whose names may repeat."""

    def __init__(self, encoded: str) -> None:
        self._values = parse_qs(encoded, keep_blank_values=True)

    def get(self, name: str) -> str:
        """The value, "" where it is missing."""
        return self._values.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Every value of a repeated name."""
        return self._values.get(name, [])

    def flat(self) -> dict[str, str]:
        """The first value of each name."""
        return {name: values[0] for name, values in self._values.items()}

    def method(self, name: str) -> Method:
        """An HTTP method, POST by default."""
        value = self.get(name).upper() or "POST"
        if value == "GET":
            return "GET"
        if value != "POST":
            raise RequestRefused(400, 20001, f"{name} is not valid: {value}")
        return "POST"

    def url(self, name: str, code: int = 21205) -> str | None:
        """An absolute URL; None where it is missing."""
        value = self.get(name)
        if not value:
            return None
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc:
            raise RequestRefused(400, code, f"{name} is not a valid URL: {value}")
        return value

    def seconds(self, name: str, default: float, most: float) -> float:
        """A whole number of seconds, ``default`` where it is absent; raises `RequestRefused` for anything else."""
        value = self.get(name)
        if not value:
            return default
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise RequestRefused(400, 20001, f"Invalid parameter: {name}")
        return float(value)


def call_request(form: Parameters) -> CallRequest:
    """A call to be placed; raises `RequestRefused`."""
    to, from_ = _numbers(
        form, (21201, "No 'To' number is specified"), (21213, "No 'From' number is specified")
    )
    detection = _detection(form)
    return CallRequest(
        to=to,
        from_=from_,
        source=source(form, required=True),
        status_url=form.url("StatusCallback", 21609),
        status_method=form.method("StatusCallbackMethod"),
        status_events=frozenset(form.all("StatusCallbackEvent")) & CALL_EVENTS or frozenset({"completed"}),
        ring_seconds=form.seconds("Timeout", 60, 600),
        most_seconds=form.seconds("TimeLimit", 14_400, 86_400),
        detection=detection,
        detection_url=form.url("AsyncAmdStatusCallback"),
        detection_method=form.method("AsyncAmdStatusCallbackMethod"),
        fallback=_fallback(form),
    )


def source(form: Parameters, *, required: bool = False) -> Source:
    """Where a call's document comes from: ``Url``, or ``Twiml`` in the request itself."""
    url = form.url("Url")
    if url is not None:
        return Request(url, form.method("Method"))
    twiml = form.get("Twiml")
    if required and not twiml:
        raise RequestRefused(400, 21205, "Url parameter is required.")
    if len(twiml) > LONGEST_TWIML:
        raise RequestRefused(400, 20001, f"Twiml is longer than {LONGEST_TWIML} characters")
    return Inline(twiml)


def message(form: Parameters) -> TextMessage:
    """A message to be sent; raises `RequestRefused`."""
    if not form.get("To"):
        raise RequestRefused(400, 21604, "A 'To' phone number is required.")
    to, from_ = form.get("To"), form.get("From")
    _check_number(to.removeprefix("whatsapp:"), 21211, "To")
    service = form.get("MessagingServiceSid")
    if not from_ and not service:
        raise RequestRefused(400, 21603, "A 'From' phone number is required.")
    body = form.get("Body")
    if not body and not form.get("ContentSid"):
        raise RequestRefused(400, 21602, "Message body is required.")
    if len(body) > LONGEST_BODY:
        raise RequestRefused(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    url, method = form.url("StatusCallback", 21609), form.method("StatusCallbackMethod")
    return TextMessage(
        to,
        from_,
        body,
        content_sid=form.get("ContentSid") or None,
        content_variables=form.get("ContentVariables"),
        status_url=url,
        status_method=method,
        messaging_service_sid=service or None,
    )


def matches(call: Call, query: Mapping[str, str]) -> bool:
    """Whether a call is among those a list asks for: ``To``, ``From``, ``Status``, ``StartTime`` and its bounds."""
    exact = {"To": call.to, "From": call.from_, "Status": call.status}
    if any(query.get(name, value) != value for name, value in exact.items()):
        return False
    return all(_in_time(call.started, query[name], name[9:]) for name in _STARTS if query.get(name))


_STARTS = ("StartTime", "StartTime<", "StartTime>")


def _in_time(started: datetime | None, given: str, relation: str) -> bool:
    """Bounds are inclusive, and whole days where the parameter is a day."""
    if started is None:
        return False
    try:
        bound = datetime.fromisoformat(given)
    except ValueError:
        raise RequestRefused(400, 20001, f"Invalid StartTime: {given}") from None
    bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
    moment = started.replace(microsecond=0)
    if len(given) == len("2026-01-31"):
        moment = moment.replace(hour=0, minute=0, second=0)
    match relation:
        case "<":
            return moment <= bound
        case ">":
            return moment >= bound
        case _:
            return moment.date() == bound.date()


def _numbers(form: Parameters, no_to: tuple[int, str], no_from: tuple[int, str]) -> tuple[str, str]:
    to, from_ = form.get("To"), form.get("From")
    if not to:
        raise RequestRefused(400, *no_to)
    if not from_:
        raise RequestRefused(400, *no_from)
    _check_number(to, 21211, "To")
    _check_number(from_, 21212, "From")
    return to, from_


def _check_number(number: str, code: int, name: str) -> None:
    if not E164.fullmatch(number):
        raise RequestRefused(400, code, f"Invalid '{name}' Phone Number: {number}")


def _detection(form: Parameters) -> Detection:
    asked = form.get("MachineDetection")
    if not asked:
        return "none"
    if asked not in {"Enable", "DetectMessageEnd"}:
        raise RequestRefused(400, 21234, f"Invalid MachineDetection: {asked}")
    return "async" if form.get("AsyncAmd") == "true" else "sync"


def _fallback(form: Parameters) -> Request | None:
    url = form.url("FallbackUrl")
    return None if url is None else Request(url, form.method("FallbackMethod"))
