"""How many seconds a survey takes on the line, prompt by prompt, for two callers that are always the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.audio import TELEPHONE_RATE, Sound
from app.rehearsal.clock import PacedClock
from app.rehearsal.flow_call import PlayedCall, Product, play
from app.rehearsal.people import Pressed, Reaction, ScriptedCaller, Spoken
from app.rehearsal.twilio.connected_caller import LengthOf
from app.rehearsal.twilio.performance import unmeasured
from app.survey import Flow, Prompt, Wording

# From the end of a prompt to the answer.
THINKS_SECONDS = 0.9
COMMENT = Spoken("a comment of eight seconds", sound=Sound(bytes(2 * 8 * TELEPHONE_RATE)))
CALLS: Mapping[str, tuple[Reaction, ...]] = {
    "9 pressed, comment skipped": (Pressed("9"), Pressed("#")),
    "3 pressed, comment of 8 s, call-back": (Pressed("3"), COMMENT, Pressed("1")),
}

# How many seconds a prompt takes in a language.
SecondsOf = Callable[[Wording, Prompt], float]


@dataclass(frozen=True)
class CallTiming:
    """One caller's call in one language: the seconds of each prompt in order, and what the others went by with.

    ``answers`` are the caller's own: thinking, and speaking. ``total`` is from answering to the end.
    """

    prompts: tuple[tuple[str, float], ...]
    answers: float
    dead_air: float
    longest_dead_air: float
    total: float


async def time_calls(
    flow: Flow,
    language: str,
    product: Product,
    brand: str,
    seconds_of: SecondsOf,
    length_of: LengthOf = unmeasured,
) -> dict[str, CallTiming]:
    """The calls of `CALLS`, in this language. ``length_of`` knows the recordings by their addresses."""
    wording = flow.wording(language)
    timed = {}
    for name, steps in CALLS.items():
        clock = PacedClock(0)
        caller = ScriptedCaller(steps, clock, thinks_seconds=THINKS_SECONDS)
        context = {"brand": brand, "record": "yes"}
        call = await play(flow, context, language, product, caller, clock, length_of)
        timed[name] = _timing(call, wording, seconds_of)
    return timed


def _timing(call: PlayedCall, wording: Wording, seconds_of: SecondsOf) -> CallTiming:
    time = call.transcript.time
    prompts = tuple((prompt.name, round(seconds_of(wording, prompt), 1)) for prompt in call.said)
    dead_air, total = time.total("dead_air"), time.total()
    answers = round(total - dead_air - sum(seconds_of(wording, each) for each in call.said), 1)
    return CallTiming(prompts, answers, dead_air, time.longest("dead_air"), total)
