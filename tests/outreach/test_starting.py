"""Placing an attempt: checked again, written down first, asked for once, whatever the carrier answers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from app.errors import CarrierBusy
from app.ivr import VoiceChannel
from app.outreach import LookUpAttempt, Pacer, StartAttempt
from app.outreach.pacing import Start
from app.ports import Contact
from app.rehearsal.twilio.faults import Faults, RestBehaviour
from app.store import suppressions, surveys
from tests.calls import (
    Handset,
    calls_to,
    counts,
    fresh_number,
    line_on,
    make_due,
    rehearse,
    settled,
    survey_row,
    waiting,
)
from tests.line import Line, eventually
from tests.rows import execute, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with line_on(module_database_url, tmp_path_factory.mktemp("line")) as running:
        running.services.carrier._http.timeout = httpx.Timeout(0.5)
        yield running


async def later(line: Line, survey_id: str) -> float:
    """In how many minutes the survey's next attempt starts; the one that begins at once has been made."""
    found: list[float] = []

    async def planned() -> bool:
        jobs = await waiting(line, survey_id, StartAttempt)
        found[:] = [
            (job["scheduled_at"] - datetime.now(UTC)).total_seconds() / 60
            for job in jobs
            if job["scheduled_at"]
        ]
        return len(found) == 1 and found[0] > 0

    await eventually(planned, lambda: found)
    return found[0]


async def test_a_number_that_cannot_be_called_ends_the_survey(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(rest="refuses", refusal=21211))
    story = await line.until(survey_id, "failed")
    assert story["reason"] == "carrier_refused"
    assert [(each["disposition"], each["error_code"]) for each in story["attempts"]] == [("refused", 21211)]
    assert calls_to(line, number) == 0
    assert await waiting(line, survey_id, StartAttempt) == []


async def test_somebody_who_told_the_carrier_to_stop_is_never_asked_again(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(rest="refuses", refusal=21610))
    story = await line.until(survey_id, "opted_out")
    assert story["attempts"][0]["disposition"] == "refused"
    answer = await line.trigger(
        queue=queue, customer={"crm_id": uuid4().hex, "phone": number, "consent": True}
    )
    assert (answer["decision"], answer["reason"]) == ("skipped", "opted_out")


async def test_wrong_credentials_hold_everything_and_lose_nothing(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(rest="refuses", refusal=20003), times=1)
    try:
        assert 4 < await later(line, survey_id) <= 5
        hold = await row(line.services.pool, "SELECT held_reason, held_until > now() AS held FROM pacing")
        assert hold["held"]
        assert "20003" in hold["held_reason"]
        assert (await line.story(survey_id))["attempts"] == []
        another, another_number, _ = await rehearse(line)
        assert await later(line, another) > 4
        assert calls_to(line, number) == calls_to(line, another_number) == 0
    finally:
        await execute(line.services.pool, "UPDATE pacing SET held_until = NULL")
    await make_due(line, survey_id, StartAttempt)
    await make_due(line, another, StartAttempt)
    await line.until(survey_id, "completed")
    await line.until(another, "completed")
    assert calls_to(line, number) == calls_to(line, another_number) == 1
    assert (await counts(line, queue))["invited"] == 1


async def test_too_many_requests_waits_and_tries_again_without_using_an_attempt_up(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(rest="too_many_requests"), times=1)
    assert 0.3 < await later(line, survey_id) <= 0.5
    story = await line.story(survey_id)
    assert (story["status"], story["attempts"]) == ("scheduled", [])
    await make_due(line, survey_id, StartAttempt)
    story = await line.until(survey_id, "completed")
    assert [each["number"] for each in story["attempts"]] == [1]
    assert calls_to(line, number) == 1


async def look_up_until_settled(line: Line, survey_id: str) -> None:
    await execute(
        line.services.pool,
        "UPDATE attempts SET begun_at = begun_at - interval '2 minutes' WHERE survey_id = %s",
        (survey_id,),
    )

    async def jobs_are_gone() -> bool:
        await make_due(line, survey_id, LookUpAttempt)
        return (await line.story(survey_id))["attempts"][0]["disposition"] is not None

    await eventually(jobs_are_gone)


@pytest.mark.parametrize("trouble", ["never_answers", "breaks_afterwards"])
async def test_a_call_that_was_placed_without_our_knowing_is_found_and_not_placed_again(
    line: Line, trouble: RestBehaviour
) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(rest=trouble), times=1)
    story = await line.until(survey_id, "completed")
    await look_up_until_settled(line, survey_id)
    assert calls_to(line, number) == 1
    assert [each["number"] for each in story["attempts"]] == [1]
    assert (await counts(line, queue))["invited"] == 1


