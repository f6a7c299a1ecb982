"""httpx under Twilio's library: its own async client ignores time-outs and posts again after a 5xx."""

import logging
from typing import Any

import anyio._backends._asyncio  # noqa: F401 - else imported with the first request, which must leave on time
import httpx
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

TWILIO_API_URL = "https://api.twilio.com"


class Answered(Exception):
    """An answer that is no success: HTTP status and Twilio's code, but not the text, which quotes numbers."""

    def __init__(self, status: int, code: int | None = None) -> None:
        super().__init__(f"HTTP {status}, code {code}")
        self.status, self.code = status, code


class HttpxTransport(AsyncHttpClient):  # type: ignore[misc]  # the library ships no types
    """Sends what Twilio's library asks for, once, over a shared httpx client, to ``api_url``."""

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
            method, self._address(uri), params=params or None, data=data, headers=headers, auth=auth
        )
        if not response.is_success:
            raise Answered(response.status_code, _error_code(response))
        return Response(response.status_code, response.text, response.headers)

    def _address(self, uri: str) -> str:
        if self._api_url == TWILIO_API_URL:
            return uri
        return self._api_url + httpx.URL(uri).raw_path.decode("ascii")


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
