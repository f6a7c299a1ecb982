"""The account that the embedded PostgreSQL runs as when we are root, since it refuses to be root itself."""

import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.errors import StartError

NAME = "zeroten-postgres"


@dataclass(frozen=True)
class ServerAccount:
    """A user and its group, by number."""

    user: int
    group: int

    @classmethod
    def owning(cls, path: Path) -> "ServerAccount":
        """The user and the group that own the path. Raises OSError where there is no such path."""
        status = path.stat()
        return cls(status.st_uid, status.st_gid)

    @classmethod
    def made(cls) -> "ServerAccount":
        """The account ``zeroten-postgres``, made when missing; raises `StartError` where that cannot be done."""
        try:
            if NAME not in {each.pw_name for each in pwd.getpwall()}:
                # It fails where another process is quicker; what counts is whether the account is there.
                useradd = shutil.which("useradd") or "/usr/sbin/useradd"
                options = ["--system", "--user-group", "--no-create-home", "--shell", "/bin/false"]
                subprocess.run([useradd, *options, NAME], check=False, capture_output=True)
            entry = pwd.getpwnam(NAME)
        except (OSError, KeyError):
            raise StartError(
                f"PostgreSQL does not run as root, and the account {NAME} could not be made; "
                "run Zeroten as an ordinary user, or set ZEROTEN_DATABASE_URL"
            ) from None
        return cls(entry.pw_uid, entry.pw_gid)


def let_through(cluster: Path, programs: Path) -> None:
    """Let every account run PostgreSQL's programs, and pass through, but not list, the directories above.

    ``cluster`` keeps its own mode, 0700; ``programs`` is the wheel's directory of PostgreSQL's programs.
    """
    package = programs.parent.parent
    libraries = package.with_suffix(".libs")
    if not _may(programs / "postgres", stat.S_IROTH | stat.S_IXOTH):
        for path in (*package.rglob("*"), *libraries.rglob("*")):
            owner_runs = path.stat().st_mode & stat.S_IXUSR
            _allow(path, stat.S_IROTH | (stat.S_IXOTH if owner_runs else 0))
    for path in {*cluster.parents, *programs.parents, libraries}:
        if path.exists():
            _allow(path, stat.S_IXOTH)


def _may(path: Path, mode: int) -> bool:
    return path.stat().st_mode & mode == mode


def _allow(path: Path, mode: int) -> None:
    if not _may(path, mode):
        path.chmod(path.stat().st_mode | mode)
