"""A caller who follows a script."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.audio import UnusableSound, at_telephone_rate, mix, open_recording
from app.errors import StartError
from app.rehearsal.clock import Clock
from app.rehearsal.people.caller import (
    HeardPrompt,
    HungUp,
    ListeningFor,
    Nothing,
    Pickup,
    Pressed,
    Reaction,
    Spoken,
)

KEYS = frozenset("0123456789*#")
SOUND = "@"


@dataclass(frozen=True)
class Interrupts:
    """Done at the beginning of the next thing that the line says."""

    reaction: Reaction


@dataclass(frozen=True)
class After:
    """Done so many ``seconds`` after the last thing they did (the first: after the phone was answered), whatever the
    line is doing then.
    """

    reaction: Reaction
    seconds: float


Step = Reaction | Interrupts | After


class ScriptedCaller:
    """Does one step of the script for every question, and nothing once the script is over.

    ``heard`` and ``asked`` are what the line said and listened for, ``read_texts`` the messages that came.
    ``thinks_seconds`` go by before each answer: a question that does not wait as long is left without one.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        clock: Clock,
        pickup: Pickup = "human",
        ring_seconds: float = 4.0,
        thinks_seconds: float = 1.0,
    ) -> None:
        self.heard: list[HeardPrompt] = []
        self.read_texts: list[str] = []
        self.asked: list[ListeningFor] = []
        self.is_over = False
        self._steps = list(steps)
        self._clock, self._pickup = clock, pickup
        self._ring_seconds, self._thinks_seconds = ring_seconds, thinks_seconds
        self._acted_at = 0.0

    async def ring(self, from_: str, to: str) -> Pickup:  # noqa: ARG002 - the script does not care who calls
        """Meet the call after it has rung for a while."""
        await self._clock.sleep(self._ring_seconds)
        self._acted_at = self._clock.elapsed()
        return self._pickup

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Listen to the end, or do what the script has in the middle of it."""
        self.heard.append(utterance)
        match self._steps[:1]:
            case [Interrupts(reaction)]:
                return await self._do(reaction, 0)
            case [After(reaction, seconds)] if self._left(seconds) < utterance.seconds:
                return await self._do(reaction, self._left(seconds))
            case _:
                await self._clock.sleep(utterance.seconds)
                return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Do the next step of the script, if its time comes while the line listens."""
        if listening.asks:
            self.asked.append(listening)
        match self._steps[:1]:
            case [After(reaction, seconds)] if self._left(seconds) < listening.timeout_seconds:
                return await self._do(reaction, self._left(seconds))
            case [Interrupts() | Pressed() | Spoken() | Nothing() | HungUp() as step] if listening.asks:
                del self._steps[0]
                reaction = step.reaction if isinstance(step, Interrupts) else step
                if not isinstance(reaction, Nothing) and self._thinks_seconds <= listening.timeout_seconds:
                    return await self._act(reaction, self._thinks_seconds)
        await self._clock.sleep(listening.timeout_seconds)
        return Nothing()

    def _left(self, seconds: float) -> float:
        return max(0.0, self._acted_at + seconds - self._clock.elapsed())

    async def _do(self, reaction: Reaction, wait: float) -> Reaction:
        del self._steps[0]
        return await self._act(reaction, wait)

    async def _act(self, reaction: Reaction, wait: float) -> Reaction:
        await self._clock.sleep(wait + (reaction.seconds if isinstance(reaction, Spoken) else 0))
        self._acted_at = self._clock.elapsed()
        return reaction

    async def read(self, text: str) -> str | None:
        """Write the next step of the script, keys as characters; silence, or the end of the script, writes nothing."""
        self.read_texts.append(text)
        step = self._steps.pop(0) if self._steps else Nothing()
        await self._clock.sleep(self._thinks_seconds)
        match step.reaction if isinstance(step, Interrupts | After) else step:
            case Pressed(keys):
                return keys
            case Spoken(words):
                return words
            case Nothing() | HungUp():
                return None

    async def ended(self) -> None:
        """The call is over; what is left of the script is not used."""
        self.is_over = True


def read_script(text: str) -> tuple[Step, ...]:
    """Steps separated by ``|``, each as `read_reaction` has it.

    A ``!`` before one lets it interrupt; ``+2.5 0`` is done 2.5 seconds after the step before, whatever the line does.
    """
    if not text.strip():
        return ()
    return tuple(_step(part.strip()) for part in text.split("|"))


def read_reaction(text: str) -> Reaction:
    """``9``, ``10#`` or ``*`` are keys; ``say: 9`` and any other words are speech; ``/hangup`` hangs up; "" is silence.

    ``cheap and fast /hangup`` says it and puts the phone down. ``@nine.wav`` says what is in the recording; to
    a carrier's recogniser that is the file's name.
    """
    text = text.strip()
    if not text:
        return Nothing()
    if text == "/hangup":
        return HungUp()
    if set(text) <= KEYS:
        return Pressed(text)
    if text.startswith(SOUND):
        return _from_file(text.removeprefix(SOUND))
    words = text.removeprefix("say:").removesuffix("/hangup").strip()
    return Spoken(words, then_hangs_up=text.endswith("/hangup"))


def _from_file(text: str) -> Spoken:
    path = Path(text.removesuffix("/hangup").strip())
    try:
        sound = at_telephone_rate(mix(open_recording(path)))
    except UnusableSound as problem:
        raise StartError(f"{path} {problem}") from None
    return Spoken(path.stem, then_hangs_up=text.endswith("/hangup"), sound=sound)


def _step(text: str) -> Step:
    if text.startswith("!"):
        return Interrupts(read_reaction(text[1:]))
    later = re.fullmatch(r"\+([0-9.]+) +(.+)", text)
    return After(read_reaction(later[2]), float(later[1])) if later else read_reaction(text)
