"""Surveys inside conversations that Twilio hosts: what is written there, and what is written back by REST."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog

from app.carrier import Carrier
from app.chatbot.message import text_of
from app.conversation import Conversations
from app.errors import CarrierBusy, CarrierError, NotFound
from app.jobs import Jobs
from app.outreach import WriteToConversation
from app.store import Pool, clock, correspondence, surveys, threads
from app.survey import Words

log = structlog.get_logger(__name__)

# Under which name we write, and know our own messages again.
AUTHOR = "zeroten"
MESSAGE_ADDED = "onMessageAdded"


@dataclass(frozen=True)
class TwilioConversations:
    """Finds a conversation's survey by the interaction's attribute ``conversation_sid``."""

    pool: Pool
    jobs: Jobs
    conversations: Conversations
    carrier: Carrier
    timezone: ZoneInfo

    async def added(self, form: Mapping[str, str]) -> None:
        """Somebody wrote in a conversation. Twilio waits 5 s for us, so the answer is written by a job of its own."""
        author, sid = form.get("Author", ""), form.get("MessageSid", "")
        if form.get("EventType") != MESSAGE_ADDED or author == AUTHOR or not sid:
            return
        async with self.pool.connection() as connection:
            thread = await threads.read(connection, form.get("ConversationSid", ""))
            known = await correspondence.read_receipt(connection, sid)
        if thread is None or known is not None or thread.author not in (None, author):
            return
        current = await self.conversations.hear_next(
            thread.survey_id, Words(form.get("Body", "")), receipt=sid
        )
        async with self.pool.connection() as connection:
            await self.jobs.defer(connection, WriteToConversation(thread.survey_id, current.turn_no))

    async def write(self, job: WriteToConversation) -> None:
        """Write the survey's turn, unless a later one follows; without a number open the survey first.

        Raises `CarrierBusy` where nothing was written, and another try may help.
        """
        survey_id, turn_no = job.survey_id, job.turn_no
        async with self.pool.connection() as connection:
            sid = await threads.sid_of(connection, survey_id)
            if turn_no is None:
                today = await clock.today(connection, self.timezone)
                await surveys.mark_invited(connection, survey_id, today)
        try:
            current = await self.conversations.open(survey_id, by=f"conversation:{sid}")
        except NotFound:
            return
        if turn_no not in (None, current.turn_no):
            return
        text = text_of(current.turn, self.conversations.flows.wording_of(current.turn.state), "chat")
        try:
            await self.carrier.write_in_conversation(sid, AUTHOR, text)
        except CarrierBusy:
            raise
        except CarrierError as error:
            log.warning("conversation_not_written", error=str(error))
