"""The embedded database is killed under a running process, as a machine without memory does."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.store import embedded
from tests.ports import free_port
from tests.test_survival import Server, soon

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    data_dir = Path(tempfile.mkdtemp(prefix="zeroten-"))
    with tempfile.TemporaryFile() as words:
        running = Server(data_dir, "http://127.0.0.1:1", free_port(), words=words)
        await running.start()
        yield running
        running.kill()
    embedded.start(data_dir)
    embedded.stop(data_dir)
    shutil.rmtree(data_dir)


def kill_database(server: Server) -> None:
    pid_file = server.data_dir / "postgres" / "postmaster.pid"
    os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)


async def test_it_is_started_again(server: Server) -> None:
    kill_database(server)
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        await soon(ready)
    assert await server.rows("SELECT count(*) FROM alembic_version") == [(1,)]


async def test_where_it_cannot_be_started_the_process_ends_and_says_why(server: Server) -> None:
    configuration = server.data_dir / "postgres" / "postgresql.conf"
    before = configuration.read_text()
    configuration.write_text(before + "\nshared_buffers = lots\n")
    kill_database(server)
    assert server.process is not None
    code = await asyncio.to_thread(server.process.wait, 60)
    configuration.write_text(before)
    assert code == 1
    assert server.words is not None
    server.words.seek(0)
    said = server.words.read().decode()
    assert "zeroten: the embedded PostgreSQL: pg_ctl failed" in said
    assert "shared_buffers" in said
