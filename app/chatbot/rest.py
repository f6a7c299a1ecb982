"""The chat over HTTP, as Rasa's REST channel speaks it."""

import json
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.chatbot.accepted_language import preferred
from app.chatbot.chat import STARTS, Chats, Hints, SurveyEnded
from app.chatbot.rasa_format import rest_replies
from app.chatbot.tokens import BadToken
from app.text import mended
from app.web.problems import problem, unreadable

LARGEST_BODY = 64 * 1024
NOWHERE = "unknown"


class Posted(BaseModel):
    """A message. ``sender`` is the chat token; an empty ``message`` or ``/start`` asks for the present question."""

    model_config = ConfigDict(extra="ignore", cache_strings="keys")

    sender: str = Field(description="The chat token.")
    message: str | None = ""
    metadata: dict[str, Any] | None = Field(
        None, description="Optional: `turn` or `message_id` make a repeated message harmless."
    )


class ButtonShown(BaseModel):
    """A quick reply: pressing it posts its payload as a message."""

    title: str
    payload: str


class Replied(BaseModel):
    """One message to show, as Rasa's REST channel answers it."""

    recipient_id: str
    text: str
    buttons: list[ButtonShown] | None = None


class BodyTooLarge(Exception):
    """More came than a chat ever sends."""


async def body_of(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The body, read no further than allowed. Raises `BodyTooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLarge
    return bytes(body)


def router(chats: Chats) -> APIRouter:
    """The endpoints of Rasa's REST channel, under ``/webhooks/rest``."""
    routes = APIRouter(prefix="/webhooks/rest", tags=["chat"])

    @routes.get("/")
    async def status() -> dict[str, str]:
        """200 while the channel is there, as Rasa's own answers."""
        return {"status": "ok"}

    @routes.post(
        "/webhook",
        response_model=list[Replied],
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Posted.model_json_schema()}},
            }
        },
    )
    async def webhook(request: Request) -> Response:
        """Take a message of a chat and answer it."""
        try:
            posted = read(await body_of(request))
        except BodyTooLarge:
            return problem(413, "too_large", f"A message has at most {LARGEST_BODY} bytes.")
        except ValidationError as wrong:
            return unreadable(wrong.errors())
        return await answered(chats, posted, request)

    return routes


def read(body: bytes) -> Posted:
    """The message in a body. Raises `ValidationError`."""
    try:
        return Posted.model_validate_json(body)
    except ValidationError:
        # A widget that cuts a text may leave half an emoji, which pydantic takes for broken JSON.
        with suppress(ValueError, RecursionError):
            return Posted.model_validate_json(mended(json.dumps(json.loads(body), ensure_ascii=False)))
        raise


async def answered(chats: Chats, posted: Posted, request: Request) -> Response:
    """The answer to a message that could be read."""
    address = request.client.host if request.client else NOWHERE
    hints, text = Hints.read(posted.metadata), posted.message or ""
    try:
        current = await chats.hear(posted.sender, address, text, hints)
    except BadToken as bad:
        language = preferred(request.headers.get("accept-language"), chats.flows.languages)
        return problem(bad.status, bad.code, chats.wording(language).labels["expired"])
    except SurveyEnded as ended:
        reply: dict[str, Any] = {"recipient_id": posted.sender, "text": ended.words}
        return JSONResponse([reply | ({"custom": {"done": True}} if hints.widget else {})])
    opening = text.strip() in STARTS
    return JSONResponse(rest_replies(chats, current, posted.sender, hints, opening=opening))
