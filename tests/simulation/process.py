"""A process of the product: its web application and its worker, which may be killed, stand still, and start again."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from procrastinate.jobs import Job, Status

from app import worker
from app.carrier import Carrier
from app.config import Settings, load_flows
from app.main import create_app
from app.services import Services, assemble
from app.store import clock as product_clock
from app.store import secrets
from tests.simulation import clock
from tests.simulation.database import (
    IDLE_IN_TRANSACTION_SECONDS,
    Database,
    SimulatedConnection,
    SimulatedPool,
)
from tests.simulation.faults import Faults
from tests.simulation.story import Story

RESTART_SECONDS = 5.0
WORKER_PAUSE_SECONDS = 1.0


class Killed(BaseException):
    """The process is no more; nothing that it was about to do happens."""


class Process:
    """One process. Everything that it does passes `pass_point`, where it may be struck."""

    def __init__(
        self, name: str, settings: Settings, database: Database, faults: Faults, story: Story
    ) -> None:
        self.name, self.settings, self.database = name, settings, database
        self.faults, self.story = faults, story
        self.ahead = timedelta()
        self.life = 0
        self.frozen_until = self.down_until = self.struck_at = 0.0
        self.tasks: list[asyncio.Task[Any]] = []
        self.pool = SimulatedPool(database, Life(self, 0))

    async def start(self, transport: "httpx.AsyncBaseTransport") -> None:
        """Assemble the product anew, as a process that starts does."""
        pool = self.pool = SimulatedPool(self.database, Life(self, self.life))
        async with pool.connection() as connection:
            secret = await secrets.read_or_make(connection, "chat")
        carrier = Carrier.from_settings(self.settings, transport)
        flows = load_flows(self.settings.flows_dir)
        self.services: Services = assemble(
            self.settings, pool, pool, flows, carrier, httpx.AsyncClient(transport=transport), secret
        )
        await self.services.jobs.open()
        worker.register(self.services)
        self.app: FastAPI = create_app(self.services)
        self.worker_id: int = await self.services.jobs.app.job_manager.register_worker()

    @property
    def is_up(self) -> bool:
        """Whether it takes requests and jobs just now."""
        now = clock.loop_seconds()
        return self.frozen_until <= now and self.down_until <= now

    def run(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something in this process; it ends with it."""

        async def inside() -> Any:
            clock.AHEAD.set(self.ahead)
            return await work

        task = asyncio.create_task(inside())
        self.tasks.append(task)
        task.add_done_callback(self.tasks.remove)
        return task

    def kill(self) -> None:
        """End it at once: its connections break, and its tasks are gone. It starts again after a while."""
        self.life += 1
        self.frozen_until = 0.0
        self.struck_at = clock.loop_seconds()
        self.down_until = self.struck_at + RESTART_SECONDS
        self.pool.break_off()
        for task in self.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self.story.tell(f"{self.name} is killed")

    def freeze(self) -> None:
        """Let it stand still for a while."""
        self.beat()
        seconds, self.struck_at = self.faults.freeze_seconds(), clock.loop_seconds()
        self.frozen_until = clock.loop_seconds() + seconds
        self.story.tell(f"{self.name} stands still for {seconds:g} s")

    def beat(self) -> None:
        """Its worker's heart beats."""
        self.database.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = simulated.now() WHERE id = %s",
            (self.worker_id,),
        )

    async def thaw(self, life: int, connection: SimulatedConnection | None) -> None:
        """Wait while it stands still. A transaction that is open for too long is ended by the server meanwhile."""
        cancelled: asyncio.CancelledError | None = None
        began = clock.loop_seconds()
        while (left := self.frozen_until - clock.loop_seconds()) > 0 and life == self.life:
            try:
                await asyncio.sleep(min(left, IDLE_IN_TRANSACTION_SECONDS))
            except asyncio.CancelledError as error:
                cancelled = error
            if connection is not None and clock.loop_seconds() - began >= IDLE_IN_TRANSACTION_SECONDS:
                self._end_idle(connection)
        if life != self.life:
            raise Killed
        if cancelled is not None:
            raise cancelled

    def _end_idle(self, connection: SimulatedConnection) -> None:
        in_transaction = connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        if in_transaction and not connection.closed:
            self.database.end(connection.pid)

    async def fetch(self) -> Job | None:
        """The next job that is due, if its worker may work by its clock."""
        async with self.pool.connection() as connection:
            if not product_clock.is_trusted(await product_clock.ahead(connection)):
                self.down_until = clock.loop_seconds() + worker.CLOCK_CHECK_SECONDS
                return None
        manager = self.services.jobs.app.job_manager
        return await manager.fetch_job(["zeroten"], self.worker_id)

    async def work(self, job: Job) -> None:
        """Run a job, and note how it ended, as the library's worker does."""
        manager, task = self.services.jobs.app.job_manager, self.services.jobs.app.tasks[job.task_name]
        try:
            await task(**job.task_kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job's own rule says what follows
            self.story.tell(f"{self.name}: {job.task_name} {job.task_kwargs} failed: {type(error).__name__}")
            retry = task.get_retry_exception(exception=error, job=job)
            if retry is None:
                await manager.finish_job(job, Status.FAILED, delete_job=False)
            else:
                await manager.retry_job(job, retry_at=retry.retry_decision.retry_at)
        else:
            await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)

    async def recover(self, *, also_surveys: bool) -> None:
        """What the worker does by the clock: take up jobs of the dead, and surveys that wait in vain."""
        await self.services.jobs.retry_stalled_jobs()
        if also_surveys:
            await self.services.recovery.take_up_stranded()


class Life:
    """A process from one start to its end; what is struck belongs to it, and does nothing once it is over."""

    def __init__(self, process: Process, life: int) -> None:
        self._process, self._life = process, life

    async def before_statement(self, connection: SimulatedConnection, *, may_be_refused: bool) -> None:
        """A statement is about to be sent."""
        await self.pass_point(connection, may_be_refused=may_be_refused)

    async def after_statement(self, connection: SimulatedConnection) -> None:
        """A statement was answered."""
        await self.pass_point(connection)

    async def pass_point(
        self, connection: SimulatedConnection | None = None, *, may_be_refused: bool = False
    ) -> None:
        """Go on, unless the process is struck here."""
        process = self._process
        if self._life != process.life:
            raise Killed
        await process.thaw(self._life, connection)
        match process.faults.statement():
            case "kill":
                process.kill()
                raise Killed
            case "freeze":
                process.freeze()
                await process.thaw(self._life, connection)
            case "cut" if connection is not None:
                process.story.tell(f"{process.name}: a connection is cut")
                connection.break_off()
                raise psycopg.OperationalError("the connection was cut")
            case "refused" if may_be_refused:
                process.story.tell(f"{process.name}: a statement is refused")
                raise psycopg.errors.SerializationFailure("could not serialize access")
            case _:
                pass
