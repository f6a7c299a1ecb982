"""A survey rehearsed in the terminal: you read what the caller hears, and type keys or words."""

import asyncio
from collections.abc import Callable

from app.rehearsal.clock import Clock, PacedClock
from app.rehearsal.flow_call import Product, play
from app.rehearsal.people import HeardPrompt, ListeningFor, Nothing, Pickup, Reaction, read_reaction
from app.rehearsal.transcript import TranscriptLine, describe, spoken_text
from app.survey import Fact, Flow

Write = Callable[[str], None]


class TerminalCaller:
    """A person at a terminal, or a script that stands in for them: ``read`` gives a line, "" for silence."""

    def __init__(self, read: Callable[[], str], write: Write, clock: Clock) -> None:
        self._read, self._write, self._clock = read, write, clock

    async def ring(self, from_: str, to: str) -> Pickup:  # noqa: ARG002 - it is always oneself who is called
        """Picked up at once: the person at the terminal is there."""
        return "human"

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Print what the caller hears, with its language."""
        self._write(str(TranscriptLine("line", spoken_text(utterance), utterance.language)))
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Read a line and show how it was taken; where nothing is asked, let the time go by."""
        if not listening.asks:
            await self._clock.sleep(listening.timeout_seconds)
            return Nothing()
        reaction = read_reaction(await asyncio.to_thread(self._read))
        self._write(str(TranscriptLine("caller", describe(reaction))))
        return reaction

    async def ended(self) -> None:
        """Print that the line is dead."""
        self._write(str(TranscriptLine("line", "(the call is over)")))


async def rehearse(
    flow: Flow, language: str, product: Product, *, brand: str, read: Callable[[], str], write: Write
) -> tuple[Fact, ...]:
    """Play ``flow`` on a telephone in the terminal; returns the facts it found.

    ``read`` waits for a line as `app.rehearsal.people.scripted.read_reaction` has it; ``write`` prints one.
    """
    clock = PacedClock(0)
    caller = TerminalCaller(read, write, clock)
    context = {"brand": brand, "record": "yes"}
    call = await play(flow, context, language, product, caller, clock)
    for alert in call.alerts:
        write(f"carrier        {alert.code} {alert.message}")
    return call.facts


def read_from(script: str) -> Callable[[], str]:
    """Reads a script instead of the keyboard: steps between ``|``, and silence once it is over."""
    steps = iter(script.split("|"))
    return lambda: next(steps, "").strip()


def read_keyboard() -> str:
    """A line from the keyboard; the end of input hangs up."""
    try:
        return input("> ")
    except EOFError:
        return "/hangup"
