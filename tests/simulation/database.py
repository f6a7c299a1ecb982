"""The database of a simulation: real PostgreSQL, whose clock is ours, and connections that faults can strike."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString, Protocol, Self

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.abc import PQGen
from psycopg.rows import dict_row
from psycopg.waiting import wait_conn
from psycopg_pool import AsyncConnectionPool

from app.store import Connection
from app.store.database import migrate
from tests.simulation import clock

CLOCK = """
CREATE SCHEMA simulated;
CREATE UNLOGGED TABLE simulated.clock (at timestamptz NOT NULL);
INSERT INTO simulated.clock VALUES ('2026-01-01');
CREATE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM simulated.clock';
CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT at FROM simulated.clock';
"""
PATH = sql.SQL("ALTER DATABASE {} SET search_path = public, simulated, pg_catalog")
# What the product sets for its own connections is in real seconds; the simulation keeps to it in simulated ones.
SESSION = "SET timezone TO 'UTC'; SET idle_in_transaction_session_timeout TO 0; SET lock_timeout TO 0"
LOCK_SECONDS = 3.0
IDLE_IN_TRANSACTION_SECONDS = 60.0
LOOK_SECONDS = 0.02
# No two transactions begin in the same microsecond.
STATEMENT_SECONDS = 0.0002
LOCK_PAUSE_SECONDS = 0.05
MOST_CONNECTIONS = 20


def make_template(server: str, name: str) -> None:
    """A migrated, empty database in which ``now()`` is the simulated clock, wherever it stands."""
    address = psycopg.conninfo.make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        # A power cut may take what a simulation wrote.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.execute(PATH.format(sql.Identifier(name)))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(CLOCK)
    migrate(address)


class Struck(Protocol):
    """What is told of every statement, before it is sent and after it was answered, and may raise or wait."""

    async def before_statement(self, connection: "SimulatedConnection", *, may_be_refused: bool) -> None:
        """A statement is about to be sent."""
        ...

    async def after_statement(self, connection: "SimulatedConnection") -> None:
        """A statement was answered."""
        ...


class Database:
    """The simulated database seen from outside, without faults: its clock, its locks and its rows."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._outside = psycopg.connect(address, autocommit=True, row_factory=dict_row)
        self._shown: datetime | None = None
        # A copy of a database does not have its settings.
        self._outside.execute(PATH.format(sql.Identifier(self._outside.info.dbname)))

    def tick(self) -> None:
        """Set the clock to the present."""
        now = clock.now()
        if now != self._shown:
            self._outside.execute("UPDATE simulated.clock SET at = %s", (now,))
            self._shown = now

    def rows(self, query: LiteralString, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Every row of a query, by column."""
        self.tick()
        return self._outside.execute(query, values).fetchall()

    def execute(self, statement: LiteralString, values: Sequence[Any] = ()) -> None:
        """Change something from outside."""
        self.tick()
        self._outside.execute(statement, values)

    def end(self, pid: int) -> None:
        """End a session, and wait until it has ended; its transaction is rolled back."""
        self._outside.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def waits_for_lock(self, pid: int) -> bool:
        """Whether a session waits for another one."""
        return bool(self.rows("SELECT 1 FROM unnest(pg_blocking_pids(%s)) LIMIT 1", (pid,)))

    def close(self) -> None:
        """Let the database be dropped."""
        self._outside.close()


class SimulatedConnection(AsyncConnection[tuple[Any, ...]]):
    """A connection whose statements take no time, except behind a lock; ``owner`` is told of each."""

    database: Database
    owner: Struck

    @classmethod
    async def opened(cls, database: Database, owner: Struck) -> Self:
        """A connection as the product has it, with automatic commit."""
        connection = wait_conn(cls._connect_gen(database.address))
        connection.pgconn.exec_(SESSION.encode())
        connection._autocommit = True
        connection.database, connection.owner = database, owner
        return connection

    @property
    def pid(self) -> int:
        """The session's process on the server."""
        return self.pgconn.backend_pid

    async def wait(self, gen: PQGen[Any], interval: float = 0.0, timeout: float | None = None) -> Any:  # noqa: ARG002, ASYNC109 - the library's signature
        try:
            await self.owner.before_statement(
                self, may_be_refused=getattr(gen, "__name__", "") == "_execute_gen"
            )
            clock.spend(STATEMENT_SECONDS)
            self.database.tick()
            result = await self._answer(gen)
            await self.owner.after_statement(self)
        except asyncio.CancelledError:
            # The library does not know any more how far it has come.
            self.break_off()
            raise
        return result

    def break_off(self) -> None:
        """End the session; its transaction is rolled back."""
        if not self.closed:
            self.database.end(self.pid)
            self.pgconn.finish()

    async def _answer(self, gen: PQGen[Any]) -> Any:
        """What the server answers; only a lock that somebody else holds lets time go by."""
        waited = 0.0
        try:
            wanted = next(gen)
            while True:
                if ready := self._look(wanted):
                    wanted = gen.send(ready)
                elif self.database.waits_for_lock(self.pid):
                    await asyncio.sleep(LOCK_PAUSE_SECONDS)
                    waited += LOCK_PAUSE_SECONDS
                    if waited > LOCK_SECONDS:
                        self.pgconn.get_cancel().cancel()
        except StopIteration as stop:
            return stop.value

    def _look(self, wanted: int) -> int:
        with selectors.DefaultSelector() as selector:
            selector.register(self.pgconn.socket, wanted)
            ready = selector.select(LOOK_SECONDS)
        return ready[0][1] if ready else 0


class SimulatedPool(AsyncConnectionPool[Connection]):
    """A process's connections: as many as it needs, and none that is broken."""

    def __init__(self, database: Database, owner: Struck) -> None:
        super().__init__(database.address, open=False)
        self._database, self._owner = database, owner
        self._free: list[SimulatedConnection] = []
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self.all: list[SimulatedConnection] = []
        self.is_broken = False

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:  # noqa: ARG002, ASYNC109 - the library's signature
        async with self._room:
            connection = self._free.pop() if self._free else await self._open_another()
            try:
                async with connection:
                    yield connection
            finally:
                self._give_back(connection)

    async def _open_another(self) -> SimulatedConnection:
        connection = await SimulatedConnection.opened(self._database, self._owner)
        connection._pool = self
        self.all.append(connection)
        return connection

    def _give_back(self, connection: SimulatedConnection) -> None:
        if connection.closed or connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.pgconn.finish()
            self.all.remove(connection)
        else:
            self._free.append(connection)

    def break_off(self) -> None:
        """The process is gone: the server ends its sessions and rolls their transactions back."""
        self.is_broken = True
        for connection in self.all:
            connection.break_off()
        self.all.clear()
        self._free.clear()
