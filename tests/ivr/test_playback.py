"""Recorded prompts in a document: played where they are, said where they are not."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app.config import load_flows
from app.ivr import Playback, twiml
from app.prompts import Prompts
from app.rehearsal.twilio.document import read
from app.survey import Keys, Turn, Words, dialogue
from tests import transcripts
from tests.prompts.recorded import record, sounded

FLOW = load_flows(Path("flows"))["nps"]
ADDRESS = "https://nps.example"
BRAND = "Café Nord"
UNRECORDED = "thanks_promoter"
VOICED = [each for each in transcripts.load() if each.plays_on("voice")]


@pytest.fixture(scope="module")
def playback(tmp_path_factory: pytest.TempPathFactory) -> Playback:
    directory = record(FLOW, tmp_path_factory.mktemp("prompts"), BRAND, but=UNRECORDED)
    return Playback(Prompts.load(directory), ADDRESS)


def begin(language: str = "en", brand: str = BRAND) -> Turn:
    return dialogue.begin(FLOW, language, {"brand": brand, "record": "yes"})


def test_a_recorded_prompt_is_played_instead_of_said(playback: Playback) -> None:
    turn = begin()
    page = twiml.render(turn, FLOW.wording("en"), 1, playback.addresses)
    assert sounded(page) == [
        ("Play", "greeting.1.wav"),
        ("Play", "value.brand.cafe-nord.wav"),
        ("Play", "greeting.2.wav"),
        ("Play", "ask_score.1.wav"),
        ("Play", "value.brand.cafe-nord.wav"),
        ("Play", "ask_score.2.wav"),
    ]
    assert read(page).warnings == ()
    gather = ET.fromstring(page).find("Gather")  # noqa: S314 - our own document
    assert gather is not None
    assert len(gather.findall("Play")) == 6, "a caller may answer in the middle of a recording"


def test_a_prompt_that_is_not_recorded_is_said_among_the_others(playback: Playback) -> None:
    asks = dialogue.step(FLOW, begin().state, Keys("9"))
    thanks = dialogue.step(FLOW, asks.state, Words("cheap", spoken=True))
    wording = FLOW.wording("en")
    text = wording.text(wording.prompt(UNRECORDED, {}), "voice")
    assert sounded(twiml.render(thanks, wording, 3, playback.addresses)) == [("Say", text)]
    assert {tag for tag, _ in sounded(twiml.render(asks, wording, 2, playback.addresses))} == {"Play"}


@pytest.mark.parametrize(("language", "brand"), [("pl", BRAND), ("en", "Another brand")])
def test_what_cannot_be_played_whole_is_said_whole(playback: Playback, language: str, brand: str) -> None:
    wording = FLOW.wording(language)
    page = twiml.render(begin(language, brand), wording, 1, playback.addresses)
    assert page == twiml.render(begin(language, brand), wording, 1)


def test_two_surveys_get_the_same_bytes_and_they_are_built_once(playback: Playback) -> None:
    wording = FLOW.wording("en")
    one, two = (twiml.render(begin(), wording, 1, playback.addresses) for _ in range(2))
    assert one is two


@pytest.mark.parametrize("transcript", VOICED, ids=lambda each: each.name)
def test_without_recordings_nothing_changes(transcript: transcripts.Transcript, playback: Playback) -> None:
    nothing = Playback(Prompts({}, {}), ADDRESS)
    wording = FLOW.wording(transcript.language)
    turn = begin(transcript.language)
    caller = [each.caller.heard(spoken=True) for each in transcript.exchanges if each.caller is not None]
    for number, heard in enumerate([None, *caller], 1):
        turn = turn if heard is None else dialogue.step(FLOW, turn.state, heard)
        page = twiml.render(turn, wording, number)
        assert b"<Play>" not in page
        assert twiml.render(turn, wording, number, nothing.addresses) == page
        played = read(twiml.render(turn, wording, number, playback.addresses))
        assert played.warnings == ()
        assert [type(verb) for verb in played.verbs][-1:] == [type(verb) for verb in read(page).verbs][-1:]
