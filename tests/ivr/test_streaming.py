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


def test_what_the_carrier_says_is_said_while_keys_are_taken_then_the_stream_opens() -> None:
    prompts = tuple(WORDING.prompt(name, {"brand": "Northwind"}) for name in ("greeting", "ask_score"))
    document = read(streaming.render(Invitation(ADDRESS, prompts), SCORE, WORDING, 3))
    said, stream, behind = document.verbs
    assert isinstance(said, Gather)
    assert [each.text for each in said.prompts if isinstance(each, Say)] == [
        WORDING.text(each, "voice") for each in prompts
    ]
    assert (said.keys, said.speech, said.action, said.method) == (True, False, "3", "POST")
    assert (said.max_digits, said.finish_on_key, said.timeout) == (2, "#", 1)
    assert not said.empty_result, "without a key the document goes on"
    assert stream == ConnectStream(ADDRESS)
    assert behind == Redirect("heard?turn=3")
    assert document.warnings == ()


def test_where_the_carrier_says_nothing_the_stream_opens_at_once() -> None:
    document = read(streaming.render(Invitation(ADDRESS, ()), SCORE, WORDING, 3))
    assert document.verbs[0] == ConnectStream(ADDRESS)


def test_a_recording_at_the_carrier_ends_first() -> None:
    document = read(streaming.render(Invitation(ADDRESS, ()), SCORE, WORDING, 3, recording=True))
    assert isinstance(document.verbs[0], StopRecording)
