"""Reaching a person: one attempt is checked again, written down, paced, and placed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog

from app import metrics
from app.aftermath import Aftermath, start_job
from app.candidates import Candidates
from app.errors import CarrierBusy, CarrierMisconfigured, CarrierOutcomeUnknown, CarrierRefused
from app.jobs import Deferral, Jobs, Task
from app.pacing import Pacer
from app.ports import Channel, Contact
from app.store import Connection, Pool, attempts, pacing, surveys
from app.store.surveys import Survey
from app.survey.eligibility import Eligible, Skip

log = structlog.get_logger(__name__)

HELD_IN_HAND_SECONDS = 0.5
WAKE_BEFORE_SLOT = timedelta(seconds=0.3)
BUSY_PAUSE = timedelta(seconds=30)
MISCONFIGURED_HOLD_SECONDS = 300.0
RECONCILE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Outreach:
    """The job that places an attempt. It may run twice: it locks the survey, looks again, then acts."""

    pool: Pool
    jobs: Jobs
    channels: Mapping[str, Channel]
    candidates: Candidates
    aftermath: Aftermath
    pacers: Mapping[str, Pacer]

    async def start_attempt(self, survey_id: UUID, number: int, slot: datetime | None = None) -> None:
        """Place attempt ``number`` of a survey if it is still wanted and allowed, exactly in its slot."""
        async with self.pool.connection() as connection, connection.transaction():
            survey = await self._check(connection, survey_id, number)
        if survey is None:
            return
        pacer = self.pacers[survey.channel]
        if slot is None:
            taken = await pacer.take()
            slot = taken.at
            if taken.seconds > HELD_IN_HAND_SECONDS:
                await self._defer(start_job(survey_id, number, slot - WAKE_BEFORE_SLOT, slot))
                return
        await self._start_in_slot(survey_id, number, slot)

    async def _start_in_slot(self, survey_id: UUID, number: int, slot: datetime) -> None:
        written = await self._write_attempt(survey_id, number)
        if written is None:
            return
        contact, channel = written
        if await self.pacers[channel].reach(slot):
            await self._place(contact, channel, number)
        else:
            metrics.SLOTS_MISSED.inc()
            await self._take_back(contact, number, None)

    async def _check(self, connection: Connection, survey_id: UUID, number: int) -> Survey | None:
        """The survey, locked, if this attempt may be placed now; else what follows is written and it is None."""
        survey = await surveys.read(connection, survey_id, lock=True)
        if survey is None or survey.status not in ("scheduled", "contacting"):
            return None
        last = await attempts.last(connection, survey_id)
        if number != (1 if last is None else last.number + 1):
            await self.aftermath.recover(connection, last)
            return None
        hold = await pacing.held(connection, self.pacers[survey.channel].sender)
        if hold is not None:
            await self._postpone(connection, survey, number, hold.held_until)
            return None
        match await self.candidates.recheck(connection, survey, datetime.now(UTC)):
            case Skip(reason):
                await self.aftermath.drop(connection, survey, number, reason)
                return None
            case Eligible(due_at) if due_at > datetime.now(UTC) + timedelta(seconds=1):
                await self._postpone(connection, survey, number, due_at)
                return None
            case _:
                return survey

    async def _postpone(self, connection: Connection, survey: Survey, number: int, due_at: datetime) -> None:
        await surveys.move(connection, survey.id, "scheduled", due_at=due_at)
        await self.jobs.defer(connection, start_job(survey.id, number, due_at))

    async def _write_attempt(self, survey_id: UUID, number: int) -> tuple[Contact, str] | None:
        async with self.pool.connection() as connection, connection.transaction():
            survey = await self._check(connection, survey_id, number)
            if survey is None:
                return None
            contact = await self.candidates.contact(connection, survey, uuid4())
            await attempts.write(connection, contact.attempt_id, survey_id, number, survey.channel)
            await surveys.move(connection, survey_id, "contacting")
            later = datetime.now(UTC) + RECONCILE_AFTER
            again = Deferral(
                Task.RECONCILE_ATTEMPT, {"attempt_id": str(contact.attempt_id), "tries": 1}, later
            )
            await self.jobs.defer(connection, again)
            return contact, survey.channel

    async def _place(self, contact: Contact, channel: str, number: int) -> None:
        try:
            sid = await self.channels[channel].start(contact)
        except CarrierRefused as refusal:
            log.warning("attempt_refused", error=str(refusal))
            await self.aftermath.refused(contact.attempt_id, refusal)
        except CarrierMisconfigured as fault:
            log.exception("carrier_misconfigured", held_seconds=MISCONFIGURED_HOLD_SECONDS)
            async with self.pool.connection() as connection:
                await pacing.hold(
                    connection, self.pacers[channel].sender, MISCONFIGURED_HOLD_SECONDS, str(fault)
                )
            await self._take_back(contact, number, None)
        except CarrierBusy as busy:
            log.warning("carrier_busy", error=str(busy))
            await self._take_back(contact, number, datetime.now(UTC) + BUSY_PAUSE)
        except CarrierOutcomeUnknown as unknown:
            log.warning("outcome_unknown", error=str(unknown))
            await self._defer(self.aftermath.look_up_job(contact.attempt_id, 1))
        else:
            metrics.ATTEMPTS_PLACED.labels(channel).inc()
            await self.aftermath.placed(contact.attempt_id, sid)

    async def _take_back(self, contact: Contact, number: int, at: datetime | None) -> None:
        """Nothing was placed: leave no attempt behind, and come back later."""
        async with self.pool.connection() as connection, connection.transaction():
            await attempts.erase_unplaced(connection, contact.attempt_id)
            await surveys.move(connection, contact.survey_id, "scheduled", due_at=at)
            await self.jobs.defer(connection, start_job(contact.survey_id, number, at))

    async def _defer(self, job: Deferral) -> None:
        async with self.pool.connection() as connection:
            await self.jobs.defer(connection, job)
