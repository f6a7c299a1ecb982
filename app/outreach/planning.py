"""From rows to a decision: what the rules are told about an interaction, a person and a queue."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from app.config import QueueSettings, Settings, effective
from app.phone_numbers import PhoneNumber, is_holiday, parse_phone_number
from app.ports import Contact
from app.store import Connection, clock, history, inbound, interactions, queues
from app.store.history import PersonAsked, PersonHistory
from app.store.surveys import Survey
from app.survey import Candidate, Eligible, History, Rules, Skip, SurveyBy, recheck

# Twilio's is 24 hours; a message takes its time from us to there.
WHATSAPP_WINDOW = timedelta(hours=23, minutes=50)


@dataclass(frozen=True)
class Planner:
    """Reads what eligibility needs; the decision itself is `app.survey.eligibility`'s."""

    settings: Settings

    def rules(self, overrides: Mapping[str, Any]) -> Rules:
        """The rules of a queue with these settings of its own."""
        return effective(self.settings, overrides).rules

    async def recheck(self, connection: Connection, survey: Survey, now: datetime) -> Eligible | Skip:
        """Decide again when an attempt is about to start, or is planned for ``now``."""
        interaction = await interactions.read(connection, survey.interaction_id)
        asked = PersonAsked(survey.person, interaction.phone, interaction.email, survey.channel != "chat")
        (past,) = await history.read(connection, [asked], except_survey=survey.id)
        overrides = await queues.read(connection, survey.queue)
        candidate = candidate_of(
            interaction_id=interaction.id,
            survey_by=survey.channel,
            ended_at=interaction.ended_at,
            talk_seconds=interaction.talk_seconds,
            consent=interaction.consent,
            place=parse_phone_number(interaction.phone) if interaction.phone else None,
            timezone=interaction.timezone,
        )
        return recheck(candidate, history_of(past), self.rules(overrides), now, is_holiday)

    async def next_channel(
        self, connection: Connection, survey: Survey, offered: Collection[str], now: datetime
    ) -> tuple[str, datetime] | None:
        """The channel that the queue turns to after the survey's present one, and when; None where none is left."""
        order: tuple[str, ...] = (await self._queue(connection, survey.queue)).channels
        following = order[order.index(survey.channel) + 1 :] if survey.channel in order else ()
        for channel in following:
            planned = await self.recheck(connection, replace(survey, channel=channel), now)
            if channel in offered and isinstance(planned, Eligible):
                return channel, planned.due_at
        return None

    async def may_write(self, connection: Connection, survey: Survey, now: datetime) -> bool:
        """Whether the survey's channel lets us begin now: WhatsApp wants a template outside its 24 hours."""
        if survey.channel != "whatsapp" or await self.is_window_open(connection, survey, now):
            return True
        return survey.language in (await self._queue(connection, survey.queue)).whatsapp_templates

    async def is_window_open(self, connection: Connection, survey: Survey, now: datetime) -> bool:
        """Whether the person wrote to us by WhatsApp within its 24 hours, in the interaction itself or after it."""
        interaction = await interactions.read(connection, survey.interaction_id)
        wrote = await inbound.last_at(connection, "whatsapp", survey.phone or "")
        last = [
            moment
            for moment in (wrote, interaction.ended_at if interaction.channel == "whatsapp" else None)
            if moment
        ]
        return bool(last) and now < max(last) + WHATSAPP_WINDOW

    async def next_attempt(
        self, connection: Connection, survey: Survey, number: int, now: datetime
    ) -> datetime | None:
        """When the attempt after ``number`` may be made, or None when the person is to be left in peace."""
        queue = await self._queue(connection, survey.queue)
        if number >= queue.max_attempts:
            return None
        planned = await self.recheck(connection, survey, now + timedelta(minutes=queue.retry_after_minutes))
        return planned.due_at if isinstance(planned, Eligible) else None

    async def contact(self, connection: Connection, survey: Survey, attempt_id: UUID) -> Contact:
        """How this survey's person is reached."""
        queue = await self._queue(connection, survey.queue)
        is_free = survey.channel != "whatsapp" or await self.is_window_open(
            connection, survey, await clock.now(connection)
        )
        return Contact(
            survey_id=survey.id,
            attempt_id=attempt_id,
            address=survey.phone or "",
            language=survey.language,
            ring_seconds=queue.ring_seconds,
            detect_machine=queue.detect_machine,
            template=None if is_free else queue.whatsapp_templates.get(survey.language),
        )

    async def _queue(self, connection: Connection, name: str) -> QueueSettings:
        return effective(self.settings, await queues.read(connection, name))


def candidate_of(
    *,
    interaction_id: str,
    survey_by: str,
    ended_at: datetime,
    talk_seconds: int | None,
    consent: bool | None,
    place: PhoneNumber | None,
    timezone: str | None,
) -> Candidate:
    """An interaction as eligibility sees it; the customer's own time zone wins over the number's."""
    zones = (timezone,) if timezone else place.zones if place else ()
    return Candidate(
        interaction_id=interaction_id,
        survey_by=cast("SurveyBy", survey_by),
        ended_at=ended_at,
        talk_seconds=talk_seconds,
        consent=consent,
        address=place.e164 if place else None,
        country=place.country if place else None,
        zones=zones,
    )


def history_of(past: PersonHistory, scheduled_today: int = 0) -> History:
    """A person's past as eligibility sees it."""
    return History(
        opted_out=past.opted_out,
        no_such_number=past.no_such_number,
        last_surveyed_at=past.last_surveyed_at,
        survey_open=past.survey_open,
        scheduled_today=scheduled_today,
        calls_last_30_days=past.calls_last_30_days,
    )