@pytest.mark.parametrize("trouble", ["never_answers", "breaks_afterwards"])
async def test_it_is_found_by_looking_it_up_where_nobody_answered_it(
    line: Line, trouble: RestBehaviour
) -> None:
    faults = Faults(rest=trouble, pickup="busy", callbacks="lost")
    survey_id, number, _ = await rehearse(line, faults=faults, times=1)

    async def unknown() -> bool:
        return bool(await waiting(line, survey_id, LookUpAttempt))

    await eventually(unknown)
    (attempt,) = await rows(line.services.pool, "SELECT * FROM attempts WHERE survey_id = %s", (survey_id,))
    assert (attempt["status"], attempt["carrier_sid"]) == ("placing", None)
    await make_due(line, survey_id, LookUpAttempt)
    story = await settled(line, survey_id)
    assert story["attempts"][0]["disposition"] == "busy"
    (call,) = line.carrier.calls.find(lambda call: call.to == number)
    (attempt,) = await rows(line.services.pool, "SELECT * FROM attempts WHERE survey_id = %s", (survey_id,))
    assert attempt["carrier_sid"] == call.sid


async def test_a_call_that_was_not_placed_is_placed_later_and_no_attempt_is_used_up(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(rest="breaks"), times=1)

    async def unknown() -> bool:
        return bool(await waiting(line, survey_id, LookUpAttempt))

    await eventually(unknown)
    await look_up_until_settled(line, survey_id)
    story = await line.story(survey_id)
    assert (story["status"], story["attempts"][0]["disposition"]) == ("scheduled", "not_placed")
    assert 4 < await later(line, survey_id) <= 5
    assert calls_to(line, number) == 0
    # The person still has both attempts before them.
    line.carrier.fault_plan.tell(Faults(pickup="busy"), number, 2)
    await make_due(line, survey_id, StartAttempt)
    await settled(line, survey_id, 2)
    await make_due(line, survey_id, StartAttempt)
    story = await settled(line, survey_id, 3)
    assert [each["disposition"] for each in story["attempts"]] == ["not_placed", "busy", "busy"]
    assert story["status"] == "unreached"
    assert calls_to(line, number) == 2


async def test_a_call_to_the_same_number_for_somebody_else_is_not_taken_for_ours(line: Line) -> None:
    number = fresh_number()
    first, _, _ = await rehearse(line, customer={"phone": number})
    await line.until(first, "completed")
    line.carrier.fault_plan.tell(Faults(rest="breaks"), number, 1)
    queue = f"queue-{uuid4().hex}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"survey_every_days": 0})
    second, _, _ = await rehearse(line, customer={"phone": number}, queue=queue)

    async def unknown() -> bool:
        return bool(await waiting(line, second, LookUpAttempt))

    await eventually(unknown)
    await look_up_until_settled(line, second)
    assert (await line.story(second))["attempts"][0]["disposition"] == "not_placed"
    assert (await line.story(first))["status"] == "completed"
    assert calls_to(line, number) == 1


async def crashed(line: Line, *, placed: bool) -> tuple[Handset, str]:
    """A process that died after it had written the attempt; ``placed`` is whether the carrier had heard of it."""
    handset = await Handset.called(line)
    handset.line.scripts[handset.number] = "9# | fine"
    if placed:
        contact_of = line.services.planner.contact
        async with line.services.pool.connection() as connection:
            survey = await surveys.read(connection, UUID(handset.survey_id))
            assert survey is not None
            contact = await contact_of(connection, survey, handset.attempt_id)
        line.carrier.fault_plan.tell(Faults(pickup="no-answer", callbacks="lost"), handset.number, 1)
        await line.services.starter.channels["voice"].start(contact)
    await line.services.starter.start(StartAttempt(UUID(handset.survey_id), 1))
    return handset, handset.survey_id


async def test_after_a_crash_a_call_that_was_placed_is_adopted(line: Line) -> None:
    handset, survey_id = await crashed(line, placed=True)
    await make_due(line, survey_id, LookUpAttempt)
    story = await settled(line, survey_id)
    assert [each["disposition"] for each in story["attempts"]] == ["no_answer"]
    assert calls_to(line, handset.number) == 1


async def test_after_a_crash_a_call_that_was_not_placed_is_placed_later(line: Line) -> None:
    handset, survey_id = await crashed(line, placed=False)
    await look_up_until_settled(line, survey_id)
    assert calls_to(line, handset.number) == 0
    await execute(line.services.pool, "DELETE FROM queues WHERE name = %s", (handset.queue,))
    await make_due(line, survey_id, StartAttempt)
    await line.until(survey_id, "completed")
    assert calls_to(line, handset.number) == 1


