"""What a rehearsed customer says aloud: recordings of a person, or an offline voice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from app.audio import Sound, UnusableSound, open_recording, read_channels, recordings_in, shape
from app.errors import StartError
from app.prompts import rendering
from app.rehearsal.clock import Clock
from app.rehearsal.people.caller import HeardPrompt, ListeningFor, Nothing, Pickup, Pressed, Reaction, Spoken
from app.rehearsal.people.phrases import TONGUES
from app.rehearsal.people.random import Question, question_in

PROMPTS = Path("/usr/share/asterisk/sounds")
# A person's answers: the first score that there is a file of, and a sentence that fits it.
SCORES = (7, 8, 9, 10, 6, 5, 4, 3, 2, 1, 0)
FOLDERS = (".", "digits")
# The second is one of the telephone prompts, and may well be a customer's reason.
COMMENTS = ("comment", "vm-nobodyavail")


@dataclass(frozen=True)
class Answers:
    """A score and, where there is one, a comment, with their sound. ``voice`` says whose it is.

    ``refused`` are the files that could not be used, each with its reason.
    """

    language: str
    voice: str
    number: int
    score: Spoken
    comment: Spoken | None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Speaker:
    """Whose voice answers: somebody's ``recordings``, an offline ``voice``, or, without either, what is found."""

    language: str = "en"
    recordings: Path | None = None
    voice: str | None = None

    def answers(self) -> Answers:
        """What they say aloud, by score and for the comment. Raises `StartError` where a file or voice is missing."""
        if self.recordings is not None:
            return recorded(self.recordings, self.language)
        return found(self.language) if self.voice is None else rendered(self.voice, self.language)


def recorded(directory: Path, language: str) -> Answers:
    """Answers from a directory of recordings: ``0`` to ``10``, there or in ``digits``, and ``comment``.

    Their endings do not matter. A file that cannot be used is passed over. Raises `StartError` where no score is left.
    """
    files = [path for folder in FOLDERS for path in recordings_in(directory / folder)]
    refused: list[str] = []
    score = next(_usable(files, map(str, SCORES), refused), None)
    if score is None:
        reasons = "; ".join(refused) or "there is no recorded score in it, such as 7.wav or digits/7.wav"
        raise StartError(f"{directory}: {reasons}")
    comment = next(_usable(files, COMMENTS, refused), None)
    return Answers(language, f"recordings in {directory}", int(score.text), score, comment, tuple(refused))


def rendered(voice: str, language: str) -> Answers:
    """Answers spoken by an offline voice (`app.prompts.rendering`). Raises `StartError`."""
    tongue = TONGUES.get(language)
    if tongue is None:
        raise StartError(f"no rehearsed customer speaks {language}")
    number, speak = SCORES[0], rendering.voice(voice)
    texts = tongue.numbers[number], tongue.comments["passive"][0]
    try:
        score, comment = [_spoken(text, read_channels(speak(text))) for text in texts]
    except UnusableSound as problem:
        raise StartError(f"what {voice} made {problem}") from None
    return Answers(language, voice, number, score, comment)


def found(language: str) -> Answers:
    """Answers by what is installed here. Raises `StartError` saying what would do."""
    speakers = sorted(PROMPTS.glob(f"{language}*/digits/{SCORES[0]}.wav"))
    if speakers:
        return recorded(speakers[0].parents[1], language)
    if which("espeak-ng") is not None:
        return rendered(f"espeak-ng:{language}", language)
    raise StartError(
        f"there is no voice to answer with: apt-get install asterisk-core-sounds-{language}-wav or espeak-ng, or name"
        " recordings with --voice-recordings"
    )


def _usable(files: Sequence[Path], names: Iterable[str], refused: list[str]) -> Iterator[Spoken]:
    """The recordings of these names, WAV files first, made ready one by one; the others' reasons go to ``refused``."""
    for name in names:
        for path in sorted((path for path in files if path.stem == name), key=_is_no_wav):
            try:
                yield _spoken(name, open_recording(path))
            except UnusableSound as problem:
                refused.append(f"{path.name} {problem}")


def _is_no_wav(path: Path) -> bool:
    return path.suffix != ".wav"


def _spoken(text: str, channels: Sequence[Sound]) -> Spoken:
    """Said as loud as on a telephone, whatever the recording's rate."""
    return Spoken(text, sound=shape(channels).sound)


THINKS_SECONDS = 1.0


class SpeakingCaller:
    """Says the score and the comment. Whoever asks for the score again gets its key, as from most people."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers, self._clock = answers, clock
        self._heard = ""
        self._said_score = False

    async def ring(self, from_: str, to: str) -> Pickup:  # noqa: ARG002 - whoever calls is answered
        """Pick up at once, whatever the phone would do."""
        await self._clock.sleep(4)
        return "human"

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Listen to the prompt to its end; a person who waits for it never cuts in."""
        self._heard += f" {utterance.text}"
        await self._clock.sleep(utterance.seconds)
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Answer what was asked since the last answer."""
        if not listening.asks:
            await self._clock.sleep(listening.timeout_seconds)
            return Nothing()
        heard, self._heard = self._heard.strip(), ""
        await self._clock.sleep(THINKS_SECONDS)
        return self._answer(heard, listening)

    async def ended(self) -> None:
        """The line is dead; a speaking caller keeps nothing."""

    def _answer(self, heard: str, listening: ListeningFor) -> Reaction:
        answers = self._answers
        match question_in(heard) if heard else self._next():
            case "score" if self._said_score or not listening.speech:
                return Pressed(f"{answers.number}#")
            case "score":
                self._said_score = True
                return answers.score
            case "comment":
                return answers.comment or Pressed("#")
            case "yes_no":
                return Pressed("2")
            case None:  # what is right needs no answer
                return Nothing()

    def _next(self) -> Question:
        """Where the line plays a recording, nobody knows its words."""
        return "comment" if self._said_score else "score"
