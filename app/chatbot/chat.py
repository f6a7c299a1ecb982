"""A chat about one survey, whatever carries it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app import metrics
from app.chatbot.tokens import ExpiredToken, TokenGate
from app.conversation import Conversations, CurrentTurn
from app.errors import NotFound
from app.store import Pool, clock, surveys
from app.survey import Answer, Flows, Stop, Wording, Words
from app.survey.hear import hear

STARTS = frozenset({"", "/start", "/restart", "/get_started", "/session_start"})
OPENER = "chat"
LONGEST_MESSAGE_ID = 200


@dataclass(frozen=True)
class Hints:
    """What a widget may send beside a message. All of it is optional, and what cannot be read is left aside.

    ``turn`` is the number of the turn that is answered, ``message_id`` the widget's own id of the message: with either
    of them a repeated message changes nothing. ``widget`` asks for what our own widget needs.
    """

    turn: int | None = None
    message_id: str | None = None
    language: str | None = None
    widget: bool = False

    @classmethod
    def read(cls, metadata: object) -> "Hints":
        """The hints that somebody's metadata hold; what is missing or of another type is left out."""
        given: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
        turn, message_id, language = given.get("turn"), given.get("message_id"), given.get("language")
        return cls(
            turn=turn if isinstance(turn, int) and not isinstance(turn, bool) else None,
            message_id=message_id if isinstance(message_id, str) else None,
            language=language if isinstance(language, str) else None,
            widget=given.get("widget") is True,
        )


def receipt_of(channel: str, survey_id: UUID, message_id: str | None) -> str | None:
    """Under which name a survey remembers a message; None for an id that is missing, or too odd to be kept.

    Clients count their own messages, so that the same id in two surveys is two messages.
    """
    if not message_id or not message_id.isprintable() or len(message_id) > LONGEST_MESSAGE_ID:
        return None
    return f"{channel}:{survey_id.hex}:{message_id}"


class SurveyEnded(NotFound):
    """There is nothing left to answer, nor a goodbye to repeat. ``words`` say so in the person's language."""

    code = "survey_ended"

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True)
class Chats:
    """Takes messages to their survey."""

    pool: Pool
    conversations: Conversations
    token_gate: TokenGate
    timezone: ZoneInfo

    async def hear(self, token: str, address: str, text: str, hints: Hints) -> CurrentTurn:
        """Answer a message; an empty one and ``/start`` give the present question.

        Raises `BadToken`, `TooManyWrongTokens` or `SurveyEnded`.
        """
        started = time.perf_counter()
        try:
            survey_id = self.token_gate.admit(token, address)
        except ExpiredToken as expired:
            raise await self._ended(expired.survey_id) from None
        try:
            if text.strip() in STARTS:
                return await self.open(survey_id, hints.language)
            return await self._answer(survey_id, text, hints)
        except NotFound:
            raise await self._ended(survey_id) from None
        finally:
            metrics.TURNS.labels("chat").observe(time.perf_counter() - started)

    async def open(self, survey_id: UUID, language: str | None = None) -> CurrentTurn:
        """The present question, or the goodbye. The first time, the person counts as invited and reached.

        ``language`` is the page's: it is then the survey's, where we speak it.
        """
        async with self.pool.connection() as connection:
            today = await clock.today(connection, self.timezone)
            await surveys.mark_opened(connection, survey_id, today, self.flows.languages.find(language or ""))
        return await self.conversations.open(survey_id, by=OPENER)

    async def is_under_way(self, token: str, address: str) -> bool:
        """Whether the token's conversation has begun and waits for an answer. Raises as `hear` does."""
        try:
            survey_id = self.token_gate.admit(token, address)
        except ExpiredToken:
            return False
        async with self.pool.connection() as connection:
            survey = await surveys.read(connection, survey_id)
        return survey is not None and survey.is_open and survey.conversation is not None

    def wording(self, language: str | None) -> Wording:
        """The words for someone whose survey we do not know."""
        return self.flows.default.wording(language)

    def wording_of(self, current: CurrentTurn) -> Wording:
        """The words in which this conversation is held."""
        return self.flows.wording_of(current.turn.state)

    @property
    def flows(self) -> Flows:
        """What is asked, and in which words."""
        return self.conversations.flows

    async def _answer(self, survey_id: UUID, text: str, hints: Hints) -> CurrentTurn:
        words = Words(text)
        receipt = receipt_of("chat", survey_id, hints.message_id)
        try:
            if hints.turn is not None:
                return await self.conversations.take_turn(survey_id, hints.turn, words, receipt)
            return await self.conversations.hear_next(survey_id, words, receipt)
        except NotFound:
            return await self._answer_unasked(survey_id, words, receipt, hints.language)

    async def _answer_unasked(
        self, survey_id: UUID, words: Words, receipt: str | None, language: str | None
    ) -> CurrentTurn:
        """Nobody has seen the question yet: only a plain score or stop answers it, and "hello" is no bad answer."""
        current = await self.open(survey_id, language)
        ask = current.turn.ask
        if ask is None:
            return current
        meant = hear(ask.kind, words, self.wording_of(current).vocabulary)
        if isinstance(meant, Stop) or (isinstance(meant, Answer) and ask.kind == "score"):
            return await self.conversations.take_turn(survey_id, current.turn_no, words, receipt)
        return current

    async def _ended(self, survey_id: UUID) -> SurveyEnded:
        async with self.pool.connection() as connection:
            survey = await surveys.read(connection, survey_id)
        return SurveyEnded(self.wording(None if survey is None else survey.language).labels["expired"])
