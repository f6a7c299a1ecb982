"""The jobs around an attempt: what each is told, and when it is due."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.jobs import Backoff, Job

LINE_PRIORITY = 10
LOOK_UP_PAUSES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60))
COLLECT_AFTER = timedelta(minutes=3)
RECONCILE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class StartAttempt(Job):
    """Place an attempt. ``in_line``: it has taken its place in line, and goes before those that must still get one.

    ``{"survey_id": "7d3c...", "number": 1, "in_line": false}``
    """

    name = "start_attempt"

    survey_id: UUID
    number: int
    in_line: bool = False

    @property
    def priority(self) -> int:
        return LINE_PRIORITY if self.in_line else 0


@dataclass(frozen=True)
class LookUpAttempt(Job):
    """Find out whether an attempt of unknown outcome was placed, a little later with each of its ``tries`` from 1 on.

    ``{"attempt_id": "09af...", "tries": 1}``
    """

    name = "look_up_attempt"

    attempt_id: UUID
    tries: int

    @property
    def delay(self) -> timedelta:
        return LOOK_UP_PAUSES[self.tries - 1]


@dataclass(frozen=True)
class ReconcileAttempt(Job):
    """Ask the carrier what became of an attempt, in case its callbacks got lost; ``tries`` counts from 1.

    ``{"attempt_id": "09af...", "tries": 1}``
    """

    name = "reconcile_attempt"

    attempt_id: UUID
    tries: int

    @property
    def delay(self) -> timedelta:
        return RECONCILE_AFTER


@dataclass(frozen=True)
class HangUp(Job):
    """End a call that a machine took.

    ``{"attempt_id": "09af...", "sid": "CA12..."}``
    """

    name = "hang_up"

    attempt_id: UUID
    sid: str


@dataclass(frozen=True)
class CollectRecordings(Job):
    """Ask the carrier for the recordings of a call, once they must be there.

    ``{"attempt_id": "09af..."}``
    """

    name = "collect_recordings"

    attempt_id: UUID

    @property
    def delay(self) -> timedelta:
        return COLLECT_AFTER


@dataclass(frozen=True)
class SendReminder(Job):
    """Send the one reminder of a message; ``in_line`` as in `StartAttempt`.

    ``{"attempt_id": "09af...", "in_line": false}``
    """

    name = "send_reminder"

    attempt_id: UUID
    in_line: bool = False


@dataclass(frozen=True)
class ExpireAttempt(Job):
    """Wait no longer for the answer to a message.

    ``{"attempt_id": "09af..."}``
    """

    name = "expire_attempt"

    attempt_id: UUID


@dataclass(frozen=True)
class ExpireSurvey(Job):
    """End a survey in a chat.

    ``{"survey_id": "7d3c..."}``
    """

    name = "expire_survey"

    survey_id: UUID


@dataclass(frozen=True)
class WriteToConversation(Job):
    """Write a turn in the conversation at the carrier that the survey is asked in; without ``turn_no`` its first.

    ``{"survey_id": "7d3c...", "turn_no": 2}``
    """

    name = "write_to_conversation"
    retry = Backoff(limit=5)

    survey_id: UUID
    turn_no: int | None = None
