"""The addresses of the API: what they take, what they refuse by name, and what each answer carries."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.config import Settings
from app.reports.exports import FORMATS
from tests.line import Line, a_line, interaction

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "field", "hint"),
    [
        ("/api/v1/reports/nps?que=billing", "que", "did you mean queue?"),
        ("/api/v1/reports/nps?groupby=agent", "groupby", "did you mean group_by?"),
        ("/api/v1/exports/responses.csv?form=2026-11-01", "form", "did you mean from?"),
        ("/api/v1/deliveries?state=refused", "state", "did you mean status?"),
        ("/api/v1/queues/billing?verbose=1", "verbose", "there are none"),
    ],
)
async def test_an_unknown_parameter_is_refused_by_name(line: Line, path: str, field: str, hint: str) -> None:
    answer = await line.http.get(path)
    assert answer.status_code == 422, answer.text
    ((name, message),) = [(each["field"], each["message"]) for each in answer.json()["errors"]]
    assert name == field
    assert message.endswith(hint)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/deliveries?destination=%00", "destination"),
        ("/api/v1/deliveries/log?destination=a%00b", "destination"),
        ("/api/v1/reports/nps?queue=%00", "queue"),
        ("/api/v1/queues/a%00b", "name"),
    ],
)
async def test_nul_is_refused_by_name_wherever_it_stands(line: Line, path: str, field: str) -> None:
    answer = await line.http.get(path)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["/api/v1/reports/nps", "/healthz", "/api/v1/nowhere", "/actions"])
async def test_an_answer_is_neither_guessed_at_nor_kept(line: Line, path: str) -> None:
    answer = await line.http.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_files_may_be_kept_and_are_no_more_guessed_at(line: Line) -> None:
    answer = await line.http.get("/static/tokens.css")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "cache-control" not in answer.headers
    assert answer.headers["etag"]


@pytest.mark.parametrize("path", ["/api/v1/interactions/", "/healthz/", "/webhooks/rest/webhook/", "/static"])
async def test_nobody_is_sent_to_the_host_that_the_request_names(line: Line, path: str) -> None:
    answer = await line.http.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/queues/billing", {"GET", "PUT"}),
        ("GET", "/api/v1/interactions", {"POST"}),
        ("PUT", "/webhooks/rest/webhook", {"POST"}),
    ],
)
async def test_a_wrong_method_is_told_every_right_one(
    line: Line, method: str, path: str, allowed: set[str]
) -> None:
    answer: httpx.Response = await line.http.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/v1/deliveries?since=0.5", None, "since"),
        ("/api/v1/deliveries/log?since=1700000000", None, "since"),
        ("/api/v1/deliveries?since=2026-11-21", None, "since"),
        ("/api/v1/deliveries:replay", {"destination": "x", "since": 1700000000}, "since"),
        ("/api/v1/interactions", interaction(ended_at=1700000000), "ended_at"),
        ("/api/v1/interactions", interaction(ended_at="1700000000"), "ended_at"),
    ],
)
async def test_a_number_is_no_time(line: Line, path: str, body: object, field: str) -> None:
    answer = await line.http.request("GET" if body is None else "POST", path, json=body)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_time_with_its_offset_is_taken(line: Line) -> None:
    for since in ("2026-11-21T00:00:00Z", "2026-11-21T00:00:00+01:00", "2026-11-21 00:00:00.5-08:00"):
        answer = await line.http.get("/api/v1/deliveries", params={"since": since})
        assert answer.status_code == 200, answer.text


# What is described


async def described(line: Line) -> dict[str, Any]:
    return dict((await line.http.get("/openapi.json")).json()["paths"])


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/api/v1/exports/nps.csv", "/api/v1/exports/nps.csv"),
        *(("/api/v1/exports/responses.{form}", f"/api/v1/exports/responses.{form}") for form in FORMATS),
        ("/api/v1/reports/nps", "/api/v1/reports/nps"),
        ("/metrics", "/metrics"),
        ("/healthz", "/healthz"),
        ("/actions", "/actions"),
    ],
)
async def test_what_is_answered_is_of_a_described_kind(line: Line, path: str, address: str) -> None:
    answer = await line.http.get(address)
    assert answer.status_code == 200, answer.text
    content = (await described(line))[path]["get"]["responses"]["200"]["content"]
    assert answer.headers["content-type"].partition(";")[0] in content


async def test_what_a_parameter_may_be_is_described(line: Line) -> None:
    paths = await described(line)
    report = {each["name"]: each["schema"] for each in paths["/api/v1/reports/nps"]["get"]["parameters"]}
    assert report["from"]["format"] == report["to"]["format"] == "date"
    assert report["group_by"]["enum"] == ["queue", "agent", "channel", "language", "day", "week", "month"]
    export = paths["/api/v1/exports/responses.{form}"]["get"]
    form = next(each["schema"] for each in export["parameters"] if each["name"] == "form")
    assert form["enum"] == list(FORMATS)
    deliveries = {each["name"]: each["schema"] for each in paths["/api/v1/deliveries"]["get"]["parameters"]}
    assert {each.get("format") for each in deliveries["since"]["anyOf"]} == {"date-time", None}
    assert "application/json" in paths["/webhook"]["post"]["requestBody"]["content"]
