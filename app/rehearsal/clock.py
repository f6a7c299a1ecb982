"""The time of a rehearsed call, which may run faster than a person's."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from time import monotonic
from typing import Protocol

# In seconds: a speaker at 160 words a minute, as espeak-ng counts them. Fitted to its reading of the prompts that are
# shipped, most of which are met within 0.25 s.
A_LETTER: Mapping[str, float] = {"en": 0.065, "fr": 0.053, "nb": 0.072, "pl": 0.077}
OTHER_LETTER, A_NUMBER, A_STOP, A_COMMA = 0.067, 0.38, 0.49, 0.265


class Clock(Protocol):
    """Time as the people on one call live it, in seconds; ``pace`` times as long as for a person."""

    pace: float

    async def sleep(self, seconds: float) -> None:
        """Let this much of the call's time go by."""
        ...

    def elapsed(self) -> float:
        """How much of it has gone by since the clock was made."""
        ...

    def at_most(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that raises `TimeoutError` when it takes longer than this much of the call's time."""
        ...


class PacedClock:
    """Real time multiplied by ``pace``: 1 is as a person lives it, 0.1 ten times faster, 0 waits for nothing.

    At pace 0 the time is only counted, so that durations still read as a person's would.
    """

    def __init__(self, pace: float = 1.0) -> None:
        if pace < 0:
            raise ValueError("pace is 0 or more")
        self.pace = pace
        self._started = monotonic()
        self._slept = 0.0

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` times the pace; always lets other tasks run."""
        self._slept += seconds
        await asyncio.sleep(seconds * self.pace)

    def elapsed(self) -> float:
        """Seconds of the call's own time."""
        return (monotonic() - self._started) / self.pace if self.pace else self._slept

    def at_most(self, seconds: float) -> asyncio.Timeout:
        """A time-out in the call's own time; at pace 0 there is none."""
        return asyncio.timeout(seconds * self.pace if self.pace else None)


def speaking_seconds(text: str, language: str = "en") -> float:
    """How many seconds an unhurried speaker takes to say this; ``language`` is a tag such as ``pl`` or ``pl-PL``."""
    letters, numbers = sum(map(str.isalpha, text)), len(re.findall(r"\d+", text))
    stops, commas = len(re.findall(r"[.!?:;]+", text)), text.count(",")
    letter = A_LETTER.get(language.partition("-")[0].lower(), OTHER_LETTER)
    return round(letter * letters + A_NUMBER * numbers + A_STOP * stops + A_COMMA * commas, 2)
