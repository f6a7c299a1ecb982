"""The webhooks of messages and conversations. Each is signed, and may come twice and in any order."""

import re
import time
from dataclasses import dataclass
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.twiml.messaging_response import MessagingResponse

from app import metrics
from app.carrier import SignatureChecker, message_status, signed_form
from app.chatbot.answering import MessageAnswering
from app.chatbot.incoming import Incoming, incoming
from app.chatbot.message_channel import report
from app.chatbot.twilio_conversations import TwilioConversations
from app.outreach import AttemptTracking
from app.text import speakable

log = structlog.get_logger(__name__)
NOTED = 204


@dataclass(frozen=True)
class MessageWebhooks:
    """What the carrier tells us of messages, and what it is answered."""

    signatures: SignatureChecker
    replies: MessageAnswering
    threads: TwilioConversations
    tracking: AttemptTracking

    def routes(self) -> list[Route]:
        """Every address the carrier is given, or is to be configured with."""
        return [
            Route("/twilio/messages", self.received, methods=["POST"]),
            Route("/twilio/conversations", self.added, methods=["POST"]),
            Route("/twilio/attempts/{attempt_id:uuid}/message-status", self.status, methods=["POST"]),
        ]

    async def received(self, request: Request) -> Response:
        """Somebody wrote to us: the answer to the webhook is the reply, one message or none."""
        message = incoming(await signed_form(request, self.signatures))
        if message is None:
            return document("")
        started = time.perf_counter()
        answer = await self._answer(message)
        metrics.TURNS.labels(message.channel).observe(time.perf_counter() - started)
        return document(answer)

    async def added(self, request: Request) -> Response:
        """Something was written in a conversation."""
        await self.threads.added(await signed_form(request, self.signatures))
        return Response(status_code=NOTED)

    async def status(self, request: Request) -> Response:
        """How a message of ours stands."""
        form = await signed_form(request, self.signatures)
        told, code, sid = (
            message_status(form.get("MessageStatus")),
            form.get("ErrorCode", ""),
            form.get("MessageSid"),
        )
        if told is not None and sid:
            attempt_id: UUID = request.path_params["attempt_id"]
            seen = report(sid, told, int(code) if re.fullmatch(r"[0-9]{1,6}", code) else None)
            await self.tracking.report(attempt_id, seen)
        return Response(status_code=NOTED)

    async def _answer(self, message: Incoming) -> str:
        try:
            return await self.replies.answer(message)
        except Exception:
            log.exception("message_turn_failed")
            metrics.TURNS_FAILED.labels(message.channel).inc()
            return self.replies.apology(message)


def document(text: str) -> Response:
    """TwiML with one message, or with none."""
    response = MessagingResponse()
    if text:
        response.message(speakable(text))
    return Response(str(response), media_type="text/xml")
