"""The threads that recognise: as many as there are cores, with a bounded number of tasks waiting for them.

Free speech has as many of its own, which give way: it takes ten times the work of a score, and no prompt waits for it.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from app.errors import RecogniserError

Result = TypeVar("Result")
WAITING_PER_THREAD = 32
# How much the latest of an engine's answers tells of how long the next will take.
WEIGHT_OF_THE_LATEST = 0.3
# What is added to the niceness of free speech's threads, where 19 is the most.
GIVES_WAY = 5


class RecognitionFull(RecogniserError):
    """More is waiting to be recognised than will be done in time."""

    code = "recognition_full"


class RecognitionLate(RecogniserError):
    """What was said will not be recognised while the caller waits, or was not."""

    code = "recognition_late"


@dataclass
class _Endings:
    """The last steps of one engine's recognitions: how many wait or run, and how many seconds one has taken of late."""

    waiting: int = 0
    seconds: float = 0.0


class RecognitionPool:
    """Runs what blocks beside the event loop; recognition leaves Python's lock alone, so threads use every core."""

    def __init__(self, threads: int | None = None, most_waiting: int | None = None) -> None:
        self.threads = threads or os.cpu_count() or 1
        self.most_waiting = self.threads * WAITING_PER_THREAD if most_waiting is None else most_waiting
        self.waiting = 0
        self._counting = Lock()
        self._endings: defaultdict[str, _Endings] = defaultdict(_Endings)
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="recognition")
        self._free = ThreadPoolExecutor(self.threads, "free-recognition", initializer=_give_way)

    @property
    def full(self) -> bool:
        """Whether nothing more is taken at the moment."""
        return self.waiting >= self.most_waiting

    async def run(
        self, seconds: float, work: Callable[..., Result], *arguments: object, free_speech: bool = False
    ) -> Result:
        """What ``work`` gives, within ``seconds``; raises `RecognitionFull`, and `RecogniserError` when it is too late.

        A thread that has begun is not interrupted, only not waited for; it counts as waiting until it is done.
        """
        if self.full:
            raise RecognitionFull(f"{self.waiting} tasks wait for {self.threads} threads")
        with self._counting:
            self.waiting += 1
        task = (self._free if free_speech else self._executor).submit(work, *arguments)
        task.add_done_callback(self._done)
        running = asyncio.wrap_future(task)
        running.add_done_callback(_look_at)
        done, _ = await asyncio.wait((running,), timeout=seconds)
        if not done:
            task.cancel()
            raise RecognitionLate(f"recognition took longer than {seconds:g} s")
        return running.result()

    async def finish(
        self, engine: str, seconds: float, work: Callable[[], Result], *, free_speech: bool = False
    ) -> Result:
        """The last step of a recognition, which gives what was said.

        As `run`; but where those before it leave it no time to be done within ``seconds``, as long as this engine's
        have taken of late, it raises `RecognitionLate` at once, so that nobody waits in vain.
        """
        endings = self._endings[f"{engine}, free" if free_speech else engine]
        if endings.waiting and self._expected(endings) > seconds:
            raise RecognitionLate(f"{endings.waiting} answers wait, {endings.seconds:.1f} s each")

        def measured() -> Result:
            began = monotonic()
            result = work()
            endings.seconds += (monotonic() - began - endings.seconds) * WEIGHT_OF_THE_LATEST
            return result

        endings.waiting += 1
        try:
            return await self.run(seconds, measured, free_speech=free_speech)
        finally:
            endings.waiting -= 1

    def _expected(self, endings: _Endings) -> float:
        """How many seconds it would take to finish one more."""
        return endings.waiting * endings.seconds / self.threads + endings.seconds

    def soon(self, work: Callable[[], object], *, free_speech: bool = False) -> None:
        """Run ``work`` behind all that waits, even when the pool is full; what it returns or raises is dropped."""
        with suppress(RuntimeError):  # closed
            (self._free if free_speech else self._executor).submit(work)

    def close(self) -> None:
        """Take no more tasks and cancel those that wait; one that has begun runs to its end."""
        for executor in (self._executor, self._free):
            executor.shutdown(wait=False, cancel_futures=True)

    def _done(self, _: Future[Any]) -> None:
        with self._counting:
            self.waiting -= 1


def _give_way() -> None:
    """Let this thread give way to others. On other systems than Linux it would be the whole process, so not there."""
    if sys.platform == "linux":
        os.nice(GIVES_WAY)


def _look_at(late: "asyncio.Future[Any]") -> None:
    """Take the exception of a task that is not waited for any more, which asyncio would log as never retrieved."""
    if not late.cancelled():
        late.exception()
