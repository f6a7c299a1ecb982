"""Conversations that the rehearsed carrier hosts."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.rehearsal.twilio.parameters import Parameters, RequestRefused
from app.rehearsal.twilio.recordings import new_sid
from app.rehearsal.twilio.webhooks import Webhooks


@dataclass(frozen=True)
class ConversationLine:
    """One message of a conversation: who wrote it, and what."""

    author: str
    body: str
    sid: str = field(default_factory=lambda: new_sid("IM"))


class HostedConversations:
    """What was written in each conversation, by its SID; every SID names one."""

    def __init__(self, account_sid: str, webhooks: Webhooks) -> None:
        self._account_sid, self._webhooks = account_sid, webhooks
        self._lines: defaultdict[str, list[ConversationLine]] = defaultdict(list)

    def lines(self, conversation_sid: str) -> list[ConversationLine]:
        """The messages of a conversation, oldest first; an unknown SID has none."""
        return list(self._lines[conversation_sid])

    async def say(
        self, conversation_sid: str, author: str, body: str, url: str, times: int = 1
    ) -> ConversationLine:
        """Have somebody write in a conversation, and tell ``url`` of it, so many times."""
        line = self._add(conversation_sid, ConversationLine(author, body))
        form = {
            "EventType": "onMessageAdded",
            "ConversationSid": conversation_sid,
            "MessageSid": line.sid,
            "Index": str(len(self._lines[conversation_sid]) - 1),
            "DateCreated": datetime.now(UTC).isoformat(),
            "Author": author,
            "Body": body,
            "Attributes": "{}",
            "Source": "SDK",
        }
        for retry in range(times):
            await self._webhooks.tell(url, "POST", {**form, "RetryCount": str(retry)})
        return line

    async def create_message(self, request: Request) -> Response:
        """``POST /v1/Conversations/{sid}/Messages``: write into the conversation as the account."""
        form, sid = Parameters((await request.body()).decode()), request.path_params["sid"]
        if not form.get("Body"):
            raise RequestRefused(400, 50063, "Message body is required.")
        line = self._add(sid, ConversationLine(form.get("Author") or "system", form.get("Body")))
        return JSONResponse(self._show(line, sid, request), 201)

    def routes(self) -> list[Route]:
        """The routes of the REST interface that are about conversations."""
        return [Route("/v1/Conversations/{sid}/Messages", self.create_message, methods=["POST"])]

    def _add(self, conversation_sid: str, line: ConversationLine) -> ConversationLine:
        self._lines[conversation_sid].append(line)
        return line

    def _show(self, line: ConversationLine, conversation_sid: str, request: Request) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "sid": line.sid,
            "account_sid": self._account_sid,
            "conversation_sid": conversation_sid,
            "index": len(self._lines[conversation_sid]) - 1,
            "author": line.author,
            "body": line.body,
            "media": None,
            "attributes": "{}",
            "participant_sid": None,
            "date_created": now,
            "date_updated": now,
            "url": str(request.url),
            "delivery": None,
            "links": {},
            "content_sid": None,
        }
