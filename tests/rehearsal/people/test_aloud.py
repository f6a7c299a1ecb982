"""What a rehearsed customer says aloud, and how they answer with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.audio import TELEPHONE_RATE, Sound
from app.errors import StartError
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import (
    Answers,
    HeardPrompt,
    ListeningFor,
    Nothing,
    Pressed,
    Reaction,
    Speaker,
    SpeakingCaller,
    Spoken,
    aloud,
)
from tests import ffmpeg
from tests.prompts.sounds import directory_of, silence, speech, wav

LISTENING = ListeningFor(
    keys=True, speech=True, max_digits=2, finish_on_key="#", timeout_seconds=5, language="en-US"
)
SCORE = Spoken("seven", sound=Sound(b"7" * 320))
COMMENT = Spoken("cheap", sound=Sound(b"c" * 320))


def seconds(said: Spoken | None) -> float:
    assert said is not None
    assert said.sound is not None
    assert said.sound.rate == TELEPHONE_RATE
    return said.sound.seconds


def test_recordings_give_a_score_and_a_comment_in_telephone_sound(tmp_path: Path) -> None:
    place = directory_of(tmp_path, **{"7": wav(speech(0.6, 48000), 48000, 24), "comment": wav(speech(2))})
    answers = Speaker(recordings=place).answers()
    assert (answers.number, answers.score.text) == (7, "7")
    assert 0.4 < seconds(answers.score) < 0.9
    assert 1.7 < seconds(answers.comment) < 2.3


def test_recordings_may_be_of_any_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ffmpeg.on_path(tmp_path / "bin", monkeypatch)
    ffmpeg.make(tmp_path / "8.mp3")
    ffmpeg.make(tmp_path / "comment.opus")
    answers = Speaker(recordings=tmp_path).answers()
    assert (answers.number, answers.refused) == (8, ())
    assert seconds(answers.score) == pytest.approx(seconds(answers.comment), abs=0.1)


def test_scores_may_lie_in_a_folder_of_digits_and_a_comment_may_be_missing(tmp_path: Path) -> None:
    directory_of(tmp_path / "digits", **{"3": wav(speech(0.6))})
    answers = Speaker(recordings=tmp_path).answers()
    assert (answers.number, answers.comment) == (3, None)


def test_recordings_without_a_score_or_with_a_broken_file_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=rf"{tmp_path.name}: there is no recorded score in it"):
        Speaker(recordings=tmp_path).answers()
    directory_of(tmp_path, **{"7": wav(silence(1))})
    with pytest.raises(StartError, match=r"7\.wav is silent"):
        Speaker(recordings=tmp_path).answers()


def test_a_broken_file_is_passed_over_by_name_and_the_others_answer(tmp_path: Path) -> None:
    directory_of(
        tmp_path, **{"7": wav(silence(1)), "8": b"", "9": wav(speech(0.6)), "comment": wav(speech(2))[:-9]}
    )
    answers = Speaker(recordings=tmp_path).answers()
    assert (answers.number, answers.score.text, answers.comment) == (9, "9", None)
    assert answers.refused == (
        "7.wav is silent, or far too quiet",
        "8.wav is empty",
        "comment.wav is cut off: 9 of its 32000 bytes of sound are missing",
    )


def test_an_offline_voice_that_is_not_there_is_named() -> None:
    with pytest.raises(StartError, match="a voice is espeak-ng:<voice>"):
        Speaker(voice="somebody").answers()
    with pytest.raises(StartError, match="no rehearsed customer speaks de"):
        Speaker("de", voice="espeak-ng:de").answers()


def test_where_nobody_can_speak_it_says_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aloud, "PROMPTS", tmp_path)
    monkeypatch.setattr(aloud, "which", lambda _: None)
    with pytest.raises(StartError, match=r"asterisk-core-sounds-en-wav or espeak-ng.*--voice-recordings"):
        Speaker().answers()


async def said(caller: SpeakingCaller, *lines: str) -> Reaction:
    """What the caller does once the line has said this."""
    for line in lines:
        assert await caller.hear(HeardPrompt(line, "en-US")) is None
    return await caller.react(LISTENING)


def caller(comment: Spoken | None = COMMENT) -> SpeakingCaller:
    return SpeakingCaller(Answers("en", "a voice", 7, SCORE, comment), PacedClock(0))


async def test_the_score_is_said_and_its_key_is_pressed_when_it_is_asked_for_again() -> None:
    person = caller()
    assert await said(person, "Hello.", "From 0 to 10, please?") is SCORE
    assert await said(person, "Sorry, a number from 0 to 10, please.") == Pressed("7#")


async def test_where_only_keys_count_the_score_is_pressed() -> None:
    person = caller()
    await person.hear(HeardPrompt("From 0 to 10, please press it.", "en-US"))
    assert await person.react(replace(LISTENING, speech=False)) == Pressed("7#")


async def test_the_reason_is_said_and_without_one_is_skipped() -> None:
    assert await said(caller(), "What is the reason?", "Please speak now.") is COMMENT
    assert await said(caller(comment=None), "What is the reason?") == Pressed("#")


async def test_a_call_back_is_declined_and_what_is_read_back_rightly_needs_no_answer() -> None:
    assert await said(caller(), "Shall we call? Press 1 for yes and 2 for no.") == Pressed("2")
    assert await said(caller(), "I heard 7. If that's right, just wait.") == Nothing()


async def test_prompts_that_the_line_plays_are_answered_in_their_order() -> None:
    person = caller()
    assert await said(person, "") is SCORE
    assert await said(person, "") is COMMENT
