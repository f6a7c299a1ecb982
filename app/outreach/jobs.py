"""The jobs around an attempt: when each is due, and what it is told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.jobs import Deferral, Task

LINE_PRIORITY = 10
LOOK_UP_PAUSES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60))
COLLECT_AFTER = timedelta(minutes=3)
RECONCILE_AFTER = timedelta(minutes=10)


def start_job(survey_id: UUID, number: int, at: datetime | None, *, in_line: bool = False) -> Deferral:
    """The job that places an attempt; one whose turn it is goes before those that must still get in line."""
    arguments = {"survey_id": str(survey_id), "number": number, "in_line": in_line}
    return Deferral(Task.START_ATTEMPT, arguments, at, LINE_PRIORITY if in_line else 0)


def look_up_job(attempt_id: UUID, tries: int) -> Deferral:
    """The job that looks an attempt up, a little later each time."""
    at = datetime.now(UTC) + LOOK_UP_PAUSES[tries - 1]
    return Deferral(Task.LOOK_UP_ATTEMPT, {"attempt_id": str(attempt_id), "tries": tries}, at)


def reconcile_job(attempt_id: UUID, tries: int) -> Deferral:
    """The job that asks the carrier what became of an attempt, in case its callbacks got lost."""
    arguments = {"attempt_id": str(attempt_id), "tries": tries}
    return Deferral(Task.RECONCILE_ATTEMPT, arguments, datetime.now(UTC) + RECONCILE_AFTER)


def collect_job(attempt_id: UUID) -> Deferral:
    """The job that asks the carrier for the recordings of a call, once they must be there."""
    at = datetime.now(UTC) + COLLECT_AFTER
    return Deferral(Task.COLLECT_RECORDINGS, {"attempt_id": str(attempt_id)}, at)


def remind_job(attempt_id: UUID, after: timedelta) -> Deferral:
    """The job that sends the one reminder of a message."""
    return Deferral(Task.SEND_REMINDER, {"attempt_id": str(attempt_id)}, datetime.now(UTC) + after)


def expire_job(attempt_id: UUID, after: timedelta) -> Deferral:
    """The job that no longer waits for the answer to a message."""
    return Deferral(Task.EXPIRE_ATTEMPT, {"attempt_id": str(attempt_id)}, datetime.now(UTC) + after)
