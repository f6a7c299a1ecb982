"""GET /api/v1/reports/nps and exports/nps.csv: each group's funnel, NPS and margin."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.line import Line
from tests.reports.asked import Asked, ask
from tests.rows import rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

COLUMNS = [
    "group", "invited", "reached", "responses", "promoters", "passives", "detractors", "nps", "margin95",
    "response_rate",
]  # fmt: skip
GROUPS: dict[str, Callable[[Asked], str]] = {
    "queue": lambda each: each.queue,
    "agent": lambda each: each.agent or "",
    "channel": lambda each: each.channel,
    "language": lambda each: each.language,
    "day": lambda each: each.day,
    "week": lambda each: "{}-W{:02}".format(*date.fromisoformat(each.day).isocalendar()[:2]),
    "month": lambda each: each.day[:7],
}


def a_person(dice: random.Random) -> Asked:
    """Someone, at any hour from the last days of 2025 into 2026, over both changes of the clock."""
    answered = dice.random() < 0.6
    return Asked(
        queue=dice.choice(["billing", "sales", "Zażalenia/zwroty", "=HYPERLINK()"]),
        score=dice.choices(range(11), [4, 1, 1, 1, 1, 2, 2, 4, 6, 8, 9])[0] if answered else None,
        at=datetime(2025, 12, 27, tzinfo=UTC) + timedelta(minutes=dice.randrange(320 * 24 * 60)),
        agent=dice.choice(["anna", "bartek", "日本", None]),
        channel=dice.choice(["voice", "sms", "chat"]),
        language=dice.choice(["en", "pl", "nb", "fr"]),
        reached=dice.random() < 0.3,
        invited=answered or dice.random() < 0.9,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(line: Line) -> list[Asked]:
    dice = random.Random(20260304)  # noqa: S311  the same people in every run
    people = [a_person(dice) for _ in range(400)]
    await ask(line.services.pool, *people)
    return people


def expected(people: Iterable[Asked], group: Callable[[Asked], str]) -> list[dict[str, Any]]:
    """The report, counted one by one."""
    found: dict[str, list[Asked]] = {}
    for person in people:
        if person.invited or person.reached or person.score is not None:
            found.setdefault(group(person), []).append(person)
    return [_row(name, found[name]) for name in sorted(found, key=lambda name: name.encode())]


def _row(name: str, people: list[Asked]) -> dict[str, Any]:
    scores = [each.score for each in people if each.score is not None]
    promoters, detractors = sum(score >= 9 for score in scores), sum(score <= 6 for score in scores)
    invited, n = sum(each.invited for each in people), len(scores) + 3
    high, low = (promoters + 0.75) / n, (detractors + 0.75) / n
    margin = 196 * sqrt((high + low - (high - low) ** 2) / n)
    return {
        "group": name,
        "invited": invited,
        "reached": sum(each.reached or each.score is not None for each in people),
        "responses": len(scores),
        "promoters": promoters,
        "passives": len(scores) - promoters - detractors,
        "detractors": detractors,
        "nps": pytest.approx(100 * (promoters - detractors) / len(scores), abs=0.006) if scores else None,
        "margin95": pytest.approx(margin, abs=0.006) if scores else None,
        "response_rate": pytest.approx(len(scores) / invited, abs=6e-5) if invited else None,
    }


async def report(line: Line, **params: str) -> list[dict[str, Any]]:
    answer = await line.http.get("/api/v1/reports/nps", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def by_group(report: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In one order, since the database's idea of the alphabet is its own."""
    return sorted(report, key=lambda row: str(row["group"]).encode())


@pytest.mark.parametrize("group_by", GROUPS)
async def test_a_report_is_what_counting_one_by_one_gives(
    line: Line, people: list[Asked], group_by: str
) -> None:
    told = await report(line, group_by=group_by)
    assert by_group(told) == expected(people, GROUPS[group_by])
    assert all(list(row) == COLUMNS for row in told)


@pytest.mark.parametrize("group_by", ["day", "week", "month"])
async def test_times_come_in_their_order(line: Line, people: list[Asked], group_by: str) -> None:
    groups = [row["group"] for row in await report(line, group_by=group_by)]
    assert groups == sorted(
        {GROUPS[group_by](person) for person in people if person.invited or person.reached}
    )


async def test_without_a_grouping_it_is_by_queue(line: Line, people: list[Asked]) -> None:
    assert by_group(await report(line)) == expected(people, GROUPS["queue"])