async def test_a_job_that_runs_many_times_at_once_calls_once(line: Line) -> None:
    number, queue = fresh_number(), f"queue-{uuid4().hex}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 600})
    customer = {"crm_id": uuid4().hex, "phone": number, "consent": True}
    survey_id = (await line.trigger(queue=queue, customer=customer))["survey_id"]
    await line.http.put(f"/api/v1/queues/{queue}", json={})
    async with line.services.pool.connection() as connection:
        await line.services.jobs.defer(connection, *(StartAttempt(UUID(survey_id), 1) for _ in range(10)))
    await line.until(survey_id, "completed")
    await asyncio.sleep(1)
    assert calls_to(line, number) == 1
    assert len((await line.story(survey_id))["attempts"]) == 1


async def test_a_database_that_forgets_the_answer_does_not_cause_a_second_call(line: Line) -> None:
    """The carrier took the call, and the note of it got lost: the job's next run finds the call instead of calling."""
    handset, survey_id = await crashed(line, placed=True)
    for _ in range(3):
        await line.services.starter.start(StartAttempt(UUID(survey_id), 1))
    await make_due(line, survey_id, LookUpAttempt)
    await settled(line, survey_id)
    assert calls_to(line, handset.number) == 1


async def due_in_an_hour(line: Line, **changes: Any) -> tuple[str, str, str]:
    number, queue = fresh_number(), f"queue-{uuid4().hex}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 3600})
    customer = {"crm_id": f"crm-{number}", "phone": number, "consent": True}
    fields: dict[str, Any] = {"customer": customer} | changes
    decided = await line.trigger(queue=queue, **fields)
    await line.http.put(f"/api/v1/queues/{queue}", json={})
    return decided["survey_id"], number, queue


async def test_who_opts_out_before_the_call_is_not_called(line: Line) -> None:
    survey_id, number, _ = await due_in_an_hour(line)
    async with line.services.pool.connection() as connection:
        # Only the e-mail of an address book, say, so that nothing cancels the survey itself.
        await connection.execute(
            "INSERT INTO suppressions (address, channel) VALUES (%s, 'sms')", (f"phone:{number}",)
        )
    await make_due(line, survey_id, StartAttempt)
    story = await line.until(survey_id, "opted_out")
    assert (story["reason"], story["attempts"]) == ("opted_out", [])
    assert calls_to(line, number) == 0


async def test_an_opt_out_cancels_what_is_planned_at_once(line: Line) -> None:
    survey_id, number, _ = await due_in_an_hour(line)
    async with line.services.pool.connection() as connection:
        await suppressions.add(connection, suppressions.addresses_of(None, number, None), "sms")
    assert (await line.story(survey_id))["status"] == "opted_out"
    await make_due(line, survey_id, StartAttempt)
    await asyncio.sleep(0.5)
    assert calls_to(line, number) == 0


async def test_what_has_become_too_old_is_dropped(line: Line) -> None:
    survey_id, number, _ = await due_in_an_hour(line)
    await execute(
        line.services.pool,
        "UPDATE interactions SET ended_at = now() - interval '49 hours' WHERE phone = %s",
        (number,),
    )
    await make_due(line, survey_id, StartAttempt)
    story = await line.until(survey_id, "expired")
    assert story["reason"] == "too_old"
    assert calls_to(line, number) == 0


async def test_who_was_surveyed_meanwhile_is_left_in_peace(line: Line) -> None:
    survey_id, number, _ = await due_in_an_hour(line)
    await execute(
        line.services.pool,
        "INSERT INTO interactions (id, channel, queue, ended_at, language, survey_by, decision, received_at)"
        " VALUES (%s, 'voice', 'q', now(), 'en', 'voice', 'scheduled', now())",
        (f"other-{number}",),
    )
    await execute(
        line.services.pool,
        "INSERT INTO surveys"
        " (id, interaction_id, person, phone, queue, channel, language, status, due_at, contacted_at)"
        " VALUES (%s, %s, %s, %s, 'q', 'voice', 'en', 'completed', now(), now())",
        (uuid4(), f"other-{number}", f"crm:crm-{number}", number),
    )
    await make_due(line, survey_id, StartAttempt)
    story = await line.until(survey_id, "expired")
    assert story["reason"] == "surveyed_recently"
    assert calls_to(line, number) == 0


async def test_outside_the_hours_the_call_is_moved_to_the_next_window(line: Line) -> None:
    survey_id, number, queue = await due_in_an_hour(line)
    # "always" is this line's setting; the queue's own hours are closed now, and open in two hours.
    now = datetime.now(UTC)
    opens, closes = now + timedelta(hours=2), now + timedelta(hours=5)
    if opens.date() != closes.date():
        opens, closes = now - timedelta(hours=5), now - timedelta(hours=2)
    hours = f"{opens:%H:%M}-{closes:%H:%M}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"calling_hours": hours, "max_age_hours": 48})
    await execute(line.services.pool, "UPDATE interactions SET timezone = 'UTC' WHERE phone = %s", (number,))
    await make_due(line, survey_id, StartAttempt)
    assert await later(line, survey_id) > 60
    moved = await survey_row(line, survey_id)
    assert moved["status"] == "scheduled"
    assert moved["due_at"].strftime("%H:%M") == f"{opens:%H:%M}"
    assert calls_to(line, number) == 0


