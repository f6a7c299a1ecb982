"""A ledger, and all that leads to it: what the tests of deliveries work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.delivery import Deliver, Deliveries, Destination
from app.jobs import Jobs
from app.ports import ResponseToPush
from app.store import Pool
from tests.delivery.ledger import Ledger
from tests.reports.asked import Asked
from tests.rows import execute, rows

NAME = "ours"


@dataclass
class Office:
    """A ledger, and all that leads to it."""

    pool: Pool
    ledger: Ledger
    deliveries: Deliveries
    alarms: list[str]

    async def want(self, *surveys: UUID) -> None:
        async with self.pool.connection() as connection, connection.transaction():
            for each in surveys:
                await self.deliveries.want(connection, each)

    async def deliver(self) -> None:
        await self.deliveries.deliver(Deliver(NAME))

    async def later(self) -> None:
        """Let all pauses be over, and try again."""
        await execute(self.pool, "UPDATE destinations SET held_until = now() - interval '1 s'")
        await execute(self.pool, "UPDATE deliveries SET retry_at = now() WHERE retry_at > now()")
        await self.deliver()

    async def stand(self) -> list[tuple[str, str | None]]:
        """Each delivery's status and reason, the oldest first."""
        found = await rows(self.pool, "SELECT status, reason FROM deliveries ORDER BY wanted_at, survey_id")
        return [(each["status"], each["reason"]) for each in found]


def an_office(
    pool: Pool,
    jobs: Jobs,
    ledger: Ledger,
    queues: Sequence[str] = (),
    per_second: float = 1000,
    at_once: int = 4,
) -> Office:
    """An office of its own; several may share a ledger."""
    alarms: list[str] = []

    async def alarm(title: str, body: str) -> None:
        alarms.append(f"{title}: {body}")

    destination = Destination(NAME, ledger, per_second, at_once, queues)
    return Office(pool, ledger, Deliveries(pool, jobs, {NAME: destination}, alarm), alarms)


async def opened(pool: Pool) -> Jobs:
    """Jobs that nobody works on: each step is taken by hand."""
    jobs = Jobs(pool)
    await jobs.open()
    jobs.app.task(name="deliver")(_nothing)
    return jobs


async def _nothing(**_: Any) -> None:
    """Never called."""


def people(count: int) -> list[Asked]:
    """So many who answered."""
    return [
        Asked("billing", number % 11, f"comment {number}", crm_id=f"c{number}") for number in range(count)
    ]


async def grow(pool: Pool, survey_id: UUID, comment: str = "the transcript") -> None:
    """Let a response grow."""
    await execute(
        pool,
        f"UPDATE responses SET comment = '{comment}', version = version + 1 WHERE survey_id = '{survey_id}'",
    )


def failing(error: Exception, times: int = 10**9) -> Any:
    """Raises so often, and then no more."""
    left = [times]

    def raise_(_: Sequence[ResponseToPush]) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise error

    return raise_
