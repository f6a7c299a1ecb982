"""What becomes of an attempt, whoever answered and in whatever order it is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from app.outreach import HangUp, ReconcileAttempt, StartAttempt
from app.rehearsal.people import Pickup
from app.rehearsal.twilio.faults import CallbackDelivery, Faults
from tests.calls import (
    Handset,
    calls_to,
    counts,
    line_on,
    make_due,
    post,
    rehearse,
    settled,
    survey_row,
    waiting,
)
from tests.line import Line, eventually
from tests.rows import execute, row

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with line_on(module_database_url, tmp_path_factory.mktemp("line")) as running:
        yield running


def dispositions(story: dict[str, Any]) -> list[str | None]:
    return [each["disposition"] for each in story["attempts"]]


@pytest.mark.parametrize(("pickup", "word"), [("busy", "busy"), ("no-answer", "no_answer")])
async def test_who_could_not_be_reached_is_tried_once_more_after_the_pause_and_never_again(
    line: Line, pickup: Pickup, word: str
) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup=pickup))
    story = await settled(line, survey_id)
    assert (story["status"], dispositions(story)) == ("scheduled", [word])
    (job,) = await waiting(line, survey_id, StartAttempt)
    assert 235 < (job["scheduled_at"] - datetime.now(UTC)).total_seconds() / 60 <= 240
    await make_due(line, survey_id, StartAttempt)
    story = await settled(line, survey_id, 2)
    assert (story["status"], story["reason"], dispositions(story)) == ("unreached", word, [word, word])
    assert await waiting(line, survey_id, StartAttempt) == []
    await make_due(line, survey_id, ReconcileAttempt)
    await asyncio.sleep(0.3)
    assert calls_to(line, number) == 2
    assert await counts(line, queue) == {"invited": 1}


async def test_who_is_reached_at_the_second_attempt_answers_as_at_the_first(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup="busy"), times=1)
    await settled(line, survey_id)
    await make_due(line, survey_id, StartAttempt)
    story = await line.until(survey_id, "completed")
    assert story["response"]["score"] == 9
    assert calls_to(line, number) == 2
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_a_number_that_cannot_be_connected_is_not_tried_again(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="failed"))
    story = await settled(line, survey_id)
    assert (story["status"], story["reason"], dispositions(story)) == ("failed", "failed", ["failed"])
    assert calls_to(line, number) == 1


async def test_who_declines_is_neither_called_nor_written_to_again_for_it_and_nothing_has_failed(
    line: Line,
) -> None:
    queue = f"queue-{uuid4().hex}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"channels": ["voice", "sms"]})
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="declined"), queue=queue)
    story = await settled(line, survey_id)
    assert (story["status"], story["reason"], dispositions(story)) == ("unreached", "declined", ["declined"])
    assert await waiting(line, survey_id, StartAttempt) == []
    # Another conversation, some other day, may be asked about.
    answer = await line.trigger(customer={"phone": number, "consent": True})
    assert answer["reason"] != "opted_out"


async def test_a_number_that_nobody_has_is_not_called_again_for_anybody(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup="no-such-number"))
    story = await settled(line, survey_id)
    assert (story["status"], story["reason"]) == ("failed", "no_such_number")
    assert dispositions(story) == ["no_such_number"]
    for channel in ("voice", "sms"):
        customer = {"crm_id": uuid4().hex, "phone": number, "consent": True}
        answer = await line.trigger(queue=queue, customer=customer, survey_by=channel)
        assert (answer["decision"], answer["reason"]) == ("skipped", "no_such_number")
    assert calls_to(line, number) == 1


async def test_who_opted_out_stays_so_at_a_number_that_is_given_up(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="no-such-number"))
    await settled(line, survey_id)
    await post(line, "/twilio/voice/opt-out", {"CallSid": "CA1", "From": number, "Digits": "*"})
    answer = await line.trigger(customer={"phone": number, "consent": True})
    assert answer["reason"] == "opted_out"


@pytest.mark.parametrize(("sip_code", "status"), [("503", "scheduled"), ("488", "failed"), ("²", "failed")])
async def test_a_connection_that_failed_for_the_moment_is_tried_again(
    line: Line, sip_code: str, status: str
) -> None:
    handset = await Handset.called(line)
    await handset.status("failed", SipResponseCode=sip_code)
    assert (await handset.story())["status"] == status


async def test_a_machine_is_hung_up_on_and_tried_once_more(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup="machine"))
    story = await settled(line, survey_id)
    assert (story["status"], dispositions(story)) == ("scheduled", ["machine"])
    assert story["attempts"][0]["answered_by"] == "machine_start"
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    assert (call.status, call.ended_by) == (
        "completed",
        None,
    )  # by neither side of the line, but by our request
    assert await counts(line, queue) == {"invited": 1}
    await make_due(line, survey_id, StartAttempt)
    story = await settled(line, survey_id, 2)
    assert (story["status"], story["reason"]) == ("unreached", "machine")
    assert calls_to(line, number) == 2
    assert await counts(line, queue) == {"invited": 1}


async def test_a_machine_at_first_and_then_the_person(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup="machine"), times=1)
    await settled(line, survey_id)
    await make_due(line, survey_id, StartAttempt)
    story = await line.until(survey_id, "completed")
    said = [turn["said"][0] for turn in story["turns"]]
    assert said[-3] == "greeting"  # a machine has heard the first one, the person hears it anew
    assert calls_to(line, number) == 2
    assert (await counts(line, queue))["reached"] == 1


async def test_a_verdict_that_comes_after_the_person_has_answered_is_wrong(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, Digits="9")
    await handset.machine()
    assert await waiting(line, handset.survey_id, HangUp) == []
    await handset.turn(2, SpeechResult="cheap and fast")
    await handset.status("completed")
    story = await handset.story()
    assert (story["status"], dispositions(story)) == ("completed", ["answered"])


async def test_a_machine_that_has_spoken_is_a_machine_all_the_same(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, SpeechResult="you have reached the mailbox of Anna please leave a message")
    await handset.machine("machine_end_beep")
    story = await settled(line, handset.survey_id)
    assert (story["status"], dispositions(story)) == ("scheduled", ["machine"])
    assert await handset.counts() == {"invited": 1}


@pytest.mark.parametrize("answered_by", ["human", "unknown", "", "nonsense"])
async def test_any_other_verdict_changes_nothing(line: Line, answered_by: str) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.machine(answered_by)
    assert (await handset.story())["attempts"][0]["answered_by"] is None
    assert (await handset.story())["status"] == "in_progress"


async def test_who_hangs_up_half_way_is_not_called_again(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, "9# | /hangup")
    story = await settled(line, survey_id)
    assert (story["status"], story["response"]["score"]) == ("partial", 9)
    assert await waiting(line, survey_id, StartAttempt) == []
    assert calls_to(line, number) == 1
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_who_hangs_up_at_the_greeting_is_not_called_again(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, "!/hangup")
    story = await settled(line, survey_id)
    assert (story["status"], story["response"]) == ("partial", None)
    assert calls_to(line, number) == 1
    assert await counts(line, queue) == {"invited": 1, "reached": 1}


@pytest.mark.parametrize("callbacks", ["twice", "reversed"])
@pytest.mark.parametrize(("script", "status"), [("9# | fine", "completed"), ("9# | /hangup", "partial")])
async def test_callbacks_may_come_twice_or_the_last_first(
    line: Line, callbacks: CallbackDelivery, script: str, status: str
) -> None:
    survey_id, number, queue = await rehearse(line, script, Faults(callbacks=callbacks))
    story = await settled(line, survey_id)
    await line.carrier.quiet()
    story = await line.story(survey_id)
    assert (story["status"], dispositions(story)) == (status, ["answered"])
    assert calls_to(line, number) == 1
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_a_status_only_moves_forward(line: Line) -> None:
    handset = await Handset.called(line)
    for status in ("in-progress", "ringing", "initiated", "queued"):
        await handset.status(status)
    assert (await handset.story())["attempts"][0]["status"] == "in_progress"
    for status in ("no-answer", "in-progress", "completed", "busy"):
        await handset.status(status)
    story = await handset.story()
    assert (story["status"], dispositions(story)) == ("scheduled", ["no_answer"])


async def test_lost_callbacks_are_made_up_for(line: Line) -> None:
    survey_id, _, queue = await rehearse(line, "9# | /hangup", Faults(callbacks="lost"))

    async def scored() -> bool:
        await line.carrier.quiet()
        return (await line.story(survey_id))["response"] is not None

    await eventually(scored)
    assert (await line.story(survey_id))["status"] == "in_progress"
    await make_due(line, survey_id, ReconcileAttempt)
    story = await settled(line, survey_id)
    assert (story["status"], story["response"]["score"], dispositions(story)) == ("partial", 9, ["answered"])
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


@pytest.mark.parametrize(
    ("pickup", "word"), [("busy", "busy"), ("no-answer", "no_answer"), ("failed", "failed")]
)
async def test_lost_callbacks_of_a_call_that_nobody_answered_are_made_up_for(
    line: Line, pickup: Pickup, word: str
) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup=pickup, callbacks="lost"))

    async def over() -> bool:
        return any(call.over for call in line.carrier.calls.find(lambda call: call.to == number))

    await eventually(over)
    await make_due(line, survey_id, ReconcileAttempt)
    assert dispositions(await settled(line, survey_id)) == [word]


async def test_the_end_of_a_call_may_be_told_before_its_last_answer(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.status("completed")
    assert (await handset.story())["status"] == "partial"
    assert (await handset.turn(1, Digits="9")).status == 200
    story = await handset.story()
    assert (story["status"], story["response"]["score"]) == ("partial", 9)
    assert await handset.counts() == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_the_end_of_a_call_may_race_its_last_answer(line: Line) -> None:
    for _ in range(8):
        handset = await Handset.called(line)
        await handset.open()
        await asyncio.gather(
            handset.turn(1, Digits="9"),
            handset.status("completed"),
            handset.status("completed"),
            handset.turn(1, Digits="9"),
        )
        story = await handset.story()
        assert (story["status"], story["response"]["score"], dispositions(story)) == (
            "partial",
            9,
            ["answered"],
        )
        assert await handset.counts() == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_a_call_that_was_answered_and_never_asked_for_its_survey_ends_it(line: Line) -> None:
    """The caller heard the carrier's own apology, because we were away; they are not called twice for that."""
    handset = await Handset.called(line)
    await handset.status("in-progress")
    await handset.status("completed")
    story = await handset.story()
    assert (story["status"], story["reason"]) == ("failed", "no_conversation")


