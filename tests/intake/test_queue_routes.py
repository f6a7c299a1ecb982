"""GET and PUT /api/v1/queues/{name}: what each queue does differently."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import pytest_asyncio

from app.config import Settings
from tests.intake.test_triggers import customer
from tests.line import Line, a_line

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False, daily_cap=3) as running:
        yield running


async def put(line: Line, name: str, overrides: Any, expect: int = 200) -> dict[str, Any]:
    answer = await line.http.put(f"/api/v1/queues/{quote(name, safe='')}", json=overrides)
    assert answer.status_code == expect, answer.text
    return dict(answer.json())


async def get(line: Line, name: str) -> dict[str, Any]:
    answer = await line.http.get(f"/api/v1/queues/{quote(name, safe='')}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_queue_that_nobody_has_set_up_overrides_nothing(line: Line) -> None:
    assert await get(line, "unheard-of") == {}


async def test_what_was_put_is_what_is_got_and_putting_replaces_it_all(line: Line) -> None:
    overrides = {"brand": "Północ", "ring_seconds": 20, "detect_machine": False, "sample_percent": 50}
    assert await put(line, "billing", overrides) == overrides
    assert await get(line, "billing") == overrides
    assert await put(line, "billing", {"daily_cap": 5}) == {"daily_cap": 5}
    assert await get(line, "billing") == {"daily_cap": 5}


@pytest.mark.parametrize("name", ["billing/europe", "Kundenservice – Süd", "a?b#c%d", "50% off", "é" * 200])
async def test_a_queue_may_have_any_name_that_an_interaction_may_give_it(line: Line, name: str) -> None:
    await put(line, name, {"sample_percent": 0})
    assert await get(line, name) == {"sample_percent": 0}
    assert (await line.trigger(queue=name, customer=customer()))["reason"] == "sampled_out"


@pytest.mark.parametrize("name", ["x" * 201, "nul\x00", " "])
async def test_a_name_that_no_interaction_can_give_is_refused(line: Line, name: str) -> None:
    problem = await put(line, name, {}, expect=422)
    assert [each["field"] for each in problem["errors"]] == ["name"]


@pytest.mark.parametrize(
    ("overrides", "fields"),
    [
        ({"daily_kap": 3}, ["daily_kap"]),
        ({"daily_cap": -1}, ["daily_cap"]),
        ({"daily_cap": True}, ["daily_cap"]),
        ({"sample_percent": 101}, ["sample_percent"]),
        ({"sample_percent": "half"}, ["sample_percent"]),
        ({"survey_every_days": 10**30}, ["survey_every_days"]),
        ({"calling_hours": "nine to five"}, ["calling_hours"]),
        ({"calling_hours": 9}, ["calling_hours"]),
        ({"consent_countries": ["Poland"]}, ["consent_countries"]),
        ({"country_hours": {"GB": "25:00-26:00"}}, ["country_hours"]),
        ({"max_age_hours": 1, "call_delay_seconds": 7200}, ["call_delay_seconds"]),
        ({"flow": "nsp"}, ["flow"]),
        ({"survey_by": "letter"}, ["survey_by"]),
        ({"max_attempts": 0}, ["max_attempts"]),
        ({"max_attempts": 6}, ["max_attempts"]),
        ({"retry_after_minutes": 10**12}, ["retry_after_minutes"]),
        ({"ring_seconds": 1}, ["ring_seconds"]),
        ({"brand": ""}, ["brand"]),
        ({"brand": "nul\x00"}, ["brand"]),
        ({"brand": "bell\x07"}, ["brand"]),
        ({"brand": "two\nlines"}, ["brand"]),
        ({"half\ud800": 1, "daily_cap": -1}, ["daily_cap", "half?"]),
        ({"daily_cap": -1, "min_talk_seconds": "x"}, ["daily_cap", "min_talk_seconds"]),
        ([], ["body"]),
        ("text", ["body"]),
    ],
)
async def test_a_bad_override_is_refused_by_name_and_changes_nothing(
    line: Line, overrides: Any, fields: list[str]
) -> None:
    name = f"kept-{uuid4().hex}"
    await put(line, name, {"sample_percent": 7})
    answer = await line.http.put(
        f"/api/v1/queues/{name}", content=json.dumps(overrides), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert sorted(each["field"] for each in answer.json()["errors"]) == fields
    assert await get(line, name) == {"sample_percent": 7}


async def test_null_lifts_a_rule_of_the_deployment(line: Line) -> None:
    await put(line, "unlimited", {"daily_cap": None, "brand": None})
    assert await get(line, "unlimited") == {"daily_cap": None}
    decided = [await line.trigger(queue="unlimited", customer=customer()) for _ in range(5)]
    assert [each["reason"] for each in decided] == [None] * 5
    decided = [await line.trigger(queue="limited", customer=customer()) for _ in range(5)]
    assert [each["reason"] for each in decided] == [None] * 3 + ["daily_cap"] * 2


async def test_null_removes_a_countrys_row(line: Line) -> None:
    who = customer(phone="+33612345678")
    await put(line, "paris", {"calling_hours": "03:00-04:00", "country_hours": {"FR": None}})
    decided = await line.trigger(queue="paris", customer=who)
    assert decided["reason"] is None
    assert (await get(line, "paris"))["country_hours"] == {"FR": None}


async def test_a_queues_channel_is_asked_by_where_the_interaction_names_none(line: Line) -> None:
    await put(line, "quiet", {"survey_by": "voice"})
    decided = await line.trigger(queue="quiet", channel="chat", survey_by=None, customer=customer())
    story = await line.story(decided["survey_id"])
    assert story["channel"] == "voice"
