"""The seconds of a rehearsed call: https://www.twilio.com/docs/voice/twiml/gather, "timeout" and "speechTimeout"."""

import pytest

from app.rehearsal.clock import speaking_seconds
from app.rehearsal.people import Spoken
from tests.rehearsal.twilio.stage import Stage, perform

SCORE = (
    '<Gather action="1/heard" numDigits="2" input="dtmf speech" timeout="2" speechTimeout="auto">'
    '<Say>Which score?</Say><Pause length="3"/></Gather><Say>Next.</Say>'
)
ASKING = speaking_seconds("Which score?")
THANKS = speaking_seconds("Thanks.")
HEARD = "<Say>Thanks.</Say>"


def spans(stage: Stage) -> list[tuple[str, float]]:
    return [(each.spent_on, round(each.seconds, 2)) for each in stage.performance.transcript.time]


async def score(script: str) -> Stage:
    return await perform(SCORE, script, heard=HEARD)


async def test_after_a_key_that_may_not_be_the_last_the_time_out_is_dead_air() -> None:
    stage = await score("9")
    assert stage.last_form["Digits"] == "9"
    assert spans(stage) == [("talk", ASKING), ("wait", 1), ("dead_air", 2), ("talk", THANKS)]


@pytest.mark.parametrize("keys", ["10", "9#", "12"])
async def test_an_entry_that_is_whole_is_told_at_once(keys: str) -> None:
    assert spans(await score(keys)) == [("talk", ASKING), ("wait", 1), ("talk", THANKS)]


@pytest.mark.parametrize(("pause", "digits"), [(0.4, "10"), (1.9, "10"), (2.1, "1")])
async def test_the_second_key_has_as_long_as_the_time_out(pause: float, digits: str) -> None:
    stage = await score(f"1 | +{pause} 0")
    assert stage.last_form["Digits"] == digits
    assert stage.performance.transcript.time.longest("dead_air") == min(pause, 2)


async def test_who_is_silent_has_the_pause_and_the_time_out() -> None:
    stage = await score("")
    assert spans(stage) == [("talk", ASKING), ("wait", 5), ("talk", speaking_seconds("Next."))]


async def test_a_key_is_taken_in_the_pause_behind_a_question() -> None:
    stage = Stage({"": f"<Response>{SCORE}</Response>", "/heard": f"<Response>{HEARD}</Response>"}, "9", 2.5)
    await stage.play()
    assert spans(stage) == [("talk", ASKING), ("wait", 2.5), ("dead_air", 2), ("talk", THANKS)]


async def test_a_key_interrupts_a_prompt_at_its_moment_and_begins_the_wait() -> None:
    stage = await score("+0.3 9")
    assert spans(stage) == [("talk", 0.3), ("dead_air", 2), ("talk", THANKS)]


async def test_what_is_said_ends_with_the_pause_of_its_own() -> None:
    spoken = Spoken("nine")
    stage = await perform(SCORE, (spoken,), heard=HEARD)
    assert spans(stage) == [
        ("talk", ASKING),
        ("wait", 1),
        ("talk", spoken.seconds),
        ("dead_air", 1),
        ("talk", THANKS),
    ]


async def test_without_a_pause_of_its_own_speech_has_that_of_the_keys() -> None:
    twiml = '<Gather action="1/heard" input="speech" timeout="4"/>'
    assert ("dead_air", 4) in spans(await perform(twiml, "cheap and fast", heard=HEARD))


async def test_what_is_said_or_pressed_outside_a_question_neither_counts_nor_interrupts() -> None:
    stage = await perform("<Say>Hello, dear caller</Say><Say>Goodbye</Say>", "+0.5 *")
    whole = speaking_seconds("Hello, dear caller") + speaking_seconds("Goodbye")
    assert spans(stage) == [("talk", round(whole, 2))]
    assert [each.what for each in stage.performance.transcript if each.who == "caller"] == ["[*] (not heard)"]


async def test_speech_over_a_question_for_keys_does_not_interrupt_it() -> None:
    twiml = '<Gather action="1/heard" timeout="1" numDigits="1"><Say>Hello, dear caller</Say></Gather>'
    stage = await perform(twiml, "+0.2 hm")
    assert spans(stage) == [("talk", speaking_seconds("Hello, dear caller")), ("dead_air", 1)]


async def test_a_pause_between_two_things_is_dead_air() -> None:
    assert ("dead_air", 2) in spans(await perform('<Say>a</Say><Pause length="2"/><Say>b</Say>'))


@pytest.mark.parametrize(("submits", "asked_for"), [(False, 1), (True, 2)])
async def test_hanging_up_within_an_entry_loses_it_unless_the_carrier_submits_it(
    submits: bool, asked_for: int
) -> None:
    stage = Stage({"": f"<Response>{SCORE}</Response>"}, "6 | +1.5 /hangup", submits_at_hang_up=submits)
    assert await stage.play() == "caller"
    assert len(stage.asked_for) == asked_for
    if submits:
        assert (stage.last_form["Digits"], stage.last_form["CallStatus"]) == ("6", "completed")


async def test_every_line_of_a_transcript_has_its_moment() -> None:
    stage = await score("9")
    moments = [round(each.at, 2) for each in stage.performance.transcript]
    assert moments == [0, round(ASKING + 1, 2), round(ASKING + 3, 2)]
