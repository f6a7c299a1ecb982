"""Vosk with a real model. Its accuracy is measured by the bench; here it is the plumbing that is tried."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.asr.grammar import UNKNOWN
from app.asr.vosk import Vosk, in_words
from app.errors import RecogniserError
from app.survey import SURE_CONFIDENCE, Words
from app.survey.hear import LEAST_CONFIDENCE
from tests.asr import korean, voice

with_a_model = pytest.mark.skipif(not korean.INSTALLED, reason=korean.MISSING)


def result(text: str, *confidences: float) -> dict[str, object]:
    words = text.split()
    return {"text": text, "result": [{"word": w, "conf": c} for w, c in zip(words, confidences, strict=True)]}


@pytest.fixture(scope="module")
def vosk(tmp_path_factory: pytest.TempPathFactory) -> Vosk:
    return Vosk(korean.models(tmp_path_factory.mktemp("vosk") / "models"), {"ko": korean.vocabulary()})


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    words = {"ko": korean.vocabulary()}
    assert Vosk(None, words).lacks("ko", "score") == "ZEROTEN_VOSK_MODELS is not set"
    assert "no Vosk model" in (Vosk(tmp_path, words).lacks("ko", "score") or "")
    assert Vosk(tmp_path, words).lacks("en", "score") == "no flow speaks en"


def test_the_least_certain_word_of_a_grammar_counts_and_the_mean_of_a_comment() -> None:
    parts = [result("nine out", 0.9, 0.6), result("of ten", 1.0, 1.0)]
    heard = in_words(parts, "score", forced=False)
    assert (heard.text, heard.confidence, heard.spoken) == ("nine out of ten", 0.6, True)
    assert in_words(parts, "comment", forced=False).confidence == pytest.approx(0.875)


def test_a_forced_choice_is_a_guess_unless_it_is_confident() -> None:
    unsure = in_words([result("nine", 0.6)], "score", forced=True)
    assert unsure.confidence is not None
    assert unsure.confidence < LEAST_CONFIDENCE
    assert in_words([result("nine", 0.95)], "score", forced=True).confidence == 0.95


def test_a_number_among_unknown_words_is_read_back() -> None:
    heard = in_words([result(f"{UNKNOWN} nine", 1.0, 1.0)], "score", forced=False)
    assert heard.confidence is not None
    assert LEAST_CONFIDENCE <= heard.confidence < SURE_CONFIDENCE


def test_nothing_is_nothing() -> None:
    assert in_words([{"text": ""}], "score", forced=True).text == ""
    assert in_words([result(UNKNOWN, 1.0)], "score", forced=False).text == UNKNOWN


@with_a_model
def test_the_grammar_holds_every_number_that_the_model_knows(vosk: Vosk) -> None:
    grammar = vosk.grammar("ko", "score")
    assert {form for forms in korean.NUMBERS.values() for form in forms} <= {
        *grammar.phrases,
        *grammar.missing,
    }
    assert {"영", "일", "십"} <= set(grammar.phrases)
    assert vosk.lacks("ko", "score") is None


@with_a_model
def test_a_model_without_a_word_for_a_score_hears_no_scores_but_comments(vosk: Vosk) -> None:
    numbers = korean.NUMBERS | {7: ["xyzzy"]}
    deaf = Vosk(vosk.directory, {"ko": korean.vocabulary(numbers)})
    with pytest.raises(RecogniserError, match="no word for 7"):
        deaf.begin("ko", "score")
    assert deaf.lacks("ko", "score") is not None
    assert deaf.lacks("ko", "comment") is None


@with_a_model
def test_what_is_heard_by_a_grammar_stays_in_it(vosk: Vosk) -> None:
    known = {word for phrase in vosk.grammar("ko", "score").phrases for word in phrase.split()}
    for number in (1, 5, 9):
        utterance = vosk.begin("ko", "score")
        sound = voice.say(number, 0.8) + voice.quiet(0.4)
        for place in range(0, len(sound), 1600):
            utterance.feed(sound[place : place + 1600])
        heard = utterance.finish()
        assert set(heard.text.split()) <= known
        assert heard.spoken
        assert heard.confidence is None or 0 <= heard.confidence <= 1


@with_a_model
def test_many_streams_at_once_hear_what_one_alone_hears(vosk: Vosk) -> None:
    """A hum is nearly as much one word as another, so which one it is heard as may differ; silence is none."""
    sounds = voice.quiet(0.2) + voice.say(4, 0.8) + voice.quiet(0.4), voice.quiet(1.4)

    def hear(number: int) -> Words:
        sound, utterance = sounds[number % 2], vosk.begin("ko", "score")
        for place in range(0, len(sound), 1600):
            utterance.feed(sound[place : place + 1600])
        return utterance.finish()

    with ThreadPoolExecutor(4) as threads:
        heard = list(threads.map(hear, range(12)))
    assert [bool(each.text) for each in heard] == [True, False] * 6


@with_a_model
def test_what_was_said_up_to_a_pause_is_told_and_what_follows_is_added_to_it(vosk: Vosk) -> None:
    said, pause = voice.quiet(0.2) + voice.say(4, 0.8) + voice.quiet(0.2), voice.quiet(0.4)
    utterance = vosk.begin("ko", "score")
    utterance.feed(said)
    first = utterance.so_far()
    assert first is not None
    assert first.text
    utterance.feed(pause)
    assert utterance.so_far() == first, "a pause adds nothing"
    utterance.feed(said + pause)
    words = utterance.finish().text.split()
    assert words[0] == first.text
    assert len(words) == 2


@with_a_model
def test_silence_is_no_words(vosk: Vosk) -> None:
    for kind in ("score", "comment"):
        utterance = vosk.begin("ko", kind)
        utterance.feed(voice.quiet(1))
        assert utterance.finish().text == ""
