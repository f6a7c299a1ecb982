"""Every golden transcript, played through the engine; the state goes through JSON at every turn."""

import json
from pathlib import Path
from typing import get_args

import pytest

from app.config import load_flows
from app.survey import (
    Abandoned,
    CallbackChosen,
    Commented,
    Completed,
    Fact,
    Flow,
    OptedOut,
    Scored,
    State,
    Turn,
    dialogue,
)
from tests import transcripts
from tests.transcripts import Medium, Result, Transcript

FLOWS = load_flows(Path("flows"))
TRANSCRIPTS = transcripts.load()
PERFORMANCES = [
    pytest.param(transcript, medium, id=f"{transcript.name}-{medium}")
    for transcript in TRANSCRIPTS
    for medium in get_args(Medium)
    if transcript.plays_on(medium)
]
ENDINGS: dict[type[Fact], transcripts.Ended] = {
    Completed: "completed",
    Abandoned: "abandoned",
    OptedOut: "opted_out",
}


def stored(state: State) -> State:
    return State.from_json(json.loads(json.dumps(state.to_json())))


def play(flow: Flow, transcript: Transcript, spoken: bool) -> list[Turn]:
    opening, *exchanges = transcript.exchanges
    turns = [dialogue.begin(flow, transcript.language, {"brand": "Acme"})]
    assert names(turns[0]) == opening.zeroten
    for exchange in exchanges:
        assert exchange.caller is not None
        turns.append(dialogue.step(flow, stored(turns[-1].state), exchange.caller.heard(spoken)))
        assert names(turns[-1]) == exchange.zeroten, f"after {exchange.caller}"
    return turns


def names(turn: Turn) -> tuple[str, ...]:
    return tuple(prompt.name for prompt in turn.say)


def result(turns: list[Turn]) -> Result:
    facts = [fact for turn in turns for fact in turn.facts]
    [ended] = [ENDINGS[type(fact)] for fact in facts if type(fact) in ENDINGS]
    return Result(
        ended=ended,
        score=next((fact.score for fact in facts if isinstance(fact, Scored)), None),
        comment=next((fact.text for fact in facts if isinstance(fact, Commented)), None),
        callback=next((fact.wanted for fact in facts if isinstance(fact, CallbackChosen)), None),
    )


@pytest.mark.parametrize(("transcript", "medium"), PERFORMANCES)
def test_a_golden_conversation_goes_as_written(transcript: Transcript, medium: Medium) -> None:
    turns = play(FLOWS["nps"], transcript, spoken=medium == "voice")
    assert result(turns) == transcript.result
    assert turns[-1].ask is None
    assert turns[-1].state.step is None


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: each.name)
def test_every_prompt_of_a_conversation_has_words_on_the_channels_that_play_it(
    transcript: Transcript,
) -> None:
    voiced = transcript.plays_on("voice")
    turns = play(FLOWS["nps"], transcript, spoken=voiced)
    wording = FLOWS["nps"].wording(transcript.language)
    for turn in turns:
        said = [wording.text(prompt, "voice" if voiced else "chat") for prompt in turn.say]
        assert all(said) or not voiced
        assert not any("{" in text for text in said)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: each.name)
def test_a_conversation_taken_up_again_at_any_turn_asks_only_what_has_no_answer(
    transcript: Transcript,
) -> None:
    flow = FLOWS["nps"]
    for turn in play(flow, transcript, spoken=transcript.plays_on("voice")):
        if turn.ask is None:
            continue
        again = dialogue.resume(flow, stored(turn.state))
        assert again.ask is not None
        assert again.ask.slot == turn.ask.slot
        assert again.ask.slot not in again.state.slots
        assert names(again)[0] == "resume_greeting"
        assert again.facts == ()


def test_the_transcripts_cover_every_language_band_and_ending() -> None:
    for language in FLOWS["nps"].languages:
        scores = {each.result.score for each in TRANSCRIPTS if each.language == language}
        assert any(score is not None and score >= 9 for score in scores)
        assert scores & {7, 8}
        assert scores & set(range(7))
    assert {each.result.ended for each in TRANSCRIPTS} == set(ENDINGS.values())
