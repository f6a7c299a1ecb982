"""A running process: the web application, a worker, or both, until it is told to stop."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from app import logs
from app.config import Settings
from app.main import create_app
from app.services import Services, running
from app.store import embedded
from app.web import Connection
from app.worker import register, work_on

log = structlog.get_logger(__name__)
GRACE_SECONDS = 2
# A WebSocket's message: a frame of a call's sound, or a packet of a chat.
LARGEST_MESSAGE = 128 * 1024
YOUNG_OBJECTS = 10_000

Address = tuple[str, int]


def run(settings: Settings, address: Address | None, *, worker: bool) -> None:
    """Serve at ``address`` (None: no web application) and work, until SIGINT or SIGTERM; both end what they began."""
    logs.set_up(settings.log_level)
    uvloop.run(_run(settings, address, worker=worker))


async def _run(settings: Settings, address: Address | None, *, worker: bool) -> None:
    async with (
        running(settings) as services,
        database_watched(settings),
        working(services) if worker else nullcontext(),
    ):
        if address is None:
            await _until_told()
        else:
            await serve(create_app(services), address, settings.trusted_proxies)


@asynccontextmanager
async def database_watched(settings: Settings) -> AsyncIterator[None]:
    """The embedded database is started again when it dies; where that fails, the block ends with `StartError`."""
    if settings.database_url is not None:
        yield
        return
    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(embedded.watch(settings.data_dir), name="watch the database")
            yield
            watching.cancel()
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    """A worker that runs beside the block, and is gone after it."""
    register(services)
    task = asyncio.create_task(work_on(services), name="worker")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def serve(app: FastAPI, address: Address, trusted_proxies: str = "") -> None:
    """Serve until SIGINT or SIGTERM. Only ``trusted_proxies`` may say whom they speak for."""
    host, port = address
    config = uvicorn.Config(
        app, host=host, port=port, http=Connection, ws_max_size=LARGEST_MESSAGE, lifespan="off", log_config=None,
        access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_SECONDS,
        proxy_headers=bool(trusted_proxies), forwarded_allow_ips=trusted_proxies,
    )  # fmt: skip
    _allow_connections()
    _collect_less()
    log.info("serving", host=host, port=port)
    await uvicorn.Server(config).serve()


async def _until_told() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    _collect_less()
    log.info("working")
    await told.wait()


def _allow_connections() -> None:
    """Take as many files as the machine allows; what a shell allows is often used up by a thousand connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # "unlimited" is more than some systems take
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _collect_less() -> None:
    """Keep the garbage collector off what stays until the end: looking at it again stops every caller for 0.1 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
