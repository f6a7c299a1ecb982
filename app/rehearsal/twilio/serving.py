"""The carrier over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.rehearsal.twilio.carrier import RehearsedCarrier
from app.rehearsal.twilio.rest import rest_app


@asynccontextmanager
async def running(carrier: RehearsedCarrier, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """The carrier served in this event loop for as long as the block lasts; gives its base URL. Port 0 is any."""
    with closing(listen(host, port)) as listening:
        carrier.base_url = f"http://{host}:{listening.getsockname()[1]}"
        async with served(rest_app(carrier), listening):
            try:
                yield carrier.base_url
            finally:
                await carrier.close()


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A socket that listens; port 0 is any.

    asyncio sends at once only on sockets that say they are TCP; on others an answer in two pieces waits 40 ms.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen()
    return listening


@asynccontextmanager
async def served(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """An application served at a listening socket, in this event loop, for as long as the block lasts."""
    server = _Embedded(_config(app, "127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await asyncio.wait_for(server.ready.wait(), timeout=10)
        yield
    finally:
        server.should_exit = server.force_exit = True
        await serving


def _config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )


class _Embedded(uvicorn.Server):
    """A server among other things in its process: it says when it is ready and leaves the signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
