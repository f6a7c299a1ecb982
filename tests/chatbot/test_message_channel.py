"""Sending: one message for each attempt, whatever the carrier says of it, in whatever order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from app.config import Settings
from app.outreach import LookUpAttempt, ReconcileAttempt, StartAttempt
from app.rehearsal.twilio.faults import Faults
from tests.calls import fresh_number, line_on, waiting
from tests.chatbot.texting import Texter, post
from tests.line import DONE, Line, a_line, eventually
from tests.rows import execute, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    data_dir: Path = tmp_path_factory.mktemp("line")
    async with line_on(module_database_url, data_dir, brand="our company") as running:
        yield running


def somebody(line: Line) -> Texter:
    return Texter(line, fresh_number())


async def queue(line: Line, name: str, **settings: Any) -> str:
    answer = await line.http.put(f"/api/v1/queues/{name}", json=settings)
    assert answer.status_code == 200, answer.text
    return name


async def attempt_of(line: Line, survey_id: str) -> dict[str, Any]:
    return await row(
        line.services.pool,
        "SELECT id::text, status, disposition, carrier_sid, error_code FROM attempts WHERE survey_id = %s"
        " ORDER BY number DESC LIMIT 1",
        (survey_id,),
    )


async def until_sent(line: Line, survey_id: str) -> dict[str, Any]:
    """The survey's last attempt, once the carrier has taken it."""
    found: dict[str, Any] = {}

    async def sent() -> bool:
        rows_of = await rows(line.services.pool, "SELECT 1 FROM attempts WHERE survey_id = %s", (survey_id,))
        if rows_of:
            found.update(await attempt_of(line, survey_id))
        return found.get("carrier_sid") is not None

    await eventually(sent, lambda: found)
    return found


async def test_a_carrier_that_is_busy_is_asked_again_and_the_person_is_greeted(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(rest="too_many_requests"), texter.phone, times=1)
    survey_id = await texter.triggered()

    async def postponed() -> bool:
        [job] = await waiting(line, survey_id, StartAttempt) or [{"scheduled_at": datetime.now(UTC)}]
        return bool(job["scheduled_at"] > datetime.now(UTC) + timedelta(seconds=10))

    await eventually(postponed)
    assert ((await line.story(survey_id))["attempts"], texter.inbox()) == ([], [])
    await line.services.starter.start(StartAttempt(UUID(survey_id), 1))
    assert (await texter.got(1)).body.startswith("our company automated survey.")


async def test_a_message_whose_fate_is_unknown_is_looked_up_and_never_sent_twice(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(rest="breaks_afterwards", callbacks="lost"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    assert attempt["carrier_sid"] == texter.inbox()[0].sid
    assert len(texter.inbox()) == 1
    assert "main reason" in await texter.writes("10")


async def test_a_message_that_was_never_taken_is_sent_later_with_a_greeting(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(rest="breaks"), texter.phone, times=1)
    survey_id = await texter.triggered()
    to_look_up: list[dict[str, Any]] = []

    async def unknown() -> bool:
        to_look_up[:] = await rows(
            line.services.pool,
            "SELECT attempts.id FROM attempts JOIN procrastinate_jobs ON args->>'attempt_id' = attempts.id::text"
            " WHERE task_name = 'look_up_attempt' AND survey_id = %s",
            (survey_id,),
        )
        return bool(to_look_up)

    await eventually(unknown)
    await execute(
        line.services.pool,
        "UPDATE attempts SET begun_at = begun_at - interval '2 minutes' WHERE survey_id = %s",
        (survey_id,),
    )
    await line.services.tracking.look_up(LookUpAttempt(to_look_up[0]["id"], 3))
    story = await line.story(survey_id)
    assert (story["status"], story["attempts"][0]["disposition"]) == ("scheduled", "not_placed")
    await line.services.starter.start(StartAttempt(UUID(survey_id), 2))
    assert (await texter.got(1)).body.startswith("our company automated survey.")


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "queued"])))
async def test_delivery_callbacks_come_in_any_order_and_twice(line: Line, order: tuple[str, ...]) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(callbacks="lost"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    for status in (*order, *order):
        await texter.reports(attempt["id"], attempt["carrier_sid"], status)
    assert (await attempt_of(line, survey_id))["disposition"] == "delivered"
    assert (await line.story(survey_id))["status"] == "in_progress"


@pytest.mark.parametrize("code", [30003, 30008])
async def test_a_phone_that_is_off_is_tried_once_more_later(line: Line, code: int) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(message="undelivered", message_error=code), texter.phone)
    survey_id = await texter.triggered()
    story = await line.until(survey_id, "scheduled")
    await texter.got(1)
    story = await line.until(survey_id, "scheduled")
    assert [each["error_code"] for each in story["attempts"]] == [code]
    await line.services.starter.start(StartAttempt(UUID(survey_id), 2))
    assert (await texter.got(2)).body == texter.inbox()[0].body
    story = await line.until(survey_id, *DONE)
    assert (story["status"], story["reason"]) == ("unreached", "failed")