async def test_a_survey_that_is_over_is_not_called_for(line: Line) -> None:
    survey_id, number, _ = await rehearse(line)
    await line.until(survey_id, "completed")
    for attempt in (1, 2, 3):
        await line.services.starter.start(StartAttempt(UUID(survey_id), attempt))
    await line.services.starter.start(StartAttempt(uuid4(), 1))
    assert calls_to(line, number) == 1


async def test_a_survey_cancelled_while_the_carrier_was_busy_stays_cancelled(line: Line) -> None:
    survey_id, number, _ = await due_in_an_hour(line)
    services = line.services

    class Meanwhile(VoiceChannel):
        """A carrier that is busy, and while it says so the person writes STOP."""

        async def start(self, contact: Contact) -> str:
            async with services.pool.connection() as connection:
                await suppressions.add(connection, [f"phone:{contact.address}"], "sms")
            raise CarrierBusy("too many calls")

    busy = Meanwhile(services.carrier, services.settings.public_url)
    await replace(services.starter, channels={"voice": busy}).start(StartAttempt(UUID(survey_id), 1))
    story = await line.story(survey_id)
    assert (story["status"], story["attempts"]) == ("opted_out", [])
    await make_due(line, survey_id, StartAttempt)
    await asyncio.sleep(0.3)
    assert calls_to(line, number) == 0


async def test_an_attempt_that_another_has_begun_while_its_process_slept_is_not_placed_again(
    line: Line,
) -> None:
    """A machine that was suspended comes back when its job has long been taken over."""
    survey_id, number, _ = await due_in_an_hour(line)
    starter, job = line.services.starter, StartAttempt(UUID(survey_id), 1)
    pacer = starter.pacers["voice"]

    class Suspended(Pacer):
        async def next_slot(self, start: Start) -> bool:
            await starter.start(job)
            return await super().next_slot(start)

    asleep = Suspended(pacer.pool, pacer.sender, pacer.per_second)
    await replace(starter, pacers={"voice": asleep}).start(job)
    await line.until(survey_id, "completed")
    assert len((await line.story(survey_id))["attempts"]) == 1
    assert calls_to(line, number) == 1


async def test_an_attempt_that_was_given_up_while_its_process_slept_is_not_placed(line: Line) -> None:
    """It was begun, looked up, not found, and planned anew, before its process could ask for it."""
    survey_id, number, _ = await due_in_an_hour(line)
    pool, pacer = line.services.pool, line.services.starter.pacers["voice"]

    class Suspended(Pacer):
        async def next_slot(self, start: Start) -> bool:
            async with self.pool.connection() as connection:
                assert await start.begin(connection)
            await execute(
                pool,
                "UPDATE attempts SET begun_at = now() - interval '2 minutes' WHERE survey_id = %s",
                (survey_id,),
            )
            attempt = await row(pool, "SELECT id FROM attempts WHERE survey_id = %s", (survey_id,))
            await line.services.tracking.look_up(LookUpAttempt(attempt["id"], 3))
            async with self.pool.connection() as connection:
                await start.put_off(connection)
            return await super().next_slot(start)

    asleep = Suspended(pool, pacer.sender, pacer.per_second)
    await replace(line.services.starter, pacers={"voice": asleep}).start(StartAttempt(UUID(survey_id), 1))
    story = await line.story(survey_id)
    assert (story["status"], [each["disposition"] for each in story["attempts"]]) == (
        "scheduled",
        ["not_placed"],
    )
    assert calls_to(line, number) == 0
    await make_due(line, survey_id, StartAttempt)
    await line.until(survey_id, "completed")
    assert calls_to(line, number) == 1


async def test_whoever_calls_us_while_their_call_waits_for_its_slot_is_not_called(line: Line) -> None:
    survey_id, number, _ = await due_in_an_hour(line)
    services, pacer = line.services, line.services.starter.pacers["voice"]

    class Meanwhile(Pacer):
        async def next_slot(self, start: Start) -> bool:
            await services.conversations.open(UUID(survey_id), "CAinbound")
            return await super().next_slot(start)

    meanwhile = Meanwhile(services.pool, pacer.sender, pacer.per_second)
    await replace(services.starter, pacers={"voice": meanwhile}).start(StartAttempt(UUID(survey_id), 1))
    story = await line.story(survey_id)
    assert (story["status"], story["attempts"]) == ("in_progress", [])
    assert calls_to(line, number) == 0
