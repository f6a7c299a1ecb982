"""A message that draws no answer: one reminder, an end after a day, and the queue's next channel."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from app.outreach import ExpireAttempt, SendReminder, StartAttempt
from app.rehearsal.twilio.faults import Faults
from tests.calls import fresh_number, line_on, waiting
from tests.chatbot.texting import Texter
from tests.line import DONE, OURS_BY_WHATSAPP, Line
from tests.rows import execute, row

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEMPLATE = "HX" + "a" * 32


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    data_dir: Path = tmp_path_factory.mktemp("line")
    async with line_on(module_database_url, data_dir, brand="our company") as running:
        yield running


def somebody(line: Line, channel: str = "sms") -> Texter:
    return Texter(line, fresh_number(), channel)


async def queue(line: Line, name: str, **settings: Any) -> str:
    answer = await line.http.put(f"/api/v1/queues/{name}", json=settings)
    assert answer.status_code == 200, answer.text
    return name


async def last_attempt(line: Line, survey_id: str) -> UUID:
    found = await row(
        line.services.pool,
        "SELECT id FROM attempts WHERE survey_id = %s ORDER BY number DESC LIMIT 1",
        (survey_id,),
    )
    return UUID(str(found["id"]))


async def remind(line: Line, survey_id: str) -> None:
    await line.services.reminders.remind(SendReminder(await last_attempt(line, survey_id)))


async def expire(line: Line, survey_id: str) -> None:
    await line.services.reminders.expire(ExpireAttempt(await last_attempt(line, survey_id)))


async def test_a_reminder_and_an_end_are_planned_from_the_first_message(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    now = datetime.now(UTC)
    [reminder] = await waiting(line, survey_id, SendReminder)
    [end] = await waiting(line, survey_id, ExpireAttempt)
    assert abs(reminder["scheduled_at"] - now - timedelta(hours=20)) < timedelta(minutes=1)
    assert abs(end["scheduled_at"] - now - timedelta(hours=24)) < timedelta(minutes=1)


async def test_one_reminder_asks_the_question_again_and_is_answered(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    await remind(line, survey_id)
    await remind(line, survey_id)
    first, reminder = texter.inbox()
    assert "How likely" in first.body
    assert reminder.body.startswith("our company survey, where we stopped. STOP to opt out. How likely")
    await texter.writes("7")
    assert (await line.story(survey_id))["response"]["score"] == 7


async def test_nobody_is_reminded_after_an_answer_or_a_stop(line: Line) -> None:
    for words in ("9", "hm?", "STOP"):
        texter = somebody(line)
        survey_id = await texter.asked()
        await texter.writes(words)
        await remind(line, survey_id)
        assert len(texter.inbox()) == 1


async def test_a_reminder_waits_for_the_calling_hours(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked(queue=await queue(line, "office", calling_hours="always"))
    hours = "14:00-15:00" if datetime.now(UTC).hour < 12 else "02:00-03:00"
    await queue(line, "office", calling_hours=hours)
    await execute(
        line.services.pool, "UPDATE interactions SET timezone = 'UTC' WHERE phone = %s", (texter.phone,)
    )
    await remind(line, survey_id)
    assert len(texter.inbox()) == 1
    times = sorted(each["scheduled_at"] for each in await waiting(line, survey_id, SendReminder))
    assert len(times) == 2
    assert times[0] > datetime.now(UTC)


async def test_a_reminder_that_the_carrier_does_not_take_is_given_up(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    line.carrier.fault_plan.tell(Faults(rest="too_many_requests"), texter.phone, times=1)
    await remind(line, survey_id)
    await remind(line, survey_id)
    assert len(texter.inbox()) == 1
    await texter.writes("8")
    assert (await line.story(survey_id))["response"]["score"] == 8


async def test_the_day_ends_a_survey_that_nobody_answered(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    await expire(line, survey_id)
    story = await line.story(survey_id)
    assert (story["status"], story["reason"], story["response"]) == ("unreached", "no_answer", None)
    assert await texter.writes("9") == ""


async def test_the_day_ends_a_survey_half_way_and_keeps_the_score(line: Line) -> None:
    texter = somebody(line)
    survey_id = await texter.asked()
    await texter.writes("2")
    await expire(line, survey_id)
    story = await line.story(survey_id)
    assert (story["status"], story["response"]["score"]) == ("partial", 2)


async def test_the_next_channel_follows_a_phone_that_nobody_answers(line: Line) -> None:
    name = await queue(line, "voice-sms", channels=["voice", "sms"], max_attempts=2, retry_after_minutes=1)
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(pickup="no-answer"), texter.phone)
    decided = await line.trigger(
        queue=name, survey_by=None, customer={"crm_id": texter.crm_id, "phone": texter.phone, "consent": True}
    )
    survey_id = decided["survey_id"]
    story = await line.until(survey_id, "scheduled")
    while len(story["attempts"]) < 1 or story["attempts"][-1]["disposition"] is None:
        story = await line.story(survey_id)
    assert (story["channel"], texter.inbox()) == ("voice", [])
    await line.services.starter.start(StartAttempt(UUID(survey_id), 2))
    first = await texter.got(1)
    assert first.body.startswith("our company automated survey")
    await texter.writes("10")
    await texter.writes("skip")
    story = await line.until(survey_id, *DONE)
    while story["attempts"][-1]["disposition"] is None:
        story = await line.story(survey_id)
    assert [(each["channel"], each["disposition"]) for each in story["attempts"]] == [
        ("voice", "no_answer"),
        ("voice", "no_answer"),
        ("sms", "delivered"),
    ]
    assert (story["status"], story["response"]["channel"]) == ("completed", "sms")
    counted = {each["group"]: each for each in await line.report(group_by="channel", queue=name)}
    assert [(each, counted[each]["invited"], counted[each]["responses"]) for each in sorted(counted)] in (
        [("sms", 1, 1)],
        [("sms", 1, 1), ("voice", 0, 0)],
    )


async def test_a_number_that_refuses_calls_gets_a_message_at_once(line: Line) -> None:
    name = await queue(line, "refusing", channels=["voice", "sms"])
    texter = somebody(line)
    line.carrier.fault_plan.tell(Faults(rest="refuses", refusal=13224), texter.phone, times=1)
    survey_id = await texter.triggered(queue=name, survey_by="voice")
    await texter.got(1)
    story = await line.until(survey_id, "in_progress")
    assert story["attempts"][0]["disposition"] == "refused"


async def test_after_an_answer_no_other_channel_follows(line: Line) -> None:
    name = await queue(line, "once", channels=["sms", "voice"])
    texter = somebody(line)
    survey_id = await texter.asked(queue=name)
    await texter.writes("5")
    await expire(line, survey_id)
    story = await line.until(survey_id, *DONE)
    assert (story["status"], len(story["attempts"])) == ("partial", 1)


async def test_a_message_without_an_answer_is_followed_by_a_call_where_the_queue_says_so(line: Line) -> None:
    name = await queue(line, "sms-voice", channels=["sms", "voice"])
    texter = somebody(line)
    survey_id = await texter.asked(queue=name)
    assert line.carrier.calls.find(lambda call: call.to == texter.phone) == []
    await expire(line, survey_id)
    story = await line.until(survey_id, *DONE)
    assert (story["status"], story["response"]["score"], story["channel"]) == ("completed", 9, "voice")
    assert await texter.writes("3") == ""


async def test_the_rules_are_asked_again_before_the_next_channel(line: Line) -> None:
    name = await queue(line, "ruled", channels=["sms", "voice"])
    texter = somebody(line)
    survey_id = await texter.asked(queue=name)
    await execute(
        line.services.pool,
        "UPDATE interactions SET ended_at = ended_at - interval '3 days' WHERE phone = %s",
        (texter.phone,),
    )
    await expire(line, survey_id)
    assert (await line.story(survey_id))["status"] == "unreached"


async def test_whatsapp_is_free_within_its_24_hours(line: Line) -> None:
    texter = somebody(line, "whatsapp")
    await texter.asked(channel="whatsapp")
    [first] = texter.inbox()
    assert first.from_ == f"whatsapp:{OURS_BY_WHATSAPP}"
    assert first.body.startswith("our company automated survey. STOP to opt out.\nHow likely")
    assert "main reason" in await texter.writes("9")


async def test_whatsapp_begins_with_a_template_after_its_24_hours(line: Line) -> None:
    name = await queue(line, "template", whatsapp_templates={"en": TEMPLATE})
    texter = somebody(line, "whatsapp")
    survey_id = await texter.asked(queue=name)
    [first] = texter.inbox()
    assert (first.body, first.content_sid, first.content_variables) == ("", TEMPLATE, '{"1": "our company"}')
    assert "main reason" in await texter.writes("9")
    assert (await line.story(survey_id))["response"]["channel"] == "whatsapp"


async def test_whatsapp_without_a_template_gives_way_to_the_next_channel(line: Line) -> None:
    name = await queue(line, "sms-instead", channels=["whatsapp", "sms"])
    texter = somebody(line, "whatsapp")
    survey_id = await texter.triggered(queue=name)
    by_sms = Texter(line, texter.phone)
    assert (await by_sms.got(1)).body.startswith("our company automated survey")
    assert (await line.until(survey_id, "in_progress"))["channel"] == "sms"


async def test_whatsapp_without_a_template_or_another_channel_is_dropped_with_the_reason(line: Line) -> None:
    texter = somebody(line, "whatsapp")
    story = await line.until(await texter.triggered(), *DONE)
    assert (story["status"], story["reason"]) == ("expired", "template_required")


async def test_a_channel_that_is_offered_no_more_gives_way_to_the_next(line: Line) -> None:
    name = await queue(line, "no-more", channels=["whatsapp", "sms"], call_delay_seconds=3600)
    texter = somebody(line, "whatsapp")
    survey_id = await texter.triggered(queue=name)
    await queue(line, name, channels=["whatsapp", "sms"])
    starter = line.services.starter
    fewer = {name: each for name, each in starter.channels.items() if name != "whatsapp"}
    without = replace(starter, channels=fewer, tracking=replace(line.services.tracking, channels=fewer))
    await without.start(StartAttempt(UUID(survey_id), 1))
    assert (await Texter(line, texter.phone).got(1)).body


async def test_whoever_has_just_written_by_whatsapp_may_be_written_to(line: Line) -> None:
    texter = somebody(line, "whatsapp")
    assert await texter.writes("good morning") == ""
    await texter.asked()
    assert texter.inbox()[0].body


async def test_a_window_that_closed_meanwhile_gives_way_to_the_next_channel(line: Line) -> None:
    name = await queue(line, "closed", channels=["whatsapp", "sms"])
    texter = somebody(line, "whatsapp")
    line.carrier.fault_plan.tell(Faults(message="undelivered", message_error=63016), texter.address)
    survey_id = await texter.triggered(queue=name, channel="whatsapp")
    assert (await Texter(line, texter.phone).got(1)).body
    assert (await line.until(survey_id, "in_progress"))["channel"] == "sms"


async def test_no_reminder_goes_by_whatsapp_once_its_24_hours_are_over(line: Line) -> None:
    name = await queue(line, "no-reminder", whatsapp_templates={"en": TEMPLATE})
    texter = somebody(line, "whatsapp")
    survey_id = await texter.asked(queue=name)
    await remind(line, survey_id)
    assert len(texter.inbox()) == 1


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"channels": []}, "channels"),
        ({"channels": ["sms", "sms"]}, "channels"),
        ({"channels": ["chat"]}, "channels.0"),
        ({"channels": ["sms"], "survey_by": "voice"}, "survey_by"),
        ({"whatsapp_templates": {"en": "welcome"}}, "whatsapp_templates.en"),
    ],
)
async def test_an_order_of_channels_that_cannot_be_is_refused(
    line: Line, settings: dict[str, Any], field: str
) -> None:
    answer = await line.http.put("/api/v1/queues/wrong", json=settings)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
