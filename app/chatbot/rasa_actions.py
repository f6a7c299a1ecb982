"""Our actions for rasa-sdk's own server: ``python -m rasa_sdk --actions app.chatbot.rasa_actions``.

The server needs the extra ``rasa`` (requirements/rasa.txt), takes its settings from the environment or ``.env``, and
has no authentication of its own: let only the Rasa server reach it.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from app import logs
from app.chatbot.rasa_routes import body_of
from app.chatbot.rasa_survey import FINISH, RasaReply, RasaSurveys, ended, finished, standard
from app.chatbot.rasa_tracker import Tracker as OurTracker
from app.config import Settings, load_flows
from app.services import running

log = structlog.get_logger(__name__)


class StandaloneServices:
    """The services of this process, opened on the loop that first needs them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._flow = load_flows(settings.flows_dir).default
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._surveys: RasaSurveys | None = None

    async def run(self, action: str, state: dict[str, Any]) -> RasaReply:
        """Run an action; with no database there is an apology, and the form ends without one."""
        if action == FINISH:
            return finished()
        try:
            surveys = await self._open()
            return await surveys.run(action, OurTracker.model_validate(state))
        except Exception:
            log.exception("rasa_action_failed", action=action)
            wording = self._flow.wording(self._settings.default_language)
            return ended("failed", standard("apology", wording, self._settings.brand))

    async def _open(self) -> RasaSurveys:
        async with self._opening:
            if self._surveys is None:
                services = await self._stack.enter_async_context(running(self._settings))
                self._surveys = services.rasa_surveys
            return self._surveys


SETTINGS = Settings()
logs.set_up(SETTINGS.log_level)
ALONE = StandaloneServices(SETTINGS)


class _Answered:
    """An action that passes on what `RasaSurveys` answers."""

    def name(self) -> str:
        """The action's name in the domain."""
        raise NotImplementedError

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Utter the messages, and give the events."""
        del domain
        body = body_of(await ALONE.run(self.name(), tracker.current_state()))
        dispatcher.messages.extend(body["responses"])
        return list(body["events"])


class ValidateNpsForm(_Answered, Action):
    """Answers what the customer wrote: the form's slot is set or asked for once more."""

    def name(self) -> str:
        """As Rasa looks for it: validate_ and the form's name."""
        return "validate_nps_form"


class AskNpsAnswer(_Answered, Action):
    """Utters the question that the survey stands at."""

    def name(self) -> str:
        """As Rasa looks for it: action_ask_ and the slot's name."""
        return "action_ask_nps_answer"


class FinishNps(_Answered, Action):
    """Makes the form ready for another time."""

    def name(self) -> str:
        """The name under which the assistant's rules call the action."""
        return FINISH
