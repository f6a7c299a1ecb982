"""The end of a survey in a chat that nobody answers: a day after it was due."""

from dataclasses import dataclass
from datetime import timedelta

from app import metrics
from app.conversation import Conversations
from app.outreach.jobs import ExpireSurvey
from app.store import Pool, surveys
from app.survey import Left

LIFETIME = timedelta(hours=24)
TRIES = 3


@dataclass(frozen=True)
class Expiry:
    """Ends surveys whose time is over; those that have ended already are left as they are."""

    pool: Pool
    conversations: Conversations

    async def expire(self, job: ExpireSurvey) -> None:
        """End the survey: as expired where nobody took part, as partial where someone left half-way."""
        survey_id = job.survey_id
        for _ in range(TRIES):
            async with self.pool.connection() as connection:
                if await surveys.expire(connection, survey_id):
                    metrics.SURVEYS_DROPPED.labels("expired").inc()
                    return
                survey = await surveys.read(connection, survey_id)
            if survey is None or not survey.is_open:
                return
            await self.conversations.take_turn(survey_id, survey.turn_no, Left())
