"""Surveys whose job was lost go on, so that every survey ends.

A job is lost where a process that was thought dead comes back and ends the job that another has taken over.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.jobs import Job, Jobs
from app.outreach.jobs import ExpireAttempt, ExpireSurvey, ReconcileAttempt, StartAttempt
from app.store import Pool, stranded
from app.store.stranded import StrandedSurvey

log = structlog.get_logger(__name__)

# Longer than any job waits between two looks at a survey that is due.
QUIET = timedelta(minutes=20)


@dataclass(frozen=True)
class Recovery:
    """Gives a job to the surveys that wait for one in vain."""

    pool: Pool
    jobs: Jobs

    async def take_up_stranded(self) -> None:
        """Look for stranded surveys, and have each go on where it stands; run by the clock."""
        async with self.pool.connection() as connection, connection.transaction():
            found = await stranded.find(connection, QUIET.total_seconds())
            await self.jobs.defer(connection, *map(next_job, found))
        if found:
            log.warning("stranded_surveys_taken_up", survey_ids=[str(survey.id) for survey in found])


def next_job(survey: StrandedSurvey) -> Job:
    """What has to happen next to a survey that no job is about."""
    if survey.channel == "chat":
        return ExpireSurvey(survey.id)
    if survey.attempt_id is None or survey.number is None:
        return StartAttempt(survey.id, 1)
    if not survey.over:
        return ReconcileAttempt(survey.attempt_id, 1)
    if survey.status == "in_progress":
        return ExpireAttempt(survey.attempt_id)
    return StartAttempt(survey.id, survey.number + 1)
