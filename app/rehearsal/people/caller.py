"""Who sits at the other end of a rehearsed line: a script, chance, a terminal or a browser."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from app.audio import Sound
from app.rehearsal.clock import speaking_seconds


@dataclass(frozen=True)
class HeardPrompt:
    """Something the caller hears. ``language`` is BCP 47 as in the TwiML; a played file has ``audio_url``.

    ``seconds`` is how long it lasts.
    """

    text: str
    language: str
    audio_url: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class ListeningFor:
    """The line waits for the caller: what it takes, and how long it waits for the first of it.

    ``asks`` tells whether a question waits for its answer; else the line only takes what comes by itself: keys between
    two things that it says, or more keys of an entry that has begun.
    """

    keys: bool
    speech: bool
    max_digits: int | None
    finish_on_key: str
    timeout_seconds: float
    language: str
    asks: bool = True


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

    @property
    def seconds(self) -> float:
        """How long it takes to say."""
        return speaking_seconds(self.text) if self.sound is None else self.sound.seconds


@dataclass(frozen=True)
class Nothing:
    """The caller let the time go by."""


@dataclass(frozen=True)
class HungUp:
    """The caller put the phone down."""


Reaction = Pressed | Spoken | Nothing | HungUp
Pickup = Literal["human", "machine", "busy", "no-answer", "declined", "no-such-number", "failed"]


class Caller(Protocol):
    """One phone. The carrier awaits each method in a call's order: ring, then hear and react, then ended."""

    async def ring(self, from_: str, to: str) -> Pickup:
        """How the call is met, after however long the phone rings."""
        ...

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Take in what the line says; None when it has been said, or what was done in the middle of it.

        Whether the line takes notice is for it to know; the rest of an entry, if any, is asked for with `react`.
        """
        ...

    async def react(self, listening: ListeningFor) -> Reaction:
        """Do something while the line listens, or let its time go by. Keys are told as they are pressed: an entry that
        is not complete yet is asked for again.
        """
        ...

    async def ended(self) -> None:
        """The call is over, whoever ended it."""
        ...
