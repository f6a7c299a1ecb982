"""POST /api/v1/interactions:batch: thousands at once, in one statement path."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from psycopg import AsyncCursor

from app.config import Settings
from app.intake.routes import AT_A_TIME, BATCHES_AT_ONCE
from tests.intake.test_triggers import customer, queue
from tests.line import Line, a_line, interaction
from tests.rows import jobs_of, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


async def post(line: Line, items: list[Any], expect: int = 202) -> Any:
    answer = await line.http.post(
        "/api/v1/interactions:batch",
        content=json.dumps(items),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == expect, answer.text
    return answer.json()


def items(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [interaction(customer=customer(), **changes) for _ in range(count)]


async def test_five_thousand_at_once_are_decided_in_a_handful_of_statements_for_each_part(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    execute = AsyncCursor.execute

    async def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(str(query)[:60])
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(AsyncCursor, "execute", counted)
    batch = items(5000, queue="large")
    started = time.perf_counter()
    answers = await post(line, batch)
    print(f"\n5,000 interactions in {time.perf_counter() - started:.2f} s, {len(statements)} statements")  # noqa: T201  for whoever runs it with -s
    monkeypatch.undo()
    assert len(statements) < 15 * 5000 / AT_A_TIME
    assert [each["interaction_id"] for each in answers] == [item["id"] for item in batch]
    assert Counter(each["decision"] for each in answers) == {"scheduled": 5000}
    stored = await row(
        line.services.pool,
        "SELECT count(*) AS surveys, count(job.id) AS jobs, count(DISTINCT job.args->>'survey_id') AS jobs_for"
        " FROM surveys LEFT JOIN procrastinate_jobs AS job"
        " ON job.args->>'survey_id' = surveys.id::text AND job.scheduled_at = surveys.due_at"
        " WHERE queue = 'large'",
    )
    assert stored == {"surveys": 5000, "jobs": 5000, "jobs_for": 5000}


async def test_more_than_five_thousand_are_refused_whole(line: Line) -> None:
    problem = await post(line, [{}] * 5001, expect=422)
    assert problem["errors"] == [{"field": "body", "message": "at most 5000 interactions at once"}]


async def test_an_empty_batch_answers_with_nothing(line: Line) -> None:
    assert await post(line, []) == []


@pytest.mark.parametrize("body", [{}, {"items": []}, "text", None, 7])
async def test_what_is_no_array_is_a_problem(line: Line, body: Any) -> None:
    problem = await post(line, body, expect=422)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid_fields", "body")


async def test_bad_items_answer_for_themselves_and_hold_up_nobody(line: Line) -> None:
    good = items(3)
    bad: list[Any] = [
        interaction(id="no-queue", queue=""),
        interaction(id="bad-number", customer={"phone": "12"}),
        "text",
        None,
        [good[0]],
        {},
        {"id": 7},
        {"id": "half\ud800"},
        {"id": "nul\x00"},
        {"id": "x" * 100_000},
        interaction(id="nested", attributes={"a": {"b": 1}}),
    ]
    answers = await post(line, [good[0], *bad, good[1], good[2]])
    assert [answers[place]["decision"] for place in (0, -2, -1)] == ["scheduled"] * 3
    refused = answers[1:-2]
    assert [each["interaction_id"] for each in refused] == [
        "no-queue", "bad-number", None, None, None, None, None, None, None, None, "nested",
    ]  # fmt: skip
    assert {(each["status"], each["code"]) for each in refused} == {(422, "invalid_fields")}
    fields = [[error["field"] for error in each["errors"]] for each in refused]
    assert fields[:5] == [["queue"], ["customer.phone"], ["body"], ["body"], ["body"]]
    assert fields[5] == ["id", "channel", "queue", "ended_at"]
    assert all("id" in each for each in fields[6:10])
    assert fields[10] == ["attributes.a"]


async def test_an_id_twice_in_a_batch_is_one_interaction_and_the_first_counts(line: Line) -> None:
    first = interaction(customer=customer(), queue="first")
    second = first | {"queue": "second", "customer": customer(consent=False)}
    one, other, third = await post(line, [first, second, first])
    assert one == other == third
    assert one["decision"] == "scheduled"
    stored = await row(line.services.pool, "SELECT queue FROM interactions WHERE id = %s", (first["id"],))
    assert stored == {"queue": "first"}
    assert len(await jobs_of(line.services.pool, one["survey_id"])) == 1


async def test_a_batch_again_and_its_items_one_by_one_get_the_same_answers(line: Line) -> None:
    batch = items(20) + items(5, language="de")
    answers = await post(line, batch)
    assert await post(line, batch) == answers
    again = [await line.trigger(**item) for item in batch]
    assert again == answers


async def test_a_batch_knows_a_language_by_its_names(line: Line) -> None:
    names = ("no-NO", "Bokmål", "pol", "tlh")
    answers = await post(line, [interaction(customer=customer(), language=name) for name in names])
    assert [each["reason"] for each in answers] == [None, None, None, "language_not_offered"]


async def test_within_a_batch_the_interaction_that_ended_first_is_asked_about(line: Line) -> None:
    who, now = customer(), datetime.now(UTC)
    later = interaction(customer=who, ended_at=now.isoformat())
    earlier = interaction(customer=who, ended_at=(now - timedelta(minutes=9)).isoformat())
    answers = await post(line, [later, earlier])
    assert [each["reason"] for each in answers] == ["survey_open", None]


async def test_people_are_known_again_within_a_batch_as_if_sent_one_by_one(line: Line) -> None:
    known, ended = customer(), datetime.now(UTC).isoformat()
    people = [
        known,
        known | {"crm_id": None},
        known | {"phone": customer()["phone"]},
        known | {"crm_id": uuid4().hex},
    ]
    together = await post(line, [interaction(customer=each, ended_at=ended) for each in people])
    assert [each["reason"] for each in together] == [None, "survey_open", "survey_open", "survey_open"]
    nameless = customer(crm_id=None)
    people = [nameless, nameless | {"crm_id": uuid4().hex}]
    together = await post(line, [interaction(customer=each, ended_at=ended) for each in people])
    assert [each["reason"] for each in together] == [None, "survey_open"]


async def test_one_person_under_two_addresses_is_judged_by_each(line: Line) -> None:
    crm_id, opted_out = uuid4().hex, customer()["phone"]
    async with line.services.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO suppressions (address, channel) VALUES (%s, 'voice')", (f"phone:{opted_out}",)
        )
    both = [customer(crm_id=crm_id, phone=opted_out), customer(crm_id=crm_id)]
    answers = await post(line, [interaction(customer=each) for each in both])
    assert [each["reason"] for each in answers] == ["opted_out", None]
    assert [
        each["reason"] for each in await post(line, [interaction(customer=each) for each in both[::-1]])
    ] == [
        "survey_open",
        "opted_out",
    ]


async def test_the_daily_cap_holds_within_a_batch_and_between_batches(line: Line) -> None:
    name = await queue(line, daily_cap=10)
    batches = await asyncio.gather(*(post(line, items(8, queue=name)) for _ in range(4)))
    assert Counter(each["reason"] for batch in batches for each in batch) == {None: 10, "daily_cap": 22}


async def test_overlapping_batches_at_once_neither_block_nor_ask_anybody_twice(line: Line) -> None:
    name = await queue(line, daily_cap=10_000)
    shared = items(150, queue=name) + items(150, queue="uncapped")
    people = [item["customer"] for item in shared]
    batches = [
        [*shared, *(interaction(queue="uncapped", customer=each) for each in people[:100])] for _ in range(6)
    ]
    for seed, batch in enumerate(batches):
        random.Random(seed).shuffle(batch)  # noqa: S311  nobody is to guess it
    async with asyncio.timeout(30):
        *answers, single = await asyncio.gather(
            *(post(line, batch) for batch in batches),
            line.trigger(**shared[0]),
        )
    by_id: dict[str, list[Any]] = {}
    for each in [single, *(each for batch in answers for each in batch)]:
        by_id.setdefault(each["interaction_id"], []).append(each)
    assert all(each == told[0] for told in by_id.values() for each in told)
    asked = await rows(
        line.services.pool,
        "SELECT count(*) AS surveys FROM surveys WHERE person = ANY(%s) GROUP BY person",
        ([f"crm:{each['crm_id']}" for each in people],),
    )
    assert asked == [{"surveys": 1}] * len(people)
    scheduled = {told[0]["survey_id"] for told in by_id.values() if told[0]["survey_id"]}
    assert len(scheduled) == len(people)
    jobs = await row(
        line.services.pool,
        "SELECT count(*) AS jobs FROM procrastinate_jobs WHERE args->>'survey_id' = ANY(%s)",
        (list(scheduled),),
    )
    assert jobs == {"jobs": len(people)}


async def test_many_batches_at_once_leave_the_database_to_callers(line: Line) -> None:
    taken: list[int] = []

    async def watch() -> None:
        while True:
            stats = line.services.pool.get_stats()
            taken.append(stats["pool_size"] - stats["pool_available"])
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    answers = await asyncio.gather(*(post(line, items(200)) for _ in range(12)))
    watching.cancel()
    assert {len(each) for each in answers} == {200}
    assert max(taken) <= BATCHES_AT_ONCE + 1
