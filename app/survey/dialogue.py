"""The dialogue: a state and what was heard give the next turn. No clock, no channel, no I/O.

A score heard with doubt is read back. Yes, silence and a lone # agree. A number that is pressed takes its place, and so
does another one said; where that is doubtful too it is read back in turn. Anything else, even the same doubtful number
said again, is asked for on the keypad. Keys never mean yes or no there, so 1 is always the score 1. Whoever leaves
during a read-back leaves no score: hanging up on a wrong number is no consent to it.

A lone 1 on the keypad may be the beginning of 10, and is asked about too. There 0 completes it, and whoever does
nothing more, or hangs up, has meant 1: it was pressed, not misheard.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

from app.survey.flow import END, CollectStep, Flow, NoopStep, Question, SayStep, Step, follow
from app.survey.hear import Answer, Hearing, Repeat, Skipped, Stop, Unclear, hear
from app.survey.heard import Heard, Keys, Left, Silence, Unheard, Words
from app.survey.turn import (
    RECORDING_NOTICE,
    Abandoned,
    Ask,
    CallbackChosen,
    Commented,
    Completed,
    Fact,
    OptedOut,
    Prompt,
    Scored,
    State,
    Turn,
)
from app.survey.vocabulary import Vocabulary

Reply = Keys | Words | Silence | Unheard
# How long a nought may take once it was asked for.
ONE_OR_TEN_SECONDS = 2.0


def begin(flow: Flow, language: str, context: Mapping[str, str]) -> Turn:
    """Greet and ask the first question.

    ``context`` holds the values that wording may use and must have ``brand``. A language without wording gets the
    flow's default one; the state says which was taken.
    """
    state = State(flow=flow.id, language=flow.wording(language).language, step=None, context=dict(context))
    return _walk(flow, state, flow.first)


def resume(flow: Flow, state: State) -> Turn:
    """Take the same survey up again: a call returned, a second attempt, a page loaded anew.

    Greets briefly and asks the first question that has no answer yet; a doubtful score is asked for again. Counts
    start anew. Where nothing is left to ask the turn is empty and final. Whether a survey may be taken up again at all
    is for the caller to know: someone who opted out must not get here.
    """
    _, place = _onward(flow, state.slots, flow.first)
    fresh = replace(state, step=None, tries=0, turns=0, doubtful=None, pressed=False)
    if place is None:
        return Turn(fresh, (), None)
    return _ask(flow, fresh, place, (_prompt(flow, fresh, "resume_greeting"), *_question(flow, fresh, place)))


def step(flow: Flow, state: State, heard: Heard) -> Turn:
    """Take one thing heard. A conversation that is over answers with an empty final turn.

    A state of an older flow file, whose step is no more, is resumed.
    """
    if state.step is None:
        return Turn(state, (), None)
    place = flow.steps.get(state.step)
    if isinstance(heard, Left):
        return _leave(state, place)
    if not isinstance(place, CollectStep):
        return resume(flow, state)
    turn = _react(flow, replace(state, turns=state.turns + 1), place, heard)
    if turn.ask is None or turn.state.turns < flow.max_turns:
        return turn
    return _end(turn.state, (_prompt(flow, state, "goodbye"),), *turn.facts, Abandoned())


def _leave(state: State, place: Step | None) -> Turn:
    """Gone. A lone 1 that was pressed stays one."""
    if state.doubtful is None or not state.pressed or not isinstance(place, CollectStep):
        return _end(state, (), Abandoned())
    answered = replace(state, slots={**state.slots, place.slot: state.doubtful})
    return _end(answered, (), Scored(state.doubtful), Abandoned())


def _react(flow: Flow, state: State, place: CollectStep, heard: Reply) -> Turn:
    hearing = _hearing(flow, state, place, heard)
    match hearing:
        case Stop():
            return _end(state, (_prompt(flow, state, "opted_out"),), OptedOut())
        case Repeat():
            return _repeat(flow, state, place)
        case Skipped():
            return _pass_over(flow, state, place)
        case Answer(int() as score, doubtful=True) if _prompt_of_doubt(flow, place, heard):
            return _doubt(flow, state, place, score, heard)
        case Answer(value):
            return _accept(flow, state, place, value, heard)
        case Unclear(reason):
            return _reject(flow, state, place, reason, heard)
        case _:
            assert_never(hearing)


def _hearing(flow: Flow, state: State, place: CollectStep, heard: Reply) -> Hearing:
    vocabulary = flow.wording(state.language).vocabulary
    if state.doubtful is None:
        return hear(flow.questions[place.slot].kind, heard, vocabulary)
    hearing = _reply_to_read_back(state.doubtful, heard, vocabulary)
    return Answer(10) if state.pressed and hearing == Answer(0) else hearing


def _reply_to_read_back(doubtful: int, heard: Reply, vocabulary: Vocabulary) -> Hearing:
    if isinstance(heard, Silence) or (isinstance(heard, Keys) and not heard.digits.strip("#")):
        return Answer(doubtful)
    said = hear("score", heard, vocabulary)
    another = isinstance(said, Answer) and (said.value != doubtful or isinstance(heard, Keys))
    if another or isinstance(said, Stop | Repeat):
        return said
    agreed = hear("yes_no", heard, vocabulary) if isinstance(heard, Words) else None
    if isinstance(agreed, Answer):
        return Answer(doubtful) if agreed.value else Unclear("negated")
    return said if said == Answer(doubtful) else Unclear("no_number")


def _accept(flow: Flow, state: State, place: CollectStep, value: int | bool | str, heard: Reply) -> Turn:
    return _move_on(flow, state, place, value, _fact(flow.questions[place.slot], value, heard))


def _pass_over(flow: Flow, state: State, place: CollectStep) -> Turn:
    """Leave an optional question unanswered; without a required answer there is no survey."""
    if flow.questions[place.slot].optional:
        return _move_on(flow, state, place, None)
    return _end(state, (_prompt(flow, state, "goodbye"),), Abandoned())


def _doubt(flow: Flow, state: State, place: CollectStep, score: int, heard: Reply) -> Turn:
    """Ask whether a doubtful score is right. The first time is no re-ask; a second doubtful one is.

    Who keeps pressing 1 means it.
    """
    tries = state.tries if state.doubtful is None else state.tries + 1
    if tries > _limit(flow.questions[place.slot], heard):
        keys = isinstance(heard, Keys)
        return _accept(flow, state, place, score, heard) if keys else _pass_over(flow, state, place)
    doubting = replace(state, tries=tries, doubtful=score, pressed=isinstance(heard, Keys))
    return _ask(flow, doubting, place, _question(flow, doubting, place))


def _repeat(flow: Flow, state: State, place: CollectStep) -> Turn:
    """Say the whole question, or the read-back, once more; only the bound on turns counts it."""
    return _ask(flow, state, place, _question(flow, state, place))


def _reject(flow: Flow, state: State, place: CollectStep, reason: str, heard: Reply) -> Turn:
    """Ask again in the words that fit, or give the question up.

    A refused read-back goes straight to the keypad, and so does what nobody could recognise.
    """
    question, tries = flow.questions[place.slot], state.tries + 1
    limit = _limit(question, heard)
    if state.doubtful is not None or isinstance(heard, Unheard):
        tries = max(tries, min(limit, question.keys_only_after or 0))
    if tries > limit:
        return _pass_over(flow, state, place)
    asking = replace(state, tries=tries, doubtful=None, pressed=False)
    values = {"unclear": reason, "keys_only": _keys_only(question, tries)}
    values |= {f"slots.{name}": value for name, value in state.slots.items()}
    utter = next((each.utter for each in place.rejections if each.condition.holds(values)), place.utter)
    return _ask(flow, asking, place, (_prompt(flow, asking, utter),))


def _prompt_of_doubt(flow: Flow, place: CollectStep, heard: Reply) -> str | None:
    """What asks whether the score in it is right; None where it is taken as it is."""
    question = flow.questions[place.slot]
    return question.one_or_ten if isinstance(heard, Keys) else question.read_back


def _limit(question: Question, heard: Reply) -> int:
    written = isinstance(heard, Words) and not heard.spoken
    return question.max_tries_written if written else question.max_tries


def _keys_only(question: Question, tries: int) -> bool:
    return question.keys_only_after is not None and tries >= question.keys_only_after


def _fact(question: Question, value: int | bool | str, heard: Reply) -> Fact:
    match question.kind:
        case "score":
            return Scored(int(value))
        case "comment":
            return Commented(str(value), heard.confidence if isinstance(heard, Words) else None)
        case "yes_no":
            return CallbackChosen(bool(value))
        case _:
            assert_never(question.kind)


def _move_on(
    flow: Flow, state: State, place: CollectStep, value: int | bool | str | None, *facts: Fact
) -> Turn:
    slots = {**state.slots, place.slot: value}
    answered = replace(state, slots=slots, tries=0, doubtful=None, pressed=False)
    return _walk(flow, answered, follow(place.next, slots), *facts)


def _walk(flow: Flow, state: State, start: str, *facts: Fact) -> Turn:
    """Say what stands on the way to the next question, and ask it; or reach the end."""
    said, place = _onward(flow, state.slots, start)
    say = tuple(_prompt(flow, state, name) for name in said)
    if place is None:
        return _end(state, say, *facts, Completed())
    return _ask(flow, state, place, (*say, *_question(flow, state, place)), *facts)


def _onward(flow: Flow, slots: Mapping[str, Any], start: str) -> tuple[list[str], CollectStep | None]:
    """The prompts between ``start`` and the first question without an answer, and that question; None at the end."""
    said: list[str] = []
    here = start
    while here != END:
        place = flow.steps[here]
        match place:
            case CollectStep() if place.slot not in slots:
                return said, place
            case SayStep():
                said.append(place.utter)
            case CollectStep() | NoopStep():
                pass
            case _:
                assert_never(place)
        here = follow(place.next, slots)
    return said, None


def _ask(flow: Flow, state: State, place: CollectStep, say: tuple[Prompt, ...], *facts: Fact) -> Turn:
    question = flow.questions[place.slot]
    one_or_ten = state.doubtful is not None and state.pressed
    ask = Ask(
        kind=question.kind,
        slot=place.slot,
        silence_seconds=ONE_OR_TEN_SECONDS if one_or_ten else question.silence_seconds,
        optional=question.optional,
        keys_only=_keys_only(question, state.tries) and state.doubtful is None,
        recorded=question.recorded,
        read_back=state.doubtful is not None,
    )
    return Turn(replace(state, step=place.id), say, ask, facts)


def _end(state: State, say: tuple[Prompt, ...], *facts: Fact) -> Turn:
    return Turn(replace(state, step=None, doubtful=None, pressed=False), say, None, facts)


def _question(flow: Flow, state: State, place: CollectStep) -> tuple[Prompt, ...]:
    question = flow.questions[place.slot]
    doubt = question.one_or_ten if state.pressed else question.read_back
    if state.doubtful is not None and doubt:
        return (_prompt(flow, state, doubt, score=str(state.doubtful)),)
    names = (RECORDING_NOTICE, place.utter) if question.recorded else (place.utter,)
    return tuple(_prompt(flow, state, name) for name in names)


def _prompt(flow: Flow, state: State, name: str, **values: str) -> Prompt:
    return flow.wording(state.language).prompt(name, {**state.context, **values})
