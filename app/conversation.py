"""One turn, one transaction: read the state, step, save it by compare-and-swap, defer what follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from app.errors import NotFound
from app.jobs import Deferral, Jobs, Task
from app.queue_settings import effective
from app.settings import Settings
from app.state_memory import StateMemory
from app.store import Connection, Pool, queues, suppressions, surveys
from app.store.surveys import Spoken, Survey
from app.survey import dialogue, heard, nps
from app.survey.flow import Flow
from app.survey.heard import Heard, Keys, Left, Words
from app.survey.turn import Abandoned, CallbackChosen, Commented, Completed, Fact, OptedOut, Scored, Turn

LEAVING_TRIES = 3


@dataclass(frozen=True)
class Told:
    """What the channel shows now, and the ``turn_no`` that the next thing heard must carry."""

    survey_id: UUID
    turn_no: int
    turn: Turn


@dataclass(frozen=True)
class Conversations:
    """The only caller of the dialogue: every turn of every channel passes here."""

    pool: Pool
    jobs: Jobs
    flows: Mapping[str, Flow]
    settings: Settings
    states: StateMemory = field(default_factory=StateMemory)

    async def open(self, survey_id: UUID, by: str) -> Told:
        """Greet, or take an unfinished survey up again. The same opener ``by`` (a call's SID) twice changes nothing.

        A closed survey answers with its last turn. Raises `NotFound` where there is no such survey.
        """
        async with self.pool.connection() as connection:
            survey = await _read(connection, survey_id)
            if survey.conversation is not None and (survey.opened_by == by or not survey.may_be_opened):
                return _told(survey, survey.conversation)
            if not survey.may_be_opened:
                raise NotFound("This survey is closed.")
            turn = await self._opening(connection, survey)
            return await self._save(connection, survey.id, survey.turn_no, turn, None, opened_by=by)

    async def take_turn(
        self, survey_id: UUID, turn_no: int, heard: Heard, receipt: str | None = None
    ) -> Told:
        """Answer what was heard in reply to turn ``turn_no - 1``.

        A ``turn_no`` already taken (a provider's retry, a late callback) changes nothing and gives the present turn.
        """
        async with self.pool.connection() as connection:
            state = self.states.recall(survey_id, turn_no)
            if state is None:
                survey = await _read(connection, survey_id)
                if survey.conversation is None:
                    raise NotFound("This survey has not been opened.")
                present = _told(survey, survey.conversation)
                if present.turn_no != turn_no or not survey.is_open:
                    return present
                state = present.turn.state
            turn = dialogue.step(self.flows[state.flow], state, heard)
            return await self._save(connection, survey_id, turn_no, turn, heard, receipt=receipt)

    async def hear_next(self, survey_id: UUID, heard: Heard, receipt: str | None = None) -> Told:
        """Answer what was heard in reply to the present turn, for channels whose messages carry no turn number.

        ``receipt`` is the provider's id of the message; one that was taken already changes nothing.
        """
        async with self.pool.connection() as connection:
            survey = await _read(connection, survey_id)
            known = receipt is not None and await surveys.knows_receipt(connection, receipt)
        if survey.conversation is None:
            raise NotFound("This survey has not been opened.")
        if known or not survey.is_open:
            return _told(survey, survey.conversation)
        return await self.take_turn(survey_id, survey.turn_no, heard, receipt)

    async def leave(self, survey_id: UUID, opened_by: str) -> None:
        """The person has gone: end the conversation that ``opened_by`` opened, wherever it stands."""
        for _ in range(LEAVING_TRIES):
            async with self.pool.connection() as connection:
                survey = await surveys.read(connection, survey_id)
            if survey is None or not survey.is_open or survey.opened_by != opened_by:
                return
            await self.take_turn(survey_id, survey.turn_no, Left())

    async def _opening(self, connection: Connection, survey: Survey) -> Turn:
        if survey.conversation is not None:
            state = Turn.from_json(survey.conversation).state
            return dialogue.resume(self.flows[state.flow], state)
        queue = effective(self.settings, await queues.read(connection, survey.queue))
        context = {"brand": queue.brand, "record": "yes" if queue.record_comments else "no"}
        return dialogue.begin(self.flows[queue.flow], survey.language, context)

    async def _save(
        self,
        connection: Connection,
        survey_id: UUID,
        turn_no: int,
        turn: Turn,
        heard: Heard | None,
        *,
        opened_by: str | None = None,
        receipt: str | None = None,
    ) -> Told:
        spoken = replace(self._spoken(survey_id, turn_no, turn, heard), opened_by=opened_by, receipt=receipt)
        if turn.state.step is None:
            async with connection.transaction():
                saved = await surveys.save_turn(connection, spoken)
                if saved:
                    await self._close(connection, survey_id, turn.facts)
        else:
            saved = await surveys.save_turn(connection, spoken)
        if saved:
            self.states.remember(survey_id, turn_no + 1, turn.state)
            return Told(survey_id, turn_no + 1, turn)
        self.states.forget(survey_id)
        survey = await _read(connection, survey_id)
        return _told(survey, survey.conversation or turn.to_json())

    async def _close(self, connection: Connection, survey_id: UUID, facts: tuple[Fact, ...]) -> None:
        if OptedOut() in facts:
            await suppressions.add_for_survey(connection, survey_id)
        if self.settings.webhook_url:
            await self.jobs.defer(connection, Deferral(Task.ANNOUNCE_RESPONSE, {"survey_id": str(survey_id)}))

    def _spoken(self, survey_id: UUID, turn_no: int, turn: Turn, said: Heard | None) -> Spoken:
        return Spoken(
            survey_id=survey_id,
            turn_no=turn_no,
            status=status_after(turn.facts),
            conversation=turn.to_json(),
            heard=None if said is None else heard.to_json(said),
            said=[prompt.name for prompt in turn.say],
            reached=isinstance(said, Keys | Words | Left),
            flow_version=self.flows[turn.state.flow].version,
            day=datetime.now(ZoneInfo(self.settings.reporting_timezone)).date().isoformat(),
            **_learnt(turn.facts, said),
        )


async def _read(connection: Connection, survey_id: UUID) -> Survey:
    survey = await surveys.read(connection, survey_id)
    if survey is None:
        raise NotFound("There is no such survey.")
    return survey


def _told(survey: Survey, conversation: Mapping[str, Any]) -> Told:
    return Told(survey.id, survey.turn_no, Turn.from_json(conversation))


def status_after(facts: tuple[Fact, ...]) -> str:
    """Where a survey stands once a turn brought these facts."""
    for fact in facts:
        match fact:
            case OptedOut():
                return "opted_out"
            case Completed():
                return "completed"
            case Abandoned():
                return "partial"
    return "in_progress"


def _learnt(facts: tuple[Fact, ...], said: Heard | None) -> dict[str, Any]:
    learnt: dict[str, Any] = {}
    for fact in facts:
        match fact:
            case Scored(score):
                learnt |= {"score": score, "band": nps.band(score)}
            case Commented(text, confidence):
                source = "speech" if isinstance(said, Words) and said.spoken else "text"
                learnt |= {"comment": text, "comment_source": source, "comment_confidence": confidence}
            case CallbackChosen(wanted):
                learnt |= {"callback": wanted}
            case OptedOut() | Completed() | Abandoned():
                pass
            case _:
                assert_never(fact)
    return learnt
