"""What each prompt is made of as files."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import load_flows
from app.prompts import PromptPiece
from app.prompts.inventory import needed_by
from app.prompts.pieces import pieces, same_words, slug
from app.survey import Prompt, PromptTexts, Wording

FLOW = load_flows(Path("flows"))["nps"]
ENGLISH = FLOW.wording("en")


def worded(text: str) -> Wording:
    return replace(ENGLISH, responses={"hello": PromptTexts({"default": "not for a voice", "voice": text})})


def made_of(text: str, **values: str) -> list[tuple[str, str]]:
    return [(each.name, each.text) for each in pieces(worded(text), Prompt("hello", tuple(values.items())))]


def test_a_prompt_without_values_is_one_file() -> None:
    assert made_of("Good morning, and welcome!") == [("hello", "Good morning, and welcome!")]


def test_a_prompt_with_values_is_cut_at_them() -> None:
    assert made_of("This is {brand}. You said {score}.", brand="Café Nord", score="7") == [
        ("hello.1", "This is"),
        ("value.brand.cafe-nord", "Café Nord"),
        ("hello.2", "You said"),
        ("value.score.7", "7"),
    ]


def test_a_value_may_stand_first_and_twice() -> None:
    assert [name for name, _ in made_of("{brand}, hello from {brand}!", brand="Acme")] == [
        "value.brand.acme",
        "hello.1",
        "value.brand.acme",
    ]


def test_a_prompt_without_words_for_a_voice_needs_no_file() -> None:
    silent = replace(ENGLISH, responses={"hello": PromptTexts({"sms": "STOP"})})
    assert pieces(silent, Prompt("hello")) == ()


@pytest.mark.parametrize("language", sorted(FLOW.languages))
def test_what_is_needed_says_every_prompt_of_every_language(language: str) -> None:
    wording = FLOW.languages[language]
    wanted = needed_by([FLOW], language, ["Acme", "Żabka"])
    for brand in ("Acme", "Żabka"):
        for score in range(11):
            for name in FLOW.prompts():
                made = pieces(wording, wording.prompt(name, {"brand": brand, "score": str(score)}))
                assert {each.name for each in made} <= wanted.keys()
                text = wording.text(wording.prompt(name, {"brand": brand, "score": str(score)}), "voice")
                assert same_words(" ".join(each.text for each in made), text), name
    assert "value.score.10" in wanted
    assert len([each for each in wanted if each.startswith("value.brand.")]) == 2


def test_a_language_that_no_flow_speaks_needs_nothing() -> None:
    assert needed_by([FLOW], "xx", ["Acme"]) == {}


def test_a_part_knows_its_sentence() -> None:
    assert pieces(worded("Hello from {brand}."), Prompt("hello", (("brand", "Acme"),)))[0] == PromptPiece(
        "hello.1", "Hello from", "Hello from {brand}."
    )


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("our company", "our-company"),
        ("Fish & Chips Ltd.", "fish-chips-ltd"),
        ("Crédit Lyonnais", "credit-lyonnais"),
    ],
)
def test_the_name_of_a_value_can_be_guessed(value: str, named: str) -> None:
    assert slug(value) == named


def test_values_that_latin_letters_cannot_hold_keep_apart() -> None:
    names = {slug(each) for each in ("Żabka", "Łabka", "Øre", "Яндекс", "楽天", "!!!")}
    assert len(names) == 6


@given(st.text(min_size=1, max_size=100))
def test_any_value_makes_a_file_name_that_is_safe_everywhere(value: str) -> None:
    named = slug(value)
    assert named
    assert all(each.isascii() and (each.isalnum() or each == "-") for each in named)
    assert len(named) <= 400


def test_only_the_words_tell_whether_a_recording_still_fits() -> None:
    assert same_words("Hello! It's us.", "hello, it's us")
    assert not same_words("Press star.", "Press pound.")
