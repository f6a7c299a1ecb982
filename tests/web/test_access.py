"""API keys: made on the command line, shown once, kept as digests, each opening its own doors."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from ipaddress import IPv4Network
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.config import Settings
from app.errors import StartError
from app.web import access
from app.web.throttle import AT_ONCE
from tests.line import ADMIN, Line, a_line, interaction
from tests.rows import execute, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")
Command = Callable[..., Awaitable[Result]]
_addresses = IPv4Network("127.1.0.0/16").hosts()

DOORS: dict[str, tuple[str, str, Any]] = {
    "trigger": ("POST", "/api/v1/interactions", interaction(language="de")),
    "batch": ("POST", "/api/v1/interactions:batch", []),
    "survey": ("GET", f"/api/v1/surveys/{UUID(int=7)}", None),
    "report": ("GET", "/api/v1/reports/nps", None),
    "nps.csv": ("GET", "/api/v1/exports/nps.csv", None),
    "responses.csv": ("GET", "/api/v1/exports/responses.csv", None),
    "responses.xlsx": ("GET", "/api/v1/exports/responses.xlsx", None),
    "responses.jsonl": ("GET", "/api/v1/exports/responses.jsonl", None),
    "destinations": ("GET", "/api/v1/destinations", None),
    "deliveries": ("GET", "/api/v1/deliveries", None),
    "delivery log": ("GET", "/api/v1/deliveries/log", None),
    "replay": ("POST", "/api/v1/deliveries:replay", {"destination": "nowhere", "refused": True}),
    "read queue": ("GET", "/api/v1/queues/billing", None),
    "write queue": ("PUT", "/api/v1/queues/billing", {}),
}
READING = {"survey", "report", "nps.csv", "responses.csv", "responses.xlsx", "responses.jsonl"} | {
    "destinations",
    "deliveries",
    "delivery log",
}
OPENS = {
    "trigger": {"trigger", "batch", "survey"},
    "chat": set[str](),
    "supervisor": READING,
    "admin": set(DOORS),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


@pytest.fixture
def zeroten(module_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command ``zeroten keys``, beside the event loop, since it runs one of its own."""
    monkeypatch.setenv("ZEROTEN_DATABASE_URL", module_database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Awaitable[Result]:
        return asyncio.to_thread(CliRunner().invoke, cli, ["keys", *arguments])

    return run


async def knock(line: Line, door: str, **headers: str) -> httpx.Response:
    """Somebody who has never been here before, so that nobody's errors count against others."""
    method, path, body = DOORS[door]
    caller = httpx.AsyncHTTPTransport(local_address=str(next(_addresses)))
    async with httpx.AsyncClient(base_url=line.http.base_url, transport=caller) as stranger:
        return await stranger.request(method, path, json=body, headers=headers)


async def opens(line: Line, door: str, key: str) -> bool:
    answer = await knock(line, door, Authorization=f"Bearer {key}")
    assert answer.status_code in (200, 202, 404, 422, 403)
    return answer.status_code != 403


async def a_key(line: Line, scope: access.Scope) -> str:
    async with line.services.pool.connection() as connection:
        return await access.create(connection, f"a {scope}", scope)


async def test_a_key_made_on_the_command_line_works_until_it_is_revoked(line: Line, zeroten: Command) -> None:
    made = await zeroten("create", "the billing queue", "--scope", "trigger")
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert key.startswith("zt_")
    assert made.stdout == f"{key}\n"
    assert await opens(line, "trigger", key)
    listed = (await zeroten("list")).stdout
    key_id = key.split("_")[1]
    assert "the billing queue" in listed
    assert key_id in listed
    assert key.split("_")[2] not in listed
    assert (await zeroten("revoke", key_id)).exit_code == 0
    answer = await knock(line, "trigger", Authorization=f"Bearer {key}")
    assert answer.status_code == 401
    assert "the billing queue" not in (await zeroten("list")).stdout
    again = await zeroten("revoke", key_id)
    assert isinstance(again.exception, StartError)
    assert str(again.exception) == f"there is no key {key_id} in force"


async def test_an_unknown_scope_is_refused_with_those_there_are(zeroten: Command) -> None:
    refused = await zeroten("create", "x", "--scope", "root")
    assert refused.exit_code == 2
    assert all(scope in refused.stderr for scope in access.SCOPES)


@pytest.mark.parametrize("scope", access.SCOPES)
async def test_each_scope_opens_its_own_doors_and_no_other(line: Line, scope: access.Scope) -> None:
    key = await a_key(line, scope)
    assert {door for door in DOORS if await opens(line, door, key)} == OPENS[scope]


async def test_a_closed_door_says_which_scope_would_open_it(line: Line) -> None:
    answer = await knock(line, "report", Authorization=f"Bearer {await a_key(line, 'chat')}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "forbidden"
    assert answer.json()["detail"] == "This key has the scope chat; supervisor is needed."


async def test_the_bootstrap_key_opens_every_door(line: Line) -> None:
    assert {door for door in DOORS if await opens(line, door, ADMIN)} == set(DOORS)


BAD_KEYS = {
    "none": {},
    "empty": {"Authorization": ""},
    "no key": {"Authorization": "Bearer"},
    "another scheme": {"Authorization": "Basic YWRtaW46YWRtaW4="},
    "bare": {"Authorization": ADMIN},
    "unknown": {"Authorization": f"Bearer zt_{'0' * 12}_{'0' * 48}"},
    "half": {"Authorization": "Bearer zt_000000000000"},
    "no secret": {"Authorization": "Bearer zt_000000000000_"},
    "words": {"Authorization": "Bearer open sesame"},
    "almost": {"Authorization": f"Bearer {ADMIN}x"},
    "long": {"Authorization": f"Bearer zt_{'0' * 20000}_x"},
    "not ASCII": {"Authorization": "Bearer zt_ключ_ключ"},
    "SQL": {"Authorization": "Bearer zt_' OR true --_x"},
}


@pytest.mark.parametrize(("headers", "door"), list(product(BAD_KEYS, ("trigger", "report", "read queue"))))
async def test_without_a_key_that_is_known_every_door_stays_shut(line: Line, headers: str, door: str) -> None:
    raw = {name: value.encode() for name, value in BAD_KEYS[headers].items()}
    answer = await knock(line, door, **raw)  # type: ignore[arg-type]  # httpx takes bytes for what is not ASCII
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthorized"


async def test_one_wrong_character_in_either_half_is_not_a_key(line: Line) -> None:
    key = await a_key(line, "admin")
    for place in (3, 14, 16, len(key) - 1):
        wrong = f"{key[:place]}{'0' if key[place] != '0' else '1'}{key[place + 1 :]}"
        assert (await knock(line, "report", Authorization=f"Bearer {wrong}")).status_code == 401


async def test_only_the_digest_of_the_secret_half_is_stored(line: Line) -> None:
    key = await a_key(line, "supervisor")
    _, key_id, secret = key.split("_")
    assert len(secret) == 48
    stored = await row(line.services.pool, "SELECT * FROM api_keys WHERE id = %s", (key_id,))
    assert stored["digest"] == sha256(secret.encode()).digest()
    everything = await rows(line.services.pool, "SELECT api_keys::text AS written FROM api_keys")
    assert not any(secret in each["written"] for each in everything)


async def test_a_revoked_key_is_refused_by_a_server_that_has_seen_it(line: Line) -> None:
    key = await a_key(line, "supervisor")
    assert await opens(line, "report", key)
    await execute(
        line.services.pool, "UPDATE api_keys SET revoked_at = now() WHERE id = %s", (key.split("_")[1],)
    )
    assert (await knock(line, "report", Authorization=f"Bearer {key}")).status_code == 401


async def test_secrets_are_compared_in_constant_time(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    key = await a_key(line, "supervisor")
    assert await opens(line, "report", key)
    assert compared[0] == (key.encode(), ADMIN.encode())
    assert compared[1] == (sha256(key.split("_")[2].encode()).digest(),) * 2


async def test_wrong_keys_are_limited_for_each_address_and_a_right_one_still_gets_in(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    key = await a_key(line, "supervisor")
    caller = httpx.AsyncHTTPTransport(local_address="127.2.0.1")
    async with httpx.AsyncClient(base_url=line.http.base_url, transport=caller) as one:

        async def tried(key: str) -> httpx.Response:
            return await one.get("/api/v1/reports/nps", headers={"Authorization": f"Bearer {key}"})

        wrong = [await tried(f"zt_{number:012x}_{'0' * 48}") for number in range(AT_ONCE + 5)]
        assert [each.status_code for each in wrong] == [401] * AT_ONCE + [429] * 5
        assert wrong[-1].json()["code"] == "too_many_wrong_keys"
        assert 0 < int(wrong[-1].headers["retry-after"]) < 60
        assert (await tried(key)).status_code == 200
    assert (await knock(line, "report", Authorization=f"Bearer zt_{'0' * 12}_{'0' * 48}")).status_code == 401
    said = capsys.readouterr().out
    refused = [each for each in said.splitlines() if "key_refused" in each]
    assert len(refused) == AT_ONCE + 1
    assert "000000000003" in refused[3]
    assert "127.2.0.1" in refused[3]
    assert "0" * 48 not in said


async def test_a_bootstrap_key_that_could_be_guessed_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="at least 16 characters"):
        Settings(_env_file=None, admin_key=SecretStr("a" * 15))
    Settings(_env_file=None, admin_key=SecretStr("a" * 16))


async def test_whoever_posts_interactions_learns_how_far_a_survey_is_and_nothing_that_was_said(
    line: Line,
) -> None:
    decided = await line.trigger(channel="chat", survey_by="chat", customer={"crm_id": "private"})
    survey = f"/api/v1/surveys/{decided['survey_id']}"
    said = {"sender": decided["chat"]["token"], "message": "9"}
    assert (await line.http.post("/webhooks/rest/webhook", json=said)).status_code == 200
    stories = {}
    scopes: tuple[access.Scope, ...] = ("trigger", "supervisor", "admin")
    for scope in scopes:
        headers = {"Authorization": f"Bearer {await a_key(line, scope)}"}
        stories[scope] = (await line.http.get(survey, headers=headers)).json()
    assert stories["trigger"] == {
        "survey_id": decided["survey_id"],
        "interaction_id": decided["interaction_id"],
        "status": "in_progress",
        "reason": None,
        "due_at": decided["due_at"],
    }
    assert stories["supervisor"] == stories["admin"]
    assert stories["admin"]["response"]["score"] == 9
