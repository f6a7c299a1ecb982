"""Where is measured: an embedded PostgreSQL in a directory that goes away, and the product's own processes on it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import psutil
import psycopg
from psycopg import sql

from app.store import embedded
from app.store.database import migrate
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
ACCOUNT = "AC" + "0" * 32
TOKEN = "the-token-of-the-measured-account"
ADMIN = "the-admin-key-of-the-measurement"
OURS = "+48221000000"
TEMPLATE = "measured_template"
READY_SECONDS = 30
STOP_SECONDS = 20
READY_PAUSE = 0.01
SERVE = ("-c", "from app.cli.main import main; main()", "serve")


@dataclass(frozen=True)
class Ground:
    """An embedded PostgreSQL, as the product itself would start it, with a migrated template in it."""

    directory: Path
    server: str
    template: str = TEMPLATE

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a migrated, empty database, dropped at the end."""
        name = f"measured_{uuid4().hex}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            making = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(making.format(sql.Identifier(name), sql.Identifier(self.template)))
        host = str(psycopg.conninfo.conninfo_to_dict(self.server)["host"])
        yield f"postgresql://postgres@/{name}?host={quote(host, safe='')}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def ground() -> Iterator[Ground]:
    """The ground for one run."""
    # Not under a longer path: a socket's has to be short.
    directory = Path(tempfile.mkdtemp(prefix="zeroten-bench-"))
    try:
        server = embedded.start(directory)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate(psycopg.conninfo.make_conninfo(server, dbname=TEMPLATE))
        yield Ground(directory, server)
    finally:
        embedded.stop(directory)
        shutil.rmtree(directory, ignore_errors=True)


async def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; raises `TimeoutError` when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a list that grows sets no event
            await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Running:
    """A process of the product, ready."""

    url: str
    pid: int
    ready_seconds: float

    @property
    def megabytes(self) -> float:
        """Its resident memory, without any process it started, in MB of 1,000,000 bytes."""
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6


def environment(**settings: str) -> dict[str, str]:
    """Ours without anybody's settings, and with these; a rehearsed account that may call at any hour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZEROTEN_")}
    ours = {
        "flows_dir": str(ROOT / "flows"),
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_from": OURS,
        "admin_key": ADMIN,
        "calling_hours": "always",
        "call_delay_seconds": "0",
        "log_level": "WARNING",
    }
    return (
        kept
        | {"PYTHONPATH": str(ROOT)}
        | {f"ZEROTEN_{name.upper()}": value for name, value in (ours | settings).items()}
    )


@contextmanager
def process(command: Sequence[str], settings: Mapping[str, str], directory: Path) -> Iterator[int]:
    """A Python process in ``directory``, where no .env lies; told to stop at the end. Gives its number."""
    running = subprocess.Popen(
        [sys.executable, *command], env=environment(**settings), cwd=directory, stdin=subprocess.DEVNULL
    )
    try:
        yield running.pid
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def serving(ground: Ground, settings: Mapping[str, str], command: Sequence[str] = SERVE) -> Iterator[Running]:
    """A web process of the product once ``/readyz`` answers 200.

    ``command`` is what follows ``python``, and gets a ``--port``.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    words = [*command, "--port", str(port)]
    with process(words, {"public_url": url, **settings}, ground.directory) as pid:
        _await_ready(url, pid)
        yield Running(url, pid, time.perf_counter() - started)


def _await_ready(url: str, pid: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(timeout=5) as http:
        while True:
            try:
                if http.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError(f"{url} did not become ready")
            time.sleep(READY_PAUSE)
