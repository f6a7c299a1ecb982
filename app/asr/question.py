"""One question on a stream: carries out what `AnswerListener` decides."""

from collections.abc import Callable
from functools import lru_cache, partial

from app.asr import media
from app.asr.complete import is_complete
from app.asr.listening import Action, AnswerListener
from app.asr.pool import RecognitionLate
from app.asr.prompts import StreamPrompts
from app.asr.recognition import PartialWords, Recognition
from app.asr.socket import Event, Socket
from app.audio import Sound, telephone
from app.conversation import CurrentTurn
from app.errors import RecogniserError
from app.survey import Heard, Vocabulary, Words

# What is kept of the moment before speech is noticed: its onset and a little more.
LEAD_IN_FRAMES = 20

BeginRecognition = Callable[[], Recognition]


class StreamedQuestion:
    """Asks one question in a stream and recognises its answer, whose sound is in ``sound`` afterwards.

    ``begin_recognition`` makes a recogniser ready for one answer, and has its results told to the socket.
    """

    def __init__(
        self,
        socket: Socket,
        begin_recognition: BeginRecognition,
        current: CurrentTurn,
        spoken: StreamPrompts,
        vocabulary: Vocabulary,
    ) -> None:
        assert current.turn.ask is not None
        self._socket, self._begin_recognition, self._turn_no = socket, begin_recognition, current.turn_no
        # Free speech is costly to make ready for, and many comments are never begun.
        self._is_short = current.turn.ask.kind != "comment"
        # A comment that is not kept has no second chance but the carrier's recogniser.
        record = current.turn.state.context.get("record") == "yes"
        self._may_be_unheard = self._is_short or (current.turn.ask.recorded and record)
        self._notice, self._prompt = encoded(spoken.notice), encoded(spoken.by_us)
        whole = partial(is_complete, current.turn.ask, vocabulary=vocabulary)
        self._listening = AnswerListener(
            current.turn.ask,
            whole,
            len(self._prompt) // telephone.FRAME,
            len(self._notice) // telephone.FRAME,
        )
        self._earlier_key = socket.last_key
        self._lead_in: list[bytes] = []
        self._ready: Recognition | None = None
        self._recognition: Recognition | None = None
        self._plays = 0
        self.sound = Sound(b"")

    async def answer(self) -> Heard | None:
        """Ask, and wait for what is heard; None where the caller hung up without a word."""
        if self._notice:
            await self._socket.play(self._notice, self._notice_mark)
        if self._prompt:
            await self._play()
        if self._is_short:
            # Made ready while the prompt plays: the first caller of a language has its model loaded.
            self._ready = self._begin_recognition()
        while self._listening.done is None:
            event = await self._socket.event()
            if isinstance(event, media.Ended):
                return await self._last_words()
            await self._take(event)
        return self._listening.done.heard

    def drop(self) -> None:
        """Cancel the recognition that is under way, and the one made ready."""
        for recognition in (self._ready, self._recognition):
            if recognition is not None:
                recognition.drop()

    async def _take(self, event: Event) -> None:
        match event:
            case media.Media(ulaw):
                for pcm, voiced in self._socket.frames(ulaw):
                    await self._hear(pcm, voiced)
            case media.KeyPressed(digit):
                if not self._socket.belongs_to(self._earlier_key, digit):
                    await self._do(self._listening.key(digit))
            case media.Played(name):
                self._played(name)
            case PartialWords(words):
                await self._do(self._listening.so_far(words))
            case Words():
                await self._do(self._listening.recognised(event))
            case RecogniserError():
                await self._give_up(event)
            case media.Started() | media.Ended():
                pass

    async def _give_up(self, problem: RecogniserError) -> None:
        """What comes too late is asked for by key; whatever else fails, the carrier's recogniser takes over."""
        if isinstance(problem, RecognitionLate) and self._may_be_unheard:
            await self._do(self._listening.unheard())
        if self._listening.done is None:
            raise problem

    def _played(self, mark: str) -> None:
        if mark == self._mark:
            self._listening.prompt_over()
        elif mark == self._notice_mark:
            self._listening.notice_over()
            # Nothing that was said before is recorded, or kept.
            self._lead_in.clear()

    async def _hear(self, pcm: bytes, voiced: bool) -> None:
        self._lead_in = [*self._lead_in[1 - LEAD_IN_FRAMES :], pcm]
        if self._recognition is not None:
            self._recognition.feed(pcm)
        await self._do(self._listening.frame(voiced))

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case "clear":
                    await self._socket.clear()
                case "replay":
                    await self._play()
                case "begin":
                    self._begin()
                case "look" if self._recognition is not None:
                    self._recognition.look()
                case "finish" if self._recognition is not None:
                    self.sound = Sound(bytes(self._recognition.pcm))
                    self._recognition.finish()
                    self._recognition = None
                case "drop" if self._recognition is not None:
                    self._recognition.drop()
                    self._recognition = None
                case _:
                    pass

    def _begin(self) -> None:
        fresh = self._begin_recognition() if self._ready is None else self._ready
        self._ready, self._recognition = None, fresh
        for pcm in self._lead_in:
            fresh.feed(pcm)

    async def _last_words(self) -> Heard | None:
        """The caller hung up; what they had pressed or begun to say still counts."""
        await self._do(self._listening.left())
        while self._listening.done is None and self._listening.speaking:
            event = await self._socket.event()
            if isinstance(event, RecogniserError):
                raise event
            if isinstance(event, Words):
                self._listening.recognised(event)
        return None if self._listening.done is None else self._listening.done.heard

    @property
    def _notice_mark(self) -> str:
        return f"{self._turn_no}.notice"

    @property
    def _mark(self) -> str:
        return f"{self._turn_no}.{self._plays}"

    async def _play(self) -> None:
        self._plays += 1
        await self._socket.play(self._prompt, self._mark)


@lru_cache(maxsize=512)
def encoded(sounds: tuple[Sound, ...]) -> bytes:
    """Sounds at 8 kHz, one after the other, as whole frames of mu-law."""
    ulaw = telephone.encode(b"".join(sound.pcm for sound in sounds))
    return ulaw + telephone.SILENCE[: -len(ulaw) % telephone.FRAME]
