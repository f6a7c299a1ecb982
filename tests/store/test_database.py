"""The way to the database: addresses, migrations, the pool."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from procrastinate import App, PsycopgConnector
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from app.config import Settings
from app.errors import StartError
from app.store import Pool, database
from app.store.statement import take_time


def address(url: str) -> str:
    return database.conninfo(Settings(_env_file=None, database_url=SecretStr(url)))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_takes_the_usual_forms_of_a_url(scheme: str) -> None:
    parts = conninfo_to_dict(address(f"{scheme}://anna:s%40cret@db.example:6432/nps?sslmode=require"))
    assert (parts["user"], parts["password"], parts["host"], parts["port"]) == (
        "anna",
        "s@cret",
        "db.example",
        "6432",
    )
    assert (parts["dbname"], parts["sslmode"], parts["application_name"]) == ("nps", "require", "zeroten")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://anna:hush-hush@db/nps",
        "anna:hush-hush@db/nps",
        "postgresql://anna:hush-hush/x@db/nps",
        "postgresql://anna:x@hush-hush@db/nps",
        "postgresql://anna:hush-hush%zz@db/nps",
        "postgresql://anna:hush-hush@127.0.0.1:1/nps",
    ],
)
def test_a_bad_url_is_named_and_its_password_is_not(url: str) -> None:
    with pytest.raises(StartError) as refused:
        database.connect(address(url))
    assert "ZEROTEN_DATABASE_URL" in str(refused.value)
    assert "hush-hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_old_server_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_SERVER", 99)
    with pytest.raises(StartError, match=r"runs PostgreSQL 18; 99 or newer is needed"):
        database.connect(database_url)


def test_the_newest_file_is_the_head_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == database.newest_revision()


def test_many_processes_may_migrate_an_empty_database_at_once(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
    empty = make_conninfo(server, dbname="empty")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(database.migrate, [empty] * 4))
    with database.connect(empty) as connection:
        assert database.revision(connection) == database.newest_revision()
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE empty")


def test_a_database_of_a_newer_zeroten_is_refused(database_url: str) -> None:
    with database.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    with pytest.raises(StartError, match="9999_later, made by a newer Zeroten"):
        database.migrate(database_url)


async def test_the_pool_commits_each_statement_and_keeps_utc(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO queues (name) VALUES ('billing')")
        async with pool.connection() as another:
            rows = await (await another.execute("SELECT name FROM queues")).fetchall()
            zone = await (await another.execute("SHOW timezone")).fetchone()
    assert (rows, zone) == ([("billing",)], ("UTC",))


async def test_nothing_waits_or_runs_for_ever(pool: Pool) -> None:
    async with pool.connection() as connection:
        limits = await connection.execute(
            "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
            " current_setting('idle_in_transaction_session_timeout')"
        )
        assert await limits.fetchone() == ("3s", "30s", "1min")
        async with connection.transaction():
            await take_time(connection)
            assert await (await connection.execute("SHOW statement_timeout")).fetchone() == ("0",)
        assert await (await connection.execute("SHOW statement_timeout")).fetchone() == ("30s",)


async def test_what_is_tried_to_be_written_is_taken_back(pool: Pool) -> None:
    async with pool.connection() as connection:
        await database.try_write(connection)
        assert await (await connection.execute("SELECT count(*) FROM secrets")).fetchone() == (0,)


async def test_the_pool_replaces_connections_that_the_server_closed(pool: Pool, database_url: str) -> None:
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await asyncio.sleep(0.1)
    for _ in range(10):
        async with pool.connection() as connection:
            assert await (await connection.execute("SELECT 1")).fetchone() == (1,)


async def test_procrastinate_defers_and_listens_on_the_same_pool(pool: Pool) -> None:
    app = App(connector=PsycopgConnector())
    greeted = asyncio.Event()

    @app.task(name="greet")
    async def greet(name: str) -> None:
        assert name == "Ewa"
        greeted.set()

    async with app.open_async(pool):
        worker = asyncio.create_task(
            app.run_worker_async(install_signal_handlers=False, fetch_job_polling_interval=60)
        )
        await asyncio.sleep(0.2)
        async with pool.connection() as connection, connection.transaction():
            await greet.configure(connection=connection).defer_async(name="Ewa")
        await asyncio.wait_for(greeted.wait(), 5)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
