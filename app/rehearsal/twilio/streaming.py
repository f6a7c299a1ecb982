"""A media stream as the carrier holds it: the caller's sound out in frames of 20 ms, prompts, marks and clears back.

Messages as in https://www.twilio.com/docs/voice/media-streams/websocket-messages. The line's time is that of its
frames: where a rehearsal waits for nothing, they are still sent one by one, ten times faster than a person speaks.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from app.audio import FRAME_MILLISECONDS, TELEPHONE_RATE, telephone
from app.rehearsal.line_time import SpentOn
from app.rehearsal.people import Caller, HeardPrompt, HungUp, ListeningFor, Nothing, Pressed, Reaction, Spoken
from app.rehearsal.transcript import Transcript
from app.rehearsal.twilio.recordings import new_sid
from app.rehearsal.twilio.verbs import Alert, ConnectStream

HANDSHAKE_SECONDS = 10
LEAST_PACE = 0.1
# A key's tone and what follows until the next one, in frames.
KEY_FRAMES = 8
# Somebody who is asked nothing more, and not told goodbye either, hangs up in the end; in frames.
LONGEST_FRAMES = 50 * 180
# What a caller does unasked waits until the line has had a chance to speak.
LISTENS_FRAMES = 25

ANSWER = ListeningFor(keys=True, speech=True, max_digits=2, finish_on_key="#", timeout_seconds=5, language="")


@dataclass
class _Playing:
    """What the line plays: frames, and the marks that come back when it has got there."""

    waiting: deque[bytes | str] = field(default_factory=deque)

    def take(self) -> tuple[bytes | None, list[str]]:
        """The next frame, and the marks before it."""
        marks = []
        while self.waiting and isinstance(self.waiting[0], str):
            marks.append(str(self.waiting.popleft()))
        frame = self.waiting.popleft() if self.waiting else None
        return (frame if isinstance(frame, bytes) else None), marks

    def clear(self) -> list[str]:
        """Everything is dropped; the marks in it come back at once."""
        marks = [each for each in self.waiting if isinstance(each, str)]
        self.waiting.clear()
        return marks


class StreamedCall:
    """One stream of a rehearsed call. ``hung_up`` tells, after `run`, that the caller has gone."""

    def __init__(
        self, caller: Caller, transcript: Transcript, identity: Mapping[str, str], pace: float
    ) -> None:
        self._caller, self._transcript = caller, transcript
        self._identity, self._frame_seconds = identity, FRAME_MILLISECONDS / 1000 * max(pace, LEAST_PACE)
        self._sid = new_sid("MZ")
        self._playing, self._outgoing = _Playing(), deque[bytes | str]()
        self._sequence, self._chunk = count(1), count(1)
        self._doing: asyncio.Task[Reaction | None] | None = None
        self._asked = self._acted = False
        self.hung_up = False

    async def run(self, verb: ConnectStream, headers: Mapping[str, str]) -> Alert | None:
        """Hold the stream until either side ends it; gives the carrier's alert where it could not be opened."""
        try:
            socket = await websockets.connect(
                verb.url, additional_headers=dict(headers), open_timeout=HANDSHAKE_SECONDS, proxy=None
            )
        except (OSError, TimeoutError, websockets.WebSocketException) as problem:
            return Alert(31920, f"Stream - WebSocket - Handshake Error: {problem}")
        async with socket:
            reader = asyncio.create_task(self._read(socket))
            try:
                await self._send(socket, {"event": "connected", "protocol": "Call", "version": "1.0.0"})
                await self._send(socket, self._start(verb))
                await self._hold(socket, reader)
            except websockets.ConnectionClosed:
                pass
            finally:
                await _end(self._doing)
                await _end(reader)
        return None

    async def _hold(self, socket: ClientConnection, reader: "asyncio.Task[None]") -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number in range(LONGEST_FRAMES):
            if reader.done():
                return
            await self._frame(socket, number)
            if self.hung_up and not self._outgoing:
                break
            due += self._frame_seconds
            await asyncio.sleep(max(0.0, due - loop.time()))
        self.hung_up = True
        stop = {"accountSid": self._identity.get("AccountSid", ""), "callSid": self._identity["CallSid"]}
        await self._send(socket, {"event": "stop", "stop": stop})

    async def _frame(self, socket: ClientConnection, number: int) -> None:
        """20 ms of the call, both ways."""
        frame, marks = self._playing.take()
        for name in marks:
            await self._send(socket, {"event": "mark", "mark": {"name": name}})
        self._live(is_playing=frame is not None or bool(self._playing.waiting), number=number)
        out = self._outgoing.popleft() if self._outgoing else telephone.SILENCE
        if isinstance(out, str):
            await self._send(socket, {"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": out}})
            out, self._acted = telephone.SILENCE, True
        self._spend(is_playing=frame is not None, is_speaking=out is not telephone.SILENCE)
        media = {"track": "inbound", "chunk": str(next(self._chunk)), "timestamp": str(20 * number)}
        await self._send(
            socket, {"event": "media", "media": {**media, "payload": b64encode(out).decode("ascii")}}
        )

    def _spend(self, *, is_playing: bool, is_speaking: bool) -> None:
        """Once the caller has done something, silence is dead air until the line says something."""
        self._acted = is_speaking or (self._acted and not is_playing)
        quiet: SpentOn = "dead_air" if self._acted else "wait"
        self._transcript.time.spend("talk" if is_playing or is_speaking else quiet, FRAME_MILLISECONDS / 1000)

    def _live(self, *, is_playing: bool, number: int) -> None:
        """Let the caller hear what is played, and answer once it has been."""
        if self._doing is not None and self._doing.done():
            reaction = self._doing.result()
            self._doing = None
            if reaction is not None:
                self._react(reaction)
        if self._doing is None and not self._asked and not is_playing and number >= LISTENS_FRAMES:
            self._asked = True
            self._doing = asyncio.create_task(self._caller.react(ANSWER))

    def _react(self, reaction: Reaction) -> None:
        self._transcript.reacted(reaction)
        self._asked = True
        match reaction:
            case Pressed(keys):
                for key in keys:
                    self._outgoing.extend([key, *[telephone.SILENCE] * KEY_FRAMES])
            case Spoken(then_hangs_up=then_hangs_up, sound=sound):
                if sound is not None:
                    self._outgoing.extend(telephone.frames(telephone.encode(sound.pcm)))
                self.hung_up = then_hangs_up
            case HungUp():
                self.hung_up = True
            case Nothing():
                pass

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            match message["event"]:
                case "media":
                    self._hear(b64decode(message["media"]["payload"]))
                case "mark":
                    self._playing.waiting.append(str(message["mark"]["name"]))
                case "clear":
                    for name in self._playing.clear():
                        await self._send(socket, {"event": "mark", "mark": {"name": name}})

    def _hear(self, ulaw: bytes) -> None:
        """The line begins to say something, and asks by it."""
        self._playing.waiting.extend(
            ulaw[start : start + telephone.FRAME] for start in range(0, len(ulaw), telephone.FRAME)
        )
        utterance = HeardPrompt("", "", f"stream, {len(ulaw) / TELEPHONE_RATE:.1f} s")
        self._transcript.heard(utterance)
        self._asked = False
        if self._doing is None:
            self._doing = asyncio.create_task(self._caller.hear(utterance))

    def _start(self, verb: ConnectStream) -> dict[str, Any]:
        start = {
            "accountSid": self._identity.get("AccountSid", ""),
            "streamSid": self._sid,
            "callSid": self._identity["CallSid"],
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": TELEPHONE_RATE, "channels": 1},
            "customParameters": dict(verb.parameters),
        }
        return {"event": "start", "start": start}

    async def _send(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        if message["event"] != "connected":
            message |= {"sequenceNumber": str(next(self._sequence)), "streamSid": self._sid}
        await socket.send(json.dumps(message))


async def _end(task: "asyncio.Task[Any] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
