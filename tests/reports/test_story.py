"""GET /api/v1/surveys/{id}: everything that happened with one survey, after real calls."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.config import Settings
from app.rehearsal.twilio.faults import Faults
from tests.intake.test_triggers import customer
from tests.line import DONE, Line, a_line, eventually
from tests.rows import row

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings) as running:
        yield running


async def called(line: Line, script: str, **changes: Any) -> dict[str, Any]:
    """The story of a call to someone new who follows the script."""
    who = changes.pop("customer", None) or customer()
    return await line.survey(who["phone"], script, customer=who, **changes)


async def test_a_survey_that_waits_has_a_due_time_and_no_more(line: Line) -> None:
    await line.http.put("/api/v1/queues/later", json={"call_delay_seconds": 3600})
    ended = datetime.now(UTC)
    decided = await line.trigger(
        id="waits", queue="later", language="nb", ended_at=ended.isoformat(), customer=customer()
    )
    story = await line.story(decided["survey_id"])
    assert story | {"due_at": None} == {
        "survey_id": decided["survey_id"],
        "interaction_id": "waits",
        "queue": "later",
        "agent": "anna",
        "channel": "voice",
        "language": "nb",
        "status": "scheduled",
        "reason": None,
        "due_at": None,
        "attempts": [],
        "turns": [],
        "response": None,
        "deliveries": [],
    }
    assert datetime.fromisoformat(story["due_at"]) == ended + timedelta(hours=1)


async def test_a_finished_call_tells_its_attempt_its_turns_and_its_response(line: Line) -> None:
    story = await called(line, "10# | cheap and fast")
    assert story["status"] == "completed"
    (attempt,) = story["attempts"]
    assert (attempt["number"], attempt["channel"], attempt["direction"]) == (1, "voice", "outbound")
    assert [turn["number"] for turn in story["turns"]] == list(range(len(story["turns"])))
    assert story["turns"][0]["heard"] is None
    assert "ask_score" in story["turns"][0]["said"]
    assert "10" in json.dumps(story["turns"][1]["heard"])
    times = [datetime.fromisoformat(turn["at"]) for turn in story["turns"]]
    assert times == sorted(times)
    response = story["response"]
    assert datetime.fromisoformat(response.pop("answered_at")) == times[1]
    assert response.pop("flow_version")
    assert response == {
        "score": 10,
        "band": "promoter",
        "comment": "cheap and fast",
        "comment_source": "speech",
        "callback": None,
        "language": "en",
        "channel": "voice",
    }


async def test_a_detractors_wish_to_be_called_back_is_told(line: Line) -> None:
    story = await called(line, "0# | nobody answered | 1")
    assert (story["response"]["score"], story["response"]["band"]) == (0, "detractor")
    assert story["response"]["callback"] is True


async def test_hanging_up_after_the_score_leaves_a_partial_response(line: Line) -> None:
    story = await called(line, "7# | /hangup")
    assert story["status"] == "partial"
    assert (story["response"]["score"], story["response"]["comment"]) == (7, None)


async def test_opting_out_ends_the_survey_without_a_response(line: Line) -> None:
    story = await called(line, "*")
    assert (story["status"], story["response"]) == ("opted_out", None)


async def test_a_number_that_the_carrier_refuses_is_a_failure_with_its_code(line: Line) -> None:
    who = customer()
    line.carrier.fault_plan.tell(Faults(rest="refuses", refusal=21211), who["phone"])
    story = await called(line, "9#", customer=who)
    assert (story["status"], story["reason"]) == ("failed", "carrier_refused")
    (attempt,) = story["attempts"]
    assert (attempt["disposition"], attempt["error_code"]) == ("refused", 21211)


async def test_a_busy_line_is_tried_again_later_and_the_story_says_when(line: Line) -> None:
    who = customer()
    line.carrier.fault_plan.tell(Faults(pickup="busy"), who["phone"])
    decided = await line.trigger(customer=who)

    story: dict[str, Any] = {}

    async def tried() -> bool:
        story.update(await line.story(decided["survey_id"]))
        return bool(story["attempts"] and story["attempts"][0]["disposition"])

    await eventually(tried)
    assert (story["status"], story["attempts"][0]["disposition"]) == ("scheduled", "busy")
    assert datetime.fromisoformat(story["due_at"]) > datetime.now(UTC) + timedelta(hours=3)


async def test_a_story_names_nobody(line: Line) -> None:
    who = customer(name="Ewa Kowalska", email="ewa@example.com")
    story = await called(line, "9# | fine", customer=who)
    told = json.dumps(story)
    for private in (who["phone"], who["phone"].lstrip("+"), who["crm_id"], "Kowalska", "ewa@example.com"):
        assert private not in told


async def test_many_calls_at_once_add_up_to_their_stories(line: Line) -> None:
    scripts = [
        "10# | fast",
        "0# | slow | 2",
        "8# | so so",
        "9# | /hangup",
        "/hangup",
        "*",
        "5# | /hangup",
    ] * 4
    people = [customer() for _ in scripts]
    line.scripts |= {who["phone"]: script for who, script in zip(people, scripts, strict=True)}
    decided = [await line.trigger(queue="rush", customer=who) for who in people]

    async def all_done() -> bool:
        # Rarely: whoever asks all the time keeps the calls from being placed.
        await asyncio.sleep(0.2)
        done = "SELECT count(*) AS done FROM surveys WHERE queue = 'rush' AND status = ANY(%s)"
        told = await row(line.services.pool, done, (list(DONE),))
        return bool(told["done"] == len(scripts))

    await eventually(all_done)
    stories = [await line.story(each["survey_id"]) for each in decided]
    bands = Counter(story["response"]["band"] for story in stories if story["response"])
    assert bands == {"promoter": 8, "detractor": 8, "passive": 4}
    (told,) = await line.report(queue="rush")
    assert told["invited"] == len(scripts)
    assert (told["responses"], told["promoters"], told["passives"], told["detractors"]) == (20, 8, 4, 8)
    recount = await row(
        line.services.pool,
        "SELECT count(contacted_at) AS invited, count(reached_at) AS reached FROM surveys WHERE queue = 'rush'",
    )
    assert recount == {"invited": told["invited"], "reached": told["reached"]}
