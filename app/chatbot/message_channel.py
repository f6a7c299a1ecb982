"""SMS and WhatsApp as channels: the first message of a survey, sent by REST, and what became of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

from app.carrier import Carrier, MessageRecord, MessageStatus, Template, meaning_of
from app.chatbot.incoming import WHATSAPP, MessageChannelName
from app.chatbot.message import text_of
from app.conversation import Conversations, CurrentTurn
from app.errors import CarrierMisconfigured, CarrierRefused, NotFound
from app.ports import AttemptReport, Contact

# How long the carrier may keep a message in its queue; what comes later comes at a bad time.
VALIDITY_SECONDS = 3600
# Many networks send no receipt: a message that has left the carrier and drew no complaint is taken as sent.
RECEIPT_PATIENCE = timedelta(hours=1)
ANSWER_WITHIN = timedelta(hours=24)
TEMPLATE_REQUIRED = 63016


@dataclass(frozen=True)
class MessageChannel:
    """Writes to a person from ``sender``, an address of ours; what they write back comes to `app.chatbot.answering`."""

    name: MessageChannelName
    carrier: Carrier
    conversations: Conversations
    sender: str
    public_url: str
    answer_within: timedelta | None = ANSWER_WITHIN

    async def start(self, contact: Contact) -> str:
        try:
            current = await self.conversations.open(contact.survey_id, by=contact.opener)
        except NotFound:
            raise CarrierRefused("the survey was closed before its message was sent") from None
        if current.turn.ask is None:
            raise CarrierRefused("the survey was closed before its message was sent")
        return await self.send(contact, self.template(contact, current) or self.text(current))

    async def send(self, contact: Contact, content: str | Template) -> str:
        """Send one message to a survey's person, and return the carrier's id for it."""
        try:
            placed = await self.carrier.send_message(
                to=self.address(contact),
                content=content,
                status_url=f"{self.public_url}/twilio/attempts/{contact.attempt_id}/message-status",
                validity_seconds=VALIDITY_SECONDS,
                sender=self.sender,
            )
        except CarrierMisconfigured as fault:
            if fault.carrier_code == TEMPLATE_REQUIRED:
                raise CarrierRefused(str(fault), fault.carrier_code, fault.http_status) from None
            raise
        return placed.sid

    async def find(self, contact: Contact, since: datetime) -> list[AttemptReport]:
        found = await self.carrier.find_messages(self.address(contact), since, self.sender)
        return [report_of(record) for record in found]

    async def look(self, sid: str) -> AttemptReport | None:
        record = await self.carrier.fetch_message(sid)
        return None if record is None else report_of(record)

    async def stop(self, sid: str) -> None:
        """A message that was sent cannot be taken back."""

    def text(self, current: CurrentTurn) -> str:
        """What is written for a turn: one message, or nothing."""
        return text_of(current.turn, self.conversations.flows.wording_of(current.turn.state), self.name)

    def address(self, contact: Contact) -> str:
        """The person's address in this channel."""
        return WHATSAPP + contact.address if self.name == "whatsapp" else contact.address

    def template(self, contact: Contact, current: CurrentTurn) -> Template | None:
        """The template that stands in for the greeting and the first question, where free text is not allowed."""
        if contact.template is None:
            return None
        return Template(contact.template, {"1": current.turn.state.context["brand"]})


def report_of(record: MessageRecord) -> AttemptReport:
    """A message as the carrier's REST interface shows it."""
    if record.status == "sent" and datetime.now(UTC) - record.created_at > RECEIPT_PATIENCE:
        return AttemptReport(record.sid, "ended", "sent")
    return report(record.sid, record.status, record.error_code)


def report(sid: str, status: MessageStatus, error_code: int | None = None) -> AttemptReport:
    """A message's status as it matters to an attempt. A phone that is off is worth another attempt."""
    match status:
        case "scheduled" | "accepted" | "queued" | "sending":
            return AttemptReport(sid, "placed")
        case "sent":
            return AttemptReport(sid, "in_progress")
        case "delivered" | "read":
            return AttemptReport(sid, "ended", "delivered")
        case "canceled" | "failed" | "undelivered":
            temporary = meaning_of(error_code).consequence == "pause"
            return AttemptReport(sid, "ended", "failed", temporary, error_code)
        case _:
            assert_never(status)
