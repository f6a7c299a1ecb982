"""One question on a stream, frame by frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.asr.listening import (
    AFTER_KEY_SECONDS,
    AFTER_ONE_SECONDS,
    QUESTION_SECONDS,
    AnswerListener,
    QuestionOver,
)
from app.asr.speech import in_frames
from app.asr.thresholds import WHOLE_ANSWER_SECONDS
from app.survey import Ask, AskKind, Keys, Silence, Unheard, Words

SILENCE = 5


def a_question(kind: AskKind = "score", prompt_frames: int = 0, notice_frames: int = 0) -> AnswerListener:
    whole = {"nine", "seven"}
    return AnswerListener(
        Ask(kind, kind, SILENCE), lambda words: words.text in whole, prompt_frames, notice_frames
    )


def let(listening: AnswerListener, seconds: float, *, voiced: bool = False) -> list[str]:
    """What is done while so much time goes by."""
    return [action for _ in range(in_frames(seconds)) for action in listening.frame(voiced)]


def said(text: str) -> Words:
    return Words(text, spoken=True, confidence=0.9)


def test_speech_is_recognised_once_it_has_ended() -> None:
    listening = a_question()
    assert let(listening, 1) == []
    assert let(listening, 0.5, voiced=True) == ["begin"]
    assert let(listening, 1) == ["look", "finish"]
    assert listening.recognised(said("nine")) == []
    assert listening.done == QuestionOver(said("nine"))


def test_a_whole_answer_ends_with_a_short_pause() -> None:
    listening = a_question()
    let(listening, 0.5, voiced=True)
    assert let(listening, WHOLE_ANSWER_SECONDS) == ["look"]
    assert listening.so_far(said("nine")) == ["drop"]
    assert listening.done == QuestionOver(said("nine"))


@pytest.mark.parametrize("words", [said("nine out of"), said(""), None])
def test_what_is_no_whole_answer_is_left_the_long_pause(words: Words | None) -> None:
    listening = a_question()
    let(listening, 0.5, voiced=True)
    assert let(listening, 0.3) == ["look"]
    assert listening.so_far(words) == []
    assert let(listening, 0.28) == []
    assert let(listening, 0.04) == ["finish"]


def test_whoever_goes_on_speaking_in_the_meantime_is_heard_out() -> None:
    listening = a_question()
    let(listening, 0.5, voiced=True)
    assert let(listening, 0.3) == ["look"]
    let(listening, 0.1, voiced=True)
    assert listening.so_far(said("seven")) == []
    assert let(listening, 0.3) == ["look"], "each pause is looked at"
    assert listening.so_far(said("seven or eight")) == []
    assert listening.done is None


def test_what_was_said_before_the_last_pause_is_no_whole_answer_however_late_it_comes() -> None:
    listening = a_question()
    for _ in range(2):
        let(listening, 0.5, voiced=True)
        let(listening, 0.3)
    assert listening.so_far(said("seven")) == []
    assert listening.done is None
    listening.so_far(said("nine"))
    assert listening.done == QuestionOver(said("nine"))


def test_a_key_wins_over_a_whole_answer() -> None:
    listening = a_question()
    let(listening, 0.5, voiced=True)
    let(listening, 0.3)
    listening.key("8")
    assert listening.so_far(said("nine")) == []
    let(listening, AFTER_KEY_SECONDS)
    assert listening.done == QuestionOver(Keys("8"))


def test_silence_counts_from_the_end_of_the_prompt() -> None:
    listening = a_question(prompt_frames=in_frames(3))
    assert let(listening, 3) == []
    listening.prompt_over()
    let(listening, SILENCE - 0.1)
    assert listening.done is None
    let(listening, 0.1)
    assert listening.done == QuestionOver(Silence())


def test_a_mark_that_never_comes_back_does_not_keep_the_line() -> None:
    listening = a_question(prompt_frames=in_frames(3))
    let(listening, 3 + 3 + SILENCE)
    assert listening.done == QuestionOver(Silence())


def test_whoever_speaks_while_the_prompt_plays_stops_it() -> None:
    listening = a_question(prompt_frames=in_frames(5))
    assert let(listening, 0.5, voiced=True) == ["clear", "begin"]
    assert not listening.prompt_plays


def test_whoever_presses_a_key_while_speaking_has_pressed_a_key() -> None:
    listening = a_question(prompt_frames=in_frames(5))
    let(listening, 0.5, voiced=True)
    assert listening.key("8") == ["drop"]
    assert let(listening, AFTER_KEY_SECONDS, voiced=True) == []
    assert listening.done == QuestionOver(Keys("8"))


def test_a_key_after_speech_wins_over_its_words() -> None:
    listening = a_question()
    let(listening, 0.5, voiced=True)
    assert let(listening, 1) == ["look", "finish"]
    assert listening.key("8") == ["drop"]
    assert listening.recognised(said("nine")) == []
    let(listening, AFTER_KEY_SECONDS)
    assert listening.done == QuestionOver(Keys("8"))


@pytest.mark.parametrize(
    ("pressed", "kind", "keys"),
    [("10", "score", "10"), ("9#", "score", "9"), ("*", "score", "*"), ("1*", "score", "1*"), ("1", "yes_no", "1"),
     ("#", "score", "#"), ("#", "comment", "#"), ("5", "comment", "5")],
)  # fmt: skip
def test_some_keys_need_no_waiting(pressed: str, kind: AskKind, keys: str) -> None:
    listening = a_question(kind)
    for digit in pressed:
        listening.key(digit)
    assert listening.done == QuestionOver(Keys(keys))


def test_after_a_one_the_nought_of_a_ten_is_waited_for() -> None:
    listening = a_question()
    listening.key("1")
    let(listening, AFTER_ONE_SECONDS - 0.02)
    assert listening.done is None
    listening.key("0")
    assert listening.done == QuestionOver(Keys("10"))


@pytest.mark.parametrize("key", "023456789")
def test_after_any_other_key_there_is_dead_air_of_a_third_of_a_second_at_most(key: str) -> None:
    listening = a_question()
    listening.key(key)
    let(listening, 0.3)
    assert listening.done == QuestionOver(Keys(key))


def test_a_lone_one_is_told_within_a_second() -> None:
    listening = a_question()
    listening.key("1")
    let(listening, 1)
    assert listening.done == QuestionOver(Keys("1"))


def test_over_a_notice_only_keys_are_taken() -> None:
    listening = a_question("comment", in_frames(3), in_frames(4))
    assert let(listening, 4, voiced=True) == []
    listening.notice_over()
    assert let(listening, 0.5, voiced=True) == ["clear", "begin"]


@pytest.mark.parametrize("key", "#*")
def test_a_key_ends_a_notice_and_its_question(key: str) -> None:
    listening = a_question("comment", in_frames(3), in_frames(4))
    let(listening, 1)
    assert listening.key(key) == ["clear"]
    assert listening.done == QuestionOver(Keys(key))


def test_a_notice_whose_mark_never_comes_back_does_not_keep_the_line() -> None:
    listening = a_question("comment", notice_frames=in_frames(2))
    assert let(listening, 2 + 3, voiced=True) == []
    assert let(listening, 0.5, voiced=True) == ["begin"]


def test_what_cannot_be_recognised_in_time_is_an_answer_that_was_not_heard() -> None:
    listening = a_question()
    assert listening.unheard() == []
    let(listening, 0.5, voiced=True)
    assert let(listening, 1) == ["look", "finish"]
    assert listening.unheard() == []
    assert listening.done == QuestionOver(Unheard())


def test_what_was_pressed_before_hanging_up_is_an_answer() -> None:
    listening = a_question()
    listening.key("6")
    assert listening.left() == []
    assert listening.done == QuestionOver(Keys("6"))


def test_a_noise_is_passed_over_and_leaves_time_to_answer() -> None:
    listening = a_question()
    let(listening, SILENCE - 0.5)
    assert let(listening, 0.2, voiced=True) == ["begin"]
    assert let(listening, 0.7) == ["look", "finish"]
    assert listening.recognised(Words("", spoken=True)) == []
    let(listening, 1.9)
    assert listening.done is None
    let(listening, 0.2)
    assert listening.done == QuestionOver(Silence())


def test_a_noise_that_cut_the_prompt_off_lets_it_be_played_once_more() -> None:
    listening = a_question(prompt_frames=in_frames(5))
    for expected in (["replay"], []):
        let(listening, 0.3, voiced=True)
        assert let(listening, 0.7) == ["look", "finish"]
        assert listening.recognised(Words("[unk]", spoken=True)) == expected


def test_unknown_words_are_an_answer_once_they_are_long_enough() -> None:
    listening = a_question()
    let(listening, 1.0, voiced=True)
    let(listening, 0.7)
    listening.recognised(Words("[unk]", spoken=True))
    assert listening.done == QuestionOver(Words("[unk]", spoken=True))


def test_a_comment_may_have_pauses_but_no_end_of_its_own() -> None:
    listening = a_question("comment")
    actions = []
    for _ in range(30):
        actions += let(listening, 2, voiced=True) + let(listening, 1)
    assert actions[:2] == ["begin", "finish"], "it is cut after a minute, and no pause is looked at"


def test_what_is_being_said_while_hanging_up_is_recognised() -> None:
    listening = a_question()
    assert listening.left() == []
    let(listening, 0.5, voiced=True)
    assert listening.left() == ["finish"]
    listening.recognised(said("nine"))
    assert listening.done == QuestionOver(said("nine"))


events = st.one_of(
    st.tuples(st.just("frames"), st.integers(1, 200), st.booleans()),
    st.tuples(st.just("key"), st.sampled_from("0123456789*#")),
    st.tuples(st.just("words"), st.sampled_from(["nine", "", "[unk]"])),
    st.tuples(st.just("so far"), st.sampled_from(["nine", "", None])),
    st.tuples(st.just("mark")),
)


@given(st.sampled_from(["score", "yes_no", "comment"]), st.integers(0, 300), st.lists(events, max_size=30))
def test_whatever_happens_the_question_ends_and_deeds_make_sense(
    kind: AskKind, prompt_frames: int, happening: list[tuple[object, ...]]
) -> None:
    listening = a_question(kind, prompt_frames)
    actions: list[str] = []
    for event in happening:
        match event:
            case ("frames", int(count), bool(voiced)):
                actions += [action for _ in range(count) for action in listening.frame(voiced)]
            case ("key", str(digit)):
                actions += listening.key(digit)
            case ("words", str(text)):
                actions += listening.recognised(Words(text, spoken=True))
            case ("so far", str() | None as text):
                actions += listening.so_far(None if text is None else said(text))
            case _:
                listening.prompt_over()
    actions += let(listening, QUESTION_SECONDS)
    assert listening.done is not None
    assert let(listening, 10, voiced=True) == []
    going = [action for action in actions if action in {"begin", "finish", "drop"}]
    assert all(going[place] == "begin" for place in range(1) if going)
    assert actions.count("finish") <= actions.count("begin")
    assert actions.count("replay") <= 1
