"""The embedded PostgreSQL: the one that runs in the data directory when no ``ZEROTEN_DATABASE_URL`` is given.

Any number of processes share it: the first one starts it, and the last one to leave stops it.
"""

import asyncio
import atexit
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app.errors import StartError
from app.store.cluster import Cluster

log = structlog.get_logger(__name__)
WATCH_SECONDS = 1.0
LONGEST_DATA_DIR = (103 if sys.platform == "darwin" else 107) - len("/postgres/.s.PGSQL.5432")


def start(data_dir: Path) -> str:
    """Start the PostgreSQL of ``data_dir``, or join the one that runs there, and return its conninfo.

    It stops when the last process that called this ends, or calls `stop`; a killed process counts as ended. Call it in
    the main thread before anything else that handles signals, so that SIGTERM and SIGHUP end the server too. Raises
    `StartError` with what to do about it.
    """
    directory = data_dir.expanduser().resolve()
    if directory not in _servers:
        _servers[directory] = _Server(directory)
    server = _servers[directory]
    server.join()
    return server.cluster.conninfo


def stop(data_dir: Path) -> None:
    """Leave the PostgreSQL of ``data_dir``; it stops unless another process uses it."""
    server = _servers.pop(data_dir.expanduser().resolve(), None)
    if server is not None:
        server.leave()


async def watch(data_dir: Path) -> None:
    """Start the PostgreSQL of ``data_dir`` again whenever it has died, until cancelled.

    Every process that uses it may do so: one starts it, and the others find it running. Raises `StartError` where it
    cannot be started.
    """
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await asyncio.to_thread(_revive, data_dir)


def _revive(data_dir: Path) -> None:
    server = _servers[data_dir.expanduser().resolve()]
    if server.cluster.has_died():
        log.error("embedded_database_died", data_dir=str(server.data_dir))
        server.start()
        log.warning("embedded_database_started_again", data_dir=str(server.data_dir))


def check_length(data_dir: Path) -> None:
    """Refuse a data directory whose path leaves no room for a socket's, with `StartError`."""
    path = data_dir.expanduser().resolve()
    if len(os.fsencode(path)) > LONGEST_DATA_DIR:
        raise StartError(
            f"ZEROTEN_DATA_DIR: {path} is too long for the embedded database's socket "
            f"(at most {LONGEST_DATA_DIR} characters); set a shorter path, or ZEROTEN_DATABASE_URL"
        )


@dataclass
class _Server:
    """The server of one data directory, as this process sees it."""

    data_dir: Path
    users: int | None = field(default=None, init=False)

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.data_dir / "postgres")

    def join(self) -> None:
        if self.users is not None:
            return
        check_length(self.data_dir)
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._starting():
                self.cluster.start()
                self.users = _locked(self.data_dir / ".postgres.users", fcntl.LOCK_SH)
        except OSError as error:
            raise StartError(
                f"ZEROTEN_DATA_DIR: {self.data_dir}: {error.strerror}: {error.filename}"
            ) from error
        atexit.register(self.leave)
        _exit_on_terminate()

    def start(self) -> None:
        with self._starting():
            self.cluster.start()

    def leave(self) -> None:
        if self.users is None:
            return
        atexit.unregister(self.leave)
        with self._starting():
            try:
                fcntl.flock(self.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                users, self.users = self.users, None
                os.close(users)
            if self.cluster.runs():
                self.cluster.stop()

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Hold the data directory: one process at a time starts or stops its server."""
        lock = _locked(self.data_dir / ".postgres.starting", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)


_servers: dict[Path, _Server] = {}


def _locked(path: Path, kind: int) -> int:
    """The open descriptor of a lock, which the system lets go of even when we are killed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, kind)
    return descriptor


def _exit_on_terminate() -> None:
    """Let the signals that end us run the exit handlers too, where nobody else has a use for them."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))
