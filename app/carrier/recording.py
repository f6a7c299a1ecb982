"""Fetching a recording's audio, which may lie behind a redirect to somebody else's storage."""

import httpx

from app.carrier.transport import Answered
from app.errors import CarrierBusy, CarrierRefused

MAX_REDIRECTS = 3
MAX_BYTES = 16 * 1024 * 1024


async def download(http: httpx.AsyncClient, url: str, credentials: tuple[str, str]) -> bytes:
    """The file at ``url``. The credentials go to the URL's own origin only, never along with a redirect."""
    first = current = httpx.URL(url)
    for _ in range(MAX_REDIRECTS + 1):
        auth = credentials if _origin(current) == _origin(first) else None
        async with http.stream("GET", current, auth=auth) as response:
            if not response.has_redirect_location:
                return await _audio(response)
            current = _next(current, response.headers["location"])
    raise CarrierRefused(f"a recording lies behind more than {MAX_REDIRECTS} redirects")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _next(current: httpx.URL, location: str) -> httpx.URL:
    target = current.join(location)
    if target.scheme not in {current.scheme, "https"}:
        raise CarrierRefused("a recording's redirect leaves https")
    return target


async def _audio(response: httpx.Response) -> bytes:
    if response.status_code == 404:
        raise CarrierBusy("the recording is not there yet", http_status=404)
    if not response.is_success:
        raise Answered(response.status_code)
    audio = bytearray()
    async for chunk in response.aiter_bytes():
        audio += chunk
        if len(audio) > MAX_BYTES:
            raise CarrierRefused(f"the recording is larger than {MAX_BYTES} bytes")
    return bytes(audio)
