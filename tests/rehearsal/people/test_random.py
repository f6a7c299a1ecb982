"""Callers left to chance are plausible, and the same again for the same seed."""

from collections import Counter
from random import Random

import pytest

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import (
    HeardPrompt,
    ListeningFor,
    Mood,
    Nothing,
    Person,
    Pressed,
    RandomCaller,
    RandomPhones,
    Spoken,
)
from app.rehearsal.people.phrases import TONGUES
from app.rehearsal.people.random import SCORES, person_of
from app.survey import Band

SCORE = ListeningFor(True, True, 2, "#", 5, "en-US")
COMMENT = ListeningFor(True, True, 1, "", 4, "en-US")
YES_NO = ListeningFor(True, True, 1, "#", 5, "en-US")
CALM = Mood(
    no_answer=0, busy=0, machine=0, leaves_at_once=0, leaves_at_score=0, leaves_at_comment=0, opts_out=0,
    says_nothing=0, is_unsure=0,
)  # fmt: skip


def caller(number: int, mood: Mood = CALM, language: str = "en") -> RandomCaller:
    return RandomCaller(Random(number), Person(language, mood), PacedClock(0))  # noqa: S311 - chance, no secret


async def test_the_same_seed_gives_the_same_calls_and_another_seed_others() -> None:
    async def play(seed: int) -> list[object]:
        phones = RandomPhones(seed, pace=0)
        calls = [phones(f"+4822{number:07}").caller for number in range(50)]
        return [(await each.ring("", ""), await each.react(SCORE)) for each in calls]

    assert await play(1) == await play(1)
    assert await play(1) != await play(2)


async def test_a_second_call_to_a_number_may_go_otherwise() -> None:
    phones = RandomPhones(3, pace=0)
    assert len({await phones("+48221234567").caller.ring("", "") for _ in range(200)}) == 4


async def test_bands_come_in_the_shares_of_the_mood() -> None:
    mood = Mood(promoter=0.6, passive=0.3, detractor=0.1)
    bands = Counter(caller(number, mood).band for number in range(4000))
    assert bands["promoter"] / 4000 == pytest.approx(0.6, abs=0.03)
    assert bands["detractor"] / 4000 == pytest.approx(0.1, abs=0.03)


def test_every_score_can_be_given_and_belongs_to_its_band() -> None:
    given = {caller(number).score for number in range(2000)}
    assert given == set(range(11))
    assert all(
        (score >= 9, 7 <= score <= 8) == _is(band) for band, scores in SCORES.items() for score in scores
    )


def _is(band: Band) -> tuple[bool, bool]:
    return band == "promoter", band == "passive"


@pytest.mark.parametrize("language", sorted(TONGUES))
async def test_people_answer_in_their_own_language_by_key_and_by_voice(language: str) -> None:
    tongue = TONGUES[language]
    answers = [await caller(number, language=language).react(SCORE) for number in range(200)]
    pressed = [each for each in answers if isinstance(each, Pressed)]
    spoken = [each for each in answers if isinstance(each, Spoken)]
    assert len(pressed) > 50
    assert len(spoken) > 50
    assert all(any(number in each.text for number in tongue.numbers) for each in spoken)
    assert all(each.keys.removesuffix("#").isdecimal() for each in pressed)


async def test_the_reason_fits_the_score() -> None:
    person = caller(7, Mood(**{**vars(CALM), "comments": 1.0}))
    answer = await person.react(COMMENT)
    assert isinstance(answer, Spoken)
    assert answer.text in TONGUES["en"].comments[person.band]


async def test_asked_for_keys_alone_they_press() -> None:
    keys_only = ListeningFor(True, False, 2, "#", 5, "en-US")
    answers = [await caller(number).react(keys_only) for number in range(50)]
    assert all(isinstance(each, Pressed) for each in answers)


async def test_a_yes_or_no_is_answered_as_such() -> None:
    answers = [await caller(number).react(YES_NO) for number in range(100)]
    assert {each.keys for each in answers if isinstance(each, Pressed)} == {"1", "2"}
    said = {each.text for each in answers if isinstance(each, Spoken)}
    assert said <= {*TONGUES["en"].yes, *TONGUES["en"].no}


async def test_some_say_nothing_and_some_hang_up_at_once() -> None:
    silent = caller(1, Mood(**{**vars(CALM), "says_nothing": 1.0}))
    hasty = caller(1, Mood(**{**vars(CALM), "leaves_at_once": 1.0}))
    assert await silent.react(SCORE) == Nothing()
    assert await hasty.hear(HeardPrompt("Hello", "en-US")) is not None


def test_a_number_s_country_gives_the_language() -> None:
    assert [person_of(number).language for number in ("+48221", "+4722", "+3312", "+1917")] == [
        "pl",
        "nb",
        "fr",
        "en",
    ]


async def test_their_own_score_read_back_to_them_is_agreed_to_and_another_corrected() -> None:
    for number in range(40):
        person = caller(number, language="nb")
        await person.react(SCORE)
        await person.hear(HeardPrompt(f"Jeg hørte {person.score}. Stemmer det?", "nb-NO"))
        answer = await person.react(SCORE)
        assert isinstance(answer, Spoken)
        assert answer.text == "ja"
        await person.hear(HeardPrompt(f"Jeg hørte {(person.score + 1) % 11}. Stemmer det?", "nb-NO"))
        assert await person.react(SCORE) in {Pressed(str(person.score)), Pressed(f"{person.score}#")}
