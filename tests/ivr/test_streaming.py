"""A question that is heard in a stream, as TwiML."""

from pathlib import Path

from app.config import load_flows
from app.ivr import streaming
from app.ports import Invitation
from app.rehearsal.twilio.document import read
from app.rehearsal.twilio.verbs import ConnectStream, Gather, Redirect, Say, StopRecording
from app.survey import Ask

WORDING = next(iter(load_flows(Path("flows")).values())).wording("en")
SCORE = Ask("score", "score", 5)
ADDRESS = "wss://survey.example.com/twilio/stream/6a/3"


def test_the_carrier_says_its_part_then_the_stream_opens_and_behind_it_the_present_turn_is_fetched() -> None:
    question = WORDING.prompt("ask_score", {"brand": "Northwind"})
    document = read(streaming.render(Invitation(ADDRESS, (question,)), SCORE, WORDING, 3))
    said, stream, behind = document.verbs
    assert isinstance(said, Say)
    assert "Northwind" in said.text
    assert stream == ConnectStream(ADDRESS)
    assert behind == Redirect("heard?turn=3")
    assert document.warnings == ()


def test_keys_are_taken_while_the_carrier_greets_and_the_question_opens_the_stream_at_once() -> None:
    prompts = tuple(WORDING.prompt(name, {"brand": "Northwind"}) for name in ("greeting", "ask_score"))
    document = read(streaming.render(Invitation(ADDRESS, prompts, before_question=1), SCORE, WORDING, 3))
    greeted, asked, stream, _ = document.verbs
    assert isinstance(greeted, Gather)
    assert [each.text for each in greeted.prompts if isinstance(each, Say)] == [
        WORDING.text(prompts[0], "voice")
    ]
    assert (greeted.keys, greeted.speech, greeted.action, greeted.method) == (True, False, "3", "POST")
    assert (greeted.max_digits, greeted.finish_on_key, greeted.timeout) == (2, "#", 1)
    assert not greeted.empty_result, "without a key the document goes on"
    assert isinstance(asked, Say)
    assert stream == ConnectStream(ADDRESS)
    assert document.warnings == ()


def test_a_recording_at_the_carrier_ends_first() -> None:
    document = read(streaming.render(Invitation(ADDRESS, ()), SCORE, WORDING, 3, recording=True))
    assert isinstance(document.verbs[0], StopRecording)
