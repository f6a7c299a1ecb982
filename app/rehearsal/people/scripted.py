"""A caller who follows a script."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.audio import UnusableSound, at_telephone_rate, mix, open_recording
from app.errors import StartError
from app.rehearsal.clock import Clock, speaking_seconds
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
    """Done in the middle of what the line says, without waiting for its end."""

    reaction: Reaction


Step = Reaction | Interrupts


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

    async def ring(self, from_: str, to: str) -> Pickup:  # noqa: ARG002 - the script does not care who calls
        """Meet the call after it has rung for a while."""
        await self._clock.sleep(self._ring_seconds)
        return self._pickup

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Listen to the end, or do what the script interrupts with."""
        self.heard.append(utterance)
        if self._steps and isinstance(step := self._steps[0], Interrupts):
            del self._steps[0]
            return step.reaction
        await self._clock.sleep(speaking_seconds(utterance.text))
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Do the next step of the script."""
        if not listening.asks:
            await self._clock.sleep(listening.timeout_seconds)
            return Nothing()
        self.asked.append(listening)
        step = self._steps.pop(0) if self._steps else Nothing()
        reaction = step.reaction if isinstance(step, Interrupts) else step
        if isinstance(reaction, Nothing) or self._thinks_seconds > listening.timeout_seconds:
            await self._clock.sleep(listening.timeout_seconds)
            return Nothing()
        await self._clock.sleep(self._thinks_seconds + _taking(reaction))
        return reaction

    async def read(self, text: str) -> str | None:
        """Write the next step of the script, keys as characters; silence, or the end of the script, writes nothing."""
        self.read_texts.append(text)
        step = self._steps.pop(0) if self._steps else Nothing()
        await self._clock.sleep(self._thinks_seconds)
        match step.reaction if isinstance(step, Interrupts) else step:
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
    """Steps separated by ``|``, each as `read_reaction` has it; a ``!`` before one lets it interrupt."""
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
    return Interrupts(read_reaction(text[1:])) if text.startswith("!") else read_reaction(text)


def _taking(reaction: Reaction) -> float:
    return speaking_seconds(reaction.text) if isinstance(reaction, Spoken) else 0.0
