"""httpx under Twilio's library: its own async client ignores time-outs and posts again after a 5xx."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import anyio._backends._asyncio  # noqa: F401 - else imported with the first request, which must leave on time
import httpx
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from app.carrier.outcomes import error_for
from app.errors import CarrierBusy, CarrierError, CarrierMisconfigured, CarrierOutcomeUnknown

TWILIO_API_URL = "https://api.twilio.com"
LEAVES_WITHIN_SECONDS = 15.0


class Answered(Exception):
    """An answer that is no success: HTTP status and Twilio's code, but not the text, which quotes numbers."""

    def __init__(self, status: int, code: int | None = None) -> None:
        super().__init__(f"HTTP {status}, code {code}")
        self.status, self.code = status, code


class SentTooLate(Exception):
    """Too much time went by before the request could leave, and whoever asked for it may have been taken over."""


class HttpxTransport(AsyncHttpClient):  # type: ignore[misc]  # the library ships no types
    """Sends what Twilio's library asks for, once, over a shared httpx client, to ``api_url``.

    A request that has not left within 15 seconds never does, however long the process stood still meanwhile: others may
    have taken over what it was for. It is `SentTooLate`.
    """

    def __init__(self, http: httpx.AsyncClient, api_url: str) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._http, self._api_url = http, api_url
        # Queries hold customers' numbers, and redirects to a recording hold the right to hear it: httpx logs the one,
        # httpcore, when debugging, the other.
        logging.getLogger("httpx").addFilter(_drop_query)
        logging.getLogger("httpcore").setLevel(logging.INFO)

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the library's signature; the client's own time-outs hold
        allow_redirects: bool = False,  # noqa: ARG002 - the same; a redirect is never followed
    ) -> Response:
        response = await self._http.request(
            method,
            self._address(uri),
            params=params or None,
            data=data,
            headers=headers,
            auth=auth,
            extensions={"trace": _leaving_before(_clock() + LEAVES_WITHIN_SECONDS)},
        )
        if not response.is_success:
            raise Answered(response.status_code, _error_code(response))
        return Response(response.status_code, response.text, response.headers)

    def _address(self, uri: str) -> str:
        if self._api_url == TWILIO_API_URL:
            return uri
        return self._api_url + httpx.URL(uri).raw_path.decode("ascii")


def _clock() -> float:
    """Seconds that go on while the machine sleeps, where its system counts such."""
    return time.clock_gettime(CLOCK)


CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _leaving_before(latest: float) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    async def look(event: str, info: Mapping[str, Any]) -> None:
        del info
        if event.endswith(".send_request_headers.started") and _clock() > latest:
            raise SentTooLate

    return look


def _error_code(response: httpx.Response) -> int | None:
    try:
        code = response.json()["code"]
    except (ValueError, LookupError, TypeError):
        return None
    return code if isinstance(code, int) else None


def _drop_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args
        )
    return True


NOT_SENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
NOTHING_SENT = (SentTooLate, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NO_ANSWER = (httpx.HTTPError, TimeoutError)
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, TwilioException)

Said = TypeVar("Said")
Read = TypeVar("Read")


async def ask(
    request: Awaitable[Said], read: Callable[[Said], Read], *, repeatable: bool, deadline_seconds: float
) -> Read:
    """What ``read`` makes of the answer to ``request``; else a `CarrierError`.

    ``repeatable`` says that the request may be sent again without doing anything twice. The error is raised
    after the handlers, so that it carries no trace of the original, which holds the request.
    """
    try:
        async with asyncio.timeout(deadline_seconds):
            return read(await request)
    except Answered as answer:
        failure = error_for(answer.status, answer.code, repeatable=repeatable)
    except NOT_SENDABLE as error:
        failure = CarrierMisconfigured(f"the request cannot be sent ({type(error).__name__})")
    except NOTHING_SENT as error:
        failure = CarrierBusy(f"the carrier cannot be reached ({type(error).__name__})")
    except NO_ANSWER as error:
        failure = _unsure(f"the carrier did not answer ({type(error).__name__})", repeatable=repeatable)
    except UNREADABLE as error:
        failure = _unsure(
            f"the carrier's answer is unreadable ({type(error).__name__})", repeatable=repeatable
        )
    raise failure


def _unsure(message: str, *, repeatable: bool) -> CarrierError:
    return CarrierBusy(message) if repeatable else CarrierOutcomeUnknown(message)
