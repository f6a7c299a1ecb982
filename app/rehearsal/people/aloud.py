"""What a rehearsed customer says aloud: recordings of a person, or an offline voice."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from app.audio import telephone, wav
from app.audio.shaping import shape
from app.errors import StartError
from app.prompts import rendering
from app.rehearsal.clock import Clock, speaking_seconds
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
    """A score and, where there is one, a comment, with their sound. ``voice`` says whose it is."""

    language: str
    voice: str
    number: int
    score: Spoken
    comment: Spoken | None


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
    """Answers from a directory of PCM WAV files: ``0.wav`` to ``10.wav``, there or in ``digits``, and ``comment.wav``.

    Raises `StartError` where there is no score in it, or a file that cannot be used.
    """
    for number in SCORES:
        score = _first(directory / folder / f"{number}.wav" for folder in FOLDERS)
        if score is not None:
            comment = _first(directory / f"{name}.wav" for name in COMMENTS)
            said = None if comment is None else _from(comment)
            return Answers(language, f"recordings in {directory}", number, _from(score), said)
    raise StartError(f"{directory}: there is no recorded score in it, such as 7.wav or digits/7.wav")


def rendered(voice: str, language: str) -> Answers:
    """Answers spoken by an offline voice (`app.prompts.rendering`). Raises `StartError`."""
    tongue = TONGUES.get(language)
    if tongue is None:
        raise StartError(f"no rehearsed customer speaks {language}")
    number, speak = SCORES[0], rendering.voice(voice)
    said, comment = tongue.numbers[number], tongue.comments["passive"][0]
    spoken = [_spoken(text, speak(text), voice) for text in (said, comment)]
    return Answers(language, voice, number, *spoken)


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


def _first(paths: Iterable[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _from(path: Path) -> Spoken:
    return _spoken(path.stem, path.read_bytes(), str(path))


def _spoken(text: str, file: bytes, source: str) -> Spoken:
    """Said as loud as on a telephone, whatever the file's rate."""
    try:
        wave = wav.take_apart(file)
        shaped = shape(wav.channels_of(wave), wave.rate)
    except wav.UnusableAudio as problem:
        raise StartError(f"{source} {problem}") from None
    return Spoken(text, sound=telephone.encode(telephone.read_wav(wav.put_together(shaped.samples))))


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
        await self._clock.sleep(speaking_seconds(utterance.text))
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Answer what was asked since the last answer."""
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
