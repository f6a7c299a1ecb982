"""The seconds of every golden call, and what no call may ever have."""

from pathlib import Path

import pytest

from app.config import load_flows
from app.ivr import Voice
from app.rehearsal.clock import PacedClock, speaking_seconds
from app.rehearsal.flow_call import PlayedCall, play
from app.rehearsal.people import (
    HeardPrompt,
    ListeningFor,
    Nothing,
    Pressed,
    Reaction,
    ScriptedCaller,
    read_script,
)
from app.rehearsal.timing import THINKS_SECONDS, time_calls
from app.survey import Flows, OptedOut, Prompt, Scored, Wording
from tests import transcripts
from tests.transcripts import Seconds, Transcript, played

FLOW = load_flows(Path("flows"))["nps"]
VOICE = Voice(Flows({"nps": FLOW}))
CONTEXT = {"brand": "Acme", "record": "yes"}
CALLS = [each for each in transcripts.load() if each.plays_on("voice")]
# The carrier's time-out after a key that may not be the last, and its way here and back.
LONGEST_AFTER_A_KEY = 2.2
UNDER = {"en": 26.0, "fr": 28.0, "nb": 29.0, "pl": 32.0}


@pytest.mark.parametrize("transcript", CALLS, ids=lambda each: each.name)
async def test_a_golden_call_takes_the_seconds_that_it_states(transcript: Transcript) -> None:
    assert Seconds.of((await played(transcript)).transcript.time) == transcript.seconds


@pytest.mark.parametrize("transcript", CALLS, ids=lambda each: each.name)
async def test_no_golden_call_has_dead_air_of_more_than_two_seconds(transcript: Transcript) -> None:
    assert (await played(transcript)).transcript.time.longest("dead_air") <= LONGEST_AFTER_A_KEY


def seconds_of(wording: Wording, prompt: Prompt) -> float:
    return speaking_seconds(wording.text(prompt, "voice"), wording.locale)


async def called(script: str, language: str = "en") -> PlayedCall:
    clock = PacedClock(0)
    caller = ScriptedCaller(read_script(script), clock, thinks_seconds=THINKS_SECONDS)
    return await play(FLOW, CONTEXT, language, VOICE, caller, clock)


@pytest.mark.parametrize("key", [*"023456789", "*"])
async def test_after_any_key_the_line_goes_on_within_two_seconds(key: str) -> None:
    call = await called(f"{key} | /hangup")
    pressed = next(place for place, each in enumerate(call.transcript) if each.who == "caller")
    key_pressed, going_on = call.transcript.entries[pressed : pressed + 2]
    assert 0 < going_on.at - key_pressed.at <= LONGEST_AFTER_A_KEY


@pytest.mark.parametrize("pause", [0.3, 1.5, 1.9, 2.5, 3.5])
async def test_a_slow_ten_is_a_ten(pause: float) -> None:
    assert Scored(10) in (await called(f"1 | +{pause} 0 | # ")).facts


async def test_a_lone_one_is_asked_about_and_the_nought_is_answered_within_a_second() -> None:
    call = await called("1 | 0 | #")
    asked = next(place for place, each in enumerate(call.transcript) if "press 0" in each.what)
    nought, going_on = call.transcript.entries[asked + 1 : asked + 3]
    assert nought.what == "[0]"
    assert going_on.at - nought.at <= 1


class StarAt(ScriptedCaller):
    """Follows a script of keys and silence until the moment comes to press ``*``, whatever the line is doing then."""

    def __init__(self, script: str, clock: PacedClock, moment: float) -> None:
        super().__init__(read_script(script), clock, thinks_seconds=THINKS_SECONDS)
        self._line_clock, self._moment = clock, moment

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Press in the middle of it, if that is the moment."""
        return await self._star(utterance.seconds) or await super().hear(utterance)

    async def react(self, listening: ListeningFor) -> Reaction:
        """Press before doing what the script has, if that is the moment."""
        acts = listening.asks and bool(self._steps) and self._steps[0] != Nothing()
        window = THINKS_SECONDS if acts else listening.timeout_seconds
        return await self._star(window) or await super().react(listening)

    async def _star(self, window: float) -> Pressed | None:
        left = self._moment - self._line_clock.elapsed()
        if not 0 <= left < window:
            return None
        await self._line_clock.sleep(left)
        return Pressed("*")


@pytest.mark.parametrize("script", ["9 | #", "3 | | 1", "1", "", "7 | | "])
async def test_star_is_heard_at_every_moment_of_a_call(script: str) -> None:
    """Each half-second, from the answering to the end, is tried by a call of its own."""
    whole = (await called(script)).transcript.time.total()
    for half in range(int(whole * 2)):
        clock = PacedClock(0)
        call = await play(FLOW, CONTEXT, "en", VOICE, StarAt(script, clock, half / 2), clock)
        assert OptedOut() in call.facts, f"at {half / 2} s: {call.transcript}"


@pytest.mark.parametrize("language", UNDER)
async def test_a_short_call_is_short_and_may_be_cut_shorter(language: str) -> None:
    timed = await time_calls(FLOW, language, VOICE, "Northwind", seconds_of)
    assert timed["9 pressed, comment skipped"].total < UNDER[language]
    early = await called("+1 9 | #", language)
    assert Scored(9) in early.facts
    _, second = [each for each in early.transcript if each.who == "line"][:2]
    assert second.at <= 1 + LONGEST_AFTER_A_KEY


async def test_what_was_pressed_before_hanging_up_is_kept_as_soon_as_the_carrier_tells_it() -> None:
    assert Scored(6) in (await called("6 | +2.1 /hangup")).facts
    assert Scored(1) in (await called("1 | +2.5 /hangup")).facts
    assert OptedOut() in (await called("* | +2.1 /hangup")).facts