async def test_the_roll_up_equals_a_recount_of_the_responses(line: Line, people: list[Asked]) -> None:
    columns = "day, queue, agent, channel, language"
    totals = await rows(
        line.services.pool,
        f"SELECT {columns}, responses, promoters, passives, detractors FROM nps_daily"
        f" WHERE responses > 0 ORDER BY {columns}",
    )
    recount = await rows(
        line.services.pool,
        f"""SELECT (answered_at AT TIME ZONE 'Europe/Warsaw')::date AS day, queue, agent, channel, language,
            count(*) AS responses, count(*) FILTER (WHERE score >= 9) AS promoters,
            count(*) FILTER (WHERE score BETWEEN 7 AND 8) AS passives,
            count(*) FILTER (WHERE score <= 6) AS detractors
        FROM responses GROUP BY {columns} ORDER BY {columns}""",
    )
    assert totals == recount
    assert sum(each["responses"] for each in totals) == sum(person.score is not None for person in people)


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"from": "2026-03-29"}, lambda each: each.day >= "2026-03-29"),
        ({"to": "2026-03-29"}, lambda each: each.day <= "2026-03-29"),
        ({"from": "2026-01-01", "to": "2026-01-31"}, lambda each: each.day[:7] == "2026-01"),
        ({"from": "2026-05-05", "to": "2026-05-05"}, lambda each: each.day == "2026-05-05"),
        ({"queue": "sales"}, lambda each: each.queue == "sales"),
        ({"queue": "Zażalenia/zwroty", "to": "2026-05-31"}, lambda each: each.queue[0] == "Z" and each.day < "2026-06"),
        ({"queue": "", "from": "", "to": ""}, lambda _: True),
        ({"queue": "nobody's"}, lambda _: False),
        # A moment stands for its day, in the zone of the reports.
        ({"from": "2026-01-31T23:30:00Z"}, lambda each: each.day >= "2026-02-01"),
        ({"to": "2026-02-01T00:30:00+02:00"}, lambda each: each.day <= "2026-01-31"),
        ({"from": "2026-02-01T09:00:00"}, lambda each: each.day >= "2026-02-01"),
    ],
)  # fmt: skip
async def test_filters_keep_whole_days_both_ends_included(
    line: Line, people: list[Asked], params: dict[str, str], kept: Callable[[Asked], bool]
) -> None:
    told = await report(line, group_by="agent", **params)
    assert by_group(told) == expected(filter(kept, people), GROUPS["agent"])


async def also(line: Line, people: list[Asked], *others: Asked) -> None:
    """Ask some more, who then belong to every report."""
    await ask(line.services.pool, *others)
    people.extend(others)


async def test_the_days_are_those_of_the_reporting_zone(line: Line, people: list[Asked]) -> None:
    queue = uuid4().hex
    before, after = datetime(2026, 3, 28, 22, 59, tzinfo=UTC), datetime(2026, 3, 28, 23, 1, tzinfo=UTC)
    await also(line, people, Asked(queue, 9, at=before), Asked(queue, 2, at=after))
    told = await report(line, group_by="day", queue=queue)
    assert [(row["group"], row["nps"]) for row in told] == [("2026-03-28", 100.0), ("2026-03-29", -100.0)]
    for day, score in (("2026-03-28", 9), ("2026-03-29", 2)):
        answer = await line.http.get(
            "/api/v1/exports/responses.jsonl", params={"queue": queue, "from": day, "to": day}
        )
        assert [each["score"] for each in map(json.loads, answer.text.splitlines())] == [score]


async def test_who_was_asked_and_did_not_answer_leaves_the_score_open(
    line: Line, people: list[Asked]
) -> None:
    queue = uuid4().hex
    await also(line, people, Asked(queue), Asked(queue, reached=True))
    assert await report(line, queue=queue) == [
        dict(zip(COLUMNS, [queue, 2, 1, 0, 0, 0, 0, None, None, 0.0], strict=True))
    ]


async def test_the_margin_is_there_from_the_first_response(line: Line, people: list[Asked]) -> None:
    queue = uuid4().hex
    await also(line, people, Asked(queue, 10))
    (row,) = await report(line, queue=queue)
    assert (row["nps"], row["margin95"], row["response_rate"]) == (100.0, 73.5, 1.0)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "9999-12-31T23:59:59-14:00"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "x" * 10_000}, "from"),
        ({"from": "\x00"}, "from"),
        ({"queue": "\x00"}, "queue"),
    ],
)
@pytest.mark.parametrize("path", ["reports/nps", "exports/nps.csv", "exports/responses.csv"])
async def test_a_bad_filter_is_refused_by_name(
    line: Line, path: str, params: dict[str, str], field: str
) -> None:
    answer = await line.http.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["reports/nps", "exports/nps.csv"])
async def test_a_grouping_that_there_is_not_is_refused(line: Line, path: str) -> None:
    for group_by in ("customer", ""):
        answer = await line.http.get(f"/api/v1/{path}", params={"group_by": group_by})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "group_by")


@pytest.mark.parametrize("group_by", ["queue", "agent", "month"])
async def test_the_csv_is_the_same_report(line: Line, people: list[Asked], group_by: str) -> None:
    assert people
    params = {"group_by": group_by, "from": "2026-02-01"}
    answer = await line.http.get("/api/v1/exports/nps.csv", params=params)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="nps.csv"'
    assert answer.headers["cache-control"] == "no-store"
    read = list(csv.DictReader(io.StringIO(answer.text)))
    told = await report(line, **params)
    assert [list(row) for row in read] == [COLUMNS] * len(told)
    as_text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in told]
    for row in as_text:
        row["group"] = f"'{row['group']}" if row["group"].startswith("=") else row["group"]
    assert read == as_text
