"""The survey as one generic form of a Rasa assistant: Rasa asks for a text, and the survey answers what comes of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from pydantic import Field, ValidationError

from app import metrics
from app.chatbot.chat import Chats, receipt_of
from app.chatbot.message import WrittenMessage, messages
from app.chatbot.rasa_tracker import ANSWER, REQUESTED, SURVEY, Tracker
from app.chatbot.tokens import BadToken, ChatTokens, ExpiredToken
from app.conversation import CurrentTurn
from app.errors import NotFound
from app.intake import InteractionIn
from app.store.interactions import Decision
from app.survey import Wording, Words
from app.web.problems import problem_fields

log = structlog.get_logger(__name__)

FINISH = "action_nps_finish"
QUEUE = "rasa"
PATIENCE_SECONDS = 20
INTERACTION_KEYS = ("queue", "agent", "language", "talk_seconds", "attributes")
CUSTOMER_KEYS = ("crm_id", "phone", "email", "name", "timezone", "consent")


class RasaInteraction(InteractionIn):
    """A chat in a Rasa assistant. Someone of whom nothing else is known is known again by their sender id."""

    sender: str = Field(exclude=True)

    @property
    def person(self) -> str:
        """The customer of the chat, as an interaction names them."""
        known = super().person
        return f"rasa:{self.sender}" if known == f"interaction:{self.id}" else known


@dataclass(frozen=True)
class RasaReply:
    """What an action answers: the events that Rasa adds to the tracker, and the messages that it utters."""

    events: Sequence[Mapping[str, Any]]
    responses: Sequence[WrittenMessage] = ()


def slot(name: str, value: str | None) -> dict[str, Any]:
    """Rasa's event that sets a slot."""
    return {"event": "slot", "timestamp": None, "name": name, "value": value}


def ended(how: str, responses: Sequence[WrittenMessage]) -> RasaReply:
    """The reply that ends the form."""
    return RasaReply([slot(ANSWER, how), slot(REQUESTED, None)], responses)


def finished() -> RasaReply:
    """The reply that makes the form ready for another time."""
    return RasaReply([slot(ANSWER, None), slot(SURVEY, None)])


