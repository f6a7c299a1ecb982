"""A whole survey in the terminal: the engine, its TwiML and a performed phone, in each language."""

from pathlib import Path

import pytest

from app.config import load_flows
from app.ivr import Voice
from app.rehearsal.terminal import read_from, rehearse
from app.survey import Abandoned, CallbackChosen, Commented, Completed, Fact, Flows, OptedOut, Scored

FLOW = load_flows(Path(__file__).parents[2] / "flows")["nps"]


async def play(language: str, script: str) -> tuple[list[Fact], list[str]]:
    printed: list[str] = []
    voice = Voice(Flows({"nps": FLOW}))
    facts = await rehearse(FLOW, language, voice, brand="Fjord", read=read_from(script), write=printed.append)
    return list(facts), printed


@pytest.mark.parametrize(
    ("language", "script", "score"),
    [
        ("en", "nine out of ten | cheap and fast", 9),
        ("pl", "dziewięć na dziesięć | tanio i szybko", 9),
        ("nb", "ni av ti | ja | billig og raskt", 9),
        ("fr", "huit sur dix | rapide et pas cher", 8),
    ],
)
async def test_a_survey_is_played_to_its_end(language: str, script: str, score: int) -> None:
    facts, printed = await play(language, script)
    comment = script.rpartition("| ")[2]
    assert facts == [Scored(score), Commented(comment, 0.9), Completed()]
    assert printed[-1].endswith("(the call is over)")
    assert not [line for line in printed if line.startswith("carrier")]


async def test_keys_silence_and_a_call_back_are_understood() -> None:
    facts, _ = await play("en", " | 0# | | 1")
    assert facts == [Scored(0), CallbackChosen(wanted=True), Completed()]


async def test_hanging_up_keeps_the_score() -> None:
    facts, _ = await play("pl", "7 | /hangup")
    assert facts == [Scored(7), Abandoned()]


async def test_a_star_opts_out() -> None:
    facts, _ = await play("nb", "*")
    assert facts == [OptedOut()]


async def test_nobody_answering_ends_by_itself() -> None:
    facts, printed = await play("fr", "")
    assert facts[-1] == Abandoned()
    assert len(printed) < 20
