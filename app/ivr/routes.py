"""The webhooks of a call. Each is signed, may come twice, and is answered from one short transaction."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.carrier import SignatureChecker, answerer, call_status, signed_form
from app.conversation import Conversations, CurrentTurn
from app.errors import NotFound
from app.ivr import streaming, twiml
from app.ivr.channel import report
from app.ivr.inbound import Inbound
from app.ivr.recordings import Recordings
from app.ivr.voice import Voice
from app.outreach import AttemptTracking
from app.ports import Invitation

log = structlog.get_logger(__name__)
NOTED = 204
# The carrier waits 15 seconds; a database that hangs must be found out well before.
ANSWER_SECONDS = 6.0


@dataclass(frozen=True)
class VoiceWebhooks:
    """What the carrier asks of us around a call."""

    signatures: SignatureChecker
    conversations: Conversations
    tracking: AttemptTracking
    recordings: Recordings
    inbound: Inbound
    voice: Voice
    invite: Callable[[CurrentTurn], Invitation | None] = lambda _: None

    def routes(self) -> list[Route]:
        """Every address the carrier is given, or is to be configured with."""
        survey = "/twilio/voice/{language}/{survey_id:uuid}"
        attempt = "/twilio/attempts/{attempt_id:uuid}"
        return [
            Route(f"{survey}/open", self.opened, methods=["POST"]),
            Route(f"{survey}/heard", self.heard, methods=["POST"]),
            Route(f"{survey}/recording", self.recorded, methods=["POST"]),
            Route(f"{survey}/{twiml.OPT_OUT}", self.opted_out_late, methods=["POST"]),
            Route(f"{survey}/{{turn_no}}", self.turn, methods=["POST"]),
            Route(f"{attempt}/status", self.status, methods=["POST"]),
            Route(f"{attempt}/machine", self.machine, methods=["POST"]),
            Route("/twilio/voice", self.incoming, methods=["POST"]),
            Route("/twilio/voice/opt-out", self.opted_out, methods=["POST"]),
        ]

    async def turn(self, request: Request) -> Response:
        """Something was heard, or nothing was."""
        form, where = await signed_form(request, self.signatures), request.path_params

        async def answer() -> bytes:
            turn_no = _turn_no(where["turn_no"])
            current = await self.conversations.take_turn(where["survey_id"], turn_no, self.voice.hear(form))
            return self.render(current, recording=b"recorded" in request.scope["query_string"])

        return await self.spoken(where["language"], answer())

    async def heard(self, request: Request) -> Response:
        """A media stream is over: go on with the present turn. One that is as it was, the stream has not heard."""
        form, where = await signed_form(request, self.signatures), request.path_params

        async def answer() -> bytes:
            asked = _turn_no(request.query_params.get("turn", ""))
            current = await self.conversations.open(where["survey_id"], by=form.get("CallSid", ""))
            missed = current.turn_no == asked and current.turn.ask is not None
            if missed:
                metrics.RECOGNITION_FELL_BACK.labels("unheard").inc()
                log.warning("recognition_fell_back", reason="unheard", survey_id=str(current.survey_id))
            return self.render(current, streamed=not missed)

        return await self.spoken(where["language"], answer())

    async def opened(self, request: Request) -> Response:
        """The call was answered: greet, and ask the first question."""
        form, where = await signed_form(request, self.signatures), request.path_params
        sid = form.get("CallSid", "")

        async def answer() -> bytes:
            await self.tracking.placed(_attempt_id(request.query_params), sid)
            return self.render(await self.conversations.open(where["survey_id"], by=sid))

        return await self.spoken(where["language"], answer())

    async def incoming(self, request: Request) -> Response:
        """Somebody calls our number: their survey goes on, or they learn who had called."""
        form = await signed_form(request, self.signatures)
        return await self.spoken(self.conversations.flows.default.default_language, self.inbound.answer(form))

    async def opted_out(self, request: Request) -> Response:
        """A caller whom no survey awaits asks not to be called again."""
        form = await signed_form(request, self.signatures)
        return await self.spoken(
            self.conversations.flows.default.default_language, self.inbound.opt_out(form)
        )

    async def opted_out_late(self, request: Request) -> Response:
        """A key was pressed when nothing was asked any more: ``*`` opts out, and any other ends the call."""
        form, where = await signed_form(request, self.signatures), request.path_params

        async def answer() -> bytes:
            if "*" not in form.get("Digits", ""):
                return twiml.hang_up()
            await self.conversations.opt_out(where["survey_id"])
            return self._goodbye("opted_out", where["language"])

        return await self.spoken(where["language"], answer())

    async def recorded(self, request: Request) -> Response:
        """A recording is ready at the carrier."""
        await self.recordings.announced(
            request.path_params["survey_id"], await signed_form(request, self.signatures)
        )
        return Response(status_code=NOTED)

    async def status(self, request: Request) -> Response:
        """A status callback: how far the call has come, or how it ended."""
        form = await signed_form(request, self.signatures)
        current, sip_code = call_status(form.get("CallStatus")), form.get("SipResponseCode", "")
        if current is not None and form.get("CallSid"):
            code = int(sip_code) if re.fullmatch(r"[1-6][0-9]{2}", sip_code) else None
            seen = report(form["CallSid"], current, code)
            await self.tracking.report(request.path_params["attempt_id"], seen)
        return Response(status_code=NOTED)

    async def machine(self, request: Request) -> Response:
        """Who picked up, found out while the call went on."""
        form = await signed_form(request, self.signatures)
        answered_by = form.get("AnsweredBy", "")
        if answerer(answered_by) == "machine":
            attempt_id: UUID = request.path_params["attempt_id"]
            await self.tracking.machine_answered(attempt_id, form.get("CallSid", ""), answered_by)
        return Response(status_code=NOTED)

    async def spoken(self, language: str, answer: Coroutine[Any, Any, bytes]) -> Response:
        """An answer that a caller hears. Whatever goes wrong, it is a polite goodbye, not the carrier's error voice."""
        started = time.perf_counter()
        try:
            document = await within(ANSWER_SECONDS, answer)
        except NotFound:
            document = self._goodbye("goodbye", language)
        except Exception:
            log.exception("voice_turn_failed")
            metrics.TURNS_FAILED.labels("voice").inc()
            document = self._goodbye("apology", language)
        metrics.TURNS.labels("voice").observe(time.perf_counter() - started)
        return Response(document, media_type="text/xml")

    def render(self, current: CurrentTurn, *, recording: bool = False, streamed: bool = True) -> bytes:
        """The turn as TwiML in its own language; heard in a stream of ours where that is wanted and possible."""
        invitation = self.invite(current) if streamed else None
        if invitation is not None and (ask := current.turn.ask) is not None:
            wording = self.voice.wording(current.turn)
            return streaming.render(
                invitation, ask, wording, current.turn_no, self.voice.sounds, recording=recording
            )
        return self.voice.render(current.turn, current.turn_no, recording=recording)

    def _goodbye(self, prompt_name: str, language: str) -> bytes:
        """What ends a call whose conversation is not at hand."""
        wording = self.conversations.flows.default.wording(language)
        return twiml.goodbye(prompt_name, wording, self.voice.sounds)


def _turn_no(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,6}", text) is None:
        raise NotFound("There is no such turn.")
    return int(text)


def _attempt_id(query: Mapping[str, str]) -> UUID:
    try:
        return UUID(query.get("attempt", ""))
    except ValueError:
        raise NotFound("There is no such attempt.") from None


async def within(seconds: float, work: Coroutine[Any, Any, bytes]) -> bytes:
    """What ``work`` gives; raises `TimeoutError` once the time is over, without waiting for it to give up."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait((task,), timeout=seconds)
    if not done:
        task.cancel()
        raise TimeoutError
    return task.result()
