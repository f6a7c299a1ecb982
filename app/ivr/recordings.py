"""The audio of open answers: fetched from the carrier, deleted there, kept here until its retention is over."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from app.carrier import Carrier
from app.conversation import TranscribeRecording
from app.ivr.jobs import FetchRecording
from app.jobs import Jobs
from app.outreach import CollectRecordings
from app.store import Pool, attempts, recordings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Recordings:
    """Keeps recorded comments in the database for ``keep_days``; at the carrier each one is deleted."""

    pool: Pool
    jobs: Jobs
    carrier: Carrier
    keep_days: int

    async def announced(self, survey_id: UUID, form: Mapping[str, str]) -> None:
        """The carrier's callback: write the recording down and fetch it soon. One without audio is passed over."""
        sid, seconds = form.get("RecordingSid", ""), form.get("RecordingDuration", "")
        if form.get("RecordingStatus", "completed") == "completed" and re.fullmatch(r"RE\w{1,64}", sid):
            known = re.fullmatch(r"[0-9]{1,6}", seconds) is not None
            await self._note(survey_id, sid, int(seconds) if known else None)

    async def collect(self, job: CollectRecordings) -> None:
        """After a call: ask the carrier for recordings whose callback never came."""
        async with self.pool.connection() as connection:
            attempt = await attempts.read(connection, job.attempt_id)
        if attempt is not None and attempt.carrier_sid is not None:
            for sid in await self.carrier.find_recordings(attempt.carrier_sid):
                await self._note(attempt.survey_id, sid, None)

    async def fetch(self, job: FetchRecording) -> None:
        """Keep the audio, where it is to be kept, then remove it at the carrier. Safe to repeat from any point."""
        sid = job.sid
        async with self.pool.connection() as connection:
            status = await recordings.status(connection, sid)
        if status == "announced":
            audio = await self.carrier.fetch_recording(sid)
            async with self.pool.connection() as connection, connection.transaction():
                await recordings.keep(connection, sid, audio, self.keep_days)
                await self.jobs.defer(connection, TranscribeRecording(sid))
        if status is not None:
            await self.carrier.delete_recording(sid)

    async def fetch_left_behind(self) -> None:
        """Try again with the recordings that could not be fetched for hours; give up when their retention is over."""
        async with self.pool.connection() as connection, connection.transaction():
            for sid in await recordings.left_behind(connection, self.keep_days):
                await self.jobs.defer(connection, FetchRecording(sid))

    async def delete_expired(self) -> None:
        """Drop the audio whose time is over."""
        async with self.pool.connection() as connection:
            deleted = await recordings.delete_expired(connection)
        if deleted:
            log.info("recordings_deleted", count=deleted)

    async def _note(self, survey_id: UUID, sid: str, seconds: int | None) -> None:
        async with self.pool.connection() as connection, connection.transaction():
            if await recordings.announce(connection, sid, survey_id, seconds):
                await self.jobs.defer(connection, FetchRecording(sid))
