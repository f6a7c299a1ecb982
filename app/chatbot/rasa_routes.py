"""Our action server inside the web application: the protocol that rasa-sdk's own server speaks."""

import zlib
from typing import Any

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from app.chatbot.rasa_survey import RasaReply, RasaSurveys
from app.chatbot.rasa_tracker import Tracker
from app.web import largest_body, read_json
from app.web.problems import problem_fields

log = structlog.get_logger(__name__)

LARGEST_BODY = largest_body("/webhook")
MISSING_DOMAIN = 449  # Rasa's own: send the call again, with the domain
CALL = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}


def router(rasa: RasaSurveys, may_act: Any) -> APIRouter:
    """The endpoints; ``may_act`` is the dependency that checks the caller's key.

    Requests and answers are rasa-sdk 3.21's. rasa-sdk itself is not needed here, and could not be: what it requires
    does not go together with what Zeroten does. It serves `app.chatbot.rasa_actions`, which is the same actions.
    """
    routes = APIRouter(tags=["rasa"], dependencies=[Depends(may_act)])
    known_domains: set[str] = set()

    @routes.post("/webhook", openapi_extra={"requestBody": CALL})
    async def webhook(request: Request) -> JSONResponse:
        """Run an action: ``{"next_action", "tracker", "domain"}`` gives ``{"events", "responses"}``."""
        try:
            call = _json(await request.body(), request.headers.get("content-encoding", ""))
        except (ValueError, RecursionError):
            return JSONResponse({"error": "Invalid body request"}, 400)
        return await _run(rasa, call, known_domains)

    @routes.get("/actions")
    async def actions() -> list[dict[str, str]]:
        """The actions that this server runs, by their names, as rasa-sdk's own server lists them."""
        return [{"name": name} for name in rasa.actions]

    @routes.get("/health")
    async def health() -> dict[str, str]:
        """200 while the action server is up, as rasa-sdk's own server answers."""
        return {"status": "ok"}

    return routes


async def _run(rasa: RasaSurveys, call: dict[str, Any], known_domains: set[str]) -> JSONResponse:
    action = call.get("next_action")
    if not action:
        return JSONResponse(None)
    if not isinstance(action, str) or action not in rasa.actions:
        return _refused(404, action, f"No registered action found for name '{action}'.")
    if not _domain_is_known(call, known_domains):
        return _refused(MISSING_DOMAIN, action, f"Domain context is missing for action '{action}'.")
    try:
        tracker = Tracker.model_validate(call.get("tracker"))
    except ValidationError as wrong:
        fields = [each["field"] for each in problem_fields(wrong.errors())]
        log.warning("rasa_tracker_unreadable", fields=fields)
        return JSONResponse({"error": f"The tracker cannot be read: {', '.join(fields)}"}, 500)
    return JSONResponse(body_of(await rasa.run(action, tracker)))


def _domain_is_known(call: dict[str, Any], known_domains: set[str]) -> bool:
    """Whether the domain came along, or did before. No action of ours reads it; Rasa is promised this answer."""
    digest = call.get("domain_digest")
    if call.get("domain") is None:
        return digest in known_domains if isinstance(digest, str) else False
    if isinstance(digest, str):
        known_domains.clear()
        known_domains.add(digest)
    return True


def _refused(status: int, action: object, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason, "action_name": action}, status)


def _json(body: bytes, encoding: str) -> dict[str, Any]:
    if encoding.strip().lower() == "deflate":
        body = _inflated(body)
    call = read_json(body)
    if not isinstance(call, dict):
        raise ValueError("not an object")  # noqa: TRY004  unreadable, like what is no JSON
    return call


def _inflated(body: bytes) -> bytes:
    inflating = zlib.decompressobj()
    try:
        inflated = inflating.decompress(body, LARGEST_BODY)
    except zlib.error as wrong:
        raise ValueError("not deflated") from wrong
    if inflating.unconsumed_tail or not inflating.eof:
        raise ValueError("too large, or cut off")
    return inflated


def body_of(reply: RasaReply) -> dict[str, Any]:
    """A reply as rasa-sdk writes it."""
    return {
        "events": list(reply.events),
        "responses": [
            {
                "text": message.text,
                "buttons": [{"title": each.title, "payload": each.payload} for each in message.buttons],
                "elements": [],
                "custom": {},
                "template": None,
                "response": None,
                "image": None,
                "attachment": None,
            }
            for message in reply.responses
        ],
    }
