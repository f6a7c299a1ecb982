"""Reaching a person: one attempt is checked again, written down, paced, and placed once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from app import metrics
from app.errors import CarrierBusy, CarrierMisconfigured, CarrierOutcomeUnknown, CarrierRefused
from app.jobs import Jobs
from app.outreach.jobs import LookUpAttempt, ReconcileAttempt, StartAttempt
from app.outreach.pacing import Pacer
from app.outreach.planning import Planner
from app.outreach.tracking import AttemptTracking
from app.ports import Channel, Contact
from app.store import Connection, Pool, attempt_starts, attempts, clock, pacing, surveys
from app.store.attempts import Attempt
from app.store.surveys import Survey
from app.survey import Eligible, Skip

log = structlog.get_logger(__name__)

BUSY_PAUSE = timedelta(seconds=30)
# So long an attempt may wait for its slot before the rules are asked again.
CHECKED_FOR = timedelta(minutes=3)
MISCONFIGURED_HOLD_SECONDS = 300.0
# Reasons against this channel, which say nothing against another.
OF_THE_CHANNEL = frozenset({"too_many_calls"})


@dataclass(frozen=True)
class AttemptStart:
    """An attempt that is written and waits for its slot. Of the processes that may wait with it one begins it."""

    attempt_id: UUID
    until: datetime
    """When the hours and the person's wishes must be looked at again, for this process may have stood still."""

    async def is_wanted(self, connection: Connection) -> bool:
        """Whether nobody has begun it yet, and its survey still waits for it."""
        return await attempt_starts.is_wanted(connection, self.attempt_id)

    async def begin(self, connection: Connection) -> bool:
        """Note that the carrier is about to be asked."""
        return await attempt_starts.begin(connection, self.attempt_id, self.until)

    async def put_off(self, connection: Connection) -> None:
        """Take `begin` back: the carrier was not asked, and the attempt waits for another slot."""
        await attempt_starts.put_off(connection, self.attempt_id)


