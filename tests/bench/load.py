"""A cheap client: requests made beforehand, sent over connections that stay open, one after another on each."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(frozen=True)
class Shot:
    """A whole HTTP request, and what its answer must contain to count as one."""

    request: bytes
    expected: bytes


@dataclass(frozen=True)
class Driven:
    """What came of a round: its length, the answers' times in seconds, and the first wrong answer."""

    seconds: float
    latencies: list[float]
    wrong: int
    first_wrong: str

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


def request(host: str, path: str, body: bytes, headers: str) -> bytes:
    """A POST as bytes; ``headers`` are whole lines."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def drive(host: str, lanes: Sequence[Sequence[Shot]]) -> Driven:
    """Send every lane's requests over a connection of its own, from a process of their own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return await asyncio.get_running_loop().run_in_executor(processes, _drive, host, lanes)


def _drive(host: str, lanes: Sequence[Sequence[Shot]]) -> Driven:
    return uvloop.run(_drive_all(host, lanes))


async def _drive_all(host: str, lanes: Sequence[Sequence[Shot]]) -> Driven:
    name, port = host.split(":")
    loop = asyncio.get_running_loop()
    clients = [_Client(lane) for lane in lanes]
    for client in clients:
        await loop.create_connection(lambda client=client: client, name, int(port))  # type: ignore[misc]
    started = time.perf_counter()
    for client in clients:
        client.send()
    await asyncio.gather(*(client.over.wait() for client in clients))
    seconds = time.perf_counter() - started
    wrong = [text for client in clients for text in client.wrong]
    latencies = [each for client in clients for each in client.latencies]
    return Driven(seconds, latencies, len(wrong), wrong[0] if wrong else "")


@dataclass(eq=False)
class _Client(asyncio.Protocol):
    """One connection. It reads as much of an answer as telling its end takes."""

    shots: Sequence[Shot]
    latencies: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _received: bytes = b""
    _sent_at: float = 0.0
    _transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        if len(self.latencies) < len(self.shots):
            self.wrong.append("the connection was closed")
        self.over.set()

    def send(self) -> None:
        """Send the next request, or end."""
        assert self._transport is not None, "sent once connected"
        if len(self.latencies) == len(self.shots):
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self.shots[len(self.latencies)].request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(HEAD_END)
        if head_end < 0 or len(self._received) < head_end + len(HEAD_END) + self._length(head_end):
            return
        answer, self._received = self._received, b""
        expected = self.shots[len(self.latencies)].expected
        self.latencies.append(time.perf_counter() - self._sent_at)
        if not answer.startswith(b"HTTP/1.1 2") or expected not in answer:
            self.wrong.append(answer[:600].decode("utf-8", "replace"))
        self.send()

    def _length(self, head_end: int) -> int:
        start = self._received.find(LENGTH, 0, head_end)
        if start < 0:
            return 0
        start += len(LENGTH)
        return int(self._received[start : self._received.find(b"\r\n", start)])
