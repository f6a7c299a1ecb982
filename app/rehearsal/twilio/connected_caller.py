"""The caller of a call that is up: what is said and played to them, and what they do about it."""

from typing import Literal, assert_never
from urllib.parse import urljoin

from app.rehearsal.clock import Clock
from app.rehearsal.people import Caller, HeardPrompt, HungUp, ListeningFor, Reaction
from app.rehearsal.transcript import Transcript
from app.rehearsal.twilio.call_recordings import CallRecordings
from app.rehearsal.twilio.verbs import Pause, Play, Say, Sounding

Ending = Literal["line", "caller", "error", "rejected", "busy"]


class CallOver(Exception):
    """The call has ended; ``ending`` says by whom, and how."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class ConnectedCaller:
    """A caller on the line. Both sides go to the transcript, and the caller's words to the recordings that run.

    Each method raises `CallOver` when the caller hangs up instead.
    """

    def __init__(
        self, caller: Caller, clock: Clock, transcript: Transcript, recordings: CallRecordings
    ) -> None:
        self._caller, self._clock = caller, clock
        self._transcript, self._recordings = transcript, recordings

    async def hear(self, sounding: Sounding, base_url: str) -> Reaction | None:
        """Say or play it; returns what the caller did in the middle of it, which ends it, or None.

        The address of a recorded prompt is relative to ``base_url``.
        """
        match sounding:
            case Pause(seconds):
                await self._clock.sleep(seconds)
                return None
            case Say(text, language, times):
                return await self._repeat(HeardPrompt(text, language), times)
            case Play(url, times):
                return await self._repeat(HeardPrompt("", "", urljoin(base_url, url)), times)
            case _:
                assert_never(sounding)

    async def react(self, listening: ListeningFor) -> Reaction:
        """What the caller does once the prompts have been said."""
        return self._witness(await self._caller.react(listening))

    async def _repeat(self, prompt: HeardPrompt, times: int) -> Reaction | None:
        for _ in range(times):
            self._transcript.heard(prompt)
            reaction = await self._caller.hear(prompt)
            if reaction is not None:
                return self._witness(reaction)
        return None

    def _witness(self, reaction: Reaction) -> Reaction:
        self._transcript.reacted(reaction)
        self._recordings.hear(reaction)
        if isinstance(reaction, HungUp):
            raise CallOver("caller")
        return reaction
