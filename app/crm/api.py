"""JSON over HTTP as CRMs speak it: one request, and errors that say what follows from them."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.logs import hide
from app.web import LARGEST_REPLY, GuardedHttp, HttpReply, ReplyTooLarge, UnsafeUrl

TRY_AGAIN = frozenset({408, 425, 429})
MOST_SAID = 200
WORDS = ("message", "detail", "description", "title", "error")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the Retry-After header asks for, as a number or as a date."""
    given = headers.get("retry-after", "").strip()
    try:
        return float(max(0, int(given)))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


Pause = Callable[[Mapping[str, str]], float | None]


@dataclass(frozen=True)
class ApiReply:
    """What a CRM answered: its status, its JSON (None where there is none), and its headers."""

    status: int
    json: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Api:
    """One CRM's HTTP interface under ``base``, with the headers that authorise us.

    ``pause`` reads from the answer's headers in how many seconds to come back, where they say so.
    """

    outgoing: GuardedHttp
    base: str
    headers: Mapping[str, str] = field(repr=False)
    pause: Pause = field(default=retry_after, repr=False)

    async def call(
        self,
        method: str,
        path: str,
        body: object | None = None,
        query: Mapping[str, str | int] | None = None,
        expect: Collection[int] = (),
    ) -> ApiReply:
        """Send once, and give what was answered: a 2xx, or one of ``expect``.

        Raises `CrmMisconfigured` (3xx, 401, 402, 403, an address that is guarded), `CrmBusy` (408, 425, 429, 5xx, no
        answer), and `CrmRefused` for the rest; ``http_status`` tells which.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Accept": "application/json", **self.headers}
        if content is not None:
            headers["Content-Type"] = headers.get("Content-Type", "application/json")
        url = self.base + path + (f"?{urlencode(query)}" if query else "")
        reply = await send(self.outgoing, method, url, headers, content)
        if reply.status not in expect:
            raise_for(reply, self.pause)
        return ApiReply(reply.status, read_json(reply), reply.headers)


async def send(
    outgoing: GuardedHttp,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    read: bool = True,
    most: int = LARGEST_REPLY,
) -> HttpReply:
    """Send once; what keeps an answer from coming is `CrmBusy`, what should not be asked is `CrmMisconfigured`."""
    try:
        return await outgoing.send(method, url, headers, body, read=read, most=most)
    except UnsafeUrl as unsafe:
        raise CrmMisconfigured(str(unsafe)) from None
    except (TimeoutError, OSError, httpx.HTTPError, ReplyTooLarge) as problem:
        raise CrmBusy(f"no answer ({type(problem).__name__})") from None
    except httpx.InvalidURL:
        raise CrmMisconfigured("the address is not a URL") from None


def raise_for(reply: HttpReply, pause: Pause = retry_after) -> None:
    """Raise what follows from a status that is not 2xx."""
    said = f"it answered {reply.status}" + _reason(reply)
    match reply.status:
        case status if 200 <= status < 300:
            return
        case status if status < 400 or status in (401, 402, 403):
            raise CrmMisconfigured(said, status)
        case status if status in TRY_AGAIN or status >= 500:
            raise CrmBusy(said, status, pause(reply.headers))
        case status:
            raise CrmRefused(said, status)


def read_json(reply: HttpReply) -> Any:
    """The body's JSON, or None where it is none."""
    try:
        return json.loads(reply.body)
    except ValueError:
        return None


def _reason(reply: HttpReply) -> str:
    """The words of the answer that a person can use, without what is the customer's."""
    content = read_json(reply)
    words = next(_sentences(content), "") if content is not None else ""
    return f": {hide(words)[:MOST_SAID]}" if words else ""


def _sentences(content: Any) -> Iterator[str]:
    match content:
        case dict():
            words = (content.get(name) for name in WORDS)
            if said := next((each for each in words if isinstance(each, str) and each), None):
                yield said
                return
            for value in content.values():
                yield from _sentences(value)
        case list():
            for value in content:
                yield from _sentences(value)
