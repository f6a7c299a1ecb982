"""Recordings, turned into text where the call gave none or a doubtful one."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from app.audio import Sound, write_wav
from app.config import Settings
from app.conversation import TranscribeRecording
from app.errors import RecogniserError
from app.store import recordings
from tests.asr import voice
from tests.asr.voice import PitchRecogniser
from tests.calls import Handset
from tests.line import Line, a_line
from tests.rows import row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")
WEBHOOK = {"webhook_url": "https://example.com/hook", "webhook_secret": "whsec_" + "c2VjcmV0" * 6}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    settings = Settings.model_validate(module_settings.model_dump() | WEBHOOK)
    async with a_line(settings, worker=False) as running:
        yield running


@pytest.fixture(autouse=True)
def recogniser(line: Line) -> PitchRecogniser:
    pitch = PitchRecogniser()
    line.services.recognisers.recognisers = [pitch]
    return pitch


async def a_response(line: Line, comment: str | None, confidence: str = "0.9") -> UUID:
    """A call that gave a score, and a comment as the carrier heard it."""
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, Digits="9")
    if comment is not None:
        await handset.turn(2, SpeechResult=comment, Confidence=confidence)
    return UUID(handset.survey_id)


async def recorded(line: Line, survey_id: UUID, file: bytes, sid: str | None = None) -> str:
    sid = sid or f"RE{survey_id.hex}"
    async with line.services.pool.connection() as connection:
        await recordings.add(connection, sid, survey_id, 2, file, 30)
    return sid


async def comment_of(line: Line, survey_id: UUID) -> tuple[str | None, str | None, float | None]:
    found = await row(line.services.pool, "SELECT * FROM responses WHERE survey_id = %s", (survey_id,))
    return found["comment"], found["comment_source"], found["comment_confidence"]


async def announced(line: Line, survey_id: UUID) -> int:
    """How often what follows from the response was set going."""
    query = "SELECT FROM procrastinate_jobs WHERE task_name = 'follow_response' AND args->>'survey_id' = %s"
    return len(await rows(line.services.pool, query, (str(survey_id),)))


SEVEN = write_wav(Sound(voice.say(7)))


async def test_a_missing_comment_is_taken_from_the_recording_and_announced(line: Line) -> None:
    survey_id = await a_response(line, None)
    await line.services.transcripts.transcribe(TranscribeRecording(await recorded(line, survey_id, SEVEN)))
    text, source, confidence = await comment_of(line, survey_id)
    assert (text, source) == ("seven", "recording")
    assert confidence == pytest.approx(0.95)
    assert await announced(line, survey_id) == 1


async def test_a_doubtful_comment_is_replaced_by_a_surer_one(line: Line) -> None:
    survey_id = await a_response(line, "heaven", "0.4")
    await line.services.transcripts.transcribe(TranscribeRecording(await recorded(line, survey_id, SEVEN)))
    assert (await comment_of(line, survey_id))[:2] == ("seven", "recording")
    assert await announced(line, survey_id) == 2


async def test_a_comment_that_was_heard_well_stays(line: Line, recogniser: PitchRecogniser) -> None:
    survey_id = await a_response(line, "heaven")
    await line.services.transcripts.transcribe(TranscribeRecording(await recorded(line, survey_id, SEVEN)))
    assert (await comment_of(line, survey_id))[:2] == ("heaven", "speech")
    assert recogniser.begun == []


async def test_transcribing_twice_changes_and_announces_nothing_more(line: Line) -> None:
    survey_id = await a_response(line, None)
    sid = await recorded(line, survey_id, SEVEN)
    for _ in range(2):
        await line.services.transcripts.transcribe(TranscribeRecording(sid))
    assert await announced(line, survey_id) == 1


@pytest.mark.parametrize("file", [write_wav(Sound(voice.quiet(1))), b"no audio at all"])
async def test_a_recording_without_words_leaves_the_response_alone(line: Line, file: bytes) -> None:
    survey_id = await a_response(line, None)
    await line.services.transcripts.transcribe(TranscribeRecording(await recorded(line, survey_id, file)))
    assert await comment_of(line, survey_id) == (None, None, None)
    assert await announced(line, survey_id) == 0


async def test_a_recogniser_that_breaks_is_tried_again_later(line: Line, recogniser: PitchRecogniser) -> None:
    survey_id = await a_response(line, None)
    sid = await recorded(line, survey_id, SEVEN)
    recogniser.breaks = True
    with pytest.raises(RecogniserError, match="snapped"):
        await line.services.transcripts.transcribe(TranscribeRecording(sid))
    recogniser.breaks = False
    await line.services.transcripts.transcribe(TranscribeRecording(sid))
    assert (await comment_of(line, survey_id))[0] == "seven"


async def test_without_a_recogniser_or_a_recording_nothing_happens(
    line: Line, recogniser: PitchRecogniser
) -> None:
    survey_id = await a_response(line, None)
    sid = await recorded(line, survey_id, SEVEN)
    await line.services.transcripts.transcribe(TranscribeRecording("RE-unknown"))
    recogniser.languages = ()
    await line.services.transcripts.transcribe(TranscribeRecording(sid))
    assert await comment_of(line, survey_id) == (None, None, None)
