"""Who sits at the other end of a rehearsed line: a script, chance, a terminal or a browser."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from app.audio import Sound


@dataclass(frozen=True)
class HeardPrompt:
    """Something the caller hears. ``language`` is BCP 47 as in the TwiML; a played file has ``audio_url``."""

    text: str
    language: str
    audio_url: str | None = None


@dataclass(frozen=True)
class ListeningFor:
    """The line waits for the caller: what it takes, and how long it waits for the first of it."""

    keys: bool
    speech: bool
    max_digits: int | None
    finish_on_key: str
    timeout_seconds: float
    language: str

    @property
    def asks(self) -> bool:
        """Whether anything is asked; else it only takes keys for a moment, between two things that it says."""
        return self.speech or self.timeout_seconds > 1


@dataclass(frozen=True)
class Pressed:
    """Keys in the order they were pressed, the finishing key included where there was one."""

    keys: str


@dataclass(frozen=True)
class Spoken:
    """Words as a recogniser would give them; with ``then_hangs_up`` the phone goes down on the last one.

    ``sound``, at 8 kHz, is what goes down a media stream, where the product recognises by itself; None is no sound.
    """

    text: str
    confidence: float = 0.9
    then_hangs_up: bool = False
    sound: Sound | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Nothing:
    """The caller let the time go by."""


@dataclass(frozen=True)
class HungUp:
    """The caller put the phone down."""


Reaction = Pressed | Spoken | Nothing | HungUp
Pickup = Literal["human", "machine", "busy", "no-answer", "failed"]


class Caller(Protocol):
    """One phone. The carrier awaits each method in a call's order: ring, then hear and react, then ended."""

    async def ring(self, from_: str, to: str) -> Pickup:
        """How the call is met, after however long the phone rings."""
        ...

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Take in what the line says; None when it has been said, or what was done in the middle of it.

        Keys that interrupt a question begin its answer; the rest of them, if any, is asked for with `react`.
        """
        ...

    async def react(self, listening: ListeningFor) -> Reaction:
        """Answer what the line listens for."""
        ...

    async def ended(self) -> None:
        """The call is over, whoever ended it."""
        ...
