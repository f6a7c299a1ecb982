"""The job around a call's recordings that is the telephone's own."""

from dataclasses import dataclass

from app.jobs import Backoff, Job


@dataclass(frozen=True)
class FetchRecording(Job):
    """Keep a recording, and remove it at the carrier.

    ``{"sid": "RE12..."}``
    """

    name = "fetch_recording"
    retry = Backoff(limit=10)

    sid: str
