"""The jobs that follow what somebody answered."""

from dataclasses import dataclass
from uuid import UUID

from app.jobs import Backoff, Job


@dataclass(frozen=True)
class FollowResponse(Job):
    """Push a response and alert people of it, where anybody wants that.

    ``{"survey_id": "7d3c..."}``
    """

    name = "follow_response"

    survey_id: UUID


@dataclass(frozen=True)
class TranscribeRecording(Job):
    """Write an open answer down from its recording.

    ``{"sid": "RE12..."}``
    """

    name = "transcribe_recording"
    retry = Backoff(limit=5)

    sid: str
