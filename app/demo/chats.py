"""Rehearsed people who are asked inside a chat, over the product's own REST contract."""

from typing import Any, Protocol

import httpx

MOST_MESSAGES = 20


class ChatCustomer(Protocol):
    """Somebody who writes back, or does not."""

    async def read(self, text: str) -> str | None:
        """The reply to what was written, or None for leaving it at that."""
        ...


async def chat(http: httpx.AsyncClient, token: str, reader: ChatCustomer) -> list[str]:
    """Let ``reader`` answer the survey of ``token``; gives all that was written, texts and replies in turn."""
    written: list[str] = []
    message = "/start"
    for _ in range(MOST_MESSAGES):
        answer = await http.post("/webhooks/rest/webhook", json={"sender": token, "message": message})
        said = _text(answer.raise_for_status().json())
        written.append(said)
        reply = await reader.read(said) if said else None
        if reply is None:
            break
        written.append(reply)
        message = reply
    return written


def _text(messages: list[dict[str, Any]]) -> str:
    return "\n".join(str(each["text"]) for each in messages if each.get("text"))
