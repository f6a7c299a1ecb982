"""The messages of a media stream."""

import json
from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.asr import media

SOUND = b64encode(b"\x7f\xff").decode()
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"], "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
    "streamSid": "MZ1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        (START, media.Started("MZ1", "CA1")),
        ({"event": "connected", "protocol": "Call", "version": "1.0.0"}, None),
        ({"event": "media", "media": {"track": "inbound", "payload": SOUND}}, media.Media(b"\x7f\xff")),
        ({"event": "media", "media": {"track": "outbound", "payload": "AA=="}}, None),
        ({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "1"}}, media.KeyPressed("1")),
        ({"event": "mark", "mark": {"name": "3.1"}}, media.Played("3.1")),
        ({"event": "stop", "stop": {"callSid": "CA1"}}, media.Ended()),
        ({"event": "tomorrow"}, None),
    ],
)  # fmt: skip
def test_a_message_is_read(message: dict[str, Any], meaning: media.Message | None) -> None:
    assert media.read(json.dumps(message)) == meaning


def test_another_encoding_is_refused() -> None:
    form = START["start"]["mediaFormat"] | {"sampleRate": 16000}
    with pytest.raises(media.NotAStream, match="16000"):
        media.read(json.dumps(START | {"start": START["start"] | {"mediaFormat": form}}))


NAMES = st.sampled_from(["event", "media", "start", "payload", "dtmf"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"event": "media", "media": "x"}', '{"event": "media", "media": {"payload": 7}}', "[]"],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(media.NotAStream):
        media.read(text)


@given(st.text(max_size=50) | json_values.map(json.dumps))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    with suppress(media.NotAStream):
        media.read(text)
