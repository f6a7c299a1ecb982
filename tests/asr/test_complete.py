"""What a short pause may end."""

from pathlib import Path

import pytest

from app.asr.complete import is_complete
from app.config import Settings, load_flows
from app.survey import Ask, AskKind, Vocabulary, Words

VOCABULARIES = load_flows(Path(str(Settings.model_fields["flows_dir"].default))).vocabularies


def whole(
    text: str, kind: AskKind = "score", language: str = "en", confidence: float | None = 0.9, **ask: bool
) -> bool:
    words = Words(text, spoken=True, confidence=confidence)
    return is_complete(Ask(kind, kind, 5, **ask), words, VOCABULARIES[language])


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "zero"), ("en", "seven"), ("en", "ten"), ("en", "nine out of ten"), ("en", "nine points"),
     ("en", "nine nine"), ("en", "stop"), ("pl", "dziewięć"), ("pl", "dziewięć na dziesięć"), ("nb", "sju"),
     ("nb", "ni av ti"), ("fr", "dix"), ("fr", "huit sur dix")],
)  # fmt: skip
def test_one_number_and_nothing_else_is_a_whole_answer(language: str, text: str) -> None:
    assert whole(text, language=language)


@pytest.mark.parametrize(
    ("language", "text", "might_be"),
    [("en", "seven or", "seven or eight"), ("en", "seven eight", "seven eight seven"),
     ("en", "nine out of", "nine out of ten"), ("en", "nine out of twelve", "that"), ("en", "not", "not a ten"),
     ("en", "not seven", "not seven, eight"), ("en", "one", "one moment"), ("en", "a nine", "a nine for her"),
     ("en", "maybe seven", "maybe seven, or eight"), ("en", "I'd say seven", "I'd say seven, no, six"),
     ("en", "[unk] seven", "if it was up to me seven"), ("en", "eleven", "that"),
     ("en", "twenty", "twenty, just kidding"), ("en", "seven and a half", "that"), ("en", "ate", "a tea"),
     ("en", "sorry", "sorry, nine"), ("en", "skip", "that"), ("en", "I don't know", "I don't know, seven"),
     ("en", "", "anything"), ("en", "[unk]", "anything"), ("fr", "vingt", "vingt sur vingt"),
     ("fr", "dix sept", "that"), ("fr", "un", "un instant"), ("pl", "jeden", "jeden moment"),
     ("pl", "dziewięć na", "dziewięć na dziesięć"), ("nb", "en", "en liten stund")],
)  # fmt: skip
def test_what_may_go_on_is_waited_for(language: str, text: str, might_be: str) -> None:
    assert not whole(text, language=language), might_be


def test_a_number_that_is_also_another_word_waits_and_so_does_a_doubtful_one() -> None:
    assert whole("nine", confidence=None), "an engine that measures nothing is believed"
    assert not whole("nine", confidence=0.45)


def test_yes_and_no_are_whole_answers_where_they_answer() -> None:
    assert whole("yes", "yes_no")
    assert whole("no thank you", "yes_no")
    assert not whole("okay", "yes_no"), "okay, no"
    assert not whole("yes no", "yes_no")
    assert not whole("yes")
    assert whole("yes", read_back=True)
    assert whole("eight", read_back=True)
    assert not whole("no eight", read_back=True)


def test_a_comment_is_never_over_before_its_long_pause() -> None:
    assert not whole("nine", "comment")
    assert not whole("stop", "comment")


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_most_scores_have_a_form_that_is_whole(vocabulary: Vocabulary) -> None:
    ask = Ask("score", "score", 5)
    scores = [
        score
        for score, forms in vocabulary.scores.items()
        if any(is_complete(ask, Words(form, spoken=True, confidence=0.9), vocabulary) for form in forms)
    ]
    assert set(scores) >= set(range(11)) - {1}
