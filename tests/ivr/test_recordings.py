"""Recordings of open answers: fetched, kept for their time, and never left at the carrier."""

import wave
from io import BytesIO
from uuid import uuid4

import pytest

from app.errors import CarrierBusy
from app.ivr import FetchRecording
from app.ivr.twiml import KEY_SECONDS, LEAST_KEY_SECONDS
from app.outreach import CollectRecordings, ReconcileAttempt
from app.rehearsal.clock import speaking_seconds
from app.rehearsal.twilio.faults import Faults
from tests.calls import Handset, make_due, rehearse, settled
from tests.line import Line, eventually
from tests.rows import execute, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def recordings_of(line: Line, survey_id: str) -> list[dict[str, object]]:
    return await rows(line.services.pool, "SELECT * FROM recordings WHERE survey_id = %s", (survey_id,))


async def kept(line: Line, survey_id: str) -> dict[str, object]:
    """The recording of a survey, once it is here and no longer at the carrier."""
    found: list[dict[str, object]] = []

    async def here() -> bool:
        found[:] = await recordings_of(line, survey_id)
        at_the_carrier = {each.sid for each in line.carrier.recordings}
        return len(found) == 1 and found[0]["status"] == "kept" and found[0]["sid"] not in at_the_carrier

    await eventually(here, lambda: found)
    return found[0]


async def test_what_was_said_is_fetched_kept_and_removed_at_the_carrier(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, "9# | cheap and fast")
    recording = await kept(line, survey_id)
    assert isinstance(recording["audio"], bytes)
    with wave.open(BytesIO(recording["audio"])) as audio:
        assert audio.getframerate() == 8000
        assert audio.getnframes() > 0
    days = await row(
        line.services.pool,
        "SELECT extract(epoch FROM delete_after - now()) / 86400 AS days FROM recordings WHERE survey_id = %s",
        (survey_id,),
    )
    assert 29.9 < days["days"] <= 30


async def test_who_hangs_up_while_speaking_leaves_a_recording(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, "2# | far too slow and then /hangup")
    await kept(line, survey_id)
    assert (await settled(line, survey_id))["status"] == "partial"


async def test_who_says_nothing_leaves_none(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, "9#")
    await settled(line, survey_id)
    await line.carrier.quiet()
    assert await recordings_of(line, survey_id) == []
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    assert [each for each in line.carrier.recordings if each.call_sid == call.sid] == []


@pytest.mark.parametrize("key", ["#", "*"])
async def test_who_answers_by_a_key_leaves_none_here_nor_at_the_carrier(line: Line, key: str) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, Digits="9")
    await handset.turn(2, "?recorded=1", Digits=key)
    silent = line.carrier.recordings.add(handset.sid, "StartCallRecordingTwiML", "", 0.5)
    form = {"RecordingSid": silent.sid, "RecordingStatus": "completed", "RecordingDuration": "1"}
    await handset.send(f"{handset.path}/recording", **form)

    async def gone() -> bool:
        return line.carrier.recordings.get(silent.sid) is None

    await eventually(gone)
    (recording,) = await recordings_of(line, handset.survey_id)
    assert (recording["status"], recording["audio"]) == ("deleted", None)


async def test_who_speaks_over_the_question_is_heard_and_recorded_whole(line: Line) -> None:
    """The notice is heard first; from then on nothing is lost."""
    said = "it took you half an hour to answer and then nobody knew what to do about my bill"
    wording = line.services.flows["nps"].wording("en")
    notice = speaking_seconds(wording.text(wording.prompt("recording_notice", {}), "voice"))
    in_the_question = KEY_SECONDS + notice + LEAST_KEY_SECONDS + 0.5
    survey_id, _, _ = await rehearse(line, f"9 | +{in_the_question:.2f} {said}")
    story = await settled(line, survey_id)
    assert story["response"]["comment"] == said
    recording = await kept(line, survey_id)
    assert recording["seconds"] == round(speaking_seconds(said))


async def test_what_is_said_over_the_notice_does_not_cut_it_off_and_is_not_recorded(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, "9 | +2.5 hello | cheap and fast")
    story = await settled(line, survey_id)
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    assert any(each.what.endswith("(not heard)") for each in call.transcript)
    assert story["response"]["comment"] == "cheap and fast"
    assert (await kept(line, survey_id))["seconds"] == 1


