"""A stream whose frames, keys and marks the test sends itself."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from app.asr.recognition import SECONDS_TO_FINISH
from app.audio import TELEPHONE_RATE, telephone
from app.carrier import sign
from tests.asr import voice
from tests.asr.conftest import PROMPT_SECONDS
from tests.asr.voice import PitchRecogniser
from tests.calls import Handset
from tests.line import TOKEN, Line, eventually
from tests.rows import rows

pytest.importorskip("webrtcvad")
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("recogniser")]

# Less than the pause that ends whatever was said, and more than the one that ends a whole answer.
SHORT_PAUSE, LONG_PAUSE = voice.quiet(0.4), voice.quiet(0.8)


@dataclass
class Stream:
    """The carrier's side of an open stream."""

    socket: ClientConnection

    async def say(self, *parts: bytes) -> None:
        """PCM, frame by frame, as fast as the line takes it."""
        for frame in telephone.frames(voice.spoken(*parts)):
            payload = b64encode(frame).decode()
            await self.send({"event": "media", "media": {"track": "inbound", "payload": payload}})

    async def press(self, digit: str) -> None:
        await self.send({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    async def plays(self) -> float:
        """How long a sound is that it is told to play, passing over everything else."""
        async for text in self.socket:
            message = json.loads(text)
            if message["event"] == "media":
                return len(message["media"]["payload"]) * 3 / 4 / TELEPHONE_RATE
        raise AssertionError("it was closed instead")

    async def send(self, message: dict[str, object]) -> None:
        await self.socket.send(json.dumps(message))


def address_of(line: Line, handset: Handset, turn_no: int = 1) -> str:
    url = f"{line.http.base_url}".rstrip("/").removeprefix("http")
    return f"ws{url}/twilio/stream/{handset.survey_id}/{turn_no}"


@asynccontextmanager
async def streamed(line: Line, handset: Handset) -> AsyncIterator[Stream]:
    """A stream for a call that has been answered, with its prompt being played."""
    await handset.open()
    address = address_of(line, handset)
    signed = {"X-Twilio-Signature": sign(address, {}, TOKEN)}
    async with websockets.connect(address, additional_headers=signed, proxy=None) as socket:
        form = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {"streamSid": "MZ1", "callSid": handset.sid, "tracks": ["inbound"], "mediaFormat": form}
        stream = Stream(socket)
        await stream.send({"event": "start", "streamSid": "MZ1", "start": start})
        assert await stream.plays() >= PROMPT_SECONDS
        yield stream


async def heard(handset: Handset) -> list[str]:
    """What was heard, turn by turn."""
    found = [turn["heard"] for turn in (await handset.story())["turns"] if turn["heard"]]
    return [each.get("text") or each.get("digits") or each["heard"] for each in found]


async def test_a_number_and_nothing_else_is_answered_after_a_short_pause(recorded_line: Line) -> None:
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5), voice.say(9), SHORT_PAUSE)
        assert await stream.plays() >= PROMPT_SECONDS
    assert await heard(handset) == ["nine"]


async def test_a_recogniser_that_tells_only_at_the_end_is_left_the_long_pause(
    recorded_line: Line, recogniser: PitchRecogniser
) -> None:
    recogniser.tells_so_far = False
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5), voice.say(9), SHORT_PAUSE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await stream.plays()
        assert await heard(handset) == []
        await stream.say(SHORT_PAUSE)
        assert await stream.plays() >= PROMPT_SECONDS
    assert await heard(handset) == ["nine"]


async def test_whoever_speaks_and_then_presses_has_pressed(recorded_line: Line) -> None:
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5), voice.say(9))
        await stream.press("8")
        await stream.say(LONG_PAUSE, LONG_PAUSE)
        assert await stream.plays() >= PROMPT_SECONDS
    assert await heard(handset) == ["8"]


async def test_a_key_right_behind_a_whole_answer_counts(
    recorded_line: Line, recogniser: PitchRecogniser
) -> None:
    recogniser.takes_seconds = 0.3
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5), voice.say(9), SHORT_PAUSE)
        await stream.press("8")
        await stream.press("#")
        assert await stream.plays() >= PROMPT_SECONDS
    assert await heard(handset) == ["8"]


async def test_a_key_pressed_twice_within_a_second_does_not_answer_the_next_question(
    recorded_line: Line,
) -> None:
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5))
        await stream.press("9")
        await stream.say(voice.quiet(0.4))
        assert await stream.plays() >= PROMPT_SECONDS
        await stream.press("9")
        await stream.press("#")
        await stream.say(voice.quiet(1))
        assert await heard(handset) == ["9"]
        await stream.press("#")
        await eventually(lambda: _has_heard(handset, ["9", "#"]))


async def test_a_key_pressed_right_before_hanging_up_is_kept(recorded_line: Line) -> None:
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5))
        await stream.press("6")
        await stream.send({"event": "stop", "stop": {"callSid": handset.sid}})
        await eventually(lambda: _has_heard(handset, ["6"]))
    assert (await handset.story())["response"]["score"] == 6


async def test_nothing_that_is_said_over_the_notice_is_recognised_or_kept(recorded_line: Line) -> None:
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.press("9")
        await stream.say(voice.quiet(0.4))
        assert await stream.plays() >= PROMPT_SECONDS, "the notice"
        await stream.say(voice.quiet(0.5), voice.say(2, 1.0), voice.quiet(0.2))
        await stream.send({"event": "mark", "mark": {"name": "2.notice"}})
        assert await stream.plays() >= PROMPT_SECONDS, "the question"
        await stream.say(voice.quiet(0.3), voice.say(7, 1.0), voice.quiet(2))
        await eventually(lambda: _has_heard(handset, ["9", "seven"]))
    kept = "SELECT seconds FROM recordings WHERE survey_id = %s"
    (recording,) = await rows(recorded_line.services.pool, kept, (handset.survey_id,))
    assert recording["seconds"] <= 3


async def test_who_is_not_recognised_in_time_is_asked_for_the_key(
    recorded_line: Line, recogniser: PitchRecogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECONDS_TO_FINISH, "score", 0.3)
    recogniser.takes_seconds, recogniser.tells_so_far = 1.0, False
    handset = await Handset.called(recorded_line)
    async with streamed(recorded_line, handset) as stream:
        await stream.say(voice.quiet(0.5), voice.say(9), LONG_PAUSE)
        await eventually(lambda: _has_heard(handset, ["unheard"]))
    story = await handset.story()
    assert story["turns"][-1]["said"] == ["score_keys_only"]
    assert story["response"] is None


async def _has_heard(handset: Handset, expected: list[str]) -> bool:
    return await heard(handset) == expected


async def test_a_handshake_that_the_carrier_has_not_signed_is_refused(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    address = address_of(line, handset)
    for headers in ({}, {"X-Twilio-Signature": sign(address, {}, "another")}):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(address, additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == httpx.codes.FORBIDDEN
    other = address.removesuffix("1") + "2"
    signed_for_other = {"X-Twilio-Signature": sign(other, {}, TOKEN)}
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(address, additional_headers=signed_for_other, proxy=None)


async def test_a_stream_that_talks_nonsense_is_closed_and_its_place_given_back(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    address = address_of(line, handset)
    signed = {"X-Twilio-Signature": sign(address, {}, TOKEN)}
    for nonsense in ("nonsense", "[]", '{"event":"media"}', '{"event":"start","start":{}}'):
        async with websockets.connect(address, additional_headers=signed, proxy=None) as socket:
            await socket.send(nonsense)
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()

    async def empty() -> bool:
        return line.services.recognisers.streams == 0

    await eventually(empty)
