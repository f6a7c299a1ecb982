"""A call's media stream: what the caller says is heard here, and becomes turns of the same conversation.

The TwiML before the stream has said what only the carrier's voice can say; the stream plays the prompts that are
recorded, listens, and takes the turn. It goes on with the next question where that needs no voice of the carrier's;
else it closes, and the TwiML behind it fetches the present turn. So whatever breaks here, the call goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import metrics
from app.asr.pool import RecognitionLate
from app.asr.prompts import StreamPrompts, split
from app.asr.question import StreamedQuestion
from app.asr.recognition import FULL, Recognisers, Recognition
from app.asr.socket import Socket
from app.audio import Sound
from app.carrier import SignatureChecker
from app.conversation import Conversations, CurrentTurn
from app.errors import RecogniserError
from app.ports import Invitation
from app.prompts import Prompts
from app.survey import Unheard, Wording, Words

log = structlog.get_logger(__name__)

PATH = "/twilio/stream"
REFUSED = 1008

Keep = Callable[[UUID, Sound], Awaitable[None]]


@dataclass(frozen=True)
class MediaStreams:
    """Answers the carrier's WebSocket. ``keep`` takes the sound of an open answer, where it may be recorded."""

    signatures: SignatureChecker
    conversations: Conversations
    recognisers: Recognisers
    prompts: Prompts
    keep: Keep
    public_url: str

    def invite(self, current: CurrentTurn) -> Invitation | None:
        """How this turn is heard in a stream; None where it is not to be, or cannot be, which is noted."""
        ask, state = current.turn.ask, current.turn.state
        if ask is None or ask.keys_only or state.context.get("recognition") != "local":
            return None
        reason = self.recognisers.unable(state.language, ask.kind)
        if reason is not None:
            fell_back("full" if reason == FULL else "unavailable", reason)
            return None
        address = f"ws{self.public_url.removeprefix('http')}{PATH}/{current.survey_id}/{current.turn_no}"
        spoken = split(current.turn, self.wording(current), self.prompts)
        return Invitation(address, spoken.by_carrier)

    def wording(self, current: CurrentTurn) -> Wording:
        """The words of the conversation's flow in its language."""
        return self.conversations.flows.wording_of(current.turn.state)

    def routes(self) -> list[WebSocketRoute]:
        """The address of a question's stream: the survey and the turn are part of what the carrier signs."""
        return [WebSocketRoute(f"{PATH}/{{survey_id:uuid}}/{{turn_no:int}}", self.answer)]

    async def answer(self, socket: WebSocket) -> None:
        """One stream, from its handshake to its end. A refused handshake sends the call on to its next verb."""
        if not self.signatures.check_handshake(_address(socket), socket.headers.get("x-twilio-signature")):
            log.warning("stream_refused", reason="signature")
            await socket.close(REFUSED)
            return
        if not self.recognisers.enter():
            fell_back("full")
            await socket.close(REFUSED)
            return
        survey_id: UUID = socket.path_params["survey_id"]
        with structlog.contextvars.bound_contextvars(survey_id=str(survey_id)):
            try:
                await socket.accept()
                await _Stream(self, socket, survey_id).run(socket.path_params["turn_no"])
            finally:
                self.recognisers.leave()


def fell_back(reason: str, detail: str = "") -> None:
    """Note that keys and the carrier's recogniser take over."""
    metrics.RECOGNITION_FELL_BACK.labels(reason).inc()
    log.warning("recognition_fell_back", reason=reason, detail=detail)


def _address(socket: WebSocket) -> str:
    path, query = socket.scope["raw_path"].decode("latin-1"), socket.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


class _Stream:
    """One stream, and the questions that it asks."""

    def __init__(self, service: MediaStreams, socket: WebSocket, survey_id: UUID) -> None:
        self._service, self._survey_id = service, survey_id
        self._socket = Socket(socket, service.recognisers.voice_detector())

    async def run(self, turn_no: int) -> None:
        reader = asyncio.create_task(self._socket.read())
        try:
            current = await self._begin(turn_no)
            while current is not None:
                current = await self._ask(current)
        except WebSocketDisconnect:
            pass  # gone while something was being sent
        except RecogniserError as problem:
            fell_back(problem.code, str(problem))
        except Exception:
            log.exception("stream_broke")
            metrics.RECOGNITION_FELL_BACK.labels("broke").inc()
        finally:
            reader.cancel()
            await self._socket.close()

    async def _begin(self, turn_no: int) -> CurrentTurn | None:
        """The question that this stream was opened for; None where it is no longer the one that is open."""
        started = await self._socket.started()
        if started is None:
            return None
        current = await self._service.conversations.open(self._survey_id, by=started.call_sid)
        return current if current.turn_no == turn_no and self._spoken(current) is not None else None

    def _spoken(self, current: CurrentTurn) -> StreamPrompts | None:
        """What is said and asked; None where the stream cannot ask it."""
        ask, state = current.turn.ask, current.turn.state
        if ask is None or ask.keys_only or self._service.recognisers.unable_now(state.language, ask.kind):
            return None
        return split(current.turn, self._service.wording(current), self._service.prompts)

    async def _ask(self, current: CurrentTurn) -> CurrentTurn | None:
        """Ask one question and take the turn; gives the next one where the stream can ask that too."""
        spoken, ask, service = self._spoken(current), current.turn.ask, self._service
        assert spoken is not None
        assert ask is not None

        def begin_recognition() -> Recognition:
            return service.recognisers.listen(current.turn.state.language, ask.kind, self._socket.tell)

        question = StreamedQuestion(
            self._socket, begin_recognition, current, spoken, service.wording(current).vocabulary
        )
        try:
            heard = await question.answer()
        finally:
            question.drop()
        if heard is None:
            return None
        following = await service.conversations.take_turn(current.survey_id, current.turn_no, heard)
        if isinstance(heard, Unheard):
            fell_back(RecognitionLate.code)
        if isinstance(heard, Words | Unheard) and ask.recorded and _may_record(current):
            await service.keep(current.survey_id, question.sound)
        then = self._spoken(following)
        return following if then is not None and not then.by_carrier else None


def _may_record(current: CurrentTurn) -> bool:
    return current.turn.state.context.get("record") == "yes"
