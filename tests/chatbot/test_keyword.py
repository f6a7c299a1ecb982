"""Keywords: what ends everything, what lifts it, and what only looks like it."""

from pathlib import Path

import pytest

from app.chatbot.keyword import keyword
from app.config import load_flows
from app.rehearsal.people.phrases import TONGUES

FLOW = load_flows(Path("flows"))["nps"]
VOCABULARIES = [each.vocabulary for each in FLOW.languages.values()]


def heard(text: str) -> str | None:
    return keyword(text, VOCABULARIES)


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "Stop.", "stop!!", "STOPALL", "Unsubscribe", "CANCEL", "End", "quit", "REVOKE", "OPTOUT",
        "stopp", "Avslutt", "arret", "ARRÊT", "rezygnuje", "Rezygnuję", "désabonnez-moi", "wypisz mnie",
        "stop texting me", "please stop texting me!", "slutt å sende meg meldinger", "nie piszcie do mnie",
        "ne m'écrivez plus",
    ],
)  # fmt: skip
def test_whoever_wants_to_be_left_alone_is_understood(text: str) -> None:
    assert heard(text) == "stop"


@pytest.mark.parametrize(
    ("text", "meant"), [("START", "start"), ("Unstop.", "start"), ("help?", "help"), ("INFO", "help")]
)
def test_the_other_keywords_stand_alone(text: str, meant: str) -> None:
    assert heard(text) == meant
    assert heard(f"{text} and some more") is None


@pytest.mark.parametrize(
    "text", ["yes", "YES", "oui", "no", "9", "", "🙂", "Fin service!", "null stress", "the bus stop is far"]
)
def test_an_answer_is_no_keyword(text: str) -> None:
    assert heard(text) is None


@pytest.mark.parametrize("language", sorted(FLOW.languages))
def test_no_answer_in_one_language_is_a_keyword_of_another(language: str) -> None:
    vocabulary = FLOW.languages[language].vocabulary
    answers = [form for forms in vocabulary.scores.values() for form in forms]
    answers += [
        each for key in ("says_yes", "says_no", "skip", "nothing") for each in vocabulary.written.get(key, ())
    ]
    answers += [each for said in TONGUES[language].comments.values() for each in said]
    assert [each for each in answers if heard(each)] == []
