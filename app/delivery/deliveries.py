"""Pushing responses to the operator's own systems: in order, at a set rate, and again where that may help."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from app import metrics
from app.delivery.jobs import Deliver
from app.delivery.push import Destination, Pace, PushResult, asked_to_wait, hold_after, push
from app.errors import CrmError, CrmMisconfigured
from app.jobs import Jobs
from app.ports import Crm
from app.store import Connection, Pool, deliveries, destinations, pushes
from app.store.destinations import DestinationHealth

log = structlog.get_logger(__name__)

BUDGET_SECONDS = 3.0  # so that a worker that is told to stop soon can
ALARM_AFTER = timedelta(minutes=15)
KEEP_LOG_DAYS = 30

News = tuple[str, str]
"""A message to the operators: its title and its body."""
Alarm = Callable[[str, str], Awaitable[None]]
"""Sends such a message: takes the title and the body."""


@dataclass(frozen=True)
class Deliveries:
    """Queues responses for the destinations, pushes them in order at each one's rate, and tries again after failures.

    ``alarm`` tells the operators of a destination that takes nothing.
    """

    pool: Pool
    jobs: Jobs
    destinations: Mapping[str, Destination]
    alarm: Alarm
    # Outlive the jobs, or each would push its first without waiting for its turn.
    _paces: dict[str, Pace] = field(default_factory=dict)

    async def want(self, connection: Connection, survey_id: UUID) -> None:
        """Have a response pushed as it stands now, in the transaction of ``connection``; safe to repeat."""
        wanted = {name: each.queues for name, each in self.destinations.items()}
        names = await deliveries.want(connection, survey_id, wanted) if wanted else ()
        await self.jobs.defer(connection, *map(Deliver, names))

    async def deliver(self, job: Deliver) -> None:
        """Push what waits for a destination, unless another worker does. What is left over is left to a next job."""
        name = job.destination
        destination = self.destinations.get(name)
        if destination is None:
            return
        async with self.pool.connection() as own:
            if not await destinations.reserve(own, name):
                return
            try:
                await self._drain(own, destination)
            finally:
                await destinations.release(own, name)
            # Whoever came while we held the reservation has gone again: what they brought is ours.
            if await deliveries.waiting(own, [name]):
                await self.jobs.defer(own, job)

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
            queues = self.destinations[name].queues
            count = await deliveries.replay(connection, name, queues, since, survey_id, refused=refused)
            await self.jobs.defer(connection, Deliver(name))
        return count

    async def deliver_waiting(self) -> None:
        """Take up what waits for its next try, and what was left by workers that died."""
        async with self.pool.connection() as connection:
            for name in await deliveries.waiting(connection, list(self.destinations)):
                await self.jobs.defer(connection, Deliver(name))

    async def check(self) -> None:
        """Ask every destination whether its options can work; people are told once of one where they cannot."""
        for name, destination in self.destinations.items():
            try:
                await self._check(name, destination.crm)
            except CrmError as trouble:
                log.warning("destination_unchecked", destination=name, reason=str(trouble))
            except Exception:
                log.exception("destination_unchecked", destination=name)

    async def forget(self) -> None:
        """Delete the log's lines that are older than it is kept for."""
        async with self.pool.connection() as connection:
            await pushes.forget_log(connection, KEEP_LOG_DAYS)

    async def _check(self, name: str, crm: Crm) -> None:
        try:
            problems = await crm.check()
        except CrmMisconfigured as wrong:
            problems = [str(wrong)]
        if problems:
            await self._note_mistake(name, "; ".join(problems))
        else:
            await self._note_mended(name)

    async def _note_mended(self, name: str) -> None:
        """Where something waits, it is tried at once, and shows whether all is well."""
        async with self.pool.connection() as connection, connection.transaction():
            await destinations.lift_hold(connection, name)
            waits = await deliveries.count_waiting(connection, name)
            known = not waits and await destinations.recovered(connection, name)
        if known:
            await self.alarm(*_recovery(name))

    async def _note_mistake(self, name: str, problem: str) -> None:
        async with self.pool.connection() as connection:
            await destinations.failing(connection, name, 1, problem, None)
            news = await _trouble(connection, name, problem)
        if news is not None:
            await self.alarm(*news)

    async def _drain(self, own: Connection, destination: Destination) -> None:
        """All on the connection that holds the reservation: where it breaks, nothing more is pushed without one."""
        pace = self._paces.setdefault(destination.name, Pace(destination.per_second))
        until = time.monotonic() + BUDGET_SECONDS
        while time.monotonic() < until:
            health = await destinations.health(own, destination.name)
            if health.held_until is not None and health.held_until > datetime.now(UTC):
                return
            count = _how_many(destination, health.failures)
            claimed = await pushes.claim(own, destination.name, count, counted=not health.failures)
            if not claimed:
                return
            pushed = await push(destination, claimed, pace, health.failures)
            async with own.transaction():
                await pushes.settle(own, destination.name, [each.outcome for each in pushed])
                news = await _note_health(own, destination.name, pushed, health)
            if news is not None:
                await self.alarm(*news)


