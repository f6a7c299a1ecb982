"""One turn, one transaction: read the state, step, save it by compare-and-swap, defer what follows."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from psycopg.errors import UniqueViolation

from app.config import Settings, effective
from app.conversation.facts import heard_to_json, response_columns, shows_a_person, status_after
from app.conversation.jobs import FollowResponse
from app.conversation.saving import TurnWriter
from app.conversation.states import StateCache
from app.errors import NotFound
from app.jobs import Jobs
from app.store import Connection, Pool, queues, suppressions, surveys, turns
from app.store.surveys import Survey
from app.store.turns import TurnToSave
from app.survey import Abandoned, Fact, Flow, Flows, Heard, Keys, Left, OptedOut, State, Turn, Words, dialogue

TRIES = 3


@dataclass(frozen=True)
class CurrentTurn:
    """What the channel shows now, and the ``turn_no`` that the next thing heard must carry."""

    survey_id: UUID
    turn_no: int
    turn: Turn


@dataclass(frozen=True)
class Conversations:
    """The only caller of the dialogue: every turn of every channel passes here."""

    pool: Pool
    jobs: Jobs
    flows: Flows
    settings: Settings
    saving: TurnWriter
    states: StateCache = field(default_factory=StateCache)

    async def open(self, survey_id: UUID, by: str) -> CurrentTurn:
        """Greet, or take an unfinished survey up again. The same opener ``by`` (a call's SID) twice changes nothing.

        A closed survey answers with its last turn. Raises `NotFound` where there is none, or it was closed unopened.
        """
        async with self.pool.connection() as connection:
            survey = await _read(connection, survey_id)
            if survey.opened_by == by or not survey.may_be_opened:
                return self._present(survey)
            turn = await self._opening(connection, survey)
        current = await self._save(survey_id, survey.turn_no, turn, None, opened_by=by)
        return current or await self._now(survey_id)

    async def take_turn(
        self, survey_id: UUID, turn_no: int, heard: Heard, receipt: str | None = None
    ) -> CurrentTurn:
        """Answer what was heard in reply to turn ``turn_no - 1``.

        A ``turn_no`` already taken (a provider's retry, a late callback) changes nothing and gives the present turn;
        so does a ``receipt``, the provider's id of a message, that any survey has taken.
        Only an answer that was overtaken by the news of its own caller's hanging up is still taken.
        """
        state = self.states.recall(survey_id, turn_no)
        if state is not None:
            turn = dialogue.step(self.flows[state.flow], state, heard)
            current = await self._save(survey_id, turn_no, turn, heard, receipt=receipt)
            if current is not None:
                return current
        return await self._take_as_stored(survey_id, turn_no, heard, receipt)

    async def hear_next(self, survey_id: UUID, heard: Heard, receipt: str | None = None) -> CurrentTurn:
        """Answer what was heard in reply to the present turn, for channels whose messages carry no turn number.

        ``receipt`` is the provider's id of the message; one that was taken already changes nothing. With one, a message
        that is overtaken by another is heard after it.
        """
        while True:
            async with self.pool.connection() as connection:
                survey = await _read(connection, survey_id)
                known = await _is_known(connection, receipt)
            if known or not survey.is_open or survey.conversation is None:
                return self._present(survey)
            current = await self.take_turn(survey_id, survey.turn_no, heard, receipt)
            if receipt is None:
                return current

    async def opt_out(self, survey_id: UUID) -> None:
        """The person wants no more surveys, and said so when nothing was asked any more.

        An open conversation ends by it; one that is over keeps its answers. Raises `NotFound` where there is none.
        """
        await self.hear_next(survey_id, Keys("*"))
        async with self.pool.connection() as connection, connection.transaction():
            await suppressions.add_for_survey(connection, survey_id)

    async def leave(self, survey_id: UUID, opened_by: str) -> None:
        """The person has gone: end the conversation that ``opened_by`` opened, wherever it stands."""
        for _ in range(TRIES):
            async with self.pool.connection() as connection:
                survey = await surveys.read(connection, survey_id)
            if survey is None or not survey.is_open or survey.opened_by != opened_by:
                return
            await self.take_turn(survey_id, survey.turn_no, Left())

    async def _take_as_stored(
        self, survey_id: UUID, turn_no: int, heard: Heard, receipt: str | None
    ) -> CurrentTurn:
        for _ in range(TRIES):
            async with self.pool.connection() as connection:
                survey = await _read(connection, survey_id)
                known = await _is_known(connection, receipt)
                turn = await self._next(connection, survey, turn_no, heard)
            if known or turn is None:
                break
            current = await self._save(
                survey_id, survey.turn_no, turn, heard, opened_by=survey.opened_by, receipt=receipt
            )
            if current is not None:
                return current
        return await self._now(survey_id)

    async def _now(self, survey_id: UUID) -> CurrentTurn:
        async with self.pool.connection() as connection:
            return self._present(await _read(connection, survey_id))

    async def _next(self, connection: Connection, survey: Survey, turn_no: int, heard: Heard) -> Turn | None:
        """What comes of it; None where it was heard before, or nobody waits for it any more."""
        if survey.conversation is None:
            return None
        state = Turn.from_json(survey.conversation).state
        flow = self.flows[state.flow]
        if survey.is_open and survey.turn_no == turn_no:
            return dialogue.step(flow, state, heard)
        overtaken = survey.status == "partial" and survey.turn_no == turn_no + 1
        if (
            overtaken
            and isinstance(heard, Keys | Words)
            and await turns.was_left(connection, survey.id, turn_no)
        ):
            return _last_words(flow, state, heard)
        return None

    def _present(self, survey: Survey) -> CurrentTurn:
        """What is shown now. A conversation that was closed from outside, by an opt-out elsewhere, says goodbye."""
        if survey.conversation is None:
            raise NotFound("This survey is not open.")
        turn = Turn.from_json(survey.conversation)
        if turn.ask is not None and not survey.is_open:
            name = "opted_out" if survey.status == "opted_out" else "goodbye"
            wording = self.flows.wording_of(turn.state)
            goodbye = wording.prompt(name, turn.state.context)
            turn = Turn(replace(turn.state, step=None, doubtful=None), (goodbye,), None)
        return CurrentTurn(survey.id, survey.turn_no, turn)

    async def _opening(self, connection: Connection, survey: Survey) -> Turn:
        if survey.conversation is not None:
            state = Turn.from_json(survey.conversation).state
            return dialogue.resume(self.flows[state.flow], state)
        queue = effective(self.settings, await queues.read(connection, survey.queue))
        context = {"brand": queue.brand, "record": "yes" if queue.record_comments else "no"}
        context["recognition"] = queue.recognition
        return dialogue.begin(self.flows[queue.flow], survey.language, context)

    async def _save(
        self,
        survey_id: UUID,
        turn_no: int,
        turn: Turn,
        heard: Heard | None,
        *,
        opened_by: str | None = None,
        receipt: str | None = None,
    ) -> CurrentTurn | None:
        """The turn once it is saved; None where another one was saved first."""
        spoken = replace(self._spoken(survey_id, turn_no, turn, heard), opened_by=opened_by, receipt=receipt)
        if await self._is_saved(spoken, turn):
            self.states.remember(survey_id, turn_no + 1, turn.state)
            return CurrentTurn(survey_id, turn_no + 1, turn)
        self.states.forget(survey_id)
        return None

    async def _is_saved(self, spoken: TurnToSave, turn: Turn) -> bool:
        try:
            if not self._something_follows(turn):
                return await self.saving.save(spoken)
            async with self.pool.connection() as connection, connection.transaction():
                saved = await turns.save_turn(connection, spoken)
                if saved:
                    await self._close(connection, spoken.survey_id, turn.facts)
                return saved
        except UniqueViolation:
            # The same message is being taken elsewhere at this moment.
            if spoken.receipt is None:
                raise
            return False

    def _something_follows(self, turn: Turn) -> bool:
        """Whether a turn's end is more than its own statement, which is a transaction by itself."""
        return turn.state.step is None and (OptedOut() in turn.facts or self.settings.has_follow_up)

    async def _close(self, connection: Connection, survey_id: UUID, facts: tuple[Fact, ...]) -> None:
        if OptedOut() in facts:
            await suppressions.add_for_survey(connection, survey_id)
        if self.settings.has_follow_up:
            await self.jobs.defer(connection, FollowResponse(survey_id))

    def _spoken(self, survey_id: UUID, turn_no: int, turn: Turn, said: Heard | None) -> TurnToSave:
        return TurnToSave(
            survey_id=survey_id,
            turn_no=turn_no,
            status=status_after(turn.facts),
            conversation=turn.to_json(),
            heard=None if said is None else heard_to_json(said),
            said=[prompt.name for prompt in turn.say],
            reached=shows_a_person(said, turn.facts),
            flow_version=self.flows[turn.state.flow].version,
            timezone=self.settings.reporting_timezone,
            **response_columns(turn.facts, said),
        )


async def _is_known(connection: Connection, receipt: str | None) -> bool:
    return receipt is not None and await turns.knows_receipt(connection, receipt)


async def _read(connection: Connection, survey_id: UUID) -> Survey:
    survey = await surveys.read(connection, survey_id)
    if survey is None:
        raise NotFound("There is no such survey.")
    return survey


def _last_words(flow: Flow, state: State, heard: Keys | Words) -> Turn | None:
    """The answer of somebody who has hung up meanwhile; None where nothing is to be learnt from it."""
    turn = dialogue.step(flow, dialogue.resume(flow, state).state, heard)
    if turn.ask is not None:
        left = dialogue.step(flow, turn.state, Left())
        turn = replace(left, facts=(*turn.facts, *left.facts))
    return None if turn.facts in ((), (Abandoned(),)) else turn
