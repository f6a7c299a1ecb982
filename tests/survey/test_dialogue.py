"""The rules of the dialogue that a single golden conversation cannot show."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config import load_flows
from app.survey import (
    Abandoned,
    CallbackChosen,
    Commented,
    Completed,
    Heard,
    Keys,
    Left,
    OptedOut,
    Prompt,
    Scored,
    Silence,
    State,
    Turn,
    Unheard,
    Words,
    dialogue,
)

FLOW = load_flows(Path("flows"))["nps"]
BRAND = {"brand": "Acme"}
DOUBTED = 6


def say(text: str, confidence: float | None = None) -> Words:
    return Words(text, spoken=True, confidence=confidence)


def begin(language: str = "en") -> Turn:
    return dialogue.begin(FLOW, language, BRAND)


def after(*everything: Heard, language: str = "en") -> Turn:
    turn = begin(language)
    for heard in everything:
        turn = dialogue.step(FLOW, State.from_json(json.loads(json.dumps(turn.state.to_json()))), heard)
    return turn


def reading_back(language: str = "en") -> State:
    """A caller whose score was heard, with doubt, as six."""
    return replace(begin(language).state, doubtful=DOUBTED)


def names(turn: Turn) -> list[str]:
    return [prompt.name for prompt in turn.say]


def test_the_opening_greets_names_the_brand_and_asks_the_score() -> None:
    turn = begin()
    assert turn.say == (Prompt("greeting", (("brand", "Acme"),)), Prompt("ask_score", (("brand", "Acme"),)))
    assert turn.ask is not None
    assert (turn.ask.kind, turn.ask.slot, turn.ask.optional) == ("score", "score", False)
    assert turn.facts == ()


@pytest.mark.parametrize(
    ("asked", "spoken"), [("pl-PL", "pl"), ("pl_PL", "pl"), ("NB", "nb"), ("de", "en"), ("", "en")]
)
def test_a_language_without_wording_gets_the_default_one(asked: str, spoken: str) -> None:
    assert begin(asked).state.language == spoken


def test_the_score_is_a_fact_in_the_turn_that_hears_it() -> None:
    assert after(Keys("0")).facts == (Scored(0),)
    assert after(Keys("10")).facts == (Scored(10),)


@pytest.mark.parametrize("score", range(11))
def test_each_score_is_asked_for_its_reason_in_the_words_of_its_band(score: int) -> None:
    band = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
    assert names(after(Words(str(score)))) == ["recording_notice", f"ask_reason_{band}"]


def test_only_the_open_question_may_be_recorded_and_says_so_first() -> None:
    ask = after(Keys("9")).ask
    assert ask is not None
    assert ask.recorded
    assert begin().ask is not None
    assert not begin().ask.recorded  # type: ignore[union-attr]


def test_a_comment_keeps_its_confidence() -> None:
    turn = after(Keys("9"), say("they were kind", 0.62))
    assert turn.facts == (Commented("they were kind", 0.62), Completed())


@pytest.mark.parametrize("heard", [Keys("1"), say("yes"), Words("yes")])
def test_a_critic_may_ask_for_a_call(heard: Heard) -> None:
    turn = after(Keys("3"), Silence(), heard)
    assert turn.facts == (CallbackChosen(True), Completed())
    assert names(turn) == ["thanks_callback"]


@pytest.mark.parametrize("heard", [Keys("2"), say("no"), Words("no")])
def test_a_critic_may_decline_a_call(heard: Heard) -> None:
    turn = after(Keys("3"), Silence(), heard)
    assert turn.facts == (CallbackChosen(False), Completed())
    assert names(turn) == ["thanks_detractor"]


@pytest.mark.parametrize("path", [(), (Keys("3"),), (Keys("3"), Silence())])
@pytest.mark.parametrize("stop", [Keys("*"), say("stop"), Words("STOP")])
def test_stop_ends_any_question_at_once(path: tuple[Heard, ...], stop: Heard) -> None:
    turn = after(*path, stop)
    assert turn.facts == (OptedOut(),)
    assert names(turn) == ["opted_out"]
    assert turn.ask is None
    assert turn.state.step is None


@pytest.mark.parametrize("path", [(), (Keys("3"),), (Keys("3"), Silence())])
def test_hanging_up_ends_without_a_word(path: tuple[Heard, ...]) -> None:
    turn = after(*path, Left())
    assert (turn.say, turn.ask, turn.facts, turn.state.step) == ((), None, (Abandoned(),), None)


@pytest.mark.parametrize("heard", [Keys("9"), say("nine"), Silence(), Left(), Keys("*")])
def test_a_conversation_that_is_over_stays_over(heard: Heard) -> None:
    over = after(Left())
    assert dialogue.step(FLOW, over.state, heard) == Turn(over.state, (), None)


def test_an_answer_is_never_overwritten_by_a_later_number() -> None:
    turn = after(Keys("9"), say("ten out of ten for patience"))
    assert turn.state.slots["score"] == 9


def test_the_number_of_tries_starts_anew_with_every_question() -> None:
    turn = after(Silence(), Silence(), Keys("4"))
    assert turn.state.tries == 0


def test_the_keypad_is_asked_for_after_the_second_failure_and_not_in_writing() -> None:
    first, second = after(Silence()), after(Silence(), say("er, well"))
    assert first.ask is not None
    assert second.ask is not None
    assert (first.ask.keys_only, second.ask.keys_only) == (False, True)
    assert names(after(Words("er"), Words("well"))) == ["goodbye"]


def test_repeating_costs_no_try_and_is_bounded_by_the_turns() -> None:
    turn = after(*[say("repeat")] * (FLOW.max_turns - 1))
    assert turn.ask is not None
    assert turn.state.tries == 0
    last = dialogue.step(FLOW, turn.state, say("repeat"))
    assert (names(last), last.facts, last.ask) == (["goodbye"], (Abandoned(),), None)


def test_a_score_heard_on_the_last_turn_is_kept() -> None:
    turn = after(*[say("repeat")] * (FLOW.max_turns - 1), Keys("9"))
    assert (names(turn), turn.facts) == (["goodbye"], (Scored(9), Abandoned()))


# Reading a doubtful score back


@pytest.mark.parametrize(
    "heard", [say("yes"), say("yes, six"), Silence(), Keys("#"), Keys(""), Keys("6"), Words("6")]
)
def test_a_score_read_back_is_agreed_to(heard: Heard) -> None:
    turn = dialogue.step(FLOW, reading_back(), heard)
    assert turn.facts == (Scored(DOUBTED),)
    assert turn.state.doubtful is None


@pytest.mark.parametrize(
    ("heard", "score"), [(Keys("10"), 10), (Keys("22"), 2), (Keys("2"), 2), (Words("10"), 10)]
)
def test_a_number_takes_the_place_of_the_one_read_back_and_keys_are_never_yes_or_no(
    heard: Heard, score: int
) -> None:
    assert dialogue.step(FLOW, reading_back(), heard).facts == (Scored(score),)


@pytest.mark.parametrize("heard", [say("no"), say("what a nice day"), Keys("78")])
def test_a_refused_read_back_is_asked_for_on_the_keypad(heard: Heard) -> None:
    turn = dialogue.step(FLOW, reading_back(), heard)
    assert turn.facts == ()
    assert names(turn) == ["score_keys_only"]
    assert turn.ask is not None
    assert turn.ask.keys_only
    assert turn.state.doubtful is None


def test_a_refused_read_back_and_another_failure_end_politely() -> None:
    refused = dialogue.step(FLOW, reading_back(), say("no"))
    assert names(dialogue.step(FLOW, refused.state, Silence())) == ["goodbye"]


def test_hanging_up_at_a_read_back_leaves_no_score() -> None:
    turn = dialogue.step(FLOW, reading_back(), Left())
    assert turn.facts == (Abandoned(),)
    assert turn.state.doubtful is None


def test_stop_at_a_read_back_opts_out_without_a_score() -> None:
    assert dialogue.step(FLOW, reading_back(), say("stop")).facts == (OptedOut(),)


def test_a_read_back_is_said_again_on_request() -> None:
    turn = dialogue.step(FLOW, reading_back(), say("repeat"))
    assert turn.say == (Prompt("read_back_score", (("score", "6"),)),)
    assert turn.ask is not None
    assert turn.ask.read_back


# What no recogniser could tell in time


def test_a_score_that_nobody_could_recognise_is_asked_for_on_the_keypad() -> None:
    turn = after(Unheard())
    assert (names(turn), turn.facts) == (["score_keys_only"], ())
    assert turn.ask is not None
    assert turn.ask.keys_only
    assert dialogue.step(FLOW, turn.state, Keys("7")).facts == (Scored(7),)


def test_it_agrees_to_no_read_back() -> None:
    assert names(dialogue.step(FLOW, reading_back(), Unheard())) == ["score_keys_only"]


def test_a_comment_that_nobody_could_recognise_is_let_go() -> None:
    assert after(Keys("9"), Unheard()).facts == (Completed(),)


# A lone 1 on the keypad


def test_a_lone_one_is_asked_about_in_one_short_breath() -> None:
    turn = after(Keys("1"))
    assert (names(turn), turn.facts) == (["score_one_or_ten"], ())
    assert turn.ask is not None
    assert (turn.ask.kind, turn.ask.read_back, turn.ask.silence_seconds) == ("score", True, 2.0)


@pytest.mark.parametrize(
    ("heard", "score"),
    [
        (Keys("0"), 10),
        (Keys("00"), 10),
        (Keys("10"), 10),
        (say("ten"), 10),
        (say("zero"), 10),
        (Silence(), 1),
        (Keys("#"), 1),
        (say("yes"), 1),
        (say("one"), 1),
        (Keys("7"), 7),
        (say("seven"), 7),
    ],
)
def test_a_nought_makes_it_ten_and_silence_leaves_it_at_one(heard: Heard, score: int) -> None:
    turn = after(Keys("1"), heard)
    assert turn.facts == (Scored(score),)
    assert (turn.state.doubtful, turn.state.pressed) == (None, False)


def test_another_one_may_begin_a_ten_again_and_who_keeps_pressing_it_means_it() -> None:
    assert names(after(Keys("1"), Keys("1"))) == ["score_one_or_ten"]
    assert after(Keys("1"), Keys("1"), Keys("0")).facts == (Scored(10),)
    assert after(*[Keys("1")] * 4).facts == (Scored(1),)


def test_who_hangs_up_at_it_has_pressed_one() -> None:
    gone = after(Keys("1"), Left())
    assert gone.facts == (Scored(1), Abandoned())
    assert names(dialogue.resume(FLOW, gone.state))[:2] == ["resume_greeting", "recording_notice"]


def test_no_to_it_leads_to_the_keypad_and_star_opts_out() -> None:
    assert names(after(Keys("1"), say("no"))) == ["score_keys_only"]
    assert after(Keys("1"), Keys("*")).facts == (OptedOut(),)


@pytest.mark.parametrize("heard", [Words("1"), say("one")])
def test_a_one_that_was_said_or_written_is_one(heard: Heard) -> None:
    assert after(heard).facts == (Scored(1),)


def test_a_key_pressed_twice_is_one() -> None:
    assert after(Keys("99")).facts == (Scored(9),)


# Taking a survey up again


def test_resuming_greets_briefly_and_asks_the_first_question_without_an_answer() -> None:
    gone = after(Keys("3"), Left())
    turn = dialogue.resume(FLOW, gone.state)
    assert names(turn) == ["resume_greeting", "recording_notice", "ask_reason_detractor"]
    assert turn.facts == ()
    assert dialogue.step(FLOW, turn.state, say("nobody came")).facts == (Commented("nobody came", None),)


def test_resuming_forgets_tries_and_doubt() -> None:
    turn = dialogue.resume(FLOW, replace(reading_back(), tries=2, turns=19))
    assert names(turn) == ["resume_greeting", "ask_score"]
    assert (turn.state.tries, turn.state.turns, turn.state.doubtful) == (0, 0, None)


def test_resuming_what_is_complete_says_nothing() -> None:
    turn = dialogue.resume(FLOW, after(Keys("9"), say("kind people")).state)
    assert (turn.say, turn.ask, turn.facts, turn.state.step) == ((), None, (), None)


def test_a_state_whose_step_is_no_more_is_taken_up_again() -> None:
    turn = dialogue.step(FLOW, replace(after(Keys("9")).state, step="of_an_older_file"), say("hello"))
    assert names(turn) == ["resume_greeting", "recording_notice", "ask_reason_promoter"]


# Whatever people do

ANYTHING = st.one_of(
    st.builds(Keys, st.text(alphabet="0123456789*#", max_size=3)),
    st.builds(Words, st.text(max_size=30), st.booleans(), st.none() | st.floats(0, 1)),
    st.sampled_from(
        [say(each) for each in ("yes", "no", "six", "seven or eight", "repeat", "skip", "not ten")]
    ),
    st.just(Silence()),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ANYTHING, min_size=25, max_size=25), st.sampled_from(sorted(FLOW.languages)))
def test_every_conversation_ends_within_its_turns_with_at_most_one_score(
    everything: list[Heard], language: str
) -> None:
    turn = begin(language)
    facts = list(turn.facts)
    for heard in everything:
        turn = dialogue.step(FLOW, State.from_json(json.loads(json.dumps(turn.state.to_json()))), heard)
        facts += turn.facts
        assert (turn.ask is None) == (turn.state.step is None)
    assert turn.ask is None
    assert sum(isinstance(fact, Scored) for fact in facts) <= 1
    assert sum(isinstance(fact, Completed | Abandoned | OptedOut) for fact in facts) == 1
    if Completed() in facts:
        assert any(isinstance(fact, Scored) for fact in facts)
