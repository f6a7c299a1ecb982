"""A rehearsed phone does what the carrier's documentation says a phone does."""

import pytest

from app.rehearsal.clock import speaking_seconds
from app.rehearsal.people import Nothing, Pressed, Spoken
from app.rehearsal.people.scripted import After, Interrupts
from app.rehearsal.twilio import Request
from app.rehearsal.twilio.performance import APOLOGY, MAX_DOCUMENTS
from tests.rehearsal.twilio.stage import BASE, Stage, inline, perform

SCORE = (
    '<Gather action="1/heard" numDigits="2" input="dtmf speech" {}><Say>Score?</Say></Gather><Say>Next.</Say>'
)
HEARD = "<Say>Thanks.</Say>"


async def score(script: str | tuple[object, ...], attributes: str = "") -> Stage:
    return await perform(SCORE.format(attributes), script, heard=HEARD)  # type: ignore[arg-type]


async def test_a_line_says_its_text_and_hangs_up_at_the_end_of_the_document() -> None:
    stage = Stage(
        {"": '<Response><Say language="pl-PL">Dzień <break/> dobry</Say><Play>/a.wav</Play></Response>'}
    )
    assert await stage.play() == "line"
    assert stage.said == ["Dzień dobry"]
    assert [each.language for each in stage.caller.heard] == ["pl-PL", ""]
    assert stage.caller.heard[1].audio_url == "https://zeroten.test/a.wav"


async def test_a_verb_behind_hangup_is_not_reached() -> None:
    assert (await perform("<Say>a</Say><Hangup/><Say>b</Say>")).said == ["a"]


async def test_the_first_request_says_that_the_call_is_in_progress() -> None:
    stage = await perform("<Say>a</Say>")
    url, method, form = stage.asked_for[0]
    assert (url, method, form["CallStatus"], form["CallSid"]) == (BASE, "POST", "in-progress", "CA1")


@pytest.mark.parametrize(
    ("pressed", "digits", "finished_on"),
    [
        ("9", "9", ""),
        ("9#", "9", "#"),
        ("10", "10", ""),
        ("10#", "10", ""),
        ("0#", "0", "#"),
        ("*", "*", ""),
        ("123", "12", ""),
    ],
)
async def test_keys_end_with_the_finishing_key_or_when_there_are_enough(
    pressed: str, digits: str, finished_on: str
) -> None:
    stage = await score(pressed)
    form = stage.last_form
    assert (form["Digits"], form["FinishedOnKey"], form["msg"]) == (digits, finished_on, "Gather End")
    assert stage.said == ["Score?", "Thanks."]


async def test_with_an_empty_finish_on_key_every_key_is_a_digit() -> None:
    assert (await score("#", 'finishOnKey=""')).last_form["Digits"] == "#"


async def test_speech_is_sent_with_its_confidence() -> None:
    form = (await score((Spoken("nine", 0.75),))).last_form
    assert (form["SpeechResult"], form["Confidence"]) == ("nine", "0.75")
    assert "Digits" not in form


@pytest.mark.parametrize("script", ["", "#"])
async def test_without_input_the_next_verb_follows(script: str) -> None:
    stage = await score(script)
    assert stage.said == ["Score?", "Next."]
    assert len(stage.asked_for) == 1


@pytest.mark.parametrize(("script", "finished_on"), [("", ""), ("#", "#")])
async def test_with_action_on_empty_result_silence_is_sent_as_such(script: str, finished_on: str) -> None:
    stage = await score(script, 'actionOnEmptyResult="true"')
    assert stage.said == ["Score?", "Thanks."]
    assert (stage.last_form["Digits"], stage.last_form["FinishedOnKey"]) == ("", finished_on)


async def test_silence_of_a_question_for_speech_alone_sends_no_digits() -> None:
    twiml = '<Gather action="1/heard" input="speech" actionOnEmptyResult="true"/>'
    assert "Digits" not in (await perform(twiml, heard=HEARD)).last_form


@pytest.mark.parametrize(("given", "script"), [("speech", "9"), ("dtmf", "nine")])
async def test_what_a_question_does_not_take_is_as_good_as_silence(given: str, script: str) -> None:
    stage = await perform(f'<Gather action="1/heard" input="{given}"/><Say>Next.</Say>', script)
    assert stage.said == ["Next."]


