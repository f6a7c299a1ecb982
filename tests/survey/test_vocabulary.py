"""The `hearing:` section of a wording file: what it must hold, and how mistakes are told."""

from typing import Any

import pytest

from app.errors import FlowError
from app.survey import Answer, Vocabulary, Words
from app.survey.hear import hear
from app.survey.vocabulary import REQUIRED_KEYS
from tests.survey.hearing import LANGUAGES, vocabulary

GERMAN_NUMBERS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]


def section(**changes: Any) -> dict[str, Any]:
    """A small section for German, a language that ships with nothing."""
    german: dict[str, Any] = {
        "numbers": {number: [word] for number, word in enumerate(GERMAN_NUMBERS)},
        "above_ten": ["elf", "zwölf", "zwanzig", "hundert"],
        "negations": ["nicht", "kein", "keine", "nein"],
        "out_of": ["von"],
        "says_yes": ["ja", "gerne"],
        "says_no": ["nein"],
        "skip": ["weiter"],
        "repeat": ["wie bitte"],
        "stop": ["stopp", "abmelden"],
        "opt_out": ["rufen Sie mich nicht mehr an"],
    }
    return german | changes


def test_a_new_language_is_a_section_of_words_and_no_code() -> None:
    german = Vocabulary.build("de", section())
    assert hear("score", Words("Neun von zehn!"), german) == Answer(9)
    assert hear("score", Words("fuenf"), german) != Answer(5)
    assert hear("score", Words("fünf"), german) == Answer(5)
    assert not isinstance(hear("score", Words("nicht zehn"), german), Answer)
    assert not isinstance(hear("score", Words("zwei und zwanzig"), german), Answer)


@pytest.mark.parametrize("key", sorted(REQUIRED_KEYS))
def test_a_missing_key_is_named(key: str) -> None:
    incomplete = section()
    del incomplete[key]
    with pytest.raises(FlowError, match=rf"^de\.yml: hearing\.{key}: is missing$"):
        Vocabulary.build("de", incomplete)


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"nubmers": {}}, "nubmers", "is not a key of this section"),
        ({"numbers": []}, "numbers", "must give a list of words for each number"),
        ({"numbers": {0: ["null"]}}, "numbers.1", "has no word"),
        ({"numbers": {11: ["elf"]}}, "numbers", "11 is not a number from 0 to 10"),
        ({"numbers": {"9": ["neun"]}}, "numbers", "'9' is not a number from 0 to 10"),
        ({"numbers": {True: ["eins"]}}, "numbers", "True is not a number from 0 to 10"),
        ({"says_no": [False]}, "says_no", "False is not text; write it in quotes"),
        ({"numbers": {0: [None]}}, "numbers.0", "None is not text; write it in quotes"),
        ({"says_yes": "ja"}, "says_yes", "must be a list"),
        ({"skip": [" "]}, "skip", "' ' holds no word"),
        ({"above_ten": ["elf", "neun"]}, "above_ten", "'neun' already stands for another number"),
        ({"articles": ["ein"]}, "articles", "'ein' is not a form of any number"),
        ({"ambiguous": ["acht geben"]}, "ambiguous", "'acht geben' is not a form of any number"),
        ({"slips": {8: ["ach so"]}}, "slips.8", "'ach so' must be one word, and stand for one number"),
        ({"slips": {8: ["ach"], 9: ["ach"]}}, "slips.9", "'ach' must be one word, and stand for one number"),
        ({"confusable": [2, 3]}, "confusable", "2 is not a pair of numbers from 0 to 10"),
        ({"confusable": [[2, 11]]}, "confusable", "[2, 11] is not a pair of numbers from 0 to 10"),
        ({"confusable": "2 3"}, "confusable", "must be a list of pairs such as [6, 10]"),
        ({"confirm_speech": "sometimes"}, "confirm_speech", "must be true or false"),
    ],
)
def test_a_mistake_is_told_with_its_file_key_and_reason(
    changes: dict[str, Any], key: str, reason: str
) -> None:
    with pytest.raises(FlowError) as caught:
        Vocabulary.build("de", section(**changes))
    assert (caught.value.file, caught.value.key, caught.value.reason) == ("de.yml", f"hearing.{key}", reason)


@pytest.mark.parametrize("nothing", [None, [], "words"])
def test_a_section_that_is_no_table_is_told(nothing: Any) -> None:
    with pytest.raises(FlowError, match="must be a table"):
        Vocabulary.build("de", nothing)


def test_the_same_form_for_two_numbers_is_a_mistake_even_without_its_accents() -> None:
    numbers = {number: [word] for number, word in enumerate(GERMAN_NUMBERS)} | {6: ["Fünf"]}
    with pytest.raises(FlowError, match=r"hearing\.numbers\.6: 'Fünf' already stands for another number"):
        Vocabulary.build("de", section(numbers=numbers))


def test_a_confusable_pair_matters_only_where_the_bands_differ() -> None:
    same = Vocabulary.build("de", section(confusable=[[9, 10], [7, 8], [0, 6]]))
    other = Vocabulary.build("de", section(confusable=[[2, 3], [6, 7], [8, 9]]))
    assert same.confusable == frozenset()
    assert other.confusable == {6, 7, 8, 9}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recogniser_is_told_every_word_for_a_score_and_no_digits(language: str) -> None:
    phrases = vocabulary(language).score_phrases()
    for number in range(11):
        forms = vocabulary(language).scores[number]
        assert forms[0] in phrases
    assert len(phrases) == len(set(phrases)) <= 500
    assert not any(character.isdigit() for phrase in phrases for character in phrase)
    assert all(isinstance(hear("score", Words(phrase), vocabulary(language)), Answer) for phrase in phrases)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recogniser_is_told_yes_and_no_in_words(language: str) -> None:
    phrases = vocabulary(language).yes_no_phrases()
    assert phrases
    assert all(any(map(str.isalpha, phrase)) and len(phrase) <= 100 for phrase in phrases)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_explains_itself_with_the_same_keys_as_english(language: str) -> None:
    assert vocabulary(language).written.keys() == vocabulary("en").written.keys()
    assert all(
        vocabulary(language).written[key] for key in REQUIRED_KEYS & vocabulary(language).written.keys()
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("key", "value"), [("says_yes", True), ("says_no", False)])
def test_every_listed_yes_and_no_is_heard_as_such(language: str, key: str, value: bool) -> None:
    for phrase in vocabulary(language).written[key]:
        assert hear("yes_no", Words(phrase), vocabulary(language)) == Answer(value), phrase
