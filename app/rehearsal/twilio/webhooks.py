"""Webhooks as the carrier sends them: signed, timed out, retried only where the URL's fragment says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, quote_plus, urldefrag
from uuid import uuid4

import aiohttp
from yarl import URL

from app.carrier import sign
from app.rehearsal.twilio.verbs import CallFailed, Method

DOCUMENT_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


@dataclass(frozen=True)
class Patience:
    """How a webhook is retried: ``reasons`` are ``ct``, ``rt``, ``4xx``, ``5xx`` or ``all``; times in seconds.

    Source: the carrier's connection overrides, https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
    """

    retries: int = 1
    reasons: frozenset[str] = frozenset({"ct"})
    connect: float = 5.0
    total: float = 15.0

    @classmethod
    def of(cls, fragment: str) -> "Patience":
        """The overrides in a URL's fragment, such as ``rc=3&rp=5xx,ct``."""
        given = {name: values[0] for name, values in parse_qs(fragment).items()}
        return cls(
            retries=_within(given.get("rc"), cls.retries, 0, 5),
            reasons=frozenset(given.get("rp", "ct").split(",")),
            connect=_within(given.get("ct"), 5000, 100, 10_000) / 1000,
            total=_within(given.get("tt"), 15_000, 100, 15_000) / 1000,
        )


def _within(given: str | None, default: int, least: int, most: int) -> int:
    return min(max(int(given), least), most) if given and given.isdecimal() else default


class _Missed(Exception):
    def __init__(self, reason: str, code: int, message: str) -> None:
        super().__init__(message)
        self.reason, self.code, self.message = reason, code, message


@dataclass(frozen=True)
class _Request:
    url: str
    method: Method
    body: bytes | None
    headers: Mapping[str, str]


def _signed(url: str, method: Method, form: Mapping[str, str], token: str) -> _Request:
    headers = {"I-Twilio-Idempotency-Token": str(uuid4())}
    if method == "GET":
        url = f"{url}{'&' if '?' in url else '?'}{_encoded(form)}" if form else url
        return _Request(url, method, None, {**headers, "X-Twilio-Signature": sign(url, {}, token)})
    headers |= {"X-Twilio-Signature": sign(url, form, token), "Content-Type": _FORM}
    return _Request(url, method, _encoded(form).encode(), headers)


def _encoded(form: Mapping[str, str]) -> str:
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in form.items()])


# A call's webhooks repeat most of their names and values.
_quoted = lru_cache(maxsize=16_384)(quote_plus)


class Webhooks:
    """Sends webhooks over one pool of connections; `close` it."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections to the product; deliveries under way fail."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(
        self, url: str, method: Method, form: Mapping[str, str], *, forged: bool = False
    ) -> bytes:
        """A document; raises `CallFailed` with the carrier's error code where there is none to be had."""
        kind, body = await self._send(url, method, form, forged)
        if body.strip() and kind not in DOCUMENT_TYPES:
            raise CallFailed(12300, f"Invalid Content-Type: {kind}")
        return body

    async def tell(self, url: str, method: Method, form: Mapping[str, str], *, forged: bool = False) -> None:
        """A callback, whose answer does not matter; raises `CallFailed` where it could not be delivered."""
        await self._send(url, method, form, forged)

    def handshake(self, url: str) -> dict[str, str]:
        """The headers with which a WebSocket is opened at ``url``."""
        return {"X-Twilio-Signature": sign(url, {}, self._auth_token)}

    async def _send(
        self, url: str, method: Method, form: Mapping[str, str], forged: bool
    ) -> tuple[str, bytes]:
        address, fragment = urldefrag(url)
        patience = Patience.of(fragment) if fragment else _USUAL
        request = _signed(address, method, form, "forged" if forged else self._auth_token)
        left = patience.retries
        while True:
            try:
                return await self._once(request, patience)
            except _Missed as missed:
                if left == 0 or not {missed.reason, "all"} & patience.reasons:
                    raise CallFailed(missed.code, missed.message) from missed
                left -= 1

    async def _once(self, request: _Request, patience: Patience) -> tuple[str, bytes]:
        try:
            async with self._open().request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                timeout=aiohttp.ClientTimeout(total=patience.total, sock_connect=patience.connect),
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientConnectionError, aiohttp.InvalidURL) as problem:
            raise _Missed("ct", 11205, f"HTTP connection failure: {problem}") from problem
        except TimeoutError as problem:
            raise _Missed("rt", 11200, "HTTP retrieval failure: the answer took too long") from problem
        except aiohttp.ClientError as problem:
            raise _Missed("", 11200, f"HTTP retrieval failure: {problem}") from problem
        if not 200 <= answer.status < 300:
            raise _Missed(f"{answer.status // 100}xx", 11200, f"Got HTTP {answer.status} from {request.url}")
        return answer.content_type, content

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "TwilioProxy/1.1 (rehearsal)", "Accept": "*/*"},
            )
        return self._session


_USUAL = Patience()
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
