"""What somebody writes to our number: an answer to the open survey, or a keyword; and what is written back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from app.chatbot.incoming import Incoming
from app.chatbot.keyword import Keyword, keyword
from app.chatbot.message import text_of
from app.conversation import Conversations, CurrentTurn
from app.store import Pool, correspondence, inbound, suppressions, surveys
from app.store.surveys import Survey
from app.survey import Words

HANDLED: Mapping[str, Keyword] = {"STOP": "stop", "START": "start", "HELP": "help"}
NOTHING = ""


@dataclass(frozen=True)
class MessageAnswering:
    """Answers incoming messages. ``brand`` is named where no survey is known.

    Whoever writes without being asked, or after the survey has ended, gets no answer, unless it is a keyword.
    """

    pool: Pool
    conversations: Conversations
    brand: str

    async def answer(self, message: Incoming) -> str:
        """The one message to write back, or nothing. The same message again gets the same answer."""
        async with self.pool.connection() as connection:
            if message.channel == "whatsapp":
                await inbound.note(connection, message.channel, message.phone)
            receipt = await correspondence.read_receipt(connection, message.sid)
            survey = await correspondence.read_awaiting(connection, message.phone, message.channel)
        if receipt is not None:
            return await self._again(message, *receipt)
        meant = self._keyword(message)
        match meant:
            case "stop":
                answer = await self._stop(message, survey)
            case "start":
                answer = await self._start(message, survey)
            case "help":
                answer = await self._help(message, survey)
            case None:
                return await self._hear(message, survey) if survey is not None else NOTHING
            case _:
                assert_never(meant)
        # Where the carrier has answered a keyword itself, a second answer would be one too many.
        return NOTHING if message.handled else answer

    def apology(self, message: Incoming) -> str:
        """What is written where nothing can be read or kept just now."""
        return self._say("apology", message, None, self.brand)

    def _keyword(self, message: Incoming) -> Keyword | None:
        if message.handled is not None:
            return HANDLED[message.handled]
        return keyword(message.text, self.conversations.flows.vocabularies.values())

    async def _hear(self, message: Incoming, survey: Survey) -> str:
        if survey.conversation is None:
            # Reported as undelivered, and yet it arrived: this is the answer to it.
            await self.conversations.open(survey.id, by=f"message:{message.sid}")
        current = await self.conversations.hear_next(survey.id, Words(message.text), receipt=message.sid)
        return self._written(current, message)

    async def _again(self, message: Incoming, survey_id: UUID, turn_no: int) -> str:
        """The carrier posts a message once more, because our answer got lost: repeat it if it is still the last."""
        current = await self.conversations.hear_next(survey_id, Words(message.text), receipt=message.sid)
        return (
            self._written(current, message)
            if current.turn_no == turn_no + 1 and not message.handled
            else NOTHING
        )

    async def _stop(self, message: Incoming, survey: Survey | None) -> str:
        """Suppress the person at once, under every address of every survey that is under way; then say so."""
        current = None
        if survey is not None and survey.conversation is not None:
            current = await self.conversations.hear_next(survey.id, Words("STOP"), receipt=message.sid)
        async with self.pool.connection() as connection, connection.transaction():
            language = await surveys.last_language(connection, message.phone)
            if await correspondence.take(connection, message.sid):
                for survey_id in await correspondence.open_to(connection, message.phone):
                    await suppressions.add_for_survey(connection, survey_id)
                addresses = suppressions.addresses_of(None, message.phone, None)
                await suppressions.add(connection, addresses, message.channel)
        return (
            self._written(current, message)
            if current
            else self._say("opted_out", message, language, self.brand)
        )

    async def _start(self, message: Incoming, survey: Survey | None) -> str:
        async with self.pool.connection() as connection, connection.transaction():
            if await correspondence.take(connection, message.sid):
                await suppressions.lift_for_phone(connection, message.phone)
            language = await surveys.last_language(connection, message.phone)
        if survey is not None and survey.conversation is not None:
            return self._written(await self.conversations.open(survey.id, by=survey.opened_by or ""), message)
        return self._say("not_now", message, language, self.brand)

    async def _help(self, message: Incoming, survey: Survey | None) -> str:
        async with self.pool.connection() as connection:
            language = await surveys.last_language(connection, message.phone)
        brand = self.brand
        if survey is not None and survey.conversation is not None:
            brand = survey.conversation["state"]["context"]["brand"]
        return self._say("inbound_unknown", message, language, brand)

    def _say(self, prompt: str, message: Incoming, language: str | None, brand: str) -> str:
        wording = self.conversations.flows.default.wording(language)
        return wording.text(wording.prompt(prompt, {"brand": brand}), message.channel)

    def _written(self, current: CurrentTurn, message: Incoming) -> str:
        return text_of(current.turn, self.conversations.flows.wording_of(current.turn.state), message.channel)
