"""A survey's whole story, readable."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.store import Connection, database, stories, surveys
from app.store.stories import AttemptStory, DeliveryStory, ResponseStory, TurnStory


@dataclass(frozen=True)
class SurveyStatus:
    """How far a survey has come, without anything that was said in it. ``status`` is as in `SurveyStory`."""

    survey_id: UUID
    interaction_id: str
    status: str
    reason: str | None
    due_at: datetime


@dataclass(frozen=True)
class SurveyStory:
    """``status``: scheduled, contacting, in_progress, completed, partial, unreached, expired, opted_out or failed."""

    survey_id: UUID
    interaction_id: str
    queue: str
    agent: str | None
    channel: str
    language: str
    status: str
    reason: str | None
    due_at: datetime
    attempts: list[AttemptStory]
    turns: list[TurnStory]
    response: ResponseStory | None
    deliveries: list[DeliveryStory]

    def as_status(self) -> SurveyStatus:
        """What may be told to whoever posted the interaction."""
        return SurveyStatus(self.survey_id, self.interaction_id, self.status, self.reason, self.due_at)


async def read_story(connection: Connection, survey_id: UUID) -> SurveyStory | None:
    """Everything that happened with a survey, read in one snapshot; None where there is no such survey."""
    async with database.snapshot(connection):
        survey = await surveys.read(connection, survey_id)
        if survey is None:
            return None
        return SurveyStory(
            survey_id=survey.id,
            interaction_id=survey.interaction_id,
            queue=survey.queue,
            agent=survey.agent or None,
            channel=survey.channel,
            language=survey.language,
            status=survey.status,
            reason=survey.reason,
            due_at=survey.due_at,
            attempts=await stories.attempts(connection, survey_id),
            turns=await stories.turns(connection, survey_id),
            response=await stories.response(connection, survey_id),
            deliveries=await stories.deliveries(connection, survey_id),
        )
