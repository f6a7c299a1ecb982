"""What every test may ask for. Tests that ask for no database start none."""

import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
import structlog
from psycopg import sql
from pydantic import SecretStr

from app.config import Settings
from app.store import Pool

pytest_plugins = ("tests.last_skipped",)

DIRECTORY = "ZEROTEN_TEST_DIRECTORY"

with suppress(ModuleNotFoundError):  # Rasa's environment has no hypothesis
    from hypothesis import settings as examples

    # How long an example takes says more of the machine than of the code.
    examples.register_profile("untimed", deadline=None)
    examples.load_profile("untimed")
TEMPLATE = "zeroten_template"
MEMORY = Path("/dev/shm")  # noqa: S108 - tempfile makes directories of its own in it
ROOM_BYTES = 2 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Forget the settings of whoever runs the tests, and give all of pytest-xdist's workers one directory."""
    # A traceback with the value of every variable takes seconds to draw.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, plain],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    for name in [name for name in os.environ if name.startswith("ZEROTEN_") and name != DIRECTORY]:
        del os.environ[name]
    if not hasattr(config, "workerinput"):
        # Not pytest's own directory: the path of a socket has to be short.
        _keep_files_in_memory()
        os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="zeroten-")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors, for tests that wait for another process or for a clock."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests go first, so that none of them begins when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def _keep_files_in_memory() -> None:
    """Let temporary files lie in memory, if this machine has such a place with room in it.

    A database is three hundred files, and a test may have one of its own: making and dropping it costs a fortieth of a
    second there, and a quarter where the files are a disk's.
    """
    with suppress(OSError):
        if shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
            os.environ.setdefault("TMPDIR", str(MEMORY))
            tempfile.tempdir = None


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(DIRECTORY), ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The conninfo of an embedded PostgreSQL that the whole run shares, with an empty, migrated template in it."""
    from app.store import embedded  # noqa: PLC0415  pure tests do without it
    from app.store.database import migrate  # noqa: PLC0415

    data_dir = Path(os.environ[DIRECTORY])
    address = embedded.start(data_dir)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone():
            # A power cut may take what tests wrote.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE zeroten_making")
            migrate(psycopg.conninfo.make_conninfo(address, dbname="zeroten_making"))
            connection.execute("ALTER DATABASE zeroten_making RENAME TO zeroten_template")
    yield address
    embedded.stop(data_dir)


@contextmanager
def fresh_database(server: str, template: str = TEMPLATE) -> Iterator[str]:
    """The URL of a copy of the template, dropped at the end."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        making = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        connection.execute(making.format(sql.Identifier(name), sql.Identifier(template)))
    host = str(psycopg.conninfo.conninfo_to_dict(server)["host"])
    yield f"postgresql://postgres@/{name}?host={quote(host, safe='')}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(server: str) -> Iterator[str]:
    """A migrated, empty database of this test alone."""
    with fresh_database(server) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(server: str) -> Iterator[str]:
    """A migrated database that the tests of one file share."""
    with fresh_database(server) as url:
        yield url


@pytest.fixture(scope="module")
def module_settings(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings on the database that the tests of one file share."""
    return Settings(
        _env_file=None,
        database_url=SecretStr(module_database_url),
        data_dir=tmp_path_factory.mktemp("data"),
    )


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings on this test's database; change some with ``settings.model_copy(update={...})``."""
    return Settings(_env_file=None, database_url=SecretStr(database_url), data_dir=tmp_path)


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """The pool on this test's database."""
    from app.store.database import open_pool  # noqa: PLC0415

    async with await open_pool(settings, size=10) as opened:
        yield opened
