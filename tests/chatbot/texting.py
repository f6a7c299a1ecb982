"""Somebody with a phone that texts, in front of the running product."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx

from app.carrier import sign
from app.rehearsal.twilio.message import TextMessage
from tests.line import OURS, TOKEN, Line, eventually

PHONE = "+48221234567"


@dataclass
class Texter:
    """One person, who writes from ``phone`` by ``channel``."""

    line: Line
    phone: str = PHONE
    channel: str = "sms"
    crm_id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def address(self) -> str:
        """Whom the carrier sees."""
        return f"whatsapp:{self.phone}" if self.channel == "whatsapp" else self.phone

    async def asked(self, **changes: Any) -> str:
        """Have a survey by this channel scheduled, and wait until its message is there; gives the survey's id."""
        survey_id = await self.triggered(**changes)
        await self.got(1)

        async def noted() -> bool:
            return (await self.line.story(survey_id))["attempts"][-1]["placed_at"] is not None

        await eventually(noted)
        await self.line.until(survey_id, "in_progress")
        return survey_id

    async def triggered(self, **changes: Any) -> str:
        """Have a survey by this channel scheduled."""
        customer = {"crm_id": self.crm_id, "phone": self.phone, "consent": True}
        given = {"survey_by": self.channel, "customer": customer} | changes
        decided = await self.line.trigger(**given)
        assert decided["decision"] == "scheduled", decided
        return str(decided["survey_id"])

    def inbox(self) -> list[TextMessage]:
        """What was sent to this person by REST, oldest first."""
        return [
            each
            for each in reversed(list(self.line.carrier.messages))
            if each.to == self.address and each.direction == "outbound-api"
        ]

    async def got(self, count: int) -> TextMessage:
        """Wait for the so-manieth message, and give it."""

        async def arrived() -> bool:
            return len(self.inbox()) >= count

        await eventually(arrived, lambda: [each.body for each in self.inbox()])
        return self.inbox()[count - 1]

    async def writes(self, body: str, **fields: str) -> str:
        """Write to our number, and give the answer: the text of at most one message."""
        texts = messages_in(await self.posts({"Body": body, **fields}))
        assert len(texts) <= 1, texts
        return texts[0] if texts else ""

    async def posts(self, fields: dict[str, str], token: str = TOKEN) -> httpx.Response:
        """What the carrier posts when this person writes."""
        form = {
            "MessageSid": f"SM{uuid4().hex}",
            "From": self.address,
            "To": OURS,
            "NumMedia": "0",
            "SmsStatus": "received",
        } | fields
        return await post(self.line, "/twilio/messages", form, token)

    async def reports(
        self, attempt_id: str, sid: str, status: str, code: int | None = None
    ) -> httpx.Response:
        """What the carrier posts of a message's way."""
        form = {"MessageSid": sid, "MessageStatus": status} | ({"ErrorCode": str(code)} if code else {})
        return await post(self.line, f"/twilio/attempts/{attempt_id}/message-status", form)


async def post(line: Line, path: str, form: dict[str, str], token: str = TOKEN) -> httpx.Response:
    """A webhook, signed with the account's token."""
    headers = {"X-Twilio-Signature": sign(f"{line.services.settings.public_url}{path}", form, token)}
    return await line.http.post(path, data=form, headers=headers)


def messages_in(answer: httpx.Response) -> list[str]:
    """The messages in the TwiML of an answer."""
    assert answer.status_code == 200, answer.text
    return [(each.text or "") for each in ET.fromstring(answer.text).iter("Message")]  # noqa: S314 - our own
