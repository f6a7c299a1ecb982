"""The sound of open answers, turned into text where the call itself gave none, or a doubtful one."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

from app.asr.recognition import Recognisers
from app.asr.thresholds import DOUBTFUL_COMMENT
from app.audio import TELEPHONE_RATE, Sound, UnusableSound, at_telephone_rate, read_wav, write_wav
from app.conversation import FollowResponse, TranscribeRecording
from app.errors import RecogniserError
from app.jobs import Jobs
from app.ports import Recogniser
from app.store import Pool, recordings
from app.survey import Answer, Vocabulary, Words
from app.survey.hear import hear

log = structlog.get_logger(__name__)

# A recording has a minute at most; a slow machine takes a multiple of that.
SECONDS = 300.0
CHUNK = 2 * TELEPHONE_RATE


@dataclass(frozen=True)
class Transcripts:
    """Keeps what the streams heard, and writes recordings down."""

    pool: Pool
    jobs: Jobs
    recognisers: Recognisers
    vocabularies: Mapping[str, Vocabulary]
    keep_days: int

    async def keep(self, survey_id: UUID, sound: Sound) -> None:
        """Store an answer's sound as the carrier's recordings are stored, until its retention is over."""
        sid = f"own-{uuid4().hex}"
        file, seconds = write_wav(sound), max(1, round(sound.seconds))
        async with self.pool.connection() as connection, connection.transaction():
            await recordings.add(connection, sid, survey_id, seconds, file, self.keep_days)
            await self.jobs.defer(connection, TranscribeRecording(sid))

    async def transcribe(self, job: TranscribeRecording) -> None:
        """Attach a recording's text to its response, where it is missing or doubtful. Safe to repeat.

        Raises `RecogniserError`, after which another try may help.
        """
        async with self.pool.connection() as connection:
            kept = await recordings.read_to_transcribe(connection, job.sid, DOUBTFUL_COMMENT)
        if kept is None:
            return
        recogniser = self.recognisers.transcriber(kept.language)
        if recogniser is None:
            return
        try:
            words = await self.recognisers.pool.run(
                SECONDS,
                _recognise,
                recogniser,
                kept.language,
                kept.audio,
                free_speech=True,
            )
        except UnusableSound as problem:
            log.warning("recording_unreadable", sid=job.sid, reason=str(problem))
            return
        text = self._comment(words, kept.language)
        if text is None or (kept.comment is not None and (words.confidence or 0) <= (kept.confidence or 0)):
            return
        async with self.pool.connection() as connection, connection.transaction():
            if await recordings.attach(connection, kept, text, words.confidence):
                await self.jobs.defer(connection, FollowResponse(kept.survey_id))

    def _comment(self, words: Words, language: str) -> str | None:
        """The comment in it; "no, thank you" is none."""
        understood = hear("comment", words, self.vocabularies[language])
        return (
            understood.value if isinstance(understood, Answer) and isinstance(understood.value, str) else None
        )


def _recognise(recogniser: Recogniser, language: str, file: bytes) -> Words:
    pcm = at_telephone_rate(read_wav(file)).pcm
    try:
        utterance = recogniser.begin(language, "comment")
        for start in range(0, len(pcm), CHUNK):
            utterance.feed(pcm[start : start + CHUNK])
        return utterance.finish()
    except RecogniserError:
        raise
    except Exception as problem:
        raise RecogniserError(f"{recogniser.name} broke: {problem}") from problem
