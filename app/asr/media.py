"""The messages of a media stream. Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from app.audio import TELEPHONE_RATE


@dataclass(frozen=True)
class Started:
    """The stream begins; everything sent to it carries its ``stream_sid``."""

    stream_sid: str
    call_sid: str


@dataclass(frozen=True)
class Media:
    """Some of what the caller says: mu-law, 8 kHz, usually 20 ms."""

    ulaw: bytes


@dataclass(frozen=True)
class KeyPressed:
    """A key was pressed."""

    digit: str


@dataclass(frozen=True)
class Played:
    """Everything before the mark of this name has been played, or cleared."""

    mark: str


@dataclass(frozen=True)
class Ended:
    """The stream is over: the caller hung up, or the call went elsewhere."""


Message = Started | Media | KeyPressed | Played | Ended


class NotAStream(ValueError):
    """What came is no message of a media stream, or one of an encoding that nobody asked for."""


def read(text: str) -> Message | None:
    """The message in this text; None for one that does not matter. Raises `NotAStream`."""
    try:
        message = json.loads(text)
        match message["event"]:
            case "media":
                return _media(message["media"])
            case "start":
                return _started(message["start"])
            case "dtmf":
                return KeyPressed(str(message["dtmf"]["digit"]))
            case "mark":
                return Played(str(message["mark"]["name"]))
            case "stop":
                return Ended()
            case _:
                return None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as wrong:
        raise NotAStream(f"not a message of a media stream: {wrong}") from None


def sound(stream_sid: str, ulaw: bytes) -> str:
    """The message that has this mu-law played after all that was sent before."""
    return json.dumps(
        {"event": "media", "streamSid": stream_sid, "media": {"payload": b64encode(ulaw).decode("ascii")}}
    )


def mark(stream_sid: str, name: str) -> str:
    """The message that asks for `Played` with this name once everything before it has been played."""
    return json.dumps({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})


def clear(stream_sid: str) -> str:
    """The message that drops what was sent and is not played yet; its marks come back at once."""
    return json.dumps({"event": "clear", "streamSid": stream_sid})


def _media(media: Any) -> Media | None:
    if media.get("track", "inbound") != "inbound":
        return None
    return Media(b64decode(media["payload"], validate=True))


def _started(start: Any) -> Started:
    form = start["mediaFormat"]
    if (form["encoding"], int(form["sampleRate"])) != ("audio/x-mulaw", TELEPHONE_RATE):
        raise NotAStream(f"the stream is {form['encoding']} at {form['sampleRate']} Hz")
    return Started(str(start["streamSid"]), str(start["callSid"]))
