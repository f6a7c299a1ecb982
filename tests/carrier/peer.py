"""A carrier on the loopback that answers as it is told, and remembers what it was sent."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, assert_never
from urllib.parse import parse_qs

ACCOUNT_SID = "AC" + "a1" * 16
AUTH_TOKEN = "0123456789abcdef-the-token"
CALL_SID = "CA" + "c2" * 16
MESSAGE_SID = "SM" + "d3" * 16
RECORDING_SID = "RE" + "e4" * 16
FROM_NUMBER = "+15005550006"
TO_NUMBER = "+48221234567"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hang:
    """Take the request and say nothing."""


@dataclass(frozen=True)
class Drop:
    """Take the request and close the connection."""


@dataclass(frozen=True)
class Drip:
    """Answer, one byte at a time, for ever."""


@dataclass(frozen=True)
class Seen:
    """A request that arrived whole."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


def as_json(status: int, content: Any) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


def refusal(status: int, code: int) -> Reply:
    """An error as Twilio words it, with the customer's number in it."""
    message = f"The number {TO_NUMBER} cannot be called from {FROM_NUMBER}"
    return as_json(status, {"code": code, "message": message, "status": status})


def call_json(**changes: Any) -> dict[str, Any]:
    """A call as Twilio returns it."""
    return {
        "account_sid": ACCOUNT_SID,
        "answered_by": None,
        "api_version": "2010-04-01",
        "date_created": "Sat, 21 Nov 2026 10:15:01 +0000",
        "date_updated": "Sat, 21 Nov 2026 10:15:01 +0000",
        "direction": "outbound-api",
        "duration": None,
        "end_time": None,
        "from": FROM_NUMBER,
        "sid": CALL_SID,
        "start_time": None,
        "status": "queued",
        "to": TO_NUMBER,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{CALL_SID}.json",
        **changes,
    }


class Peer:
    """Serves on ``url`` while it is entered, one reply after the other, the last one again and again."""

    def __init__(self, *replies: Reply | Hang | Drop | Drip) -> None:
        self.replies = list(replies)
        self.seen: list[Seen] = []
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.seen.append(await _read(reader))
            await self._answer(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reply: Reply | Hang | Drop | Drip, writer: asyncio.StreamWriter) -> None:
        match reply:
            case Reply():
                writer.write(_head(reply.status, {**reply.headers, "Content-Length": str(len(reply.body))}))
                writer.write(reply.body)
                await writer.drain()
            case Hang():
                await self._closing.wait()
            case Drop():
                pass
            case Drip():
                writer.write(_head(200, {"Content-Length": "100000"}))
                while not self._closing.is_set():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.005)
            case _:
                assert_never(reply)


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, target, _ = request.split(" ")
    return Seen(method, target, headers, body)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} -",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
