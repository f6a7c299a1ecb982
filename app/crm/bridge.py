"""Lets libraries that speak through `requests` send through our guarded HTTP, so that there is one way out."""

import asyncio
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from app.crm import api
from app.web import GuardedHttp, HttpReply

LARGEST_REPLY = 10_000_000  # the description of an object with all its fields
ITS_OWN = frozenset({"accept-encoding", "connection", "content-length", "host"})


class Bridge(BaseAdapter):
    """For sessions that are used in other threads than the loop's. ``judge`` may raise what follows from a reply.

    ``plain``: the library insists on https where an operator wrote http, in a network of their own.
    """

    def __init__(
        self,
        outgoing: GuardedHttp,
        loop: asyncio.AbstractEventLoop,
        judge: Callable[[str, HttpReply], None],
        *,
        plain: bool,
    ) -> None:
        super().__init__()
        self._outgoing, self._loop, self._judge, self._plain = outgoing, loop, judge, plain

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """Send once, within the time and size that everything of ours keeps to."""
        assert request.url is not None
        assert request.method is not None
        url = request.url.replace("https://", "http://", 1) if self._plain else request.url
        body = request.body.encode() if isinstance(request.body, str) else request.body
        assert body is None or isinstance(body, bytes)
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in ITS_OWN}
        sending = api.send(self._outgoing, request.method, url, headers, body, most=LARGEST_REPLY)
        reply = asyncio.run_coroutine_threadsafe(sending, self._loop).result()
        self._judge(url, reply)
        return _response(request, reply)

    def close(self) -> None:
        """There is nothing of its own to close."""


def session(bridge: Bridge) -> Session:
    """A session that sends over the bridge, follows no redirect, and takes nothing from the environment."""
    made = Session()
    made.trust_env = False
    made.max_redirects = 0
    for scheme in ("https://", "http://"):
        made.mount(scheme, bridge)
    return made


def _response(request: PreparedRequest, reply: HttpReply) -> Response:
    response = Response()
    response.status_code = reply.status
    headers: Mapping[str, str] = reply.headers
    response.headers = CaseInsensitiveDict(headers)
    response.raw = BytesIO(reply.body)
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    return response
