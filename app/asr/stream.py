"""A call's media stream: what the caller says is heard here, and becomes turns of the same conversation.

The TwiML before the stream has said what only the carrier's voice can say; the stream plays the prompts that are
recorded, listens, and takes the turn. It goes on with the next question where that needs no voice of the carrier's;
else it closes, and the TwiML behind it fetches the present turn. So whatever breaks here, the call goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import audio, metrics
from app.asr import media
from app.asr.ears import FULL, Ears, Hearkening
from app.asr.listening import Deed, Listening
from app.asr.prompts import Spoken, split
from app.asr.speech import Voiced
from app.carrier.signature import SignatureChecker
from app.conversation import Conversations, Told
from app.errors import RecogniserError
from app.ports import Invitation
from app.survey.heard import Heard, Words
from app.voices.prompts import Prompts

log = structlog.get_logger(__name__)

PATH = "/twilio/stream"
# Frames come 50 times a second; a line without any for so long is dead.
STALLED_SECONDS = 5.0
STARTED_SECONDS = 10.0
# What is kept of the moment before speech is noticed: its onset and a little more.
LEAD_IN_FRAMES = 20
REFUSED = 1008

Keep = Callable[[UUID, bytes], Awaitable[None]]


class _Over(Exception):
    """The stream has done what it can."""


@dataclass(frozen=True)
class MediaStreams:
    """Answers the carrier's WebSocket. ``keep`` takes the sound of an open answer (PCM), where it may be recorded."""

    signatures: SignatureChecker
    conversations: Conversations
    ears: Ears
    prompts: Prompts
    keep: Keep
    public_url: str

    def invite(self, told: Told) -> Invitation | None:
        """How this turn is heard in a stream; None where it is not to be, or cannot be, which is noted."""
        ask, state = told.turn.ask, told.turn.state
        if ask is None or ask.keys_only or state.context.get("recognition") != "local":
            return None
        reason = self.ears.unable(state.language, ask.kind)
        if reason is not None:
            fell_back("full" if reason == FULL else "unavailable", reason)
            return None
        wording = self.conversations.flows[state.flow].wording(state.language)
        address = f"ws{self.public_url.removeprefix('http')}{PATH}/{told.survey_id}/{told.turn_no}"
        return Invitation(address, split(told.turn, wording, self.prompts).by_carrier)

    def routes(self) -> list[WebSocketRoute]:
        """The address of a question's stream: the survey and the turn are part of what the carrier signs."""
        return [WebSocketRoute(f"{PATH}/{{survey_id:uuid}}/{{turn_no:int}}", self.answer)]

    async def answer(self, socket: WebSocket) -> None:
        """One stream, from its handshake to its end. A refused handshake sends the call on to its next verb."""
        if not self.signatures.check_handshake(_address(socket), socket.headers.get("x-twilio-signature")):
            log.warning("stream_refused", reason="signature")
            await socket.close(REFUSED)
            return
        if not self.ears.enter():
            fell_back("full")
            await socket.close(REFUSED)
            return
        survey_id: UUID = socket.path_params["survey_id"]
        with structlog.contextvars.bound_contextvars(survey_id=str(survey_id)):
            try:
                await socket.accept()
                await _Stream(self, socket, survey_id).run(socket.path_params["turn_no"])
            finally:
                self.ears.leave()


def fell_back(reason: str, detail: str = "") -> None:
    """Note that keys and the carrier's recogniser take over."""
    metrics.RECOGNITION_FELL_BACK.labels(reason).inc()
    log.warning("recognition_fell_back", reason=reason, detail=detail)


def _address(socket: WebSocket) -> str:
    path, query = socket.scope["raw_path"].decode("latin-1"), socket.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