@pytest.mark.parametrize("code", [30005, 30006, 30034])
async def test_a_number_that_takes_no_messages_is_not_tried_again(line: Line, code: int) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(message="undelivered", message_error=code), texter.phone)
    story = await line.until(await texter.triggered(), *DONE)
    assert (story["status"], story["attempts"][0]["error_code"]) == ("failed", code)
    assert len(texter.inbox()) == 1


@pytest.mark.parametrize(
    "faults", [Faults(rest="refuses", refusal=21610), Faults(message="failed", message_error=21610)]
)
async def test_whoever_opted_out_at_the_carrier_is_suppressed(line: Line, faults: Faults) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(faults, texter.phone)
    story = await line.until(await texter.triggered(), *DONE)
    assert story["status"] == "opted_out"
    customer = {"crm_id": texter.crm_id, "consent": True}
    assert (await line.trigger(customer=customer, survey_by="chat"))["reason"] == "opted_out"


async def test_a_message_that_was_reported_lost_and_then_arrives_is_not_sent_again(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(callbacks="lost"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    await texter.reports(attempt["id"], attempt["carrier_sid"], "undelivered", 30008)
    await line.until(survey_id, "scheduled")
    await texter.reports(attempt["id"], attempt["carrier_sid"], "delivered")
    await line.services.starter.start(StartAttempt(UUID(survey_id), 2))
    assert len(texter.inbox()) == 1
    assert "main reason" in await texter.writes("10")
    assert (await line.story(survey_id))["response"]["score"] == 10


async def test_an_answer_counts_even_if_its_question_is_reported_lost(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(callbacks="lost"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    await texter.writes("3")
    await texter.reports(attempt["id"], attempt["carrier_sid"], "undelivered", 30008)
    story = await line.story(survey_id)
    assert (story["status"], story["response"]["score"]) == ("in_progress", 3)


async def test_a_message_without_a_receipt_is_looked_at_and_taken_as_sent(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(callbacks="lost", message="sent"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    await line.services.tracking.reconcile(ReconcileAttempt(UUID(attempt["id"]), 1))
    assert (await attempt_of(line, survey_id))["disposition"] is None
    message = texter.inbox()[0]
    message.created = message.created.replace(year=message.created.year - 1)
    await line.services.tracking.reconcile(ReconcileAttempt(UUID(attempt["id"]), 2))
    assert (await attempt_of(line, survey_id))["disposition"] == "sent"
    assert (await line.story(survey_id))["status"] == "in_progress"


async def test_a_survey_that_was_stopped_meanwhile_is_not_sent(line: Line) -> None:
    texter = somebody(line)
    name = await queue(line, "tomorrow", call_delay_seconds=3600)
    survey_id = await texter.triggered(queue=name)
    await texter.writes("STOP")
    await line.services.starter.start(StartAttempt(UUID(survey_id), 1))
    assert texter.inbox() == []


async def test_a_forged_status_changes_nothing(line: Line) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(callbacks="lost"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    path = f"/twilio/attempts/{attempt['id']}/message-status"
    form = {"MessageSid": attempt["carrier_sid"], "MessageStatus": "failed"}
    assert (await line.http.post(path, data=form)).status_code == 403
    assert (await attempt_of(line, survey_id))["disposition"] is None


@pytest.mark.parametrize("code", ["9" * 20, "-1", "x", "", "\u0663\u0660", "1e3"])
async def test_an_odd_error_code_is_passed_over(line: Line, code: str) -> None:
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(callbacks="lost"), texter.phone)
    survey_id = await texter.triggered()
    attempt = await until_sent(line, survey_id)
    form = {"MessageSid": attempt["carrier_sid"], "MessageStatus": "failed", "ErrorCode": code}
    assert (await post(line, f"/twilio/attempts/{attempt['id']}/message-status", form)).status_code == 204
    ended = await attempt_of(line, survey_id)
    assert (ended["disposition"], ended["error_code"]) == ("failed", None)


async def test_messages_leave_no_faster_than_the_sender_may(settings: Settings) -> None:
    async with a_line(settings, messages_per_second=10.0) as slow:
        people = [Texter(slow, fresh_number()) for _ in range(25)]
        await asyncio.gather(*(each.triggered() for each in people))
        for each in people:
            await each.got(1)
        sent = sorted(each.inbox()[0].created for each in people)
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(sent, sent[10:], strict=False)]
    # Slots are exact (tests of pacing); what is measured here is when a message arrived, on a machine that may be busy.
    assert min(gaps) > 0.8
    assert (sent[-1] - sent[0]).total_seconds() > 2.3
