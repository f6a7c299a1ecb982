"""A survey in a chat ends by itself: nobody answers last week's question by accident."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app import metrics
from app.conversation import Conversations
from app.jobs import Deferral, Task
from app.store import Pool, surveys
from app.survey import Left

LIFETIME = timedelta(hours=24)
TRIES = 3


def expire_job(survey_id: UUID, due_at: datetime | None) -> Deferral:
    """The job that ends a survey in a chat, a day after it was due."""
    return Deferral(
        Task.EXPIRE_SURVEY, {"survey_id": str(survey_id)}, (due_at or datetime.now(UTC)) + LIFETIME
    )


@dataclass(frozen=True)
class Expiry:
    """Ends surveys whose time is over; those that have ended already are left as they are."""

    pool: Pool
    conversations: Conversations

    async def expire(self, survey_id: UUID) -> None:
        """End the survey: as expired where nobody took part, as partial where someone left half-way."""
        for _ in range(TRIES):
            async with self.pool.connection() as connection:
                if await surveys.expire(connection, survey_id):
                    metrics.SURVEYS_DROPPED.labels("expired").inc()
                    return
                survey = await surveys.read(connection, survey_id)
            if survey is None or not survey.is_open:
                return
            await self.conversations.take_turn(survey_id, survey.turn_no, Left())
