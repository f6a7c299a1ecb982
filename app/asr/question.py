"""One question on a stream: carries out what `Listening` decides."""

from collections.abc import Callable
from functools import lru_cache, partial

from app.asr import media
from app.asr.complete import is_whole
from app.asr.listening import Deed, Listening
from app.asr.prompts import Spoken
from app.asr.recognition import Hearkening, SoFar
from app.asr.socket import Event, Socket
from app.audio import telephone
from app.conversation.turns import CurrentTurn
from app.errors import RecogniserError
from app.survey.heard import Heard, Words
from app.survey.vocabulary import Vocabulary

# What is kept of the moment before speech is noticed: its onset and a little more.
LEAD_IN_FRAMES = 20

Hearken = Callable[[], Hearkening]


class Question:
    """``hearken`` makes a recogniser ready for one answer, and has its results told to the socket."""

    def __init__(
        self, socket: Socket, hearken: Hearken, told: CurrentTurn, spoken: Spoken, vocabulary: Vocabulary
    ) -> None:
        assert told.turn.ask is not None
        self._socket, self._hearken, self._turn_no = socket, hearken, told.turn_no
        # Free speech is costly to make ready for, and many comments are never begun.
        self._is_short = told.turn.ask.kind != "comment"
        self._prompt = encoded(spoken.by_us)
        whole = partial(is_whole, told.turn.ask, vocabulary=vocabulary)
        self._listening = Listening(told.turn.ask, whole, len(self._prompt) // telephone.FRAME)
        self._lead_in: list[bytes] = []
        self._ready: Hearkening | None = None
        self._hearkening: Hearkening | None = None
        self._plays = 0
        self.pcm = b""

    async def answer(self) -> Heard | None:
        """Ask, and wait for what is heard; None where the caller hung up without a word."""
        if self._prompt:
            await self._play()
        if self._is_short:
            # Made ready while the prompt plays: the first caller of a language has its model loaded.
            self._ready = self._hearken()
        while self._listening.done is None:
            event = await self._socket.event()
            if isinstance(event, media.Ended):
                return await self._last_words()
            await self._take(event)
        return self._listening.done.heard

    def drop(self) -> None:
        """Recognise no more."""
        for each in (self._ready, self._hearkening):
            if each is not None:
                each.drop()

    async def _take(self, event: Event) -> None:
        match event:
            case media.Sound(ulaw):
                for pcm, voiced in self._socket.frames(ulaw):
                    await self._hear(pcm, voiced)
            case media.Key(digit):
                await self._do(self._listening.key(digit))
            case media.Played(name):
                if name == self._mark:
                    self._listening.prompt_over()
            case SoFar(words):
                await self._do(self._listening.so_far(words))
            case Words():
                await self._do(self._listening.recognised(event))
            case RecogniserError():
                raise event
            case media.Started() | media.Ended():
                pass

    async def _hear(self, pcm: bytes, voiced: bool) -> None:
        self._lead_in = [*self._lead_in[1 - LEAD_IN_FRAMES :], pcm]
        if self._hearkening is not None:
            self._hearkening.feed(pcm)
        await self._do(self._listening.frame(voiced))

    async def _do(self, deeds: list[Deed]) -> None:
        for deed in deeds:
            match deed:
                case "clear":
                    await self._socket.clear()
                case "replay":
                    await self._play()
                case "begin":
                    self._begin()
                case "look" if self._hearkening is not None:
                    self._hearkening.look()
                case "finish" if self._hearkening is not None:
                    self.pcm = bytes(self._hearkening.pcm)
                    self._hearkening.finish()
                    self._hearkening = None
                case "drop" if self._hearkening is not None:
                    self._hearkening.drop()
                    self._hearkening = None
                case _:
                    pass

    def _begin(self) -> None:
        fresh = self._hearken() if self._ready is None else self._ready
        self._ready, self._hearkening = None, fresh
        for pcm in self._lead_in:
            fresh.feed(pcm)

    async def _last_words(self) -> Heard | None:
        """The caller hung up; what they had begun to say still counts."""
        if not self._listening.speaking:
            return None
        await self._do(self._listening.left())
        while True:
            event = await self._socket.event()
            if isinstance(event, RecogniserError):
                raise event
            if isinstance(event, Words):
                self._listening.recognised(event)
                return None if self._listening.done is None else self._listening.done.heard

    @property
    def _mark(self) -> str:
        return f"{self._turn_no}.{self._plays}"

    async def _play(self) -> None:
        self._plays += 1
        await self._socket.play(self._prompt, self._mark)


@lru_cache(maxsize=512)
def encoded(clips: tuple[bytes, ...]) -> bytes:
    """The clips as whole frames of mu-law."""
    ulaw = telephone.encode(b"".join(clips))
    return ulaw + telephone.SILENCE[: -len(ulaw) % telephone.FRAME]
