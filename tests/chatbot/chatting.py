"""Chatting with the product as a widget does."""

from typing import Any

import httpx

from tests.line import Line

SITE = "https://shop.example"
WEBHOOK = "/webhooks/rest/webhook"
Replies = list[dict[str, Any]]


async def invited(line: Line, **changes: Any) -> tuple[str, str]:
    """The token and the survey's id of a chat that has just ended."""
    decided = await line.trigger(**{"channel": "chat", "survey_by": None, "customer": {}} | changes)
    assert decided["decision"] == "scheduled", decided
    return decided["chat"]["token"], decided["survey_id"]


async def post(visitor: httpx.AsyncClient, token: str, message: str | None = "", **metadata: Any) -> Replies:
    """Post a message, and give what is to be shown."""
    posted = {"sender": token, "message": message, "metadata": metadata or None}
    answer = await visitor.post(WEBHOOK, json=posted)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def texts(replies: Replies) -> str:
    """All that is written."""
    return " ".join(reply.get("text", "") for reply in replies)


def payloads(replies: Replies) -> list[str]:
    """What the quick replies would send."""
    return [button["payload"] for button in replies[-1].get("buttons", [])]
