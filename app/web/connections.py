"""Connections to the web application: whoever is slow at one is let go, before a request of theirs costs anything.

uvicorn waits for a client without an end, except between two requests. `Connection` adds an end to everything else: to
the head of a request, to its body, and to the reading of its answer. A connection that has become a WebSocket is left
to its own pings.
"""

import asyncio
from collections import OrderedDict, defaultdict
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import metrics
from app.web.throttle import network_of

HEAD_SECONDS = 10.0
LARGEST_HEAD = 64 * 1024
BODY_SECONDS = 10.0
BODY_BYTES_PER_SECOND = 500_000
UNANNOUNCED_BODY_SECONDS = 60.0
# A client that takes not even 48 kB of its answer in so long holds what the answer is read from.
READING_SECONDS = 30.0
# A proxy keeps its connections open, and must not lose one while it sends on it.
PROXY_IDLE_SECONDS = 90
UNFINISHED_HEADS_PER_ADDRESS = 100
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class UnfinishedHeads:
    """The connections of each address that have not sent a whole head, the oldest first."""

    def __init__(self) -> None:
        self._of: defaultdict[str, OrderedDict[Connection, None]] = defaultdict(OrderedDict)

    def add(self, connection: "Connection") -> None:
        """One more. Where it is one too many, the oldest is let go: an honest head is there in a moment."""
        theirs = self._of[connection.network]
        theirs[connection] = None
        if len(theirs) > UNFINISHED_HEADS_PER_ADDRESS:
            next(iter(theirs)).let_go("too_many")

    def remove(self, connection: "Connection") -> None:
        """It has sent its head, or is gone."""
        theirs = self._of.get(connection.network)
        if theirs is not None:
            theirs.pop(connection, None)
            if not theirs:
                del self._of[connection.network]

    def __len__(self) -> int:
        return sum(len(theirs) for theirs in self._of.values())


UNFINISHED_HEADS = UnfinishedHeads()


class Connection(HttpToolsProtocol):
    """One connection; give it to `uvicorn.Config` as ``http``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.network = ""
        self._trusted = False
        self._receiving: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._head_bytes: int | None = 0
        self._answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self.network = network_of(host)
        self._trusted = host in getattr(self.app, "trusted_hosts", ())
        if self._trusted:
            self.timeout_keep_alive = PROXY_IDLE_SECONDS
        self._await_head(0)

    def _await_head(self, received: int) -> None:
        self._head_bytes = received
        self._receive_within(HEAD_SECONDS, "slow_head")
        if not self._trusted:
            UNFINISHED_HEADS.add(self)

    def data_received(self, data: bytes) -> None:
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes is not None and self._head_bytes > LARGEST_HEAD:
            self.let_go("large_head", TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_bytes is None:
            self._await_head(1)

    def on_headers_complete(self) -> None:
        self._head_bytes, self._answering = None, True
        UNFINISHED_HEADS.remove(self)
        self._receive_within(self._body_seconds(), "slow_body")
        super().on_headers_complete()

    def _body_seconds(self) -> float:
        announced = next((value for name, value in self.headers if name == b"content-length"), None)
        if announced is None or not announced.isdigit():
            return UNANNOUNCED_BODY_SECONDS
        return BODY_SECONDS + int(announced) / BODY_BYTES_PER_SECOND

    def on_message_complete(self) -> None:
        _cancelled(self._receiving)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._forget()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._be_read()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            _cancelled(self._reading)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._answering = False
        super().on_response_complete()
        if self.transport.is_closing():
            self._be_read()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._be_read()

    def _be_read(self) -> None:
        """Wait for what was written to be read, and no longer than that may take: a transport would wait for ever."""
        _cancelled(self._reading)
        self._reading = self.loop.call_later(READING_SECONDS, self.let_go, "slow_reader")

    def let_go(self, reason: str, words: bytes = b"") -> None:
        """End the connection at once, or as soon as these words are read; what it had begun is cancelled."""
        metrics.CONNECTIONS_CLOSED.labels(reason).inc()
        if not words or self.transport.is_closing():
            self.transport.abort()
            return
        self.transport.write(words)
        self.transport.close()
        self._be_read()

    def _receive_within(self, seconds: float, reason: str) -> None:
        _cancelled(self._receiving)
        self._receiving = self.loop.call_later(seconds, self._too_slow, reason)

    def _too_slow(self, reason: str) -> None:
        in_head = self._head_bytes is not None
        # Whoever has said nothing is told nothing, and neither is whoever has been answered, or is being so.
        told = not self._answering and self._head_bytes if in_head else not self.cycle.response_started
        self.let_go(reason, TIMED_OUT if told else b"")

    def _forget(self) -> None:
        _cancelled(self._receiving)
        _cancelled(self._reading)
        UNFINISHED_HEADS.remove(self)


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
