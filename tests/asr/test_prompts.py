"""Who says what around a stream."""

from pathlib import Path

from app.asr.prompts import TONE, split
from app.audio import Sound, write_wav
from app.config import load_flows
from app.prompts import Clip, Prompts
from app.prompts.inventory import needed_by
from app.survey import Keys, Turn, dialogue

FLOW = load_flows(Path("flows"))["nps"]
WORDING = FLOW.wording("en")
OPENING = dialogue.begin(FLOW, "en", {"brand": "Northwind", "record": "yes"})
REASON = dialogue.step(FLOW, OPENING.state, Keys("9"))


def names(turn: Turn) -> list[str]:
    return [each.name for each in turn.say]


def test_a_question_that_nobody_recorded_is_asked_by_the_carrier_and_answered_after_a_tone() -> None:
    assert names(OPENING) == ["greeting", "ask_score"]
    spoken = split(OPENING, WORDING, Prompts({}, {}))
    assert [each.name for each in spoken.by_carrier] == ["greeting", "ask_score", "answer_after_tone"]
    assert (spoken.notice, spoken.by_us) == ((), (TONE,))


def recorded(but: str = "") -> Prompts:
    names = needed_by([FLOW], "en", ["Northwind"])
    clips = {
        name: Clip(name, write_wav(Sound(bytes(16)))) for name in names if not name.startswith(but or "-")
    }
    return Prompts({"en": clips}, {})


def test_what_is_recorded_is_played_by_the_stream() -> None:
    spoken = split(OPENING, WORDING, recorded())
    assert (spoken.by_carrier, spoken.notice) == ((), ())
    assert len(spoken.by_us) > 1


def test_a_notice_is_played_apart_from_the_question() -> None:
    assert names(REASON) == ["recording_notice", "ask_reason_promoter"]
    spoken = split(REASON, WORDING, recorded())
    assert (spoken.by_carrier, len(spoken.notice), len(spoken.by_us)) == ((), 1, 1)


def test_a_notice_that_nobody_recorded_is_said_by_the_carrier_before_the_stream_asks() -> None:
    spoken = split(REASON, WORDING, recorded(but="recording_notice"))
    assert [each.name for each in spoken.by_carrier] == ["recording_notice"]
    assert (spoken.notice, len(spoken.by_us)) == ((), 1)


def test_who_is_not_recorded_hears_no_notice() -> None:
    opening = dialogue.begin(FLOW, "en", {"brand": "Northwind", "record": "no"})
    spoken = split(dialogue.step(FLOW, opening.state, Keys("9")), WORDING, recorded())
    assert (spoken.by_carrier, spoken.notice, len(spoken.by_us)) == ((), (), 1)