@dataclass(frozen=True)
class AttemptStarter:
    """The job that places an attempt. It may run twice: it locks the survey, looks again, then acts."""

    pool: Pool
    jobs: Jobs
    channels: Mapping[str, Channel]
    planner: Planner
    tracking: AttemptTracking
    pacers: Mapping[str, Pacer]

    async def start(self, job: StartAttempt) -> None:
        """Place the attempt if it is still wanted and allowed, once it is its turn."""
        written = await self._write_attempt(job)
        if written is None:
            return
        contact, channel, until = written
        if await self.pacers[channel].next_slot(AttemptStart(contact.attempt_id, until)):
            await self._place(contact, channel, job.number)
        else:
            await self._give_up(contact, channel, job.number)

    async def prepare(self) -> None:
        """Before the first start: compare clocks, and let attempts that stand in line feel that a rate was changed."""
        for channel, pacer in self.pacers.items():
            await pacer.compare_clocks()
            async with self.pool.connection() as connection:
                stretched = await pacer.adopt_rate(connection, StartAttempt.name, channel)
            if stretched:
                log.info("line_stretched", channel=channel, count=stretched)

    async def _is_turn(self, connection: Connection, job: StartAttempt, channel: str) -> bool:
        """Whether to go on now; else the job comes back when it is its turn."""
        at = await self.pacers[channel].come_back_at(connection, in_line=job.in_line)
        if at is not None:
            await self.jobs.defer(connection, replace(job, in_line=True), at=at)
        return at is None

    async def _check(self, connection: Connection, survey_id: UUID, number: int) -> Survey | None:
        """The survey, locked, if this attempt may be placed now; else what follows is written and it is None."""
        survey = await surveys.read(connection, survey_id, lock=True)
        if survey is None or not survey.is_open:
            return None
        if not await self._is_next(connection, await attempts.last(connection, survey_id), number):
            return None
        if survey.status == "in_progress" or await self._is_shut(connection, survey, number):
            return None
        now = await clock.now(connection)
        match await self.planner.recheck(connection, survey, now):
            case Skip(reason):
                if reason in OF_THE_CHANNEL:
                    await self._go_on_or_drop(connection, survey, number, reason)
                else:
                    await self.tracking.drop(connection, survey, number, reason)
                return None
            case Eligible(due_at) if due_at > now + timedelta(seconds=1):
                await self._postpone(connection, survey, number, due_at)
                return None
            case _ if not await self.planner.may_write(connection, survey, now):
                await self._go_on_or_drop(connection, survey, number, "template_required")
                return None
            case _:
                return survey

    async def _is_next(self, connection: Connection, last: Attempt | None, number: int) -> bool:
        """Whether attempt ``number`` may be made after ``last``: also one that was written and that nobody has begun.

        One that was begun, by this job before a crash or by another, is looked up and never begun again.
        """
        if last is None:
            return number == 1
        if last.number == number and last.disposition is None and last.begun_at is None:
            return True
        if last.number != number - 1:
            await self.tracking.recover(connection, last)
            return False
        return not last.may_ring

    async def _is_shut(self, connection: Connection, survey: Survey, number: int) -> bool:
        """Whether nothing leaves by this channel, for now or at all; then what follows is written."""
        if survey.channel not in self.channels:
            await self._go_on_or_drop(connection, survey, number, "channel_not_offered")
            return True
        hold = await pacing.held(connection, self.pacers[survey.channel].sender)
        if hold is not None:
            await self._postpone(connection, survey, number, hold.held_until)
        return hold is not None

    async def _go_on_or_drop(self, connection: Connection, survey: Survey, number: int, reason: str) -> None:
        if not await self.tracking.onward(connection, survey, number):
            await self.tracking.drop(connection, survey, number, reason)

    async def _postpone(self, connection: Connection, survey: Survey, number: int, due_at: datetime) -> None:
        await surveys.move(connection, survey.id, "scheduled", due_at=due_at)
        await self.jobs.defer(connection, StartAttempt(survey.id, number), at=due_at)

    async def _write_attempt(self, job: StartAttempt) -> tuple[Contact, str, datetime] | None:
        async with self.pool.connection() as connection, connection.transaction():
            survey = await self._check(connection, job.survey_id, job.number)
            if survey is None or not await self._is_turn(connection, job, survey.channel):
                return None
            until = await clock.now(connection) + CHECKED_FOR
            last = await attempts.last(connection, survey.id)
            if last is not None and last.number == job.number:
                return await self.planner.contact(connection, survey, last.id), survey.channel, until
            contact = await self.planner.contact(connection, survey, uuid4())
            await attempts.write(connection, contact.attempt_id, survey.id, job.number, survey.channel)
            await surveys.move(connection, survey.id, "contacting")
            await self.jobs.defer(connection, ReconcileAttempt(contact.attempt_id, 1))
            return contact, survey.channel, until

    async def _place(self, contact: Contact, channel: str, number: int) -> None:
        try:
            sid = await self.channels[channel].start(contact)
        except CarrierRefused as refusal:
            log.warning("attempt_refused", error=str(refusal))
            await self.tracking.refused(contact.attempt_id, refusal)
        except CarrierMisconfigured as fault:
            log.exception("carrier_misconfigured", held_seconds=MISCONFIGURED_HOLD_SECONDS)
            async with self.pool.connection() as connection:
                await pacing.hold(
                    connection, self.pacers[channel].sender, MISCONFIGURED_HOLD_SECONDS, str(fault)
                )
            await self._take_back(contact, channel, number, timedelta())
        except CarrierBusy as busy:
            log.warning("carrier_busy", error=str(busy))
            await self._take_back(contact, channel, number, BUSY_PAUSE)
        except CarrierOutcomeUnknown as unknown:
            log.warning("outcome_unknown", error=str(unknown))
            async with self.pool.connection() as connection:
                await self.jobs.defer(connection, LookUpAttempt(contact.attempt_id, 1))
        else:
            metrics.ATTEMPTS_PLACED.labels(channel).inc()
            await self.tracking.placed(contact.attempt_id, sid)

    async def _give_up(self, contact: Contact, channel: str, number: int) -> None:
        """No slot was found: leave no attempt behind that nobody has begun, and come back."""
        async with self.pool.connection() as connection, connection.transaction():
            if await attempt_starts.erase_unbegun(connection, contact.attempt_id):
                await self._come_back(connection, contact, channel, number, timedelta())

    async def _take_back(self, contact: Contact, channel: str, number: int, after: timedelta) -> None:
        """The carrier did not take the attempt that was begun here: leave none behind, and come back later."""
        async with self.pool.connection() as connection, connection.transaction():
            if await attempt_starts.erase_unplaced(connection, contact.attempt_id):
                await self._come_back(connection, contact, channel, number, after)

    async def _come_back(
        self, connection: Connection, contact: Contact, channel: str, number: int, after: timedelta
    ) -> None:
        """Have the attempt made after a while, if the survey still waits for it."""
        survey = await surveys.read_existing(connection, contact.survey_id, lock=True)
        if survey.status != "contacting" and survey.opened_by != contact.opener:
            return
        if self.channels[channel].answer_within is not None:
            await surveys.start_over(connection, contact.survey_id)
        at = await clock.now(connection) + after if after else None
        await surveys.move(connection, contact.survey_id, "scheduled", due_at=at)
        await self.jobs.defer(connection, StartAttempt(contact.survey_id, number), at=at)