async def test_the_time_for_an_answer_counts_from_the_end_of_the_prompts() -> None:
    quick = Stage(
        {"": '<Response><Gather timeout="3" action="1/heard"/></Response>', "/heard": "<Response/>"}, "9"
    )
    slow = Stage(quick.documents, "9", thinks_seconds=3.5)
    await quick.play()
    await slow.play()
    assert quick.last_form["Digits"] == "9"
    assert len(slow.asked_for) == 1
    assert slow.clock.elapsed() == 3
    assert slow.caller.asked[0].timeout_seconds == 3


async def test_keys_interrupt_the_prompts_and_the_rest_of_them_is_waited_for() -> None:
    twiml = '<Gather action="1/heard" numDigits="2"><Say>One</Say><Say>Two</Say></Gather>'
    stage = await perform(twiml, (Interrupts(Pressed("1")), After(Pressed("0"), 1.5)), heard=HEARD)
    assert stage.said == ["One", "Thanks."]
    assert stage.last_form["Digits"] == "10"
    assert stage.performance.transcript.time.total("dead_air") == 1.5


async def test_an_interrupting_key_alone_is_sent_when_no_other_follows() -> None:
    stage = await score((Interrupts(Pressed("9")), Nothing()))
    assert stage.last_form["Digits"] == "9"


async def test_an_interruption_that_is_complete_is_not_waited_for() -> None:
    stage = await score("!9#")
    assert (stage.last_form["Digits"], stage.caller.asked) == ("9", [])


async def test_speech_interrupts_only_where_it_may() -> None:
    stage = await score("!nine", 'bargeIn="false"')
    assert stage.said == ["Score?", "Next."]
    assert (await score("!nine")).last_form["SpeechResult"] == "nine"


async def test_keys_pressed_outside_a_question_are_lost() -> None:
    stage = await perform(
        '<Say>Hello there, dear caller</Say><Gather action="1/heard"/>', "+0.5 5", heard=HEARD
    )
    assert len(stage.asked_for) == 1
    assert stage.performance.transcript.entries[1].what == "[5] (not heard)"
    seconds = speaking_seconds("Hello there, dear caller")
    assert [(each.spent_on, each.seconds) for each in stage.performance.transcript.time] == [
        ("talk", pytest.approx(seconds)),
        ("wait", 5),
    ]


async def test_hanging_up_in_a_question_asks_for_nothing_more() -> None:
    stage = Stage({"": "<Response><Gather><Say>Score?</Say></Gather></Response>"}, "/hangup")
    assert await stage.play() == "caller"
    assert len(stage.asked_for) == 1


async def test_an_action_defaults_to_the_document_s_own_address() -> None:
    stage = Stage({"": '<Response><Gather numDigits="1" method="GET"/></Response>'}, "1")
    await stage.play()
    assert stage.asked_for[1][:2] == (BASE, "GET")


async def test_a_redirect_is_relative_to_its_document() -> None:
    stage = await perform("<Redirect>1/heard</Redirect><Say>never</Say>", heard=HEARD)
    assert stage.said == ["Thanks."]


async def test_a_loop_of_redirects_is_bounded() -> None:
    stage = await perform("<Redirect>1</Redirect>")
    assert len(stage.asked_for) == MAX_DOCUMENTS
    assert stage.said == [APOLOGY.text]


async def test_a_pause_takes_its_time() -> None:
    stage = await perform('<Pause length="7"/><Say>a</Say>')
    assert stage.clock.elapsed() >= 7


async def test_a_call_can_be_rejected() -> None:
    stage = Stage({"": '<Response><Reject reason="busy"/></Response>'})
    assert await stage.play() == "busy"


async def test_a_recording_is_kept_and_its_action_told() -> None:
    twiml = '<Record action="1/heard" recordingStatusCallback="ready"/><Say>never</Say>'
    stage = await perform(twiml, "cheap and fast", heard=HEARD)
    recording = next(iter(stage.recordings))
    form = stage.last_form
    assert (recording.said, recording.source) == ("cheap and fast", "RecordVerb")
    assert form["RecordingUrl"] == f"https://api.test/2010-04-01/Accounts/AC1/Recordings/{recording.sid}"
    assert (form["RecordingDuration"], form["Digits"]) == (str(recording.seconds), "")
    url, told = stage.notified[0]
    assert url == "https://zeroten.test/twilio/voice/ready"
    assert (told["RecordingStatus"], told["RecordingSource"]) == ("completed", "RecordVerb")
    assert told["RecordingSid"] == recording.sid


async def test_a_key_ends_a_recording() -> None:
    assert (await perform('<Record action="1/heard"/>', "#", heard=HEARD)).last_form["Digits"] == "#"


