"""What becomes of an attempt: callbacks in any order, twice or never, and outcomes nobody heard of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog

from app import metrics
from app.conversation import Conversations
from app.errors import OPTED_OUT_AT_CARRIER, CarrierError, CarrierRefused
from app.jobs import Jobs
from app.outreach.jobs import (
    LOOK_UP_PAUSES,
    CollectRecordings,
    ExpireAttempt,
    HangUp,
    LookUpAttempt,
    ReconcileAttempt,
    SendReminder,
    StartAttempt,
)
from app.outreach.planning import Planner
from app.ports import AttemptReport, Channel, Disposition, opener
from app.store import Connection, Pool, attempts, clock, suppressions, surveys
from app.store.attempts import Attempt
from app.store.surveys import Survey
from app.survey import Eligible

log = structlog.get_logger(__name__)

RECONCILIATIONS = 12
# A carrier that took nothing is asked again after this long, then twice as long, and so on; nobody has been rung yet.
UNPLACED_PAUSE = timedelta(minutes=5)
UNPLACED_LIMIT = 10
# A request leaves within 15 seconds or never, and is answered within 40; then the carrier lists it.
MAY_YET_BE_PLACED = timedelta(seconds=75)
WORTH_ANOTHER_ATTEMPT: frozenset[Disposition] = frozenset({"busy", "no_answer", "machine", "not_placed"})

# The message is there, as far as anyone can know: now it is for the person to answer.
AWAITS_ANSWER: frozenset[Disposition] = frozenset({"delivered", "sent"})


@dataclass(frozen=True)
class AttemptTracking:
    """Settles attempts. Every method may be called again with the same news and then changes nothing."""

    pool: Pool
    jobs: Jobs
    channels: Mapping[str, Channel]
    planner: Planner
    conversations: Conversations
    timezone: ZoneInfo
    remind_after: timedelta | None = None

    async def placed(self, attempt_id: UUID, sid: str) -> None:
        """The carrier took the attempt, or its own webhook showed us that it had."""
        async with self.pool.connection() as connection, connection.transaction():
            if await attempts.name_sid(connection, attempt_id, sid):
                attempt = await attempts.read(connection, attempt_id)
                assert attempt is not None, "its SID was just written"
                if attempt.disposition == "not_placed":
                    await self._placed_after_all(connection, attempt)
                await self._mark_invited(connection, attempt.survey_id)
                await self._await_answer(connection, attempt)

    async def refused(self, attempt_id: UUID, refusal: CarrierRefused) -> None:
        """End a refused attempt; then suppress who opted out at the carrier, else try the next channel or fail."""
        async with self.pool.connection() as connection, connection.transaction():
            attempt = await attempts.end(connection, attempt_id, "refused", refusal.carrier_code)
            if attempt is None:
                return
            survey = await surveys.read_existing(connection, attempt.survey_id, lock=True)
            if refusal.opted_out:
                await suppressions.add_for_survey(connection, survey.id)
            elif survey.is_open and not await self.onward(connection, survey, attempt.number + 1):
                await surveys.move(connection, survey.id, "failed", reason="carrier_refused")

    async def called_in(self, connection: Connection, survey: Survey, sid: str) -> UUID:
        """The person calls us: the attempt that is this call, written when the carrier first told of it.

        ``survey`` must be locked, so that the carrier's repetition finds what was written.
        """
        known = await attempts.of_call(connection, sid)
        if known is not None:
            return known
        attempt_id, last = uuid4(), await attempts.last(connection, survey.id)
        number = 1 if last is None else last.number + 1
        await attempts.write(connection, attempt_id, survey.id, number, "voice", "inbound")
        await attempts.name_sid(connection, attempt_id, sid)
        await self._mark_invited(connection, survey.id)
        await self.jobs.defer(connection, ReconcileAttempt(attempt_id, 1))
        return attempt_id

    async def report(self, attempt_id: UUID, report: AttemptReport) -> None:
        """A callback or a look at the carrier: move the attempt forward, and settle it once it is over."""
        await self.placed(attempt_id, report.sid)
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, attempt_id)
            if attempt is None or attempt.carrier_sid != report.sid:
                return
            await attempts.move(connection, attempt_id, report.status)
        if report.disposition is not None:
            await self._settle(attempt, report)

    async def machine_answered(self, attempt_id: UUID, sid: str, answered_by: str) -> None:
        """A machine picked up: hang up and leave no message, unless a person has shown to be there."""
        async with self.pool.connection() as connection, connection.transaction():
            attempt = await attempts.read(connection, attempt_id, lock=True)
            if attempt is None or attempt.carrier_sid not in (None, sid) or attempt.disposition is not None:
                return
            if await surveys.was_reached(connection, attempt.survey_id):
                return
            await attempts.note_answerer(connection, attempt_id, answered_by)
            await self.jobs.defer(connection, HangUp(attempt_id, sid))

    async def hang_up(self, job: HangUp) -> None:
        """End the call that a machine took, and settle it without waiting for the carrier's word."""
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, job.attempt_id)
        if attempt is not None:
            await self.channels[attempt.channel].stop(job.sid)
            await self._settle(attempt, AttemptReport(job.sid, "ended", "machine"))

    async def look_up(self, job: LookUpAttempt) -> None:
        """Find out whether an attempt of unknown outcome was placed; it is never placed again under its number.

        One that nobody has begun needs no looking up: it is started.
        """
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, job.attempt_id)
            if attempt is None or attempt.carrier_sid is not None or attempt.disposition is not None:
                return
            if attempt.begun_at is None:
                await self.jobs.defer(connection, StartAttempt(attempt.survey_id, attempt.number))
                return
            survey = await surveys.read_existing(connection, attempt.survey_id)
            contact = await self.planner.contact(connection, survey, attempt.id)
        found = await self.channels[attempt.channel].find(contact, attempt.created_at)
        async with self.pool.connection() as connection:
            taken = await attempts.known_sids(connection, [each.sid for each in found])
            is_young = await clock.now(connection) < attempt.begun_at + MAY_YET_BE_PLACED
        ours = [each for each in found if each.sid not in taken]
        if ours:
            await self.report(attempt.id, ours[0])
        elif is_young or job.tries < len(LOOK_UP_PAUSES):
            tries = min(job.tries + 1, len(LOOK_UP_PAUSES))
            async with self.pool.connection() as connection:
                await self.jobs.defer(connection, replace(job, tries=tries))
        else:
            await self._settle(attempt, AttemptReport("", "ended", "not_placed"))

    async def reconcile(self, job: ReconcileAttempt) -> None:
        """Callbacks get lost: ask the carrier how an attempt stands, until it is over."""
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, job.attempt_id)
        if attempt is None or attempt.disposition is not None:
            return
        try:
            await self._catch_up(attempt)
        except CarrierError as error:
            log.warning("carrier_cannot_be_asked", error=str(error))
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, job.attempt_id)
            if attempt is None or attempt.disposition is not None:
                return
            if job.tries < RECONCILIATIONS:
                await self.jobs.defer(connection, replace(job, tries=job.tries + 1))
                return
        # Whoever may have been called is not called again.
        await self._settle(attempt, AttemptReport(attempt.carrier_sid or "", "ended", "failed"))

    async def _catch_up(self, attempt: Attempt) -> None:
        if attempt.carrier_sid is None:
            await self.look_up(LookUpAttempt(attempt.id, len(LOOK_UP_PAUSES)))
            return
        report = await self.channels[attempt.channel].look(attempt.carrier_sid)
        await self.report(attempt.id, report or AttemptReport(attempt.carrier_sid, "ended", "failed"))

    async def recover(self, connection: Connection, last: Attempt | None) -> None:
        """A start was repeated after a crash: its attempt may or may not have been placed."""
        if last is not None and last.carrier_sid is None and last.disposition is None:
            await self.jobs.defer(connection, LookUpAttempt(last.id, 1))

    async def onward(self, connection: Connection, survey: Survey, number: int) -> bool:
        """Turn to the queue's next channel with attempt ``number``; False where there is none left."""
        now = await clock.now(connection)
        following = await self.planner.next_channel(connection, survey, self.channels.keys(), now)
        if following is None:
            return False
        channel, due_at = following
        await surveys.start_over(connection, survey.id)
        await surveys.change_channel(connection, survey.id, channel, due_at, self.timezone.key)
        await self.jobs.defer(connection, StartAttempt(survey.id, number), at=due_at)
        return True

    async def drop(self, connection: Connection, survey: Survey, number: int, reason: str) -> None:
        """The rules no longer allow the attempt: end the survey with the reason."""
        ended = "expired" if number == 1 else "unreached"
        status = "opted_out" if reason == "opted_out" else ended
        await surveys.move(connection, survey.id, status, reason=reason)
        metrics.SURVEYS_DROPPED.labels(reason).inc()

    async def _settle(self, attempt: Attempt, report: AttemptReport) -> None:
        disposition = report.disposition
        assert disposition is not None, "only an attempt that is over is settled"
        if disposition == "answered" and attempt.answered_by is not None:
            disposition = "machine"
        if disposition == "answered":
            await self.conversations.leave(attempt.survey_id, report.sid)
        async with self.pool.connection() as connection, connection.transaction():
            if await attempts.end(connection, attempt.id, disposition, report.error_code) is None:
                if disposition == "delivered":
                    await self._arrived_after_all(connection, attempt)
                return
            metrics.ATTEMPTS_ENDED.labels(disposition).inc()
            if disposition == "answered":
                await self.jobs.defer(connection, CollectRecordings(attempt.id))
            survey = await surveys.read_existing(connection, attempt.survey_id, lock=True)
            if disposition == "no_such_number" and survey.phone is not None:
                await suppressions.add_dead_number(connection, survey.phone, survey.id)
            if report.error_code == OPTED_OUT_AT_CARRIER:
                await suppressions.add_for_survey(connection, survey.id)
                return
            if disposition in AWAITS_ANSWER or await self._has_answered(connection, attempt):
                return
            # A survey that goes on in another call is that call's to end.
            if survey.is_open and survey.opened_by in (None, report.sid, opener(attempt.id)):
                lost = attempt.direction == "inbound"
                again = lost or report.temporary or disposition in WORTH_ANOTHER_ATTEMPT
                await self._what_next(connection, survey, attempt, disposition, again)

    async def _what_next(
        self, connection: Connection, survey: Survey, attempt: Attempt, disposition: Disposition, again: bool
    ) -> None:
        if disposition == "declined":
            # They have seen who calls. No other channel, no second call, and nothing has failed.
            await surveys.move(connection, survey.id, "unreached", reason=disposition)
            return
        if disposition == "machine" or self.channels[attempt.channel].answer_within is not None:
            await surveys.start_over(connection, survey.id)
        retry_at = await self._retry_at(connection, survey, attempt, disposition) if again else None
        if retry_at is not None:
            await surveys.move(connection, survey.id, "scheduled", due_at=retry_at)
            await self.jobs.defer(connection, StartAttempt(survey.id, attempt.number + 1), at=retry_at)
        elif not await self.onward(connection, survey, attempt.number + 1):
            ended = "unreached" if again and disposition != "not_placed" else "failed"
            reason = "no_conversation" if disposition == "answered" else disposition
            await surveys.move(connection, survey.id, ended, reason=reason)

    async def _retry_at(
        self, connection: Connection, survey: Survey, attempt: Attempt, disposition: Disposition
    ) -> datetime | None:
        """When to try again, or None. What never rang at the person's uses none of their attempts up."""
        now = await clock.now(connection)
        rung = await attempts.count_rung(connection, survey.id, attempt.channel)
        if disposition != "not_placed":
            return await self.planner.next_attempt(connection, survey, rung, now)
        unplaced = await attempts.count_unplaced(connection, survey.id)
        if unplaced >= UNPLACED_LIMIT:
            return None
        at = now + UNPLACED_PAUSE * 2 ** (unplaced - 1)
        planned = await self.planner.recheck(connection, survey, at)
        return planned.due_at if isinstance(planned, Eligible) else None

    async def _await_answer(self, connection: Connection, attempt: Attempt) -> None:
        within = self.channels[attempt.channel].answer_within
        if within is None:
            return
        now = await clock.now(connection)
        await self.jobs.defer(connection, ExpireAttempt(attempt.id), at=now + within)
        if self.remind_after is not None:
            await self.jobs.defer(connection, SendReminder(attempt.id), at=now + self.remind_after)

    async def _placed_after_all(self, connection: Connection, attempt: Attempt) -> None:
        """What the carrier had not known of was placed: the attempt goes on, and the next one is not made."""
        survey = await surveys.read_existing(connection, attempt.survey_id, lock=True)
        await attempts.revive(connection, attempt.id)
        log.warning("placed_after_all", attempt_id=str(attempt.id))
        if survey.status == "scheduled":
            await surveys.move(connection, survey.id, "contacting")

    async def _arrived_after_all(self, connection: Connection, attempt: Attempt) -> None:
        """What was reported lost was delivered: another attempt that is planned is not made."""
        survey = await surveys.read(connection, attempt.survey_id, lock=True)
        if await attempts.arrived_after_all(connection, attempt.id) and survey is not None:
            last = await attempts.last(connection, survey.id)
            if last is not None and last.id == attempt.id and survey.channel == attempt.channel:
                await surveys.move(connection, survey.id, "in_progress")

    async def _has_answered(self, connection: Connection, attempt: Attempt) -> bool:
        """Whether a message that is reported lost was answered: then it was not."""
        written = self.channels[attempt.channel].answer_within is not None
        return written and await surveys.was_reached(connection, attempt.survey_id)

    async def _mark_invited(self, connection: Connection, survey_id: UUID) -> None:
        await surveys.mark_invited(connection, survey_id, await clock.today(connection, self.timezone))
