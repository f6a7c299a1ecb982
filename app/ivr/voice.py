"""The pure half of a call: turns out as TwiML, the carrier's forms in as what was heard."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.ivr import twiml
from app.survey import Flows, Heard, Keys, Silence, Turn, Wording, Words


@dataclass(frozen=True)
class Voice:
    """``sounds`` says which prompts are recorded, and where the carrier finds them."""

    flows: Flows
    sounds: twiml.Sounds = twiml.unrecorded

    def wording(self, turn: Turn) -> Wording:
        """The words of the turn's flow in its language."""
        return self.flows.wording_of(turn.state)

    def render(self, turn: Turn, turn_no: int, *, recording: bool = False) -> bytes:
        """The turn as TwiML in its own language; ``recording`` says that a recording is under way."""
        record = turn.state.context.get("record") == "yes"
        return twiml.render(
            turn, self.wording(turn), turn_no, self.sounds, record=record, recording=recording
        )

    def hear(self, form: Mapping[str, str]) -> Heard:
        """What a `Gather` witnessed; an absent and an empty result alike are silence."""
        if form.get("Digits"):
            return Keys(form["Digits"])
        if form.get("SpeechResult", "").strip():
            return Words(form["SpeechResult"], spoken=True, confidence=_confidence(form.get("Confidence")))
        return Silence()


def _confidence(text: str | None) -> float | None:
    """None where there is none: some of the carrier's speech models send 0.0 for want of one."""
    try:
        return min(1.0, max(0.0, float(text or ""))) or None
    except ValueError:
        return None
