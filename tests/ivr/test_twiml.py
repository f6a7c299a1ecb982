"""What a turn looks like as TwiML: https://www.twilio.com/docs/voice/twiml."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app.config import load_flows
from app.ivr import twiml
from app.rehearsal.twilio.document import read
from app.survey import Flow, Heard, Keys, Silence, Turn, Words, dialogue
from tests import transcripts

FLOW = load_flows(Path("flows"))["nps"]
VOICED = [each for each in transcripts.load() if each.plays_on("voice")]
BRAND = 'Fish & "Chips" <Ltd> \'24'


def turns(*heard: Heard, flow: Flow = FLOW, language: str = "en", brand: str = "Acme") -> list[Turn]:
    told = [dialogue.begin(flow, language, {"brand": brand, "record": "yes"})]
    for each in heard:
        told.append(dialogue.step(flow, told[-1].state, each))
    return told


def document(turn: Turn, turn_no: int = 1, *, record: bool = True, recording: bool = False) -> ET.Element:
    wording = FLOW.wording(turn.state.language)
    return parsed(twiml.render(turn, wording, turn_no, record=record, recording=recording))


def parsed(page: bytes) -> ET.Element:
    return ET.fromstring(page)  # noqa: S314 - our own document


def gather(turn: Turn, **options: bool) -> ET.Element:
    """The question's own, which is the last."""
    return document(turn, **options).findall("Gather")[-1]


def said(element: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in element.iter("Say")]


@pytest.mark.parametrize("odd", ["bell \x07", "\x1b[31m", "end \uffff", "half \ud83d", "tab\t"])
def test_whatever_is_said_is_a_document(odd: str) -> None:
    assert said(document(turns(brand=f"Acme{odd}")[0]))


def test_the_score_is_taken_by_two_keys_or_by_voice() -> None:
    asked = gather(turns()[0])
    assert asked.get("input") == "dtmf speech"
    assert (asked.get("numDigits"), asked.get("finishOnKey")) == ("2", "#")
    assert (asked.get("language"), asked.get("speechTimeout")) == ("en-US", "auto")
    assert (asked.get("timeout"), asked[-1].tag, asked[-1].get("length")) == ("2", "Pause", "3")


def test_silence_is_sent_like_an_answer_and_never_falls_through() -> None:
    root = document(turns()[0], 1)
    asked, fallen_through = root
    assert asked.get("actionOnEmptyResult") == "true"
    assert (fallen_through.tag, fallen_through.text) == ("Redirect", asked.get("action"))


def test_hints_are_the_numbers_and_keep_within_the_carriers_limits() -> None:
    hints = (gather(turns()[0]).get("hints") or "").split(",")
    assert {"zero", "nine", "ten"} <= set(hints)
    assert len(hints) <= 500
    assert max(map(len, hints)) <= 100


@pytest.mark.parametrize(
    ("language", "recogniser", "voice", "locale"),
    [
        ("en", "en-US", "Polly.Joanna-Neural", "en-US"),
        ("pl", "pl-PL", "Polly.Ola-Neural", "pl-PL"),
        ("nb", "nb-NO", "Polly.Ida-Neural", "nb-NO"),
        ("fr", "fr-FR", "Polly.Lea-Neural", "fr-FR"),
    ],
)
def test_each_language_has_its_own_voice_and_recogniser(
    language: str, recogniser: str, voice: str, locale: str
) -> None:
    asked = gather(turns(language=language)[0])
    assert asked.get("language") == recogniser
    assert {(each.get("voice"), each.get("language")) for each in asked.iter("Say")} == {(voice, locale)}


def test_addresses_are_relative_so_that_two_surveys_get_the_same_bytes() -> None:
    one, two = (turns(Keys("9"), brand="Acme") for _ in range(2))
    wording = FLOW.wording("en")
    for first, second in zip(one, two, strict=True):
        assert twiml.render(first, wording, 3) == twiml.render(second, wording, 3)
    root = document(one[1], 2)
    addresses = [each.get("action") for each in root.iter("Gather")]
    addresses += [each.get("recordingStatusCallback") for each in root.iter("Recording")]
    assert addresses == ["2", "2?recorded=1", "recording"]


def test_the_bytes_of_a_turn_are_built_once() -> None:
    turn, wording = turns()[0], FLOW.wording("en")
    assert twiml.render(turn, wording, 7) is twiml.render(turn, wording, 7)


def test_a_brand_may_have_any_sign_in_it() -> None:
    texts = said(document(turns(brand=BRAND)[0]))
    assert sum(BRAND in text for text in texts) == len([text for text in texts if "Fish" in text]) >= 1