_OUTCOMES = {"delivered": "delivered", "refused": "refused", "waiting": "failed"}


async def _note_health(
    connection: Connection, name: str, pushed: Sequence[PushResult], before: DestinationHealth
) -> News | None:
    """Write down how a destination does, and give what people are to be told, if anything."""
    for result in pushed:
        metrics.DELIVERIES.labels(name, _OUTCOMES[result.outcome.status]).inc()
    failed = [each for each in pushed if each.error is not None]
    errors = [each.error for each in failed if each.error is not None]
    if not failed:
        return await _note_recovery(connection, name, before)
    if len(failed) < len(pushed):
        if hold := asked_to_wait(errors):
            await destinations.failing(connection, name, 0, failed[0].reason, hold)
        return None
    worst = next((each for each in failed if isinstance(each.error, CrmMisconfigured)), failed[0])
    hold = hold_after(errors, before.failures + len(failed))
    health = await destinations.failing(connection, name, len(failed), worst.reason, hold)
    metrics.DESTINATION_FAILING.labels(name).set(1)
    assert health.failing_since is not None, "the database sets it"
    lasting = datetime.now(UTC) - health.failing_since >= ALARM_AFTER
    if lasting or isinstance(worst.error, CrmMisconfigured):
        return await _trouble(connection, name, worst.reason)
    return None


async def _note_recovery(connection: Connection, name: str, before: DestinationHealth) -> News | None:
    if before.failing_since is None:
        return None
    metrics.DESTINATION_FAILING.labels(name).set(0)
    log.info("destination_recovered", destination=name)
    return _recovery(name) if await destinations.recovered(connection, name) else None


async def _trouble(connection: Connection, name: str, problem: str) -> News | None:
    """That a destination takes nothing; None where people were told before."""
    if not await destinations.mark_alarmed(connection, name):
        return None
    waiting = await deliveries.count_waiting(connection, name)
    log.error("destination_failing", destination=name, reason=problem, waiting=waiting)
    answers = "1 answer waits" if waiting == 1 else f"{waiting:,} answers wait"
    return (
        f"{name} takes no answers",
        f"Reason: {problem}. {answers}; none is lost. They are tried again every few minutes."
        f" Once it is mended, zeroten crm test {name} shows whether all is well.",
    )


def _recovery(name: str) -> News:
    return f"{name} takes answers again", "What has waited is being delivered now, in its order."


def _how_many(destination: Destination, failures: int) -> int:
    """As many as are pushed in one go, none of them beyond the budget; one to see whether it takes answers again."""
    if failures:
        return 1
    pushes = min(destination.at_once, max(1, int(destination.per_second * BUDGET_SECONDS)))
    return pushes * destination.crm.most_at_once
