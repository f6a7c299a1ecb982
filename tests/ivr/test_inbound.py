"""Somebody calls the number that called them."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from app.outreach import ReconcileAttempt, StartAttempt
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller, read_script
from app.rehearsal.twilio import Request
from app.rehearsal.twilio.call import Call, CallRequest
from app.rehearsal.twilio.faults import Faults
from tests.calls import (
    Document,
    Handset,
    calls_to,
    counts,
    fresh_number,
    make_due,
    post,
    rehearse,
    settled,
    waiting,
)
from tests.line import OURS, Line
from tests.rows import execute, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def call_us(line: Line, number: str, script: str = "", faults: Faults | None = None) -> Call:
    """Somebody dials our number, and does what the script says until the call is over."""
    clock = PacedClock(0)
    phone = Phone(ScriptedCaller(read_script(script), clock), clock)
    request = CallRequest(OURS, number, Request(f"{line.services.settings.public_url}/twilio/voice"))
    call = line.carrier.receive(request, phone, faults or Faults())
    await line.carrier.quiet()
    assert call.alerts == []
    return call


def prompts(line: Line, language: str, *names: str) -> list[str]:
    wording = line.services.flows["nps"].wording(language)
    brand = {"brand": line.services.settings.brand}
    return [wording.text(wording.prompt(name, brand), "voice") for name in names]


async def suppressed(line: Line, number: str) -> bool:
    return bool(
        await rows(line.services.pool, "SELECT 1 FROM suppressions WHERE address = %s", (f"phone:{number}",))
    )


async def reconcile(line: Line, survey_id: str) -> dict[str, Any]:
    """The carrier sends no status of calls to us: their end is asked for."""
    await make_due(line, survey_id, ReconcileAttempt)

    async def over() -> dict[str, Any]:
        story = await line.story(survey_id)
        return story if all(each["disposition"] for each in story["attempts"]) else {}

    for _ in range(200):
        story = await over()
        if story:
            return story
        await asyncio.sleep(0.02)
    raise AssertionError(await line.story(survey_id))


async def test_who_missed_our_call_and_calls_back_is_asked_now(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup="no-answer"), language="pl")
    await settled(line, survey_id)
    call = await call_us(line, number, "10 | tanio i szybko")
    assert call.transcript.said_by_line()[:2] == prompts(line, "pl", "greeting", "ask_score")
    story = await line.until(survey_id, "completed")
    assert (story["response"]["score"], story["response"]["comment"]) == (10, "tanio i szybko")
    assert [each["direction"] for each in story["attempts"]] == ["outbound", "inbound"]
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}
    # The second attempt, planned before, is not made.
    await make_due(line, survey_id, StartAttempt)
    story = await reconcile(line, survey_id)
    await asyncio.sleep(0.3)
    assert calls_to(line, number) == 1
    assert [each["disposition"] for each in story["attempts"]] == ["no_answer", "answered"]


async def test_who_hung_up_half_way_is_taken_up_where_it_stood(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, "3# | /hangup")
    await settled(line, survey_id)
    call = await call_us(line, number, "too slow | 1")
    assert call.transcript.said_by_line()[:2] == prompts(line, "en", "resume_greeting", "recording_notice")
    story = await line.until(survey_id, "completed")
    response = story["response"]
    assert (response["score"], response["comment"], response["callback"]) == (3, "too slow", True)
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "detractors": 1}


async def test_who_hung_up_before_the_score_is_asked_for_it(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, "/hangup")
    await settled(line, survey_id)
    call = await call_us(line, number, "7 | fine")
    assert call.transcript.said_by_line()[:2] == prompts(line, "en", "resume_greeting", "ask_score")
    assert (await line.until(survey_id, "completed"))["response"]["score"] == 7
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "passives": 1}


async def test_who_calls_before_we_have_called_is_asked_at_once(line: Line) -> None:
    queue, number = f"queue-{uuid4().hex}", fresh_number()
    await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 3600})
    survey_id, _, _ = await rehearse(line, queue=queue, customer={"phone": number})
    await call_us(line, number, "9# | fine")
    assert (await line.until(survey_id, "completed"))["response"]["score"] == 9
    await make_due(line, survey_id, StartAttempt)
    await asyncio.sleep(0.3)
    assert calls_to(line, number) == 0
    assert (await counts(line, queue))["invited"] == 1


async def test_who_hangs_up_on_the_resumed_survey_leaves_what_there_is(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, "/hangup")
    await settled(line, survey_id)
    await call_us(line, number, "9# | /hangup")
    story = await reconcile(line, survey_id)
    assert (story["status"], story["response"]["score"]) == ("partial", 9)


async def test_who_has_answered_hears_who_had_called(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, language="nb")
    await line.until(survey_id, "completed")
    call = await call_us(line, number)
    assert call.transcript.said_by_line() == prompts(line, "nb", "inbound_unknown")
    assert len((await line.story(survey_id))["attempts"]) == 1


async def test_a_survey_left_unfinished_days_ago_is_not_taken_up(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, "/hangup")
    await settled(line, survey_id)
    await execute(
        line.services.pool,
        "UPDATE surveys SET created_at = now() - interval '3 days' WHERE id = %s",
        (survey_id,),
    )
    call = await call_us(line, number)
    assert call.transcript.said_by_line() == prompts(line, "en", "inbound_unknown")


async def test_a_stranger_hears_that_there_is_no_survey_for_them_and_may_opt_out(line: Line) -> None:
    number = fresh_number()
    call = await call_us(line, number, "!*")
    assert call.transcript.said_by_line() == prompts(line, "en", "inbound_no_survey", "opted_out")
    assert await suppressed(line, number)
    decided = await line.trigger(customer={"crm_id": uuid4().hex, "phone": number, "consent": True})
    assert decided["reason"] == "opted_out"


@pytest.mark.parametrize("script", ["", "5", "#"])
async def test_a_stranger_who_does_anything_else_is_left_alone(line: Line, script: str) -> None:
    number = fresh_number()
    call = await call_us(line, number, script)
    assert call.status == "completed"
    assert not await suppressed(line, number)


async def test_an_opt_out_on_the_way_in_cancels_what_is_planned(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="busy"))
    await settled(line, survey_id)
    call = await call_us(line, number, "*")
    assert call.transcript.said_by_line()[-1:] == prompts(line, "en", "opted_out")
    story = await line.until(survey_id, "opted_out")
    assert story["response"] is None
    await make_due(line, survey_id, StartAttempt)
    await asyncio.sleep(0.3)
    assert calls_to(line, number) == 1


async def test_a_call_that_is_announced_twice_is_one_call(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="busy"))
    await settled(line, survey_id)
    call = {"CallSid": f"CA{uuid4().hex}", "From": number, "To": OURS, "Direction": "inbound"}
    first, second = await asyncio.gather(post(line, "/twilio/voice", call), post(line, "/twilio/voice", call))
    assert first.content == second.content == (await post(line, "/twilio/voice", call)).content
    story = await line.story(survey_id)
    assert [each["direction"] for each in story["attempts"]] == ["outbound", "inbound"]
    assert len(await waiting(line, survey_id, ReconcileAttempt)) == 2


async def test_every_webhook_of_a_call_to_us_may_come_twice(line: Line) -> None:
    survey_id, number, queue = await rehearse(line, faults=Faults(pickup="busy"), times=1)
    await settled(line, survey_id)
    await call_us(line, number, "9# | fine", Faults(turns_twice=True, callbacks="twice"))
    story = await line.until(survey_id, "completed")
    assert len([turn for turn in story["turns"] if turn["heard"]]) == 2
    assert await counts(line, queue) == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_a_call_to_us_that_never_came_to_its_survey_leaves_the_plan_as_it_is(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="busy"), times=1)
    await settled(line, survey_id)
    call = {"CallSid": f"CA{uuid4().hex}", "From": number, "To": OURS, "Direction": "inbound"}
    await post(line, "/twilio/voice", call)  # and then the line breaks
    story = await reconcile(line, survey_id)
    assert story["status"] == "scheduled"
    await make_due(line, survey_id, StartAttempt)
    await line.until(survey_id, "completed")
    assert calls_to(line, number) == 2


@pytest.mark.parametrize(
    "sender",
    [
        "", "anonymous", "Anonymous", "+266696687", "client:anna", "sip:anna@example.org",
        "sip:anonymous@anonymous.invalid", "tel:", "sip:@pbx", "sip:7402@pbx", "\0", "9" * 5000,
    ],
)  # fmt: skip
async def test_a_caller_without_a_number_never_hears_that_we_called(line: Line, sender: str) -> None:
    for path in ("/twilio/voice", "/twilio/voice/opt-out"):
        page = Document.of(await post(line, path, {"CallSid": "CA1", "From": sender, "Digits": "*"}))
        assert page.status == 200
        assert page.said[0] in prompts(line, "en", "inbound_no_survey", "goodbye")


@pytest.mark.parametrize(
    "written", ["sip:{}@pbx.example", "sips:{}@10.0.0.7:5061;user=phone", "tel:{}", "SIP:%2B{}@pbx"]
)
async def test_a_transfer_from_a_pbx_is_known_by_the_number_in_its_address(line: Line, written: str) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="busy"))
    await settled(line, survey_id)
    sender = written.format(number.removeprefix("+") if "%2B" in written else number)
    page = Document.of(await post(line, "/twilio/voice", {"CallSid": f"CA{uuid4().hex}", "From": sender}))
    assert f"/{survey_id}/open" in (page.goes_on_at or "")


async def test_a_number_that_is_dialled_with_two_noughts_is_the_same(line: Line) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="busy"))
    await settled(line, survey_id)
    sender = f"sip:00{number.removeprefix('+')}@pbx"
    page = Document.of(await post(line, "/twilio/voice", {"CallSid": f"CA{uuid4().hex}", "From": sender}))
    assert f"/{survey_id}/open" in (page.goes_on_at or "")


@pytest.mark.parametrize("sender", ["anonymous", "sip:7402@pbx", "+48229999999"])
async def test_a_transfer_that_names_its_interaction_is_asked_at_once_and_not_called_later(
    line: Line, sender: str
) -> None:
    queue, number, interaction_id = f"queue-{uuid4().hex}", fresh_number(), f"call-{uuid4().hex}"
    await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 3600})
    survey_id, _, _ = await rehearse(line, queue=queue, customer={"phone": number}, id=interaction_id)
    form = {"CallSid": f"CA{uuid4().hex}", "From": sender, "SipHeader_X-Interaction": interaction_id}
    page = Document.of(await post(line, "/twilio/voice", form))
    assert page.goes_on_at is not None
    assert f"/{survey_id}/open" in page.goes_on_at
    path = page.goes_on_at.removeprefix(line.services.settings.public_url)
    asked = Document.of(await post(line, path, form))
    assert asked.said == prompts(line, "en", "greeting", "ask_score")
    await make_due(line, survey_id, StartAttempt)
    await asyncio.sleep(0.3)
    assert calls_to(line, number) == 0


@pytest.mark.parametrize("interaction_id", ["", "never-heard-of", "x" * 5000, "\0"])
async def test_a_header_that_names_nothing_leaves_the_number_to_tell(line: Line, interaction_id: str) -> None:
    survey_id, number, _ = await rehearse(line, faults=Faults(pickup="busy"))
    await settled(line, survey_id)
    form = {"CallSid": f"CA{uuid4().hex}", "From": number, "SipHeader_X-Interaction": interaction_id}
    page = Document.of(await post(line, "/twilio/voice", form))
    assert f"/{survey_id}/open" in (page.goes_on_at or "")


async def test_who_was_to_be_asked_but_never_contacted_does_not_hear_that_we_called(line: Line) -> None:
    queue, number = f"queue-{uuid4().hex}", fresh_number()
    await line.http.put(f"/api/v1/queues/{queue}", json={"call_delay_seconds": 3600})
    survey_id, _, _ = await rehearse(line, queue=queue, customer={"phone": number}, language="pl")
    await execute(line.services.pool, "UPDATE surveys SET status = 'expired' WHERE id = %s", (survey_id,))
    call = await call_us(line, number)
    assert call.transcript.said_by_line() == prompts(line, "pl", "inbound_no_survey")


async def test_a_survey_in_progress_is_not_asked_twice_by_two_calls(line: Line) -> None:
    """The later call takes over; what the earlier one still says is answered with the present question."""
    handset = await Handset.called(line)
    await handset.open()
    other = {"CallSid": f"CA{uuid4().hex}", "From": handset.number}
    leads = Document.of(await post(line, "/twilio/voice", other))
    assert leads.goes_on_at is not None
    path = leads.goes_on_at.removeprefix(line.services.settings.public_url)
    page = Document.of(await post(line, path, other))
    assert page.said == prompts(line, "en", "resume_greeting", "ask_score")
    stale = await handset.turn(1, Digits="2")
    assert stale.asks == page.asks
    assert (await handset.story())["response"] is None
