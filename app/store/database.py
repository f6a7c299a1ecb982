"""The way to the database: its address, its migrations, and the pool that everything shares."""

import re
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from app.config import Settings
from app.errors import StartError
from app.store import Connection, Pool, embedded
from app.store.statement import Statement

MIGRATIONS = Path(__file__).parents[2] / "migrations"
OLDEST_SERVER = 14
POOL_SIZE = 20
KEPT = 2
WAIT_SECONDS = 5
RECONNECT_SECONDS = 2
MIGRATION_LOCK = 0x5A45524F


def conninfo(settings: Settings) -> str:
    """The address of the database; without ``ZEROTEN_DATABASE_URL`` the embedded one is started for it.

    Takes ``postgresql://``, ``postgres://`` and the forms that name a driver. Raises `StartError` without the password.
    """
    if settings.database_url is None:
        return embedded.start(settings.data_dir)
    url = re.sub(
        r"^postgres(ql)?(\+\w+)?://", "postgresql://", settings.database_url.get_secret_value().strip()
    )
    if not url.startswith("postgresql://"):
        raise StartError("ZEROTEN_DATABASE_URL must look like postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    # A sign that is not escaped moves part of the password to where messages quote it.
    authority, _, rest = url.removeprefix("postgresql://").partition("/")
    escape = "ZEROTEN_DATABASE_URL cannot be read; write / : @ % in the user or password as %2F %3A %40 %25"
    if authority.count("@") > 1 or "@" in rest.partition("?")[0]:
        raise StartError(escape)
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        raise StartError(escape) from None
    return make_conninfo("", **{"connect_timeout": WAIT_SECONDS, "application_name": "zeroten", **given})


def describe(address: str) -> str:
    """Where a conninfo leads, for people and logs: ``zeroten@db.example:5432/zeroten``."""
    parts = conninfo_to_dict(address)
    host, database = parts.get("host", "localhost"), parts.get("dbname", parts.get("user", ""))
    return f"{parts.get('user', '')}@{host}:{parts.get('port', 5432)}/{database}"


def connect(address: str) -> psycopg.Connection[tuple[object, ...]]:
    """One connection with automatic commit; raises `StartError` where the server is away or older than 14."""
    try:
        connection = psycopg.connect(address, autocommit=True)
    except psycopg.OperationalError as error:
        reason = _without_password(str(error), address)
        raise StartError(f"ZEROTEN_DATABASE_URL: cannot connect to {describe(address)}: {reason}") from None
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        connection.close()
        raise StartError(
            f"ZEROTEN_DATABASE_URL: {describe(address)} runs PostgreSQL {version}; {OLDEST_SERVER} or newer is needed"
        )
    return connection


def revision(connection: psycopg.Connection[tuple[object, ...]]) -> str | None:
    """The migration that the database is at; None for a database without Zeroten."""
    found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def clock(connection: psycopg.Connection[tuple[object, ...]]) -> datetime:
    """What time it is on the database's machine."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None, "a function returns a value"
    assert isinstance(row[0], datetime), "psycopg reads timestamptz as datetime"
    return row[0]


def newest_revision() -> str:
    """The migration that this Zeroten works with; a migration is named for its file."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def migrate(address: str) -> None:
    """Bring the database up to date. Any number of processes may do so at once: one works, the others wait."""
    with connect(address) as connection:
        if revision(connection) == newest_revision():
            return
        # A transaction's lock, since a session's may outlive us in a connection pooler.
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            now = revision(connection)
            if now is not None and now > newest_revision():
                raise StartError(
                    f"the database is at migration {now}, made by a newer Zeroten; this one knows {newest_revision()}"
                )
            if now != newest_revision():
                _upgrade(address)


async def open_pool(settings: Settings, size: int = POOL_SIZE, kept: int = KEPT) -> Pool:
    """The open pool on an up-to-date database; procrastinate shares it. Close it with ``await pool.close()``.

    It has ``kept`` connections, and up to ``size`` while they are needed. They commit each statement by themselves, and
    ``connection.transaction()`` makes several of them one. A statement ends after 30 seconds and waiting for a lock
    after 3, each with a `psycopg.OperationalError`; waiting for a free connection after 5, with
    `psycopg_pool.PoolTimeout`.
    """
    address = conninfo(settings)
    migrate(address)
    pool: Pool = AsyncConnectionPool(
        address,
        min_size=kept,
        max_size=size,
        open=False,
        timeout=WAIT_SECONDS,
        # A pool that has given up tries again with the next request; one that goes on backing off lets it wait.
        reconnect_timeout=RECONNECT_SECONDS,
        configure=_configure,
        check=_check,
    )
    try:
        await pool.open(wait=True, timeout=WAIT_SECONDS)
    except PoolTimeout:
        await pool.close()
        raise StartError(f"ZEROTEN_DATABASE_URL: cannot open connections to {describe(address)}") from None
    return pool


# What the session of a machine that lost its power has locked is free in a minute, not in two hours. Whoever cannot
# have a lock in time is told so and comes again, and so nobody waits for those who wait.
SESSION = Statement.sql(
    """
    SET timezone TO 'UTC';
    SET tcp_keepalives_idle TO 30;
    SET tcp_keepalives_interval TO 10;
    SET tcp_keepalives_count TO 3;
    SET lock_timeout TO '3s';
    SET statement_timeout TO '30s';
    SET idle_in_transaction_session_timeout TO '60s'
    """
)
PROBE = Statement.sql("INSERT INTO secrets (name, value) VALUES (gen_random_uuid()::text, '')")


async def _configure(connection: Connection) -> None:
    # Not among the pool's arguments, since procrastinate gives it beside those where it listens.
    await connection.set_autocommit(True)
    await SESSION.execute(connection)


async def try_write(connection: Connection) -> None:
    """Write a row and take it back; raises `psycopg.Error` where the database takes none: read-only, or full."""
    async with connection.transaction(force_rollback=True):
        await PROBE.execute(connection)


async def _check(connection: Connection) -> None:
    """Refuse a connection that the server has closed.

    While nobody uses one, nothing arrives on it: only what did arrive, an end of file too, is worth a round trip.
    """
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    if poller.poll(0):
        await AsyncConnectionPool.check_connection(connection)


def _upgrade(address: str) -> None:
    # A start on an up-to-date database does without Alembic's 20 MB and quarter of a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"address": address})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _without_password(text: str, address: str) -> str:
    password = conninfo_to_dict(address).get("password")
    return text.replace(str(password), "***") if password else text


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Connection]:
    """One connection to an up-to-date database, for a command that runs and ends."""
    pool = await open_pool(settings, size=2)
    try:
        async with pool.connection() as connection:
            yield connection
    finally:
        await pool.close()


SNAPSHOT = Statement.sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """A transaction whose every statement sees the database as it is at one moment; it changes nothing."""
    async with connection.transaction():
        await SNAPSHOT.execute(connection)
        yield


DELETE_SURVEYS = Statement.sql(
    """
    TRUNCATE interactions, surveys, attempts, turns, responses, nps_daily, recordings, suppressions, inbound, pacing,
        procrastinate_jobs CASCADE
    """
)


async def delete_surveys(connection: Connection) -> None:
    """Delete every interaction with all that came of it, jobs too; queues, keys and secrets stay."""
    await DELETE_SURVEYS.execute(connection)
