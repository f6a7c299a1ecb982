"""A question that is heard in a stream, as TwiML."""

from pathlib import Path

from app.flow_files import load_flows
from app.ivr import streaming
from app.ports import Invitation
from app.rehearsal.document import read
from app.rehearsal.verbs import ConnectStream, Redirect, Say, StopRecording

WORDING = next(iter(load_flows(Path("flows")).values())).wording("en")
ADDRESS = "wss://survey.example.com/twilio/stream/6a/3"


def test_the_carrier_says_its_part_then_the_stream_opens_and_behind_it_the_present_turn_is_fetched() -> None:
    greeting = WORDING.prompt("greeting", {"brand": "Northwind"})
    document = read(streaming.render(Invitation(ADDRESS, (greeting,)), WORDING, 3))
    said, stream, behind = document.verbs
    assert isinstance(said, Say)
    assert "Northwind" in said.text
    assert stream == ConnectStream(ADDRESS)
    assert behind == Redirect("heard?turn=3")
    assert document.warnings == ()


def test_a_recording_at_the_carrier_ends_first() -> None:
    document = read(streaming.render(Invitation(ADDRESS, ()), WORDING, 3, recording=True))
    assert isinstance(document.verbs[0], StopRecording)
