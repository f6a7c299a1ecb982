"""Pushing responses to the operator's own systems: in order, at a set rate, and again where that may help."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from app import metrics
from app.errors import CrmBusy, CrmError, CrmMisconfigured
from app.jobs import Deferral, Jobs, Task
from app.pushing import Destination, Pace, Pushed, push_all
from app.store import Connection, Pool, deliveries, destinations

log = structlog.get_logger(__name__)

BUDGET_SECONDS = 3.0  # so that a worker that is told to stop soon can
LONGEST_HOLD_SECONDS = 300.0
FAILURES_TO_HOLD = 3
ALARM_AFTER = timedelta(minutes=15)
KEEP_LOG_DAYS = 30

Alarm = Callable[[str, str], Awaitable[None]]
"""Tells the operators: a title, and what there is to know."""


@dataclass(frozen=True)
class Deliveries:
    """Every response's way to every destination."""

    pool: Pool
    jobs: Jobs
    destinations: Mapping[str, Destination]
    alarm: Alarm

    async def want(self, connection: Connection, survey_id: UUID) -> None:
        """Have a response pushed as it stands now, in the transaction of ``connection``; safe to repeat."""
        wanted = {name: each.queues for name, each in self.destinations.items()}
        names = await deliveries.want(connection, survey_id, wanted) if wanted else ()
        await self.jobs.defer(connection, *map(_job, names))

    async def deliver(self, name: str) -> None:
        """Push what waits for a destination, unless another worker does. What is left over is left to a next job."""
        destination = self.destinations.get(name)
        if destination is None:
            return
        async with self.pool.connection() as own:
            if not await destinations.reserve(own, name):
                return
            try:
                await self._drain(destination)
            finally:
                await destinations.release(own, name)
            # Whoever came while we held the reservation has gone again: what they brought is ours.
            if await deliveries.waiting(own, [name]):
                await self.jobs.defer(own, _job(name))

    async def replay(
        self,
        name: str,
        since: datetime | None = None,
        survey_id: UUID | None = None,
        *,
        refused: bool = False,
    ) -> int:
        """Have responses pushed again, and say how many; a destination that is held is tried at once."""
        async with self.pool.connection() as connection, connection.transaction():
            await destinations.lift_hold(connection, name)
            queues = self.destinations[name].queues
            count = await deliveries.replay(connection, name, queues, since, survey_id, refused=refused)
            await self.jobs.defer(connection, _job(name))
        return count

    async def deliver_waiting(self) -> None:
        """Take up what waits for its next try, and what was left by workers that died."""
        async with self.pool.connection() as connection:
            for name in await deliveries.waiting(connection, list(self.destinations)):
                await self.jobs.defer(connection, _job(name))

    async def check(self) -> None:
        """Ask every destination whether its options can work; people are told once of one where they cannot."""
        for name, destination in self.destinations.items():
            try:
                problems = await destination.crm.check()
            except CrmMisconfigured as wrong:
                problems = [str(wrong)]
            except CrmError as trouble:
                log.warning("destination_unchecked", destination=name, reason=str(trouble))
                continue
            if problems:
                await self._tell_if_new(name, "; ".join(problems))

    async def forget(self) -> None:
        """Delete the log's old lines."""
        async with self.pool.connection() as connection:
            await deliveries.forget_log(connection, KEEP_LOG_DAYS)

    async def _tell_if_new(self, name: str, problem: str) -> None:
        async with self.pool.connection() as connection:
            await destinations.failing(connection, name, 1, problem, None)
            told = not await destinations.mark_alarmed(connection, name)
        if not told:
            await self._tell(name, problem)

    async def _drain(self, destination: Destination) -> None:
        pace, until = Pace(destination.per_second), time.monotonic() + BUDGET_SECONDS
        while time.monotonic() < until:
            async with self.pool.connection() as connection:
                health = await destinations.health(connection, destination.name)
                if health.held_until is not None and health.held_until > datetime.now(UTC):
                    return
                # One tells whether it takes answers again.
                pushes = 1 if health.failures else destination.at_once
                count = 1 if health.failures else pushes * destination.crm.most_at_once
                claimed = await deliveries.claim(connection, destination.name, count)
            if not claimed:
                return
            pushed = await push_all(destination, claimed, pace, healthy=not health.failures)
            async with self.pool.connection() as connection, connection.transaction():
                await deliveries.settle(connection, destination.name, [each.outcome for each in pushed])
                problem = await self._note_health(connection, destination.name, pushed, health.failures)
            if problem is not None:
                await self._tell(destination.name, problem)

    async def _note_health(
        self, connection: Connection, name: str, pushed: Sequence[Pushed], failures: int
    ) -> str | None:
        """What people are to be told, if anything."""
        for each in pushed:
            metrics.DELIVERIES.labels(name, _OUTCOMES[each.outcome.status]).inc()
        failed = [each for each in pushed if each.error is not None]
        if len(failed) < len(pushed):
            if failures:
                metrics.DESTINATION_FAILING.labels(name).set(0)
                log.info("destination_recovered", destination=name)
                if await destinations.recovered(connection, name):
                    return ""
            if hold := _asked_to_wait(failed):
                await destinations.failing(connection, name, 0, failed[0].reason, hold)
            return None
        worst = next((each for each in failed if isinstance(each.error, CrmMisconfigured)), failed[0])
        count = failures + len(failed)
        health = await destinations.failing(connection, name, len(failed), worst.reason, _hold(failed, count))
        metrics.DESTINATION_FAILING.labels(name).set(1)
        assert health.failing_since is not None, "the database sets it"
        lasting = datetime.now(UTC) - health.failing_since >= ALARM_AFTER
        telling = lasting or isinstance(worst.error, CrmMisconfigured)
        if telling and await destinations.mark_alarmed(connection, name):
            return worst.reason
        return None

    async def _tell(self, name: str, problem: str) -> None:
        """Tell people once that a destination takes nothing, and once that it does again (an empty ``problem``)."""
        if not problem:
            await self.alarm(
                f"{name} takes answers again", "What has waited is being delivered now, in its order."
            )
            return
        async with self.pool.connection() as connection:
            waiting = await deliveries.count_waiting(connection, name)
        log.error("destination_failing", destination=name, reason=problem, waiting=waiting)
        await self.alarm(
            f"{name} takes no answers",
            f"{problem}. {waiting} answers wait, and none is lost: they are delivered once it takes them again.",
        )


_OUTCOMES = {"delivered": "delivered", "refused": "refused", "waiting": "failed"}


def _job(name: str) -> Deferral:
    return Deferral(Task.DELIVER, {"destination": name})


def _asked_to_wait(failed: Sequence[Pushed]) -> float | None:
    """How long the destination itself asked to be left in peace."""
    asked = (each.error.retry_after or 0.0 for each in failed if isinstance(each.error, CrmBusy))
    return max(asked, default=0.0) or None


def _hold(failed: Sequence[Pushed], failures: int) -> float | None:
    """How long to try nothing: as it asked, else longer with every failure."""
    if asked := _asked_to_wait(failed):
        return asked
    if any(isinstance(each.error, CrmMisconfigured) for each in failed):
        return LONGEST_HOLD_SECONDS
    return min(2.0**failures, LONGEST_HOLD_SECONDS) if failures >= FAILURES_TO_HOLD else None
