"""Recordings of rehearsed calls: what was said, how long, and audio that plays."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from app.audio import TELEPHONE_RATE, Sound, write_wav

Source = Literal["RecordVerb", "StartCallRecordingTwiML"]


@dataclass(frozen=True)
class CarrierRecording:
    """One finished recording. ``said`` is what the caller said in it, to compare with."""

    sid: str
    call_sid: str
    source: Source
    seconds: int
    channels: int
    said: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


class CarrierRecordings:
    """The recordings that exist, the latest ``keep`` of them; deleting one is for good."""

    def __init__(self, account_sid: str, base_url: str = "", keep: int = 10_000) -> None:
        self.account_sid, self.base_url = account_sid, base_url
        self._keep = keep
        self._kept: dict[str, CarrierRecording] = {}

    def add(
        self, call_sid: str, source: Source, said: str, seconds: float, channels: int = 1
    ) -> CarrierRecording:
        """Keep a finished recording, and forget the oldest where there are too many."""
        recording = CarrierRecording(new_sid("RE"), call_sid, source, max(1, round(seconds)), channels, said)
        self._kept[recording.sid] = recording
        while len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]
        return recording

    def url(self, recording: CarrierRecording) -> str:
        """The ``RecordingUrl`` of the carrier's webhooks."""
        return f"{self.base_url}/2010-04-01/Accounts/{self.account_sid}/Recordings/{recording.sid}"

    def get(self, sid: str) -> CarrierRecording | None:
        """The recording with this SID; None where it is unknown, deleted or forgotten."""
        return self._kept.get(sid)

    def delete(self, sid: str) -> bool:
        """Whether there was one to delete."""
        return self._kept.pop(sid, None) is not None

    def __iter__(self) -> Iterator[CarrierRecording]:
        return iter(reversed(self._kept.values()))


def new_sid(prefix: str) -> str:
    """A SID as the carrier makes them: two letters and 32 hexadecimal digits."""
    return prefix + uuid4().hex


def audio(recording: CarrierRecording) -> bytes:
    """A WAV file, 8 kHz and 16 bit, as long as the recording: a quiet tone for every word, then silence."""
    words, length = len(recording.said.split()), recording.seconds * TELEPHONE_RATE
    step, samples = max(2 * len(_TONE), length // max(1, words)), [0.0] * length
    for word in range(min(words, length // step)):
        samples[word * step : word * step + len(_TONE)] = _TONE
    return write_wav(Sound.of(samples))


def _tone(seconds: float, hertz: int = 220, height: float = 0.1) -> list[float]:
    turn = 2 * math.pi * hertz / TELEPHONE_RATE
    return [height * math.sin(turn * place) for place in range(int(seconds * TELEPHONE_RATE))]


_TONE = _tone(0.25)