def test_the_open_answer_is_recorded_once_the_notice_has_been_heard() -> None:
    _, asks, thanks = turns(Keys("9"), Words("cheap", spoken=True))
    notice, start, question, _ = document(asks)
    assert (notice.tag, notice.get("input"), len(notice)) == ("Gather", "dtmf", 1)
    assert (notice.get("numDigits"), notice.get("finishOnKey"), notice.get("timeout")) == ("1", "", "1")
    assert (start.tag, start[0].tag, start[0].get("track")) == ("Start", "Recording", "inbound")
    assert (question.tag, question.get("input"), len(question)) == ("Gather", "dtmf speech", 1)
    stop = document(thanks, recording=True)[0]
    assert (stop.tag, stop[0].get("name")) == ("Stop", start[0].get("name"))


@pytest.mark.parametrize("transcript", VOICED, ids=lambda each: each.name)
def test_whatever_is_said_star_is_heard(transcript: transcripts.Transcript) -> None:
    heard = [each.caller.heard(spoken=True) for each in transcript.exchanges if each.caller is not None]
    for turn in turns(*heard, language=transcript.language):
        for options in ({}, {"record": False}, {"recording": True}):
            root = document(turn, **options)
            assert [each.tag for each in root if each.tag in {"Say", "Play", "Pause"}] == []
            assert all("dtmf" in (each.get("input") or "") for each in root.iter("Gather"))


def test_a_question_repeated_goes_on_in_the_same_recording() -> None:
    _, asks = turns(Keys("9"))
    tags = [each.tag for each in document(asks, recording=True)]
    assert tags == ["Gather", "Redirect"]


def test_who_is_not_recorded_hears_nothing_of_a_recording() -> None:
    _, asks = turns(Keys("9"))
    notice = FLOW.wording("en").text(FLOW.wording("en").prompt("recording_notice", {}), "voice")
    assert notice in said(document(asks))
    without = document(asks, record=False)
    assert notice not in said(without)
    assert without.find("Start") is None
    assert gather(asks, record=False).get("action") == "1"


def test_after_too_many_misheard_answers_only_the_keypad_is_open() -> None:
    asked = gather(turns(Words("well", spoken=True), Words("dunno", spoken=True))[-1])
    assert asked.get("input") == "dtmf"
    assert asked.get("hints") is None
    assert asked.get("speechTimeout") is None


def test_the_open_question_listens_long_and_takes_one_key() -> None:
    asked = gather(turns(Keys("9"))[-1])
    assert (asked.get("numDigits"), asked.get("finishOnKey")) == ("1", "")
    assert asked.get("maxSpeechTime") == "60"
    assert asked.get("profanityFilter") == "false"
    assert (asked.get("timeout"), asked.get("speechTimeout")) == ("4", "2")
    assert [each.tag for each in asked] == ["Say"], "one key is all, so the time-out is the patience"


def test_a_lone_one_is_asked_about_with_a_second_for_each_key() -> None:
    asked = gather(turns(Keys("1"))[-1])
    assert (asked.get("numDigits"), asked.get("timeout"), asked[-1].get("length")) == ("2", "1", "1")


def test_yes_or_no_takes_one_key() -> None:
    asked = gather(turns(Keys("2"), Silence())[-1])
    assert (asked.get("numDigits"), asked.get("finishOnKey")) == ("1", "#")
    assert "yes" in (asked.get("hints") or "").split(",")


def test_the_end_hangs_up() -> None:
    goodbye, end = document(turns(Keys("*"))[-1])
    assert (goodbye.tag, goodbye.get("action"), goodbye.get("numDigits")) == ("Gather", "opt-out", "1")
    assert (goodbye[0].tag, end.tag) == ("Say", "Hangup")


def test_a_goodbye_needs_no_survey() -> None:
    root = parsed(twiml.goodbye("apology", FLOW.wording("pl")))
    assert [each.tag for each in root] == ["Gather", "Hangup"]
    assert root[0][0].get("language") == "pl-PL"


@pytest.mark.parametrize("transcript", VOICED, ids=lambda each: each.name)
def test_a_rehearsed_phone_finds_nothing_wrong_with_any_document(transcript: transcripts.Transcript) -> None:
    heard = [each.caller.heard(spoken=True) for each in transcript.exchanges if each.caller is not None]
    wording = FLOW.wording(transcript.language)
    for number, turn in enumerate(turns(*heard, language=transcript.language, brand=BRAND), 1):
        for record, recording in ((True, False), (True, True), (False, False)):
            page = twiml.render(turn, wording, number, record=record, recording=recording)
            assert read(page).warnings == ()
