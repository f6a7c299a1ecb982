"""What a recogniser is to expect."""

from pathlib import Path

import pytest

from app.asr.grammar import UNKNOWN, phrases, within
from app.config import Settings, load_flows
from app.survey import Answer, Vocabulary, Words
from app.survey.hear import hear

VOCABULARIES = load_flows(Path(str(Settings.model_fields["flows_dir"].default))).vocabularies


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_every_score_can_be_said_and_is_heard_as_itself(vocabulary: Vocabulary) -> None:
    expected = phrases(vocabulary, "score")
    for score, forms in vocabulary.scores.items():
        spoken = [form for form in forms if form in expected]
        assert spoken
        answer = hear("score", Words(spoken[0], spoken=True, confidence=1.0), vocabulary)
        assert isinstance(answer, Answer)
        assert answer.value == score


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_a_phrase_is_words_that_a_model_may_know(vocabulary: Vocabulary) -> None:
    for phrase in phrases(vocabulary, "score"):
        assert phrase == " ".join(phrase.lower().split())
        assert all(each.isalpha() or each in "' " for each in phrase)


def test_what_denies_a_number_is_expected_too_and_so_are_wishes() -> None:
    expected = phrases(VOCABULARIES["en"], "score")
    assert {"not", "or", "eleven", "out of", "yes", "no", "stop calling me", "skip", "repeat"} <= set(
        expected
    )


def test_a_comment_has_no_grammar() -> None:
    assert phrases(VOCABULARIES["en"], "comment") == ()


def test_a_phrase_with_an_unknown_word_is_left_out_whole() -> None:
    grammar = within(["nine", "niner", "nine point", "cloud nine"], lambda word: word in {"nine", "cloud"})
    assert grammar.phrases == ("nine", "cloud nine")
    assert grammar.missing == ("niner", "nine point")


def test_the_word_for_all_others_is_added_where_the_model_has_one() -> None:
    assert within(["nine"], lambda _: True).phrases == ("nine", UNKNOWN)
