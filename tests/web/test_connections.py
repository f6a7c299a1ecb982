"""Slow clients, on a real port: each is let go in time, and nobody else notices."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

from app import metrics
from app.web import Requests, connections
from app.web.connections import UNFINISHED_HEADS, UNFINISHED_HEADS_PER_ADDRESS, Connection

PATIENCE_SECONDS = 10
REASONS = ("slow_head", "large_head", "slow_body", "slow_reader", "too_many")


def application() -> FastAPI:
    app = FastAPI()
    app.add_middleware(Requests)

    @app.get("/")
    async def hello() -> str:
        return "hello"

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/large")
    async def large() -> StreamingResponse:
        async def blocks() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"x" * 65536

        return StreamingResponse(blocks())

    @app.websocket("/talk")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    return app


class Server(uvicorn.Server):
    """One among other things in its process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of a server in a hurry."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "READING_SECONDS", "UNANNOUNCED_BODY_SECONDS"):
        monkeypatch.setattr(connections, name, 0.5)
    trusted = getattr(request, "param", "")
    config = uvicorn.Config(
        application(), port=0, http=Connection, lifespan="off", log_level="error",
        proxy_headers=bool(trusted), forwarded_allow_ips=trusted,
    )  # fmt: skip
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await server.ready.wait()
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await serving
    assert len(UNFINISHED_HEADS) == 0


def closed() -> dict[str, float]:
    """How many connections were ended, by reason."""
    samples = {reason: metrics.CONNECTIONS_CLOSED.labels(reason)._value.get() for reason in REASONS}
    return {reason: count for reason, count in samples.items() if count}


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    metrics.CONNECTIONS_CLOSED.clear()


async def told(port: int, *pieces: bytes, pause: float = 0.1) -> bytes:
    """What is answered to these pieces by the time that the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("pieces", "reason", "answer"),
    [
        ((), "slow_head", b""),
        ((b"GET / HT",), "slow_head", b"408"),
        ((b"GET / HTTP/1.1\r\n", *[b"X-More: y\r\n"] * 3), "slow_head", b"408"),
        ((HEAD + b"Content-Length: 5\r\n\r\nab",), "slow_body", b"408"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 3), "slow_body", b"408"),
        ((b"GET / HTTP/1.1\r\nX-Large: " + b"x" * 70_000,), "large_head", b"431"),
    ],
    ids=["nothing", "half a line", "a header at a time", "half a body", "a byte at a time", "no end"],
)
async def test_whoever_is_slow_is_let_go(
    port: int, pieces: tuple[bytes, ...], reason: str, answer: bytes
) -> None:
    assert (await told(port, *pieces)).partition(b"\r\n")[0][9:12] == answer
    assert closed() == {reason: 1}


async def test_between_two_requests_nobody_is_in_a_hurry_but_in_the_second_one(port: int) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await told(port, whole, b"", b"", b"", whole, b"GET / HT", pause=0.3)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"HTTP/1.1 408") == 1
    assert closed() == {"slow_head": 1}


async def test_whoever_does_not_read_is_let_go(port: int) -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with narrow:
        narrow.connect(("127.0.0.1", port))
        narrow.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not closed():  # noqa: ASYNC110 - a counter sets no event
                await asyncio.sleep(0.05)
    assert closed() == {"slow_reader": 1}


async def test_a_large_answer_that_is_read_is_whole(port: int) -> None:
    async with httpx.AsyncClient() as http:
        assert len((await http.get(f"http://127.0.0.1:{port}/large")).content) == 1000 * 65536
    assert closed() == {}


async def test_an_address_with_many_half_requests_loses_the_oldest_and_is_still_answered(port: int) -> None:
    started = [
        await asyncio.open_connection("127.0.0.1", port) for _ in range(UNFINISHED_HEADS_PER_ADDRESS + 50)
    ]
    for _, writer in started:
        writer.write(b"GET / HT")
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).json() == "hello"
    assert len(UNFINISHED_HEADS) <= UNFINISHED_HEADS_PER_ADDRESS
    assert closed()["too_many"] >= 50
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(reader.read() for reader, _ in started), return_exceptions=True)
    for _, writer in started:
        writer.close()


@pytest.mark.parametrize("port", ["127.0.0.1"], indirect=True)
async def test_a_proxy_of_ours_may_have_as_many_connections_as_it_needs(port: int) -> None:
    started = [
        await asyncio.open_connection("127.0.0.1", port) for _ in range(UNFINISHED_HEADS_PER_ADDRESS + 50)
    ]
    for _, writer in started:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answers = await asyncio.gather(*(reader.read() for reader, _ in started))
    assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers)
    assert closed() == {}
    for _, writer in started:
        writer.close()


async def test_a_websocket_is_left_to_take_its_time(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /talk HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    await asyncio.sleep(1)
    writer.write(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
    assert (await reader.readexactly(4)) == bytes([0x81, 2]) + b"hi"
    writer.close()
    assert closed() == {}
