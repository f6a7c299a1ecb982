"""What follows an answer: it is pushed to the operator's own systems, and people are alerted where a rule says so."""

from dataclasses import dataclass

from app.alerts import Alerts
from app.conversation import FollowResponse
from app.delivery.deliveries import Deliveries
from app.store import Pool, responses


@dataclass(frozen=True)
class FollowUp:
    """Sets going what follows from a response, each time it is finished, left half-way, or has grown."""

    pool: Pool
    deliveries: Deliveries
    alerts: Alerts

    async def follow(self, job: FollowResponse) -> None:
        """Write down what is to happen, all or nothing; safe to repeat."""
        async with self.pool.connection() as connection, connection.transaction():
            await self.deliveries.want(connection, job.survey_id)
            await self.alerts.judge(connection, job.survey_id)

    async def follow_cut_off(self) -> None:
        """Follow the answers of those who opted out elsewhere: their open survey ended without a turn."""
        async with self.pool.connection() as connection:
            found = await responses.cut_off(connection)
        for survey_id in found:
            await self.follow(FollowResponse(survey_id))
