"""A message that draws no answer: one reminder, and an end to it after a day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from app.chatbot.message_channel import MessageChannel
from app.conversation import Conversations
from app.errors import CarrierError
from app.jobs import Jobs
from app.outreach import AttemptTracking, ExpireAttempt, Pacer, Planner, SendReminder
from app.ports import opener
from app.store import Connection, Pool, attempts, clock, surveys
from app.store.attempts import Attempt
from app.store.surveys import Survey
from app.survey import Eligible

log = structlog.get_logger(__name__)

NO_ANSWER = "no_answer"
SOON = timedelta(seconds=1)


def reminded_by(attempt_id: UUID) -> str:
    """The name under which the reminder takes the conversation up; that it has it says that it was sent."""
    return f"{opener(attempt_id)}:reminder"


@dataclass(frozen=True)
class Reminders:
    """Follows up on messages that were sent. An answer, a stop or another attempt ends it."""

    pool: Pool
    jobs: Jobs
    channels: Mapping[str, MessageChannel]
    planner: Planner
    conversations: Conversations
    tracking: AttemptTracking
    pacers: Mapping[str, Pacer]

    async def remind(self, job: SendReminder) -> None:
        """Send the one reminder, within the calling hours and in a slot; where it cannot be sent it is given up."""
        async with self.pool.connection() as connection, connection.transaction():
            found = await self._whose_turn(connection, job)
        if found is None:
            return
        attempt, survey = found
        if await self.pacers[attempt.channel].next_slot(ReminderStart(self, attempt.id)):
            await self._send(attempt, survey)
        else:
            async with self.pool.connection() as connection:
                await self.jobs.defer(connection, SendReminder(attempt.id))

    async def is_wanted(self, connection: Connection, attempt_id: UUID) -> bool:
        """Whether the reminder of this attempt is still wanted and allowed."""
        async with connection.transaction():
            return await self._waiting(connection, attempt_id) is not None

    async def expire(self, job: ExpireAttempt) -> None:
        """The time for an answer is over: what was answered is kept, else the next channel gets its turn."""
        async with self.pool.connection() as connection, connection.transaction():
            attempt, survey = await self._read(connection, job.attempt_id)
            if not await self._is_latest(connection, attempt, survey):
                return
            reached = await surveys.was_reached(connection, survey.id)
            if not reached and not await self.tracking.onward(connection, survey, attempt.number + 1):
                await surveys.move(connection, survey.id, "unreached", reason=NO_ANSWER)
        if reached and survey.opened_by is not None:
            await self.conversations.leave(survey.id, survey.opened_by)

    async def _whose_turn(self, connection: Connection, job: SendReminder) -> tuple[Attempt, Survey] | None:
        """The attempt and its survey, if the reminder may be sent now; else the job goes on later, or not at all."""
        found = await self._waiting(connection, job.attempt_id)
        if found is None:
            return None
        attempt, survey = found
        now = await clock.now(connection)
        planned = await self.planner.recheck(connection, survey, now)
        if not isinstance(planned, Eligible):
            return None
        if planned.due_at > now + SOON:
            await self.jobs.defer(connection, SendReminder(attempt.id), at=planned.due_at)
            return None
        at = await self.pacers[attempt.channel].come_back_at(connection, in_line=job.in_line)
        if at is None:
            return found
        await self.jobs.defer(connection, replace(job, in_line=True), at=at)
        return None

    async def _waiting(self, connection: Connection, attempt_id: UUID) -> tuple[Attempt, Survey] | None:
        """The attempt and its survey, if a reminder is still wanted and allowed."""
        attempt, survey = await self._read(connection, attempt_id)
        if not await self._is_latest(connection, attempt, survey):
            return None
        if survey.opened_by != opener(attempt_id) or await surveys.was_reached(connection, survey.id):
            return None
        free = survey.channel != "whatsapp" or await self.planner.is_window_open(
            connection, survey, await clock.now(connection)
        )
        return (attempt, survey) if free else None

    async def _read(self, connection: Connection, attempt_id: UUID) -> tuple[Attempt, Survey]:
        attempt = await attempts.read(connection, attempt_id)
        assert attempt is not None, "an attempt that was placed is never erased"
        survey = await surveys.read_existing(connection, attempt.survey_id, lock=True)
        return attempt, survey

    async def _is_latest(self, connection: Connection, attempt: Attempt, survey: Survey) -> bool:
        last = await attempts.last(connection, survey.id)
        return survey.status == "in_progress" and last is not None and last.id == attempt.id

    async def _send(self, attempt: Attempt, survey: Survey) -> None:
        async with self.pool.connection() as connection:
            if await self._waiting(connection, attempt.id) is None:
                return
            contact = await self.planner.contact(connection, survey, attempt.id)
        current = await self.conversations.open(survey.id, by=reminded_by(attempt.id))
        async with self.pool.connection() as connection:
            if await surveys.was_reached(connection, survey.id):
                return  # the answer was quicker
        channel = self.channels[attempt.channel]
        try:
            await channel.send(contact, channel.text(current))
        except CarrierError as error:
            # It may have been sent; and one that was not is no reason to write to somebody twice.
            log.warning("reminder_not_sent", error=str(error))


@dataclass(frozen=True)
class ReminderStart:
    """A reminder that waits for its slot. What takes the conversation up for it (`reminded_by`) lets one through."""

    reminders: Reminders
    attempt_id: UUID

    async def is_wanted(self, connection: Connection) -> bool:
        """Whether it is still wanted and allowed."""
        return await self.reminders.is_wanted(connection, self.attempt_id)

    async def begin(self, connection: Connection) -> bool:
        """Save nothing and give True: opening the conversation is what keeps a second reminder from being sent."""
        del connection
        return True

    async def put_off(self, connection: Connection) -> None:
        """Do nothing, since `begin` saves nothing."""
