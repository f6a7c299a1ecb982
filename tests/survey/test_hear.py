"""Hearing in every language: keys, doubt, odd text, and what must hold for any words whatever."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.survey import LONGEST_COMMENT, SURE_CONFIDENCE, Answer, AskKind, Keys, Silence, Stop, Words
from app.survey.hear import LEAST_CONFIDENCE, Hearing, Repeat, Skipped, Unclear, hear
from tests.survey import number_words
from tests.survey.hearing import (
    LANGUAGES,
    NO_NUMBER,
    NO_YES_NO,
    OUTSIDE,
    SILENCE,
    SKIPPED,
    STOP,
    TWO,
    spoken,
    vocabulary,
    written,
)

KINDS: tuple[AskKind, ...] = ("score", "comment", "yes_no")

CARRIERS = {
    "en": [
        "{}", "{}.", "{}!!!", "  {}  ", "hmm, I'd say {}", "I'd give it {}", "I would give you {} I think",
        "let's say {} I guess", "{}, thanks", "well {} then", "maybe {}", "probably {}", "I'd go with {}",
        "my answer is {}", "it's {} from me", "{} 😊", "{}\nThank you", "Score: {}",
        "I think it's {} to be honest", "um {}", "{} please", "yes, {}", "just {}",
        "{} because the agent was helpful", "{}, the agent was helpful", "so overall {}", "I'd rate it {}",
        "I would have to go with {}", "gonna say {}", "easily {}", "call it {}", "{} if you ask me",
        "Great service! {}",
    ],
    "pl": [
        "{}", "{}.", "{}!!!", "hmm, chyba {}", "dałbym {}", "dałabym {}", "daję {}", "powiedzmy {}",
        "oceniam na {}", "myślę, że {}", "niech będzie {}", "{}, dziękuję", "no to {}", "moja ocena to {}",
        "{} 😊", "Ocena: {}", "ode mnie {}", "tak, {}", "{} bo konsultant był miły", "{}, miła obsługa",
        "raczej {}", "może {}", "yyy {}", "moim zdaniem {}", "wystawiłbym {}", "zasłużyli na {}",
        "spokojnie {}", "oceniam obsługę na {}", "w sumie {}",
    ],
    "nb": [
        "{}", "{}.", "{}!!!", "hmm, kanskje {}", "jeg vil si {}", "jeg gir {}", "jeg gir dere {}",
        "det blir {}", "la oss si {}", "{}, takk", "da sier jeg {}", "jeg tror {}", "{} 😊", "Poeng: {}",
        "{} fra meg", "ja, {}", "tja {}", "øh {}", "{} fordi hun var hyggelig", "{}, veldig hyggelig dame",
        "omtrent {}", "jeg går for {}", "det må bli {}", "jeg ville gitt {}", "{} vil jeg si", "poengsum {}",
    ],
    "fr": [
        "{}", "{}.", "{} !!!", "euh, je dirais {}", "je mets {}", "je donnerais {}", "disons {}",
        "peut-être {}", "{}, merci", "alors {}", "je pense que c'est {}", "ce serait {}", "{} 😊", "Note : {}",
        "pour moi c'est {}", "oui, {}", "ben {}", "{} parce que l'agent était aimable", "{}, très aimable",
        "à peu près {}", "allez, {}", "je vous mets {}", "vous méritez {}", "ma réponse : {}",
        "facilement {}",
    ],
}  # fmt: skip

OUT_OF_TEN = {
    "en": ["{} out of ten", "{} out of 10", "{} of ten", "{}/10", "{} points out of ten"],
    "pl": ["{} na dziesięć", "{} na 10", "{} z dziesięciu", "{}/10", "{} punktów na dziesięć"],
    "nb": ["{} av ti", "{} av 10", "{}/10"],
    "fr": ["{} sur dix", "{} sur 10", "{}/10"],
}

NEGATIONS = {
    "en": ["not {}", "definitely not {}", "I wouldn't say {}", "it isn't {}", "no way {}", "{}? no", "never {}",
           "almost {}"],
    "pl": ["nie {}", "na pewno nie {}", "nie dałbym {}", "to nie jest {}", "{}? nie", "nigdy {}", "prawie {}"],
    "nb": ["ikke {}", "absolutt ikke {}", "jeg vil ikke si {}", "det er ikke {}", "{}? nei", "aldri {}", "nesten {}"],
    "fr": ["pas {}", "certainement pas {}", "je ne dirais pas {}", "ce n'est pas {}", "{} ? non", "jamais {}",
           "presque {}"],
}  # fmt: skip

ALTERNATIVES = {"en": "{} or {}", "pl": "{} albo {}", "nb": "{} eller {}", "fr": "{} ou {}"}

FORMS = [
    (language, number, form)
    for language in LANGUAGES
    for number, forms in vocabulary(language).scores.items()
    for form in (*forms, str(number))
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_every_number_is_heard_as_itself_in_every_carrier_sentence(language: str) -> None:
    for carrier in CARRIERS[language]:
        for _, number, form in (each for each in FORMS if each[0] == language):
            said = carrier.format(form)
            assert written(language, "score", said) == Answer(number), said
            heard = spoken(language, "score", said, confidence=0.9)
            assert isinstance(heard, Answer), said
            assert heard.value == number, said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_every_number_is_heard_as_itself_out_of_ten(language: str) -> None:
    for pattern in OUT_OF_TEN[language]:
        for _, number, form in (each for each in FORMS if each[0] == language):
            assert written(language, "score", pattern.format(form)) == Answer(number), pattern.format(form)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_denied_number_is_heard_as_a_score(language: str) -> None:
    for pattern in NEGATIONS[language]:
        for _, _, form in (each for each in FORMS if each[0] == language):
            said = pattern.format(form)
            assert isinstance(written(language, "score", said), Unclear), said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_listed_negation_and_hedge_denies_the_number_behind_it(language: str) -> None:
    words = vocabulary(language).written
    for denial in (*words["negations"], *words["hedges"]):
        for number in (0, 1, 9, 10):
            said = f"{denial} {vocabulary(language).scores[number][0]}"
            assert not isinstance(written(language, "score", said), Answer), said


@given(st.data(), st.sampled_from(LANGUAGES))
def test_a_negation_is_not_lost_among_other_phrases(data: st.DataObject, language: str) -> None:
    words = vocabulary(language).written
    around = [*words["fillers"], *words["says_yes"], *words["says_no"], *words["repeat"]]
    before, after = data.draw(st.sampled_from(around)), data.draw(st.sampled_from(around))
    said = f"{before} {words['negations'][0]} {after} {vocabulary(language).scores[9][0]}"
    heard = written(language, "score", said)
    harmless = "mind" in said or any(phrase in said for phrase in words["idioms"])
    assert harmless or not isinstance(heard, Answer), said


@given(st.data(), st.sampled_from(LANGUAGES), st.sampled_from(range(11)), st.sampled_from(range(11)))
def test_two_numbers_are_never_one(data: st.DataObject, language: str, first: int, second: int) -> None:
    forms = vocabulary(language).scores
    one, other = (data.draw(st.sampled_from([*forms[each], str(each)])) for each in (first, second))
    heard = written(language, "score", ALTERNATIVES[language].format(one, other))
    assert heard == (Answer(first) if first == second else TWO)


@given(st.data(), st.sampled_from(LANGUAGES), st.integers() | st.integers(-100, 1000))
def test_a_number_in_digits_outside_the_scale_is_never_a_score(
    data: st.DataObject, language: str, number: int
) -> None:
    if number in range(11):
        return
    carrier = data.draw(st.sampled_from(CARRIERS[language] + OUT_OF_TEN[language]))
    assert isinstance(written(language, "score", carrier.format(number)), Unclear)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_in_words_above_ten_is_never_a_score(language: str) -> None:
    carriers = (*CARRIERS[language][:6:2], OUT_OF_TEN[language][0])
    for number in (*range(11, 121), *range(200, 1000, 33)):
        for words in number_words.spellings(language, number):
            for carrier in carriers:
                said = carrier.format(words)
                assert isinstance(written(language, "score", said), Unclear), said


@given(st.data(), st.sampled_from(LANGUAGES), st.integers(0, 10), st.integers(0, 99))
def test_a_decimal_is_never_a_score(data: st.DataObject, language: str, whole: int, part: int) -> None:
    decimal = f"{whole}{data.draw(st.sampled_from('.,'))}{part}"
    carrier = data.draw(st.sampled_from(CARRIERS[language]))
    assert isinstance(written(language, "score", carrier.format(decimal)), Unclear)


def _texts() -> st.SearchStrategy[str]:
    known = [
        each for language in LANGUAGES for words in vocabulary(language).written.values() for each in words
    ]
    numbers = [form for _, _, form in FORMS]
    marks = [*" .,!?;:-–—/%+<>*'’\"()$€½\n\t\x00\ud800\u202e⭐😊9", "9️⃣", "🔟"]
    jumbled = st.lists(st.sampled_from(known) | st.sampled_from(numbers) | st.sampled_from(marks)).map(
        " ".join
    )
    return st.text() | st.text(st.characters(exclude_categories=[])) | jumbled


@given(_texts(), st.sampled_from(LANGUAGES), st.sampled_from(KINDS), st.booleans(), st.none() | st.floats())
def test_any_text_is_heard_somehow_and_an_answer_has_the_type_that_was_asked_for(
    text: str, language: str, kind: AskKind, in_speech: bool, confidence: float | None
) -> None:
    heard = hear(kind, Words(text, in_speech, confidence), vocabulary(language))
    if not isinstance(heard, Answer):
        assert isinstance(heard, Skipped | Repeat | Unclear | Stop)
    elif kind == "score":
        assert type(heard.value) is int
        assert heard.value in range(11)
        assert in_speech or not heard.doubtful
    elif kind == "yes_no":
        assert type(heard.value) is bool
    else:
        assert isinstance(heard.value, str)
        assert heard.value == heard.value.strip()
        assert 0 < len(heard.value) <= LONGEST_COMMENT
        heard.value.encode("utf-8")
        assert "\x00" not in heard.value


@given(st.text(), st.sampled_from(KINDS))
def test_any_keys_are_heard_somehow(digits: str, kind: AskKind) -> None:
    heard = hear(kind, Keys(digits), vocabulary("en"))
    assert heard == STOP if "*" in digits else heard != STOP


@pytest.mark.parametrize(
    ("digits", "hearing"),
    [
        *((str(number), Answer(number, doubtful=number == 1)) for number in range(11)), ("", SILENCE),
        ("#", NO_NUMBER), ("9#", Answer(9)), ("0#", Answer(0)), ("11", Answer(1, doubtful=True)), ("99", Answer(9)),
        ("00", Answer(0)), ("12", OUTSIDE), ("100", OUTSIDE), ("07", TWO), ("010", TWO),
        ("1#0", NO_NUMBER), ("٩", NO_NUMBER), ("A", NO_NUMBER), ("*", STOP), ("9*", STOP), ("*9", STOP), ("*#", STOP),
    ],
)  # fmt: skip
def test_keys_at_the_score(digits: str, hearing: Hearing) -> None:
    assert hear("score", Keys(digits), vocabulary("en")) == hearing


@pytest.mark.parametrize(
    ("digits", "hearing"),
    [("1", Answer(True)), ("2", Answer(False)), ("1#", Answer(True)), ("", SILENCE), ("3", NO_YES_NO), ("0", NO_YES_NO),
     ("12", NO_YES_NO), ("11", NO_YES_NO), ("#", NO_YES_NO), ("*", STOP), ("1*", STOP)],
)  # fmt: skip
def test_keys_at_yes_or_no(digits: str, hearing: Hearing) -> None:
    assert hear("yes_no", Keys(digits), vocabulary("en")) == hearing


@pytest.mark.parametrize(
    ("digits", "hearing"), [("", SILENCE), ("#", SKIPPED), ("1", SKIPPED), ("0", SKIPPED), ("*", STOP)]
)
def test_a_key_at_the_open_question_skips_it(digits: str, hearing: Hearing) -> None:
    assert hear("comment", Keys(digits), vocabulary("en")) == hearing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "heard", [Silence(), Words(""), Words(" \n\t"), Words("..."), Words("?!"), Words("\x00\u200b")]
)
def test_silence_is_no_answer(kind: AskKind, heard: Silence | Words) -> None:
    assert hear(kind, heard, vocabulary("en")) == SILENCE


def test_an_unmeasured_confidence_is_no_doubt() -> None:
    assert spoken("en", "score", "nine") == Answer(9)
    assert spoken("pl", "score", "dziewięć") == Answer(9)


@pytest.mark.parametrize("language", ["en", "pl", "fr"])
def test_a_score_heard_with_little_confidence_is_read_back_and_with_less_is_asked_again(
    language: str,
) -> None:
    nine = vocabulary(language).scores[9][0]
    assert spoken(language, "score", nine, SURE_CONFIDENCE) == Answer(9)
    assert spoken(language, "score", nine, SURE_CONFIDENCE - 0.01) == Answer(9, doubtful=True)
    assert spoken(language, "score", nine, LEAST_CONFIDENCE) == Answer(9, doubtful=True)
    assert spoken(language, "score", nine, LEAST_CONFIDENCE - 0.01) == Unclear("low_confidence")


def test_low_confidence_spoils_yes_and_no_but_neither_a_comment_nor_a_stop() -> None:
    assert spoken("en", "yes_no", "yes", 0.1) == Unclear("low_confidence")
    assert spoken("en", "yes_no", "yes", 0.5) == Answer(True)
    assert spoken("en", "comment", "it was fine", 0.1) == Answer("it was fine")
    assert spoken("en", "score", "stop", 0.1) == STOP


def test_a_written_score_is_never_doubtful() -> None:
    assert {written(language, "score", form) for language, _, form in FORMS} == {
        Answer(number) for number in range(11)
    }


def test_a_comment_loses_control_characters_and_keeps_its_lines() -> None:
    assert written("en", "comment", "  Great\x00 \u202eservice\x07\nthank\ud800 you \r\n") == Answer(
        "Great service\nthank you"
    )


def test_a_long_comment_is_cut() -> None:
    assert written("en", "comment", "a" * 5_000) == Answer("a" * LONGEST_COMMENT)


@pytest.mark.parametrize(
    "text", ["שירות מצוין", "👨‍👩‍👧 great", "<script>alert(1)</script>", "=SUM(A1)", "خدمة ممتازة"]
)
def test_a_comment_in_any_script_is_kept(text: str) -> None:
    assert written("en", "comment", text) == Answer(text)


ENDLESS = [
    "i ", "9 ", "not ", "of ", "/10", "9/", "- ", "…", "'t", "can't ", "ﷺ", "on a scale of ", "8-)", " ",
    "9.", "\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", ENDLESS)
def test_a_text_without_end_is_heard_to_its_end(piece: str) -> None:
    for kind in KINDS:
        assert isinstance(
            written("en", kind, (piece * 8_000)[:8_000]), Answer | Skipped | Repeat | Unclear | Stop
        )


def test_words_shuffled_by_a_seed_are_never_a_score_outside_the_scale() -> None:
    chance = random.Random(10)  # noqa: S311 - words to try, not secrets
    words = [form for _, _, form in FORMS] + [
        form for language in LANGUAGES for form in vocabulary(language).written["negations"]
    ]
    for _ in range(500):
        said = " ".join(chance.sample(words, chance.randint(1, 6)))
        for language in LANGUAGES:
            heard = written(language, "score", said)
            assert not isinstance(heard, Answer) or heard.value in range(11), said
