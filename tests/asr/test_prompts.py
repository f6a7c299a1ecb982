"""Who says what around a stream."""

from pathlib import Path

from app.asr.prompts import split
from app.audio import Sound, write_wav
from app.config import load_flows
from app.prompts import Clip, Prompts
from app.prompts.inventory import needed_by
from app.prompts.recorded import NO_PROMPTS
from app.survey import Keys, Turn, dialogue

FLOW = load_flows(Path("flows"))["nps"]
WORDING = FLOW.wording("en")
OPENING = dialogue.begin(FLOW, "en", {"brand": "Northwind", "record": "yes"})
REASON = dialogue.step(FLOW, OPENING.state, Keys("9"))


def names(turn: Turn) -> list[str]:
    return [each.name for each in turn.say]


def test_a_greeting_leads_up_to_the_question_and_a_notice_is_part_of_it() -> None:
    assert names(OPENING) == ["greeting", "ask_score"]
    assert split(OPENING, WORDING, NO_PROMPTS).before_question == 1
    assert names(REASON) == ["ask_reason_promoter", "recording_notice"]
    assert split(REASON, WORDING, NO_PROMPTS).before_question == 0


def test_what_the_stream_plays_is_not_led_up_to_by_the_carrier() -> None:
    names = needed_by([FLOW], "en", ["Northwind"])
    everything = {name: Clip(name, write_wav(Sound(bytes(16)))) for name in names}
    spoken = split(OPENING, WORDING, Prompts({"en": everything}, {}))
    assert (spoken.by_carrier, spoken.before_question) == ((), 0)
