"""A server in a process of its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.ports import free_port

START_SECONDS = 120
STOP_SECONDS = 10


@asynccontextmanager
async def a_process(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], alive: str, log: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Run ``command`` with ``--port`` on a free one until the block ends; it is up once it answers ``alive``."""
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, "--port", str(port),
            cwd=directory, env=os.environ | environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
                assert await _answers(http, alive, process), await asyncio.to_thread(log.read_text)
                yield http
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and make it: sanic waits for ever if it is asked while its worker has not yet reported."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _answers(http: httpx.AsyncClient, alive: str, process: asyncio.subprocess.Process) -> bool:
    for _ in range(START_SECONDS * 5):
        if process.returncode is not None:
            return False
        try:
            if (await http.get(alive)).status_code == 200:
                return True
        except httpx.TransportError:
            await asyncio.sleep(0.2)
    return False
