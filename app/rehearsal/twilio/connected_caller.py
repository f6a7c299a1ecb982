"""The caller of a call that is up: what is said and played to them, and what they do about it."""

from collections.abc import Awaitable, Callable
from typing import Literal, assert_never
from urllib.parse import urljoin

from app.rehearsal.clock import Clock, speaking_seconds
from app.rehearsal.line_time import LineTime, SpentOn
from app.rehearsal.people import Caller, HeardPrompt, HungUp, ListeningFor, Nothing, Pressed, Reaction, Spoken
from app.rehearsal.transcript import Transcript
from app.rehearsal.twilio.call_recordings import CallRecordings
from app.rehearsal.twilio.verbs import Pause, Play, Say, Sounding

Ending = Literal["line", "caller", "error", "rejected", "busy"]
# How many seconds the file at an address lasts.
LengthOf = Callable[[str], Awaitable[float]]
Takes = Callable[[Reaction], bool]


class CallOver(Exception):
    """The call has ended; ``ending`` says by whom, and how. ``keys`` are those of an entry that was not complete."""

    def __init__(self, ending: Ending, keys: str = "") -> None:
        super().__init__(ending)
        self.ending, self.keys = ending, keys


def takes_nothing(_: Reaction) -> bool:
    """Outside a `Gather` nothing that a caller says or presses is heard."""
    return False


class ConnectedCaller:
    """A caller on the line. Both sides and their time go to the transcript, and the caller's words to the recordings
    that run.

    Each method raises `CallOver` when the caller hangs up instead.
    """

    def __init__(
        self,
        caller: Caller,
        clock: Clock,
        transcript: Transcript,
        recordings: CallRecordings,
        length_of: LengthOf,
    ) -> None:
        self._caller, self._clock, self._length_of = caller, clock, length_of
        self._transcript, self._recordings = transcript, recordings

    async def hear(self, sounding: Sounding, base_url: str, takes: Takes = takes_nothing) -> Reaction | None:
        """Say or play it; returns what the caller did in the middle of it, where the line ``takes`` that, or None.

        What is taken ends it. The address of a recorded prompt is relative to ``base_url``.
        """
        match sounding:
            case Pause(seconds):
                return await self._pause(seconds, takes)
            case Say(text, language, times):
                prompt = HeardPrompt(text, language, None, speaking_seconds(text, language))
            case Play(url, times):
                address = urljoin(base_url, url)
                prompt = HeardPrompt("", "", address, await self._length_of(address))
            case _:
                assert_never(sounding)
        for _ in range(times):
            reaction = await self._say(prompt, takes)
            if reaction is not None:
                return reaction
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """What the caller does once the prompts have been said."""
        started = self._clock.elapsed()
        reaction = await self._caller.react(listening)
        spoke = reaction.seconds if isinstance(reaction, Spoken) else 0.0
        self._time.spend("wait" if listening.asks else "dead_air", self._clock.elapsed() - started - spoke)
        self._time.spend("talk", spoke)
        if isinstance(reaction, Nothing) and not listening.asks:
            return reaction
        return self._witness(reaction)

    async def go_by(self, spent_on: SpentOn, seconds: float) -> None:
        """Let time go by in which neither side does anything."""
        await self._clock.sleep(seconds)
        self._time.spend(spent_on, seconds)

    async def _say(self, prompt: HeardPrompt, takes: Takes) -> Reaction | None:
        self._transcript.heard(prompt)
        started = self._clock.elapsed()
        reaction = await self._caller.hear(prompt)
        passed = self._clock.elapsed() - started
        self._time.spend("talk", passed)
        if reaction is None:
            return None
        if takes(reaction) or isinstance(reaction, HungUp):
            return self._witness(reaction)
        self._transcript.went_unheard(reaction)
        if isinstance(reaction, Spoken) and reaction.then_hangs_up:
            raise CallOver("caller")
        await self.go_by("talk", prompt.seconds - passed)
        return None

    async def _pause(self, seconds: float, takes: Takes) -> Reaction | None:
        """Only what comes by itself interrupts a pause: nobody is asked."""
        keys, speech = takes(Pressed("0")), takes(Spoken(""))
        reaction = await self.react(ListeningFor(keys, speech, None, "", seconds, "", asks=False))
        return reaction if takes(reaction) else None

    @property
    def _time(self) -> LineTime:
        return self._transcript.time

    def _witness(self, reaction: Reaction) -> Reaction:
        self._transcript.reacted(reaction)
        self._recordings.hear(reaction)
        if isinstance(reaction, HungUp):
            raise CallOver("caller")
        return reaction
