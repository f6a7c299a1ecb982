"""The webhooks of a call. Each is signed, may come twice, and is answered from one short transaction."""

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.aftermath import Aftermath
from app.carrier.outcomes import answerer, call_status
from app.carrier.signature import SignatureChecker
from app.conversation import Conversations, Told
from app.errors import Forbidden, NotFound
from app.ivr import twiml
from app.ivr.channel import sighting
from app.ivr.inbound import Inbound
from app.ivr.recordings import Recordings
from app.survey.flow import Flow
from app.survey.heard import Heard, Keys, Silence, Words

log = structlog.get_logger(__name__)
Form = dict[str, str]
NOTED = 204


@dataclass(frozen=True)
class VoiceWebhooks:
    """What the carrier asks of us around a call. ``flow`` words what is said where no survey is known."""

    signatures: SignatureChecker
    conversations: Conversations
    aftermath: Aftermath
    recordings: Recordings
    inbound: Inbound
    flow: Flow

    def routes(self) -> list[Route]:
        """Every address the carrier is given, or is to be configured with."""
        survey = "/twilio/voice/{language}/{survey_id:uuid}"
        attempt = "/twilio/attempts/{attempt_id:uuid}"
        return [
            Route(f"{survey}/{{turn_no:int}}", self.turn, methods=["POST"]),
            Route(f"{survey}/open", self.opened, methods=["POST"]),
            Route(f"{survey}/recording", self.recorded, methods=["POST"]),
            Route(f"{attempt}/status", self.status, methods=["POST"]),
            Route(f"{attempt}/machine", self.machine, methods=["POST"]),
            Route("/twilio/voice", self.incoming, methods=["POST"]),
            Route("/twilio/voice/opt-out", self.opted_out, methods=["POST"]),
        ]

    async def turn(self, request: Request) -> Response:
        """Something was heard, or nothing was."""
        form, where = await self.form(request), request.path_params

        async def answer() -> bytes:
            told = await self.conversations.take_turn(where["survey_id"], where["turn_no"], heard_in(form))
            return self.render(told, recording=b"recorded" in request.scope["query_string"])

        return await self.spoken(where["language"], answer())

    async def opened(self, request: Request) -> Response:
        """The call was answered: greet."""
        form, where = await self.form(request), request.path_params
        attempt_id, sid = UUID(request.query_params["attempt"]), form.get("CallSid", "")

        async def answer() -> bytes:
            await self.aftermath.placed(attempt_id, sid)
            return self.render(await self.conversations.open(where["survey_id"], by=sid))

        return await self.spoken(where["language"], answer())

    async def incoming(self, request: Request) -> Response:
        """Someone calls our number."""
        form = await self.form(request)
        return await self.spoken(self.flow.default_language, self.inbound.answer(form))

    async def opted_out(self, request: Request) -> Response:
        """A caller whom no survey awaits asks not to be called again."""
        form = await self.form(request)
        return await self.spoken(self.flow.default_language, self.inbound.opt_out(form))

    async def recorded(self, request: Request) -> Response:
        """A recording is ready at the carrier."""
        await self.recordings.announced(request.path_params["survey_id"], await self.form(request))
        return Response(status_code=NOTED)

    async def status(self, request: Request) -> Response:
        """How a call stands."""
        form = await self.form(request)
        told, sip_code = call_status(form.get("CallStatus")), form.get("SipResponseCode", "")
        if told is not None and form.get("CallSid"):
            seen = sighting(form["CallSid"], told, int(sip_code) if sip_code.isdigit() else None)
            await self.aftermath.sighted(request.path_params["attempt_id"], seen)
        return Response(status_code=NOTED)

    async def machine(self, request: Request) -> Response:
        """Who picked up, found out while the call went on."""
        form = await self.form(request)
        answered_by = form.get("AnsweredBy", "")
        if answerer(answered_by) == "machine":
            attempt_id: UUID = request.path_params["attempt_id"]
            await self.aftermath.machine_answered(attempt_id, form.get("CallSid", ""), answered_by)
        return Response(status_code=NOTED)

    async def form(self, request: Request) -> Form:
        """The signed form, or `Forbidden`. Read by hand: the framework's form parser costs more than the turn."""
        pairs = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
        address = f"{path}?{query}" if query else path
        if not self.signatures.check(address, pairs, request.headers.get("x-twilio-signature")):
            raise Forbidden(
                "The signature does not fit; see ZEROTEN_PUBLIC_URL and ZEROTEN_TWILIO_AUTH_TOKEN."
            )
        return dict(pairs)

    async def spoken(self, language: str, answer: Awaitable[bytes]) -> Response:
        """An answer that a caller hears. Whatever goes wrong, it is a polite goodbye, not the carrier's error voice."""
        started = time.perf_counter()
        try:
            document = await answer
        except NotFound:
            document = twiml.goodbye("goodbye", self.flow.wording(language))
        except Exception:
            log.exception("voice_turn_failed")
            metrics.TURNS_FAILED.labels("voice").inc()
            document = twiml.goodbye("apology", self.flow.wording(language))
        metrics.TURNS.labels("voice").observe(time.perf_counter() - started)
        return Response(document, media_type="text/xml")

    def render(self, told: Told, *, recording: bool = False) -> bytes:
        """The turn as TwiML in its own language."""
        state = told.turn.state
        wording = self.conversations.flows[state.flow].wording(state.language)
        record = state.context.get("record") == "yes"
        return twiml.render(told.turn, wording, told.turn_no, record=record, recording=recording)


def heard_in(form: Form) -> Heard:
    """What a Gather witnessed; an absent and an empty result alike are silence."""
    if form.get("Digits"):
        return Keys(form["Digits"])
    if form.get("SpeechResult", "").strip():
        return Words(form["SpeechResult"], spoken=True, confidence=_confidence(form.get("Confidence")))
    return Silence()


def _confidence(text: str | None) -> float | None:
    """None where there is none: some of the carrier's speech models send 0.0 for want of one."""
    try:
        return min(1.0, float(text or "")) or None
    except ValueError:
        return None