async def test_an_old_call_that_is_settled_late_leaves_the_present_one_alone(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.turn(1, Digits="3")
    other = {"CallSid": "CA" + "5" * 32, "From": handset.number, "Direction": "inbound"}
    assert (await handset.send("/twilio/voice", **other)).status_code == 200
    story = await handset.story()
    assert [each["direction"] for each in story["attempts"]] == ["outbound", "inbound"]
    inbound = await row(
        line.services.pool,
        "SELECT id FROM attempts WHERE survey_id = %s AND number = 2",
        (handset.survey_id,),
    )
    await handset.send(f"{handset.path}/open?attempt={inbound['id']}", **other)
    await handset.status("completed")
    assert (await handset.story())["status"] == "in_progress"
    turn_no = (await survey_row(line, handset.survey_id))["turn_no"]
    await handset.turn(turn_no, SpeechResult="too slow")
    await handset.turn(turn_no + 1, Digits="2")
    story = await handset.story()
    assert (story["status"], story["response"]["comment"]) == ("completed", "too slow")


async def test_a_carrier_that_cannot_be_asked_is_asked_again_later(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.status("in-progress")
    carrier = line.services.carrier
    assert carrier._twilio is not None
    transport = carrier._twilio.http_client
    address, transport._api_url = transport._api_url, "http://127.0.0.1:9"
    try:
        await line.services.tracking.reconcile(ReconcileAttempt(handset.attempt_id, 1))
    finally:
        transport._api_url = address
    assert len(await waiting(line, handset.survey_id, ReconcileAttempt)) == 1
    assert dispositions(await handset.story()) == [None]


async def test_a_call_the_carrier_knows_nothing_of_is_given_up(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.status("in-progress")
    await line.services.tracking.reconcile(ReconcileAttempt(handset.attempt_id, 1))
    story = await handset.story()
    assert (story["status"], dispositions(story)) == ("failed", ["failed"])


async def test_a_call_that_never_ends_is_given_up_in_the_end(line: Line) -> None:
    survey_id, _, _ = await rehearse(line, faults=Faults(callbacks="lost", network_seconds=3600))

    async def placed() -> bool:
        story = await line.story(survey_id)
        return bool(story["attempts"]) and story["attempts"][0]["placed_at"] is not None

    await eventually(placed)
    attempt = await row(line.services.pool, "SELECT id FROM attempts WHERE survey_id = %s", (survey_id,))
    await line.services.tracking.reconcile(ReconcileAttempt(attempt["id"], 11))
    assert (await line.story(survey_id))["status"] == "contacting"
    await line.services.tracking.reconcile(ReconcileAttempt(attempt["id"], 12))
    assert (await line.story(survey_id))["status"] == "failed"


async def test_news_of_an_attempt_we_do_not_know_is_taken_and_forgotten(line: Line) -> None:
    handset = await Handset.called(line)
    await execute(line.services.pool, "DELETE FROM attempts WHERE id = %s", (handset.attempt_id,))
    assert (await handset.status("completed")).status_code == 204
    assert (await handset.machine()).status_code == 204


async def test_news_of_another_call_does_not_settle_this_one(line: Line) -> None:
    handset = await Handset.called(line)
    await handset.open()
    await handset.status("completed", CallSid="CA" + "9" * 32)
    assert (await handset.status("completed", CallSid="")).status_code == 204
    story = await handset.story()
    assert (story["status"], dispositions(story)) == ("in_progress", [None])
