"""What becomes of an attempt: callbacks in any order, twice or never, and outcomes nobody heard of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from app import metrics
from app.candidates import Candidates
from app.conversation import Conversations
from app.errors import CarrierRefused
from app.jobs import Deferral, Jobs, Task
from app.ports import Channel, Disposition, Sighting
from app.store import Connection, Pool, attempts, suppressions, surveys
from app.store.attempts import Attempt
from app.store.surveys import Survey

log = structlog.get_logger(__name__)

SLOT_PRIORITY = 10
LOOK_UP_PAUSES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60))
COLLECT_AFTER = timedelta(minutes=3)
RECONCILE_AGAIN = timedelta(minutes=10)
RECONCILIATIONS = 12
CLOCK_TOLERANCE = timedelta(seconds=60)
WORTH_ANOTHER_ATTEMPT: frozenset[Disposition] = frozenset({"busy", "no_answer", "machine", "not_placed"})


def start_job(survey_id: UUID, number: int, at: datetime | None, slot: datetime | None = None) -> Deferral:
    """The job that places an attempt; one that holds a slot goes before those that must still take one."""
    arguments = {"survey_id": str(survey_id), "number": number, "slot": slot and slot.isoformat()}
    return Deferral(Task.START_ATTEMPT, arguments, at, SLOT_PRIORITY if slot else 0)


@dataclass(frozen=True)
class Aftermath:
    """Settles attempts. Every method may be called again with the same news and then changes nothing."""

    pool: Pool
    jobs: Jobs
    channels: Mapping[str, Channel]
    candidates: Candidates
    conversations: Conversations
    timezone: ZoneInfo

    async def placed(self, attempt_id: UUID, sid: str) -> None:
        """The carrier took the attempt, or its own webhook showed us that it had."""
        async with self.pool.connection() as connection, connection.transaction():
            if await attempts.name_sid(connection, attempt_id, sid):
                attempt = await attempts.read(connection, attempt_id)
                assert attempt is not None, "its SID was just written"
                await surveys.mark_invited(connection, attempt.survey_id, self._today())

    async def refused(self, attempt_id: UUID, refusal: CarrierRefused) -> None:
        """The carrier will never reach this person this way."""
        async with self.pool.connection() as connection, connection.transaction():
            attempt = await attempts.end(connection, attempt_id, "refused", refusal.carrier_code)
            if attempt is None:
                return
            if refusal.opted_out:
                await suppressions.add_for_survey(connection, attempt.survey_id)
            else:
                await surveys.move(connection, attempt.survey_id, "failed", reason="carrier_refused")

    async def sighted(self, attempt_id: UUID, sighting: Sighting) -> None:
        """A callback or a look at the carrier: move the attempt forward, and settle it once it is over."""
        await self.placed(attempt_id, sighting.sid)
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, attempt_id)
            if attempt is None or attempt.carrier_sid != sighting.sid:
                return
            await attempts.move(connection, attempt_id, sighting.status)
        if sighting.disposition is not None and attempt.disposition is None:
            await self._settle(attempt, sighting)

    async def machine_answered(self, attempt_id: UUID, sid: str, answered_by: str) -> None:
        """A machine picked up: hang up and leave no message, unless a person has already answered a question."""
        async with self.pool.connection() as connection, connection.transaction():
            attempt = await attempts.read(connection, attempt_id, lock=True)
            if attempt is None or attempt.carrier_sid not in (None, sid) or attempt.disposition is not None:
                return
            if await surveys.was_reached(connection, attempt.survey_id):
                return
            await attempts.note_answerer(connection, attempt_id, answered_by)
            await self.jobs.defer(
                connection, Deferral(Task.HANG_UP, {"attempt_id": str(attempt_id), "sid": sid})
            )

    async def hang_up(self, attempt_id: UUID, sid: str) -> None:
        """End the call that a machine took, and settle it without waiting for the carrier's word."""
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, attempt_id)
        if attempt is not None:
            await self.channels[attempt.channel].stop(sid)
            await self._settle(attempt, Sighting(sid, "ended", "machine"))

    async def look_up(self, attempt_id: UUID, tries: int) -> None:
        """Find out whether an attempt of unknown outcome was placed; it is never placed again under its number."""
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, attempt_id)
            if attempt is None or attempt.carrier_sid is not None or attempt.disposition is not None:
                return
            survey = await surveys.read(connection, attempt.survey_id)
            assert survey is not None, "attempts.survey_id is a foreign key"
            contact = await self.candidates.contact(connection, survey, attempt_id)
        found = await self.channels[attempt.channel].find(contact, attempt.created_at - CLOCK_TOLERANCE)
        async with self.pool.connection() as connection:
            taken = await attempts.known_sids(connection, [each.sid for each in found])
        ours = [each for each in found if each.sid not in taken]
        if ours:
            await self.sighted(attempt_id, ours[0])
        elif tries < len(LOOK_UP_PAUSES):
            await self._defer(self.look_up_job(attempt_id, tries + 1))
        else:
            await self._settle(attempt, Sighting("", "ended", "not_placed"))

    async def reconcile(self, attempt_id: UUID, tries: int) -> None:
        """Callbacks get lost: ask the carrier how an attempt stands, until it is over."""
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, attempt_id)
        if attempt is None or attempt.disposition is not None:
            return
        if attempt.carrier_sid is None:
            await self.look_up(attempt_id, len(LOOK_UP_PAUSES))
            return
        sighting = await self.channels[attempt.channel].look(attempt.carrier_sid)
        over = Sighting(attempt.carrier_sid, "ended", "failed")
        await self.sighted(attempt_id, sighting or over)
        if tries < RECONCILIATIONS:
            again = {"attempt_id": str(attempt_id), "tries": tries + 1}
            await self._defer(Deferral(Task.RECONCILE_ATTEMPT, again, datetime.now(UTC) + RECONCILE_AGAIN))
        else:
            await self._settle(attempt, over)

    async def recover(self, connection: Connection, last: Attempt | None) -> None:
        """A start was repeated after a crash: its attempt may or may not have been placed."""
        if last is not None and last.carrier_sid is None and last.disposition is None:
            await self.jobs.defer(connection, self.look_up_job(last.id, 1))

    async def drop(self, connection: Connection, survey: Survey, number: int, reason: str) -> None:
        """The rules no longer allow the attempt: end the survey with the reason."""
        match reason, number:
            case "opted_out", _:
                status = "opted_out"
            case _, 1:
                status = "expired"
            case _:
                status = "unreached"
        await surveys.move(connection, survey.id, status, reason=reason)
        metrics.SURVEYS_DROPPED.labels(reason).inc()

    def look_up_job(self, attempt_id: UUID, tries: int) -> Deferral:
        """The job that looks an attempt up, a little later each time."""
        at = datetime.now(UTC) + LOOK_UP_PAUSES[tries - 1]
        return Deferral(Task.LOOK_UP_ATTEMPT, {"attempt_id": str(attempt_id), "tries": tries}, at)

    async def _settle(self, attempt: Attempt, sighting: Sighting) -> None:
        disposition = sighting.disposition
        assert disposition is not None, "only an attempt that is over is settled"
        if disposition == "answered" and attempt.answered_by is not None:
            disposition = "machine"
        if disposition == "answered":
            await self.conversations.leave(attempt.survey_id, sighting.sid)
        async with self.pool.connection() as connection, connection.transaction():
            if await attempts.end(connection, attempt.id, disposition) is None:
                return
            if disposition == "answered":
                collect = {"attempt_id": str(attempt.id)}
                at = datetime.now(UTC) + COLLECT_AFTER
                await self.jobs.defer(connection, Deferral(Task.COLLECT_RECORDINGS, collect, at))
            metrics.ATTEMPTS_ENDED.labels(disposition).inc()
            survey = await surveys.read(connection, attempt.survey_id, lock=True)
            assert survey is not None, "attempts.survey_id is a foreign key"
            if survey.is_open:
                again = disposition in WORTH_ANOTHER_ATTEMPT or sighting.temporary
                await self._what_next(connection, survey, attempt, disposition, again)

    async def _what_next(
        self, connection: Connection, survey: Survey, attempt: Attempt, disposition: Disposition, again: bool
    ) -> None:
        if disposition == "machine":
            await surveys.start_over(connection, survey.id)
        retry_at = await self.candidates.next_attempt(connection, survey, attempt.number, datetime.now(UTC))
        if again and retry_at is not None:
            await surveys.move(connection, survey.id, "scheduled", due_at=retry_at)
            await self.jobs.defer(connection, start_job(survey.id, attempt.number + 1, retry_at))
        else:
            ended = "unreached" if again else "failed"
            await surveys.move(connection, survey.id, ended, reason=disposition)

    def _today(self) -> str:
        return datetime.now(self.timezone).date().isoformat()

    async def _defer(self, job: Deferral) -> None:
        async with self.pool.connection() as connection:
            await self.jobs.defer(connection, job)