async def test_a_recording_whose_callback_was_lost_is_collected_after_the_call(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, "9# | cheap and fast", Faults(callbacks="lost"))

    async def said() -> bool:
        return bool((await line.story(survey_id))["status"] == "completed")

    await eventually(said)
    await line.carrier.quiet()
    assert await recordings_of(line, survey_id) == []
    await make_due(line, survey_id, ReconcileAttempt)
    await settled(line, survey_id)
    await make_due(line, survey_id, CollectRecordings)
    await kept(line, survey_id)


async def test_a_recording_that_is_announced_twice_is_fetched_once(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, "9# | cheap and fast", Faults(callbacks="twice", turns_twice=True))
    await kept(line, survey_id)
    await settled(line, survey_id)
    await make_due(line, survey_id, CollectRecordings)
    assert len(await recordings_of(line, survey_id)) == 1


async def announced(line: Line, sid: str, **form: str) -> Handset:
    handset = await Handset.called(line)
    form = {"RecordingSid": sid, "RecordingStatus": "completed"} | form
    assert (await handset.send(f"{handset.path}/recording", **form)).status_code == 204
    return handset


async def test_a_recording_that_is_not_there_yet_is_tried_again(line: Line) -> None:
    sid = "RE" + "1" * 32
    handset = await announced(line, sid)
    with pytest.raises(CarrierBusy):
        await line.services.recordings.fetch(FetchRecording(sid))
    (recording,) = await recordings_of(line, handset.survey_id)
    assert recording["status"] == "announced"

    async def retried() -> bool:
        jobs = await rows(
            line.services.pool,
            "SELECT attempts FROM procrastinate_jobs WHERE status = 'todo' AND args->>'sid' = %s",
            (sid,),
        )
        return bool(jobs) and jobs[0]["attempts"] >= 1

    await eventually(retried)


async def test_a_recording_that_was_left_behind_is_tried_again_and_given_up_in_the_end(line: Line) -> None:
    sid = "RE" + "2" * 32
    handset = await announced(line, sid)
    pool = line.services.pool
    await execute(pool, "DELETE FROM procrastinate_jobs WHERE args->>'sid' = %s", (sid,))
    await execute(
        pool, "UPDATE recordings SET announced_at = now() - interval '3 hours' WHERE sid = %s", (sid,)
    )
    await line.services.recordings.fetch_left_behind()
    assert await rows(pool, "SELECT 1 FROM procrastinate_jobs WHERE args->>'sid' = %s", (sid,))
    await execute(
        pool, "UPDATE recordings SET announced_at = now() - interval '31 days' WHERE sid = %s", (sid,)
    )
    await line.services.recordings.fetch_left_behind()
    (recording,) = await recordings_of(line, handset.survey_id)
    assert recording["status"] == "deleted"


async def test_audio_is_deleted_when_its_time_is_over(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, "9# | cheap and fast")
    await kept(line, survey_id)
    await line.services.recordings.delete_expired()
    assert (await recordings_of(line, survey_id))[0]["audio"] is not None
    await execute(
        line.services.pool, "UPDATE recordings SET delete_after = now() WHERE survey_id = %s", (survey_id,)
    )
    await line.services.recordings.delete_expired()
    (recording,) = await recordings_of(line, survey_id)
    assert (recording["status"], recording["audio"]) == ("deleted", None)


@pytest.mark.parametrize(
    ("sid", "form"),
    [
        ("", {}),
        ("../../Accounts", {}),
        ("RE" + "3" * 32, {"RecordingStatus": "absent"}),
        ("RE" + "3" * 32, {"RecordingStatus": "failed"}),
    ],
)
async def test_what_is_no_recording_is_passed_over(line: Line, sid: str, form: dict[str, str]) -> None:
    handset = await announced(line, sid, **form)
    assert await recordings_of(line, handset.survey_id) == []


@pytest.mark.parametrize("seconds", ["", "²", "-1", "9" * 30, "x", "3.5"])
async def test_a_length_that_is_none_is_left_out(line: Line, seconds: str) -> None:
    handset = await announced(line, f"RE{uuid4().hex}", RecordingDuration=seconds)
    assert (await recordings_of(line, handset.survey_id))[0]["seconds"] is None


async def test_a_recording_of_a_survey_we_do_not_know_is_passed_over(line: Line) -> None:
    handset = await Handset.called(line)
    await execute(line.services.pool, "DELETE FROM attempts WHERE survey_id = %s", (handset.survey_id,))
    await execute(line.services.pool, "DELETE FROM surveys WHERE id = %s", (handset.survey_id,))
    form = {"RecordingSid": "RE" + "4" * 32, "RecordingStatus": "completed"}
    assert (await handset.send(f"{handset.path}/recording", **form)).status_code == 204
    assert await recordings_of(line, handset.survey_id) == []
