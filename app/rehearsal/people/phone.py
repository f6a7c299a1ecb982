"""Which phone is behind a number."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from app.rehearsal.clock import Clock, PacedClock
from app.rehearsal.people.caller import Caller, HeardPrompt, ListeningFor, Nothing, Pickup, Reaction


@dataclass(frozen=True)
class Phone:
    """A caller and the time that they live in, for one call."""

    caller: Caller
    clock: Clock


# Even where a rehearsal waits for nothing, whoever acts on a detected machine needs a moment to do so.
MACHINE_HOLDS_SECONDS = 0.3

PhoneFor = Callable[[str], Phone]


class PhoneBook:
    """Numbers with a phone of their own; every other number has what ``otherwise`` makes. Called once per call."""

    def __init__(self, otherwise: PhoneFor) -> None:
        self._otherwise = otherwise
        self._known: dict[str, PhoneFor] = {}

    def put(self, number: str, phone_for: PhoneFor) -> None:
        """From now on, ``phone_for`` gives the phone of each call to this number."""
        self._known[number] = phone_for

    def __call__(self, number: str) -> Phone:
        """A phone for one call to ``number``."""
        return self._known.get(number, self._otherwise)(number)


class SilentCaller:
    """A caller who hears everything and neither speaks nor presses a key."""

    def __init__(self, inner: Caller, clock: Clock) -> None:
        self._inner, self._clock = inner, clock

    async def ring(self, from_: str, to: str) -> Pickup:
        """Pick up, or not, as the phone itself does."""
        return await self._inner.ring(from_, to)

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Take it in, and let it be said to its end."""
        await self._inner.hear(utterance)
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Say nothing until the question's time is over."""
        await self._clock.sleep(listening.timeout_seconds)
        return Nothing()

    async def ended(self) -> None:
        """The line is dead, as the phone itself has it."""
        await self._inner.ended()


class AnsweringMachine(SilentCaller):
    """Says nothing, and holds the line until it has been ``detected``."""

    def __init__(self, inner: Caller, clock: Clock, detected: asyncio.Event) -> None:
        super().__init__(inner, clock)
        self._detected = detected

    async def react(self, listening: ListeningFor) -> Reaction:
        """Let the time go by, and enough of it for the detection to be acted on."""
        await self._detected.wait()
        await asyncio.sleep(MACHINE_HOLDS_SECONDS)
        return await super().react(listening)


def in_real_time(caller_for: Callable[[str], Caller | None], otherwise: PhoneFor) -> PhoneFor:
    """Numbers at which a person sits, who live in real time; every other number is ``otherwise``'s."""

    def phone_for(number: str) -> Phone:
        caller = caller_for(number)
        return otherwise(number) if caller is None else Phone(caller, PacedClock(1.0))

    return phone_for


@runtime_checkable
class Correspondent(Protocol):
    """A caller whose phone also takes messages; one person has one, for as long as they are written to."""

    async def read(self, text: str) -> str | None:
        """Read a message, and what is written back, if anything."""
        ...
