"""The time of a rehearsed call, which may run faster than a person's."""

import asyncio
from contextlib import AbstractAsyncContextManager
from time import monotonic
from typing import Protocol

# An unhurried speaker on the phone.
WORDS_PER_SECOND = 2.5


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


def speaking_seconds(text: str) -> float:
    """How many seconds an unhurried speaker takes to say this."""
    return len(text.split()) / WORDS_PER_SECOND