class _Stream:
    """One open stream. Messages and the recogniser's results come by one queue, so one thing happens at a time."""

    def __init__(self, service: MediaStreams, socket: WebSocket, survey_id: UUID) -> None:
        self._service, self._socket, self._survey_id = service, socket, survey_id
        self._events: asyncio.Queue[media.Message | Words | RecogniserError | Exception] = asyncio.Queue()
        self._voiced: Voiced = service.ears.voice_detector()
        self._sid = ""
        self._rest = b""

    async def run(self, turn_no: int) -> None:
        reader = asyncio.create_task(self._read())
        try:
            told = await self._begin(turn_no)
            while told is not None:
                told = await self._ask(told)
        except _Over:
            pass
        except RecogniserError as problem:
            fell_back(problem.code, str(problem))
        except Exception:
            log.exception("stream_broke")
            metrics.RECOGNITION_FELL_BACK.labels("broke").inc()
        finally:
            reader.cancel()
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close()

    async def _read(self) -> None:
        try:
            while True:
                message = media.read(await self._socket.receive_text())
                if message is not None:
                    self._events.put_nowait(message)
        except (WebSocketDisconnect, RuntimeError):
            self._events.put_nowait(media.Ended())
        except media.NotAStream as problem:
            self._events.put_nowait(problem)

    async def _begin(self, turn_no: int) -> Told | None:
        """The question that this stream was opened for; None where it is no longer the one that is open."""
        async with asyncio.timeout(STARTED_SECONDS):
            event = await self._events.get()
            while not isinstance(event, media.Started):
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, media.Ended):
                    raise _Over
                event = await self._events.get()
        self._sid = event.stream_sid
        told = await self._service.conversations.open(self._survey_id, by=event.call_sid)
        return told if told.turn_no == turn_no and self._spoken(told) is not None else None

    def _spoken(self, told: Told) -> Spoken | None:
        """What is said and asked; None where the stream cannot ask it."""
        ask, state = told.turn.ask, told.turn.state
        if ask is None or ask.keys_only or self._service.ears.unable_now(state.language, ask.kind):
            return None
        wording = self._service.conversations.flows[state.flow].wording(state.language)
        return split(told.turn, wording, self._service.prompts)

    async def _ask(self, told: Told) -> Told | None:
        """Ask one question and take the turn; gives the next one where the stream can ask that too."""
        spoken = self._spoken(told)
        assert spoken is not None
        assert told.turn.ask is not None
        question = _Question(self, told, spoken)
        try:
            heard = await question.answer()
        finally:
            question.drop()
        service = self._service
        following = await service.conversations.take_turn(told.survey_id, told.turn_no, heard)
        if isinstance(heard, Words) and told.turn.ask.recorded and _may_record(told):
            await service.keep(told.survey_id, question.pcm)
        then = self._spoken(following)
        return following if then is not None and not then.by_carrier else None

    async def event(self) -> media.Message | Words | RecogniserError:
        """The next thing that happens; raises what broke."""
        async with asyncio.timeout(STALLED_SECONDS):
            event = await self._events.get()
        if isinstance(event, Exception):
            raise event
        return event

    def tell(self, result: Words | RecogniserError) -> None:
        """What the recogniser found, among the other events."""
        self._events.put_nowait(result)

    def frames(self, ulaw: bytes) -> list[tuple[bytes, bool]]:
        """Whole frames as PCM, each with whether there is a voice in it."""
        waiting = self._rest + ulaw
        whole = len(waiting) // audio.FRAME * audio.FRAME
        self._rest = waiting[whole:]
        cut = (audio.decode(waiting[start : start + audio.FRAME]) for start in range(0, whole, audio.FRAME))
        return [(pcm, self._voiced(pcm)) for pcm in cut]

    def hearken(self, language: str, told: Told) -> Hearkening:
        """A recogniser for one answer to this question."""
        assert told.turn.ask is not None
        return self._service.ears.listen(language, told.turn.ask.kind, self.tell)

    async def play(self, ulaw: bytes, name: str) -> None:
        await self._socket.send_text(media.sound(self._sid, ulaw))
        await self._socket.send_text(media.mark(self._sid, name))

    async def clear(self) -> None:
        await self._socket.send_text(media.clear(self._sid))


class _Question:
    """One question on a stream: carries out what `Listening` decides."""

    def __init__(self, stream: _Stream, told: Told, spoken: Spoken) -> None:
        assert told.turn.ask is not None
        self._stream, self._told = stream, told
        self._prompt = _encoded(spoken.by_us)
        self._listening = Listening(told.turn.ask, len(self._prompt) // audio.FRAME)
        self._lead_in: list[bytes] = []
        self._ready: Hearkening | None = None
        self._hearkening: Hearkening | None = None
        self._plays = 0
        self.pcm = b""

    async def answer(self) -> Heard:
        if self._prompt:
            await self._play()
        # Made ready while the prompt plays: the first caller of a language has its model loaded.
        self._ready = self._stream.hearken(self._told.turn.state.language, self._told)
        while self._listening.done is None:
            await self._take(await self._stream.event())
        return self._listening.done.heard

    def drop(self) -> None:
        for each in (self._ready, self._hearkening):
            if each is not None:
                each.drop()

    async def _take(self, event: media.Message | Words | RecogniserError) -> None:
        match event:
            case media.Sound(ulaw):
                for pcm, voiced in self._stream.frames(ulaw):
                    await self._hear(pcm, voiced)
            case media.Key(digit):
                await self._do(self._listening.key(digit))
            case media.Played(name):
                if name == self._mark:
                    self._listening.prompt_over()
            case Words():
                await self._do(self._listening.recognised(event))
            case RecogniserError():
                raise event
            case media.Ended():
                await self._leave()
            case media.Started():
                pass

    async def _hear(self, pcm: bytes, voiced: bool) -> None:
        self._lead_in = [*self._lead_in[1 - LEAD_IN_FRAMES :], pcm]
        if self._hearkening is not None:
            self._hearkening.feed(pcm)
        await self._do(self._listening.frame(voiced))

    async def _do(self, deeds: list[Deed]) -> None:
        for deed in deeds:
            match deed:
                case "clear":
                    await self._stream.clear()
                case "replay":
                    await self._play()
                case "begin":
                    self._begin()
                case "finish" if self._hearkening is not None:
                    self.pcm = bytes(self._hearkening.pcm)
                    self._hearkening.finish()
                    self._hearkening = None
                case "drop" if self._hearkening is not None:
                    self._hearkening.drop()
                    self._hearkening = None
                case _:
                    pass

    def _begin(self) -> None:
        fresh = (
            self._stream.hearken(self._told.turn.state.language, self._told)
            if self._ready is None
            else self._ready
        )
        self._ready, self._hearkening = None, fresh
        for pcm in self._lead_in:
            fresh.feed(pcm)

    async def _leave(self) -> None:
        """The caller hung up; what they had begun to say still counts."""
        if not self._listening.speaking:
            raise _Over
        await self._do(self._listening.left())
        while self._listening.done is None:
            event = await self._stream.event()
            if isinstance(event, RecogniserError):
                raise event
            if isinstance(event, Words):
                self._listening.recognised(event)
                if self._listening.done is None:
                    raise _Over

    @property
    def _mark(self) -> str:
        return f"{self._told.turn_no}.{self._plays}"

    async def _play(self) -> None:
        self._plays += 1
        await self._stream.play(self._prompt, self._mark)


def _may_record(told: Told) -> bool:
    return told.turn.state.context.get("record") == "yes"


@lru_cache(maxsize=512)
def _encoded(clips: tuple[bytes, ...]) -> bytes:
    ulaw = audio.encode(b"".join(clips))
    return ulaw + audio.SILENCE[: -len(ulaw) % audio.FRAME]
