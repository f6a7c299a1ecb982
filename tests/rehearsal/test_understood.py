"""A call's transcript with what was understood beside it."""

from app.audio import Sound
from app.rehearsal.people import HeardPrompt, Nothing, Pressed, Spoken
from app.rehearsal.transcript import Transcript, with_understood
from app.survey import Keys, Silence, Words
from app.survey.heard import to_json


def a_call() -> Transcript:
    transcript = Transcript()
    transcript.heard(HeardPrompt("How likely?", "en-US"))
    transcript.reacted(Spoken("7", sound=Sound(bytes(12_800))))
    transcript.heard(HeardPrompt("Why?", "en-US"))
    transcript.reacted(Pressed("#"))
    transcript.heard(HeardPrompt("Goodbye.", "en-US"))
    return transcript


def test_each_answer_is_followed_by_what_was_understood_of_it() -> None:
    heard = [to_json(Words("seven", spoken=True, confidence=0.9876)), to_json(Keys("#"))]
    assert list(with_understood(a_call(), heard)) == [
        "line    en-US  How likely?",
        'caller         "7" (0.8 s of sound)',
        'heard          "seven" (98.8% sure)',
        "line    en-US  Why?",
        "caller         [#]",
        "heard          [#]",
        "line    en-US  Goodbye.",
    ]


def test_what_was_heard_without_an_answer_is_told_in_the_end() -> None:
    heard = [to_json(Words("seven")), to_json(Silence()), to_json(Silence())]
    lines = list(with_understood(a_call(), heard))
    assert [each for each in lines if each.startswith("heard")] == [
        'heard          "seven"',
        "heard          (silence)",
        "heard          (silence)",
    ]
    assert lines[-1] == "heard          (silence)"
    assert len(list(with_understood(a_call(), []))) == 5


def test_saying_nothing_is_an_answer_only_where_something_was_asked() -> None:
    transcript = Transcript()
    transcript.heard(HeardPrompt("Hello.", "en-US"))
    transcript.reacted(Nothing())
    transcript.heard(HeardPrompt("How likely?", "en-US"))
    transcript.reacted(Spoken("7"))
    transcript.heard(HeardPrompt("I heard 7.", "en-US"))
    transcript.reacted(Nothing())
    lines = list(with_understood(transcript, [to_json(Words("seven")), to_json(Silence())]))
    assert lines == [
        "line    en-US  Hello.",
        "line    en-US  How likely?",
        'caller         "7"',
        'heard          "seven"',
        "line    en-US  I heard 7.",
        "caller         (silence)",
        "heard          (silence)",
    ]
