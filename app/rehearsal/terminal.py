"""A survey rehearsed in the terminal: you read what the caller hears, and type keys or words."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.rehearsal.clock import Clock, PacedClock
from app.rehearsal.people import HeardPrompt, ListeningFor, Nothing, Pickup, Reaction, read_reaction
from app.rehearsal.transcript import TranscriptLine, describe, spoken_text
from app.rehearsal.twilio import CarrierRecordings, Performance, Request
from app.survey import Fact, Flow, Heard, Left, State, Turn, Wording, begin, step

Render = Callable[[Turn, Wording, int], bytes]
Hear = Callable[[dict[str, str]], Heard]
Write = Callable[[str], None]
ADDRESS = "http://rehearsal/"


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


@dataclass
class Rehearsal:
    """One survey without a database or HTTP: the engine's turns, rendered and performed. ``facts`` is what it found."""

    flow: Flow
    wording: Wording
    render: Render
    hear: Hear
    turn: Turn
    facts: list[Fact] = field(default_factory=list)
    turn_no: int = 0

    async def fetch(self, url: str, method: str, form: Mapping[str, str]) -> bytes:  # noqa: ARG002
        """The document that the product would answer with; the first one greets."""
        if url != ADDRESS:
            self.take(self.hear(dict(form)))
        return self.render(self.turn, self.wording, self.turn_no)

    def take(self, heard: Heard) -> None:
        """One turn; the state goes through JSON, as it does in the product."""
        self.turn_no += 1
        self.turn = step(self.flow, State.from_json(self.turn.state.to_json()), heard)
        self.facts.extend(self.turn.facts)


async def rehearse(
    flow: Flow,
    language: str,
    render: Render,
    hear: Hear,
    *,
    brand: str,
    read: Callable[[], str],
    write: Write,
) -> list[Fact]:
    """Play ``flow`` on a telephone in the terminal; returns the facts it found.

    ``render(turn, wording, turn_no)`` makes the TwiML whose actions ask for the next turn, and ``hear`` reads the form
    that comes back. ``read`` waits for a line as `app.rehearsal.people.scripted.read_reaction` has it; ``write``
    prints one.
    """
    opening = begin(flow, language, {"brand": brand})
    rehearsal = Rehearsal(flow, flow.wording(language), render, hear, opening, list(opening.facts))
    clock = PacedClock(0)
    caller = TerminalCaller(read, write, clock)
    identity = {"CallSid": "CA" + "0" * 32}
    recordings = CarrierRecordings("AC" + "0" * 32, ADDRESS.rstrip("/"))
    performance = Performance(caller, clock, rehearsal.fetch, identity, recordings, _unheard)
    ending = await performance.perform(Request(ADDRESS))
    performance.close()
    if ending == "caller":
        rehearsal.take(Left())
    await caller.ended()
    for alert in performance.alerts:
        write(f"carrier        {alert.code} {alert.message}")
    return rehearsal.facts


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


def _unheard(url: str, method: str, form: Mapping[str, str]) -> None:
    """Nobody listens for callbacks in a terminal."""