@dataclass(frozen=True)
class RasaSurveys:
    """The three actions of flows/rasa/. ``accept`` decides about interactions: `app.intake.triggers.Triggers.accept`.

    The form's slot says how it ended, for a moment: ``done``, ``stop``, ``skipped`` (nobody was asked), ``failed``.
    """

    chats: Chats
    tokens: ChatTokens
    default_language: str
    brand: str
    accept: Callable[[Sequence[InteractionIn]], Awaitable[list[Decision]]]

    @property
    def actions(self) -> Mapping[str, Callable[[Tracker], Awaitable[RasaReply]]]:
        """The actions, under the names that the domain gives them."""
        return {
            "validate_nps_form": self._validate,
            "action_ask_nps_answer": self._ask,
            FINISH: self._finish,
        }

    async def run(self, action: str, tracker: Tracker) -> RasaReply:
        """Run one of ``actions``. It never raises, since Rasa would leave the customer without a word."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.actions[action](tracker)
        except Exception:
            log.exception("rasa_action_failed", action=action)
            metrics.TURNS_FAILED.labels("rasa").inc()
            return ended("failed", self._standard("apology", tracker))

    async def _validate(self, tracker: Tracker) -> RasaReply:
        """Begin the survey when the form begins, and answer what the customer writes from then on."""
        survey_id = self._held(tracker)
        if survey_id is None or tracker.slots.get(REQUESTED) != ANSWER:
            return await self._begin(tracker)
        message = tracker.latest_message
        if not tracker.has_answer or not message.is_typed:
            return RasaReply([slot(ANSWER, None)])
        receipt = receipt_of("rasa", survey_id, message.message_id)
        with metrics.TURNS.labels("rasa").time():
            current = await self.chats.conversations.hear_next(survey_id, Words(message.text or ""), receipt)
        if current.turn.ask is not None:
            return RasaReply([slot(ANSWER, None)])
        opted_out = any(prompt.name == "opted_out" for prompt in current.turn.say)
        return ended("stop" if opted_out else "done", self._written(current))

    async def _begin(self, tracker: Tracker) -> RasaReply:
        current = await self._unfinished(tracker) or await self._decided(tracker)
        if current is None:
            return ended("skipped", self._standard("not_now", tracker) if tracker.asked_for_it else [])
        return RasaReply(
            [slot(ANSWER, None), slot(SURVEY, self.tokens.make(current.survey_id, datetime.now(UTC)))]
        )

    async def _ask(self, tracker: Tracker) -> RasaReply:
        """Say what the survey says now, with its quick replies."""
        current = await self._unfinished(tracker)
        return ended("done", []) if current is None else RasaReply([], self._written(current))

    async def _finish(self, _: Tracker) -> RasaReply:
        return finished()

    async def _unfinished(self, tracker: Tracker) -> CurrentTurn | None:
        """The survey that the tracker holds, also over from an earlier session, if it still waits for an answer."""
        return await self._opened(self._held(tracker), None)

    async def _decided(self, tracker: Tracker) -> CurrentTurn | None:
        """The survey of the trigger whose token came along, else of the interaction that the metadata tell of."""
        metadata = tracker.metadata
        if "token" in metadata:
            language = metadata.get("language")
            return await self._opened(self._read(metadata["token"]), language)
        try:
            interaction = _interaction(tracker)
        except ValidationError as wrong:
            log.warning(
                "rasa_metadata_refused", fields=[each["field"] for each in problem_fields(wrong.errors())]
            )
            return None
        [decision] = await self.accept([interaction])
        return await self._opened(decision.survey_id, None)

    async def _opened(self, survey_id: UUID | None, language: object) -> CurrentTurn | None:
        """The survey's present turn; None where there is nothing to be asked any more."""
        if survey_id is None:
            return None
        try:
            current = await self.chats.open(survey_id, language if isinstance(language, str) else None)
        except NotFound:
            return None
        return current if current.turn.ask is not None else None

    def _held(self, tracker: Tracker) -> UUID | None:
        """The survey whose token the tracker holds."""
        token = tracker.slots.get(SURVEY)
        return None if token is None else self._read(token)

    def _read(self, token: object) -> UUID | None:
        try:
            return self.tokens.read(str(token))
        except (BadToken, ExpiredToken) as bad:
            log.warning("rasa_token_refused", code=bad.code)
            return None

    def _written(self, current: CurrentTurn) -> list[WrittenMessage]:
        return messages(current.turn, self.chats.wording_of(current), "chat")

    def _standard(self, name: str, tracker: Tracker) -> list[WrittenMessage]:
        language = str(tracker.metadata.get("language") or self.default_language)
        return standard(name, self.chats.wording(language), self.brand)


def standard(name: str, wording: Wording, brand: str) -> list[WrittenMessage]:
    """What is said where no survey is known."""
    return [WrittenMessage(wording.text(wording.prompt(name, {"brand": brand}), "chat"))]


def _interaction(tracker: Tracker) -> RasaInteraction:
    """The chat that the survey would be about. Raises pydantic's `ValidationError` for metadata that are no good."""
    metadata = tracker.metadata
    given = {key: metadata[key] for key in INTERACTION_KEYS if key in metadata}
    return RasaInteraction.model_validate(
        {
            "queue": QUEUE,
            **given,
            "id": f"rasa:{tracker.occasion}",
            "channel": "chat",
            "survey_by": "chat",
            "ended_at": datetime.now(UTC),
            "customer": {key: metadata[key] for key in CUSTOMER_KEYS if key in metadata},
            "sender": tracker.sender,
        }
    )
