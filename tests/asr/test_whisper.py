"""Whisper, with a real model: recordings of people, and what is no speech."""

import math
import re
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
import pytest_asyncio

from app.asr.whisper import Whisper
from app.audio import TELEPHONE_RATE, Sound
from app.config import Settings, load_flows
from app.conversation import FollowResponse, TranscribeRecording
from app.errors import RecogniserError, StartError
from app.jobs import Job
from app.ports import Recogniser
from app.rehearsal.people.whisper_model import put_together
from app.survey import Answer, AskKind, Stop, Words
from app.survey.hear import Unclear, hear
from tests.asr import people
from tests.calls import Handset
from tests.line import Line, a_line
from tests.rows import row, rows

VOCABULARIES = load_flows(Path(__file__).parents[2] / "flows").vocabularies
DOUBTFUL = "read back"
SECOND = 2 * TELEPHONE_RATE


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The multilingual base model, whole."""
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    try:
        return put_together(tmp_path_factory.mktemp("models") / "whisper-base")
    except StartError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def whisper(model: Path) -> Whisper:
    """It, to be loaded once."""
    return Whisper(model, VOCABULARIES)


def recognise(recogniser: Recogniser, language: str, kind: AskKind, pcm: bytes) -> Words:
    utterance = recogniser.begin(language, kind)
    for start in range(0, len(pcm), SECOND):
        utterance.feed(pcm[start : start + SECOND])
    return utterance.finish()


def taken(whisper: Whisper, language: str, pcm: bytes) -> int | str | None:
    """The score that a survey takes at once; "read back", or None where it asks again."""
    match hear("score", recognise(whisper, language, "score", pcm), VOCABULARIES[language]):
        case Answer(value=int(score), doubtful=doubtful):
            return DOUBTFUL if doubtful else score
        case _:
            return None


def cough(seed: int) -> bytes:
    """Two bursts of noise, each gone in a moment."""
    chance, samples = Random(seed), array("h")  # noqa: S311 - noise, not a secret
    for seconds, fading in ((0.3, 0.07), (0.35, 0.09)):
        blurred = 0.0
        for place in range(int(seconds * TELEPHONE_RATE)):
            time = place / TELEPHONE_RATE
            blurred = 0.6 * blurred + 0.4 * chance.uniform(-1, 1)
            samples.append(int(12000 * blurred * min(1, time / 0.01) * math.exp(-time / fading)))
        samples.extend([0] * (TELEPHONE_RATE // 5))
    return bytes(6400) + samples.tobytes() + bytes(9600)


@pytest.mark.slow
def test_english_scores_are_taken_and_none_for_another(whisper: Whisper) -> None:
    heard = {score: taken(whisper, "en", people.says("en", f"digits/{score}")) for score in range(11)}
    wrong = {score: found for score, found in heard.items() if isinstance(found, int) and found != score}
    assert wrong == {}
    assert sum(found == score for score, found in heard.items()) >= 10, heard


@pytest.mark.slow
def test_french_scores_are_taken_rightly_read_back_or_asked_for_again(whisper: Whisper) -> None:
    heard = {score: taken(whisper, "fr", people.says("fr", f"digits/{score}")) for score in (0, 4, 6, 10)}
    assert (heard[0], heard[4]) == (0, 4)
    assert heard[6] in {DOUBTFUL, None}, "six sounds like dix, and would make a promoter of a critic"
    assert heard[10] in {DOUBTFUL, None}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "nb"])
def test_silence_is_no_score(whisper: Whisper, language: str) -> None:
    words = recognise(whisper, language, "score", bytes(2 * SECOND))
    assert hear("score", words, VOCABULARIES[language]) == Unclear("silence")


@pytest.mark.slow
@pytest.mark.parametrize(("language", "seed"), [("en", 1), ("pl", 2), ("fr", 3)])
def test_a_cough_is_no_score(whisper: Whisper, language: str, seed: int) -> None:
    assert taken(whisper, language, cough(seed)) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hello", "vm-goodbye", "vm-nobodyavail"])
def test_other_words_are_no_score(whisper: Whisper, name: str) -> None:
    words = recognise(whisper, "en", "score", people.says("en", name))
    understood = hear("score", words, VOCABULARIES["en"])
    assert isinstance(understood, Unclear | Stop)
    assert plain(words.text) == plain(people.SAID[name])


@pytest.mark.slow
def test_a_comment_is_written_down_word_for_word(whisper: Whisper) -> None:
    words = recognise(whisper, "en", "comment", people.says("en", "vm-nobodyavail"))
    assert plain(words.text) == plain(people.SAID["vm-nobodyavail"])
    assert words.spoken
    assert (words.confidence or 0) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("language", "seconds"), [("nb", 1), ("pl", 4), ("en", 12), ("fr", 0)])
def test_no_comment_is_made_up_where_nobody_speaks(whisper: Whisper, language: str, seconds: int) -> None:
    assert recognise(whisper, language, "comment", bytes(seconds * SECOND)) == Words("", spoken=True)


def plain(text: str) -> list[str]:
    """The words alone."""
    return re.findall(r"[a-z']+", text.lower())


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert Whisper(None, VOCABULARIES).lacks("en", "score") == "ZEROTEN_WHISPER_MODEL is not set"
    empty = Whisper(tmp_path, VOCABULARIES)
    assert empty.lacks("en", "comment") == f"{tmp_path} has no Whisper model"
    assert empty.lacks("de", "comment") == "no flow speaks de"
    with pytest.raises(RecogniserError, match="has no Whisper model"):
        empty.begin("en", "score")


def test_a_broken_model_says_where_it_is(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(RecogniserError, match=rf"{tmp_path.name} cannot be loaded"):
        Whisper(tmp_path, VOCABULARIES).begin("en", "score")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def line(module_settings: Settings, model: Path) -> AsyncIterator[Line]:
    """A product that has Whisper, and no worker: its jobs wait to be looked at."""
    async with a_line(module_settings, worker=False, whisper_model=model) as running:
        yield running


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_a_kept_recording_becomes_the_comment_of_its_response(line: Line) -> None:
    sound = people.says("en", "vm-nobodyavail")
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, Digits="2")
    await line.services.transcripts.keep(UUID(handset.survey_id), Sound(sound))
    ((kept),) = await deferred(line, TranscribeRecording)
    await line.services.transcripts.transcribe(TranscribeRecording(kept["sid"]))
    response = await row(
        line.services.pool, "SELECT * FROM responses WHERE survey_id = %s", (handset.survey_id,)
    )
    assert plain(response["comment"]) == plain(people.SAID["vm-nobodyavail"])
    assert response["comment_source"] == "recording"
    assert response["comment_confidence"] > 0.8
    assert {"survey_id": handset.survey_id} in await deferred(line, FollowResponse)


async def deferred(line: Line, job: type[Job]) -> list[dict[str, str]]:
    query = "SELECT args FROM procrastinate_jobs WHERE task_name = %s"
    return [each["args"] for each in await rows(line.services.pool, query, (job.name,))]
