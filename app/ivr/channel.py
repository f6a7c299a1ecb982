"""Voice as a channel: calls placed at the carrier."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.carrier import CallRecord, CallStatus, Carrier, disposition, worth_another_attempt
from app.ports import AttemptReport, AttemptStatus, Contact

CALL_LIMIT_SECONDS = 600
STATUSES: dict[CallStatus, AttemptStatus] = {
    "queued": "placed",
    "initiated": "placed",
    "ringing": "ringing",
    "in-progress": "in_progress",
}


@dataclass(frozen=True)
class VoiceChannel:
    """Calls a person and lets the carrier fetch the survey from ``public_url``."""

    carrier: Carrier
    public_url: str
    answer_within: timedelta | None = None

    async def start(self, contact: Contact) -> str:
        attempt = f"{self.public_url}/twilio/attempts/{contact.attempt_id}"
        call = await self.carrier.place_call(
            to=contact.address,
            voice_url=f"{self.public_url}/twilio/voice/{contact.language}/{contact.survey_id}/open"
            f"?attempt={contact.attempt_id}",
            status_url=f"{attempt}/status",
            amd_url=f"{attempt}/machine" if contact.detect_machine else None,
            ring_seconds=contact.ring_seconds,
            time_limit_seconds=CALL_LIMIT_SECONDS,
        )
        return call.sid

    async def find(self, contact: Contact, since: datetime) -> list[AttemptReport]:
        return [report_of(record) for record in await self.carrier.find_calls(contact.address, since)]

    async def look(self, sid: str) -> AttemptReport | None:
        record = await self.carrier.fetch_call(sid)
        return None if record is None else report_of(record)

    async def stop(self, sid: str) -> None:
        await self.carrier.hang_up(sid)


def report_of(record: CallRecord) -> AttemptReport:
    """A call as the carrier's REST interface shows it."""
    return report(record.sid, record.status)


def report(sid: str, status: CallStatus, sip_code: int | None = None) -> AttemptReport:
    """A call's status as it matters to an attempt."""
    ended = disposition(status, sip_code)
    if ended is None:
        return AttemptReport(sid, STATUSES[status])
    return AttemptReport(
        sid, "ended", ended, temporary=ended == "failed" and worth_another_attempt(ended, sip_code)
    )
