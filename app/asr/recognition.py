"""The recognisers of a deployment, and how many callers they may hear at once."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import structlog

from app import metrics
from app.asr import speech
from app.asr.pool import RecognitionPool, Result
from app.asr.speech import Voiced
from app.audio import TELEPHONE_RATE
from app.errors import RecogniserError
from app.ports import Recogniser, Utterance
from app.survey import AskKind, Words

log = structlog.get_logger(__name__)

FULL = "full"
# From the end of speech to its words. A carrier's own recogniser takes one or two. Whoever would wait longer for a
# score is asked for the key instead; the sound of a comment is kept, and recognised later.
SECONDS_TO_FINISH: Mapping[AskKind, float] = {"score": 2.5, "yes_no": 2.5, "comment": 5}
# The first caller of a language waits for its model, while the prompt still plays.
SECONDS_TO_BEGIN = 10.0
# Bytes that are recognised at once, 0.1 s of sound: each task costs a change of threads.
CHUNK = 2 * TELEPHONE_RATE // 10


@dataclass(frozen=True)
class PartialWords:
    """What had been said at a pause; no ``words`` from a recogniser that can tell only at the end."""

    words: Words | None


RecognitionEvent = Words | PartialWords | RecogniserError


@dataclass(eq=False)
class Recognisers:
    """Chooses the recogniser of each question, and counts the lines that listen."""

    recognisers: Sequence[Recogniser]
    pool: RecognitionPool
    voice_detector: Callable[[], Voiced] = speech.detector
    most_streams: int | None = None
    streams: int = field(default=0, init=False)

    def unable(self, language: str, kind: AskKind) -> str | None:
        """What keeps a new caller from being heard here: `FULL`, or what is missing. None where nothing does."""
        recogniser, _ = self._choose(language, kind)
        return FULL if self.streams >= self._most(recogniser) else self.unable_now(language, kind)

    def unable_now(self, language: str, kind: AskKind) -> str | None:
        """What keeps a caller from being heard whose stream is open: as `unable`, without the number of streams."""
        try:
            self.voice_detector()
        except RecogniserError as problem:
            return str(problem)
        return FULL if self.pool.full else self._choose(language, kind)[1]

    def listen(self, language: str, kind: AskKind, tell: Callable[[RecognitionEvent], None]) -> "Recognition":
        """Begin to recognise one answer; `Recognition` says what is told. Raises `RecogniserError` where nobody can."""
        recogniser, reason = self._choose(language, kind)
        if recogniser is None:
            raise RecogniserError(reason or "no recogniser")
        return Recognition(self.pool, recogniser, language, kind, tell)

    def transcriber(self, language: str) -> Recogniser | None:
        """The slowest recogniser that can hear comments, for recordings, which can wait; None where none can."""
        able = [each for each in self.recognisers if each.lacks(language, "comment") is None]
        return able[-1] if able else None

    def enter(self) -> bool:
        """Take the place of one stream; False where all are taken."""
        if self.streams >= self._most():
            return False
        self.streams += 1
        metrics.STREAMS.set(self.streams)
        return True

    def leave(self) -> None:
        """Free the place of a stream that has ended."""
        self.streams -= 1
        metrics.STREAMS.set(self.streams)

    def _most(self, recogniser: Recogniser | None = None) -> int:
        """How many streams there may be: as many as this recogniser hears in time, or else the quickest of all."""
        if self.most_streams is not None:
            return self.most_streams
        counted = self.recognisers if recogniser is None else (recogniser,)
        return self.pool.threads * max((each.streams_per_thread for each in counted), default=0)

    def _choose(self, language: str, kind: AskKind) -> tuple[Recogniser | None, str | None]:
        reasons = []
        for recogniser in self.recognisers:
            reason = recogniser.lacks(language, kind)
            if reason is None:
                return recogniser, None
            reasons.append(reason)
        return None, "; ".join(reasons) or "no recogniser"


class Recognition:
    """Recognises one answer: the event loop feeds sound, the pool's threads recognise it in its order.

    ``tell`` is called on the event loop: with `PartialWords` after each `look`, with `Words` after `finish`, or once
    with a `RecogniserError`, after which nothing more comes.
    """

    def __init__(
        self,
        pool: RecognitionPool,
        recogniser: Recogniser,
        language: str,
        kind: AskKind,
        tell: Callable[[RecognitionEvent], None],
    ) -> None:
        self._pool, self._recogniser = pool, recogniser
        self._language, self._kind, self._tell = language, kind, tell
        self._waiting = bytearray()
        self._looking = self._over = False
        self._more = asyncio.Event()
        self.pcm = bytearray()
        self._task = asyncio.create_task(self._recognise())

    def feed(self, pcm: bytes) -> None:
        """Add sound (PCM, 8 kHz); it is recognised in the background."""
        self.pcm += pcm
        self._waiting += pcm
        if len(self._waiting) >= CHUNK:
            self._more.set()

    def look(self) -> None:
        """Ask for what has been said so far, which is told as `PartialWords`."""
        self._looking = True
        self._more.set()

    def finish(self) -> None:
        """There is no more sound; the `Words` are told once all of it has been recognised."""
        self._over = True
        self._more.set()

    def drop(self) -> None:
        """Recognise no more of it, and tell nothing more."""
        self._task.cancel()

    async def _recognise(self) -> None:
        try:
            words = await self._words()
        except RecogniserError as problem:
            self._tell(problem)
        except Exception as problem:
            log.exception("recogniser_broke", recogniser=self._recogniser.name, language=self._language)
            self._tell(RecogniserError(f"{self._recogniser.name} broke: {problem}"))
        else:
            self._tell(words)

    async def _words(self) -> Words:
        held, limit = _ThreadBound(self._recogniser), SECONDS_TO_FINISH[self._kind]
        try:
            await self._run(SECONDS_TO_BEGIN, held.begin, self._language, self._kind)
            while not self._over or self._waiting:
                await self._more.wait()
                self._more.clear()
                chunk, self._waiting = bytes(self._waiting), bytearray()
                looking, self._looking = self._looking, False
                if chunk:
                    await self._run(limit, held.feed, chunk)
                if looking:
                    with self._timed():
                        self._tell(PartialWords(await self._run(limit, held.so_far)))
            with self._timed():
                return await self._pool.finish(
                    self._recogniser.name, limit, held.finish, free_speech=self._is_free
                )
        finally:
            self._pool.soon(held.free, free_speech=self._is_free)

    def _run(
        self, seconds: float, work: Callable[..., Result], *arguments: object
    ) -> Coroutine[Any, Any, Result]:
        return self._pool.run(seconds, work, *arguments, free_speech=self._is_free)

    @property
    def _is_free(self) -> bool:
        return self._kind == "comment"

    def _timed(self) -> AbstractContextManager[object]:
        return metrics.RECOGNITION.labels(self._recogniser.name, self._kind).time()


class _ThreadBound:
    """An utterance that only the pool's threads hold: freeing one of free speech takes 40 ms, and more under load."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._utterance: Utterance | None = None

    def begin(self, language: str, kind: AskKind) -> None:
        self._utterance = self._recogniser.begin(language, kind)

    def feed(self, pcm: bytes) -> None:
        if self._utterance is not None:
            self._utterance.feed(pcm)

    def so_far(self) -> Words | None:
        return None if self._utterance is None else self._utterance.so_far()

    def finish(self) -> Words:
        assert self._utterance is not None, "freed only when nobody waits for its words"
        return self._utterance.finish()

    def free(self) -> None:
        self._utterance = None
