"""Every error at HTTP is a problem with a stable code, and says nothing it should not."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI
from openapi_spec_validator import validate
from psycopg_pool import PoolTimeout

from app.config import Settings
from app.errors import FieldProblem, Forbidden, Invalid, NotFound, Unauthorized, ZerotenError
from app.web import Requests, problems
from tests.line import Line, a_line

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = UUID(int=7)
SURVEY = f"/api/v1/surveys/{NOBODY}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", SURVEY, 404, "not_found"),
        ("GET", "/api/v1/surveys/not-a-uuid", 422, "invalid_fields"),
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("GET", "/static/nowhere.css", 404, "not_found"),
        ("GET", "/static/../main.py", 404, "not_found"),
        ("DELETE", "/api/v1/queues/billing", 405, "method_not_allowed"),
        ("GET", "/api/v1/interactions", 405, "method_not_allowed"),
        ("POST", "/api/v1/interactions", 422, "invalid_fields"),
        ("PUT", "/api/v1/queues/billing", 422, "invalid_fields"),
        ("GET", "/api/v1/reports/nps?from=never", 422, "invalid_fields"),
        ("GET", "/api/v1/exports/responses.doc", 422, "invalid_fields"),
        ("POST", "/twilio/voice", 403, "forbidden"),
        ("POST", f"/twilio/attempts/{NOBODY}/status", 403, "forbidden"),
    ],
)
async def test_every_error_is_a_problem(line: Line, method: str, path: str, status: int, code: str) -> None:
    answer = await line.http.request(method, path)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.headers["x-request-id"]) == 32
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    assert ("errors" in problem) == (status == 422)
    for each in problem.get("errors", []):
        assert set(each) == {"field", "message"}
        assert each["field"]
        assert each["message"]


async def test_a_wrong_method_is_told_the_right_ones(line: Line) -> None:
    answer = await line.http.delete("/api/v1/queues/billing")
    assert "GET" in answer.headers["allow"]


async def test_each_answer_has_an_id_of_its_own(line: Line) -> None:
    answers = [await line.http.get(path) for path in ("/healthz", "/healthz", SURVEY)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


class Full(ZerotenError):
    code = "full"
    status = 507


FAULTS: dict[str, tuple[Exception, int, str]] = {
    "ours": (Full("no room"), 507, "full"),
    "missing": (NotFound("There is no such survey."), 404, "not_found"),
    "stranger": (Unauthorized("Who are you?"), 401, "unauthorized"),
    "shut": (Forbidden("Not you."), 403, "forbidden"),
    "fields": (Invalid([FieldProblem("a.b", "is wrong")]), 422, "invalid_fields"),
    "surrogate": (Invalid([FieldProblem("half\ud800", "\udfff")]), 422, "invalid_fields"),
    "database": (
        psycopg.OperationalError("connection to 10.0.0.7 with password hush failed"),
        503,
        "database_away",
    ),
    "busy": (PoolTimeout("couldn't get a connection after 5.00 sec"), 503, "database_away"),
    "full": (psycopg.errors.DiskFull("could not extend file of the user hush"), 503, "database_away"),
    "read-only": (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), 503, "database_away"),
    "locked": (
        psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
        503,
        "database_away",
    ),
    "slow": (psycopg.errors.QueryCanceled("canceling statement"), 503, "database_away"),
    "left open": (psycopg.errors.IdleInTransactionSessionTimeout("terminating"), 503, "database_away"),
    "stopped": (psycopg.errors.AdminShutdown("terminating connection"), 503, "database_away"),
    "broken disk": (psycopg.errors.IoError("could not read block"), 503, "database_away"),
    "our mistake": (psycopg.errors.UndefinedColumn("column hush does not exist"), 500, "internal_error"),
    "our other mistake": (psycopg.errors.NumericValueOutOfRange("hush"), 500, "internal_error"),
    "mistake": (RuntimeError("the password is hush"), 500, "internal_error"),
    "key": (KeyError("hush"), 500, "internal_error"),
}


@pytest.fixture
def faulty() -> FastAPI:
    """An application whose every address fails in its own way."""
    app = FastAPI()
    problems.install(app)
    app.add_middleware(Requests)

    @app.get("/{fault}")
    async def fail(fault: str) -> None:
        raise FAULTS[fault][0]

    return app


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_kind_of_failure_has_its_status_and_code(faulty: FastAPI, fault: str) -> None:
    _, status, code = FAULTS[fault]
    transport = httpx.ASGITransport(faulty)
    async with httpx.AsyncClient(transport=transport, base_url="http://zeroten.test") as client:
        answer = await client.get(f"/{fault}")
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert answer.headers.get("retry-after") == ("5" if status == 503 else None)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert "hush" not in answer.text


async def test_fields_are_named_as_they_were_sent() -> None:
    located: list[tuple[Any, ...]] = [
        ("body", "customer", "phone"), ("body", 3, "id"), ("query", "from"), ("path", "name"), ("body",), (), ("id",),
    ]  # fmt: skip
    told = problems.problem_fields([{"loc": loc, "msg": "Value error, is wrong"} for loc in located])
    assert [each["field"] for each in told] == [
        "customer.phone", "3.id", "from", "name", "body", "body", "id",
    ]  # fmt: skip
    assert {each["message"] for each in told} == {"is wrong"}


# The description of the interface


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def openapi(line: Line) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=line.http.base_url) as stranger:
        return dict((await stranger.get("/openapi.json")).json())


async def test_the_description_is_valid_openapi(openapi: dict[str, Any]) -> None:
    validate(openapi)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/api/v1/interactions", "202"),
        ("post", "/api/v1/interactions:batch", "202"),
        ("get", "/api/v1/surveys/{survey_id}", "200"),
        ("get", "/api/v1/reports/nps", "200"),
        ("get", "/api/v1/exports/nps.csv", "200"),
        ("get", "/api/v1/exports/responses.{form}", "200"),
        ("get", "/api/v1/queues/{name}", "200"),
        ("put", "/api/v1/queues/{name}", "200"),
    ],
)
async def test_every_door_is_described_with_its_key_and_its_problems(
    openapi: dict[str, Any], method: str, path: str, status: str
) -> None:
    operation = openapi["paths"][path][method]
    assert set(operation["responses"]) == {status, "4XX"}
    assert list(operation["responses"]["4XX"]["content"]) == ["application/problem+json"]
    assert operation["summary"]
    assert operation["description"]
    (security,) = operation["security"]
    (scheme,) = security
    described = openapi["components"]["securitySchemes"][scheme]
    assert (described["type"], described["scheme"]) == ("http", "bearer")


async def test_the_fields_of_the_contract_are_described(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    fields = {name: list(schema.get("properties", {})) for name, schema in schemas.items()}
    assert fields["InteractionIn"] == [
        "id", "channel", "queue", "agent", "ended_at", "language", "talk_seconds", "survey_by", "customer",
        "attributes",
    ]  # fmt: skip
    assert fields["Customer"] == ["crm_id", "phone", "email", "name", "timezone", "consent"]
    assert fields["Accepted"] == ["interaction_id", "survey_id", "decision", "reason", "due_at", "chat"]
    assert fields["NpsRow"] == [
        "group", "invited", "reached", "responses", "promoters", "passives", "detractors", "nps", "margin95",
        "response_rate",
    ]  # fmt: skip
    assert {"status", "attempts", "response"} <= set(fields["SurveyStory"])
    batch = openapi["paths"]["/api/v1/interactions:batch"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    assert list(batch["schema"]["items"]["properties"]) == fields["InteractionIn"]
    parameters = {each["name"] for each in openapi["paths"]["/api/v1/reports/nps"]["get"]["parameters"]}
    assert parameters == {"group_by", "queue", "from", "to"}


async def test_a_described_answer_is_what_is_answered(line: Line, openapi: dict[str, Any]) -> None:
    decided = await line.trigger(customer={"crm_id": "x"})
    assert set(decided) == set(openapi["components"]["schemas"]["Accepted"]["properties"])
    problem = (await line.http.get("/api/v1/reports/nps?from=never")).json()
    described = json.loads(json.dumps(problems.SCHEMA))
    assert set(described["required"]) <= set(problem) <= set(described["properties"])


async def test_the_documentation_page_is_there(line: Line) -> None:
    answer = await line.http.get("/docs")
    assert answer.status_code == 200
    assert "/openapi.json" in answer.text
