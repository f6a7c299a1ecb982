"""The way of one answer through the threads."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from app.asr import Recognisers, RecognitionPool
from app.asr.recognition import PartialWords, RecognitionEvent
from app.survey import AskKind, Words
from tests.asr import voice
from tests.line import eventually


@dataclass
class Freed:
    """A recogniser that counts syllables, and notes on which thread its utterances end their life."""

    name: str = "counting"
    streams_per_thread: int = 15
    threads: list[str] = field(default_factory=list)

    def lacks(self, language: str, kind: AskKind) -> str | None:  # noqa: ARG002 - it hears everything
        return None

    def begin(self, language: str, kind: AskKind) -> "Counted":  # noqa: ARG002 - all in one way
        return Counted(self)


@dataclass(eq=False)
class Counted:
    recogniser: Freed
    fed: int = 0

    def feed(self, pcm: bytes) -> None:
        self.fed += len(pcm)

    def so_far(self) -> Words:
        return self.finish()

    def finish(self) -> Words:
        return Words(str(self.fed), spoken=True)

    def __del__(self) -> None:
        self.recogniser.threads.append(threading.current_thread().name)


async def test_what_was_said_so_far_is_all_that_was_fed_by_then_and_the_end_all_of_it() -> None:
    told: asyncio.Queue[RecognitionEvent] = asyncio.Queue()
    recognisers = Recognisers([Freed()], RecognitionPool(threads=1))
    listening = recognisers.listen("en", "score", told.put_nowait)
    listening.feed(voice.quiet(0.01))
    listening.look()
    assert await told.get() == PartialWords(Words("160", spoken=True))
    listening.feed(voice.quiet(0.01))
    listening.finish()
    assert await told.get() == Words("320", spoken=True)
    recognisers.pool.close()


@pytest.mark.parametrize("kind", ["score", "comment"])
@pytest.mark.parametrize("ends", ["finish", "drop"])
async def test_an_utterance_is_freed_beside_the_event_loop(kind: AskKind, ends: str) -> None:
    recogniser, told = Freed(), asyncio.Event()
    recognisers = Recognisers([recogniser], RecognitionPool(threads=1))
    listening = recognisers.listen("en", kind, lambda _: told.set())
    listening.feed(voice.quiet(1))
    listening.look()
    await told.wait()
    getattr(listening, ends)()

    async def freed() -> bool:
        return bool(recogniser.threads)

    await eventually(freed)
    assert all("recognition" in each for each in recogniser.threads)
    recognisers.pool.close()