async def test_a_recording_of_silence_is_none_and_the_next_verb_follows() -> None:
    stage = await perform('<Record action="1/heard"/><Say>Next.</Say>')
    assert stage.said == ["Next."]
    assert not list(stage.recordings)


async def test_hanging_up_while_recording_tells_the_action_and_nobody_hears_its_answer() -> None:
    stage = await perform('<Record action="1/heard"/>', "too slow /hangup", heard=HEARD)
    assert (stage.last_form["Digits"], stage.last_form["CallStatus"]) == ("hangup", "completed")
    assert stage.said == []
    assert next(iter(stage.recordings)).said == "too slow"


async def test_a_recording_is_no_longer_than_it_may_be() -> None:
    stage = await perform(
        '<Record maxLength="2" action="1/heard"/>', "one two three four five six seven", heard=""
    )
    assert stage.last_form["RecordingDuration"] == "2"


RECORDED = '<Start><Recording name="comment" recordingStatusCallback="ready" {}/></Start>'


async def test_a_started_recording_ends_where_it_is_stopped() -> None:
    stop = '<Stop><Recording name="comment"/></Stop><Gather action="never"/>'
    twiml = RECORDED.format("") + '<Gather input="speech" action="1/heard"/>'
    stage = await perform(twiml, "cheap | said later", heard=stop)
    url, told = stage.notified[0]
    assert url == "https://zeroten.test/twilio/voice/ready"
    assert (told["RecordingSource"], told["RecordingChannels"]) == ("StartCallRecordingTwiML", "2")
    assert next(iter(stage.recordings)).said == "cheap"


async def test_a_started_recording_ends_with_the_call() -> None:
    stage = await perform(RECORDED.format("") + "<Pause length='12'/>")
    assert stage.notified[0][1]["RecordingDuration"] == "12"


async def test_a_recording_of_a_caller_who_said_nothing_is_absent() -> None:
    events = 'track="inbound" recordingStatusCallbackEvent="completed absent"'
    stage = await perform(RECORDED.format(events) + "<Pause/>")
    assert stage.notified[0][1]["RecordingStatus"] == "absent"
    assert not list(stage.recordings)


async def test_an_unknown_verb_is_overlooked_with_a_warning() -> None:
    stage = await perform("<Dance/><Say>a</Say>")
    assert (stage.said, stage.alert_codes) == (["a"], [12200])


@pytest.mark.parametrize(
    "attribute", ['numDigits="none"', 'finishOnKey="##"', 'input="touch"', 'timeout="-1"']
)
async def test_a_bad_attribute_counts_as_its_default_with_a_warning(attribute: str) -> None:
    stage = await perform(f'<Gather action="1/heard" {attribute}/>', "12#", heard=HEARD)
    assert (stage.last_form["Digits"], stage.alert_codes) == ("12", [12200])


@pytest.mark.parametrize("document", ["", "<Response>", "<Answer/>", "plain"])
async def test_a_document_that_cannot_be_read_ends_the_call_with_the_carrier_s_apology(document: str) -> None:
    stage = Stage({"": document})
    assert await stage.play() == "error"
    assert (stage.said, stage.alert_codes) == ([APOLOGY.text], [12100])


async def test_a_document_that_cannot_be_fetched_ends_the_call_with_the_carrier_s_apology() -> None:
    stage = await perform("<Redirect>1/missing</Redirect>")
    assert (stage.said, stage.alert_codes) == ([APOLOGY.text], [11200])


async def test_the_fallback_is_asked_first_where_there_is_one() -> None:
    stage = Stage({"/sorry": "<Response><Say>Sorry.</Say></Response>"}, fallback=Request(f"{BASE}/sorry"))
    assert await stage.play() == "line"
    assert stage.said == ["Sorry."]
    assert (stage.last_form["ErrorCode"], stage.last_form["ErrorUrl"]) == ("11200", BASE)


async def test_a_document_without_an_address_needs_absolute_actions() -> None:
    stage = Stage({"/heard": f"<Response>{HEARD}</Response>"}, "1 | 2")
    assert await stage.play(inline(f'<Gather numDigits="1" action="{BASE}/heard"/>')) == "line"
    assert await stage.play(inline('<Gather numDigits="1" action="heard"/>')) == "error"
    assert stage.alert_codes == [11100]


async def test_a_transcript_reads_as_the_call_went() -> None:
    stage = await perform(SCORE.format(""), "9#", heard=HEARD)
    assert str(stage.performance.transcript).splitlines() == [
        "line    en-US  Score?",
        "caller         [9#]",
        "line    en-US  Thanks.",
    ]
