"""The recordings that run during one call, and the callbacks that tell of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import urljoin

from app.rehearsal.clock import Clock, speaking_seconds
from app.rehearsal.people import Reaction, Spoken
from app.rehearsal.twilio.recordings import CarrierRecording, CarrierRecordings, new_sid
from app.rehearsal.twilio.verbs import Method, StartRecording, StatusCallback

Notify = Callable[[str, Method, Mapping[str, str]], None]


@dataclass
class _RunningRecording:
    verb: StartRecording
    base_url: str
    started: float
    said: list[str] = field(default_factory=list)

    def seconds(self, now: float) -> float:
        """How long the recording is: only the caller's own words, where the rest is trimmed away."""
        if self.verb.caller_only and self.verb.trimmed:
            return speaking_seconds(" ".join(self.said))
        return now - self.started


class CallRecordings:
    """Starts and ends the recordings of one call, and sends their callbacks by ``notify``."""

    def __init__(self, call_sid: str, recordings: CarrierRecordings, clock: Clock, notify: Notify) -> None:
        self._call_sid, self._recordings = call_sid, recordings
        self._clock, self._notify = clock, notify
        self._running: dict[str, _RunningRecording] = {}

    def start(self, verb: StartRecording, base_url: str) -> None:
        """Record the call from now on; the callback's URL is relative to ``base_url``."""
        self._running[verb.name or new_sid("")] = _RunningRecording(verb, base_url, self._clock.elapsed())

    def hear(self, reaction: Reaction) -> None:
        """Add what the caller said to every recording that runs."""
        if isinstance(reaction, Spoken):
            for running in self._running.values():
                running.said.append(reaction.text)

    def stop(self, name: str | None) -> None:
        """Finish the recording of this name, where one runs; one on which nothing was heard is absent."""
        running = self._running.pop(name or "", None)
        if running is None:
            return
        seconds, said = running.seconds(self._clock.elapsed()), " ".join(running.said)
        callback, base = running.verb.callback, running.base_url
        if seconds <= 0:
            self._tell(callback, base, "absent", {"RecordingSid": new_sid("RE"), "RecordingDuration": "0"})
            return
        recording = self._recordings.add(
            self._call_sid, "StartCallRecordingTwiML", said, seconds, running.verb.channels
        )
        self._tell(callback, base, "completed", self._described(recording))

    def close(self) -> None:
        """Finish every recording that still runs; the call is over."""
        for name in tuple(self._running):
            self.stop(name)

    def keep_answer(
        self, said: str, seconds: float, callback: StatusCallback | None, base_url: str
    ) -> tuple[CarrierRecording, str]:
        """Store what the ``Record`` verb recorded; returns it with its address."""
        recording = self._recordings.add(self._call_sid, "RecordVerb", said, seconds)
        self._tell(callback, base_url, "completed", self._described(recording))
        return recording, self._recordings.url(recording)

    def _tell(
        self, callback: StatusCallback | None, base_url: str, status: str, form: Mapping[str, str]
    ) -> None:
        if callback is not None and status in callback.events:
            url = urljoin(base_url, callback.url)
            self._notify(url, callback.method, {"RecordingStatus": status, "ErrorCode": "0", **form})

    def _described(self, recording: CarrierRecording) -> dict[str, str]:
        return {
            "RecordingSid": recording.sid,
            "RecordingUrl": self._recordings.url(recording),
            "RecordingDuration": str(recording.seconds),
            "RecordingChannels": str(recording.channels),
            "RecordingSource": recording.source,
            "RecordingStartTime": format_datetime(recording.created),
        }
