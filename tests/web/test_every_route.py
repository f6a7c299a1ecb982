"""Every route against every credential. A route without a rule fails here: decide who may use it, and say so."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import get_args
from uuid import UUID

import aiohttp
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from app.carrier import sign
from app.config import Settings
from app.main import create_app
from app.web import ApiRoute, Scope
from app.web.access import create
from tests.line import ADMIN, TOKEN, Line, a_line

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Anybody:
    """Open to all: it tells nothing of anyone, or only to whoever can name it."""


@dataclass(frozen=True)
class Signed:
    """The carrier's, by its signature."""


@dataclass(frozen=True)
class ChatToken:
    """Whoever has the chat's token, which stands in the message."""


@dataclass(frozen=True)
class Keyed:
    """Whoever has a key of one of these scopes; admin is always one."""

    scopes: tuple[Scope, ...]


Rule = Anybody | Signed | ChatToken | Keyed
TRIGGER, CHAT, READ, ADMINISTER = (Keyed((scope,)) for scope in ("trigger", "chat", "supervisor", "admin"))
RULES: Mapping[str, Rule] = {
    "GET /healthz": Anybody(),
    "GET /readyz": Anybody(),
    "GET /metrics": Anybody(),
    "GET /openapi.json": Anybody(),
    "GET /docs": Anybody(),
    "GET /docs/oauth2-redirect": Anybody(),
    "GET /static": Anybody(),
    "GET /prompts/{language}/{file}": Anybody(),
    "GET /widget.js": Anybody(),
    "GET /chat/{token}": Anybody(),
    "GET /socket.io": Anybody(),
    "GET /webhooks/rest/": Anybody(),
    "POST /webhooks/rest/webhook": ChatToken(),
    "POST /api/v1/interactions": TRIGGER,
    "POST /api/v1/interactions:batch": TRIGGER,
    "GET /api/v1/surveys/{survey_id}": Keyed(("trigger", "supervisor")),
    "GET /api/v1/reports/nps": READ,
    "GET /api/v1/exports/nps.csv": READ,
    "GET /api/v1/exports/responses.{form}": READ,
    "GET /api/v1/destinations": READ,
    "GET /api/v1/deliveries": READ,
    "GET /api/v1/deliveries/log": READ,
    "POST /api/v1/deliveries:replay": ADMINISTER,
    "GET /api/v1/queues/{name:path}": ADMINISTER,
    "PUT /api/v1/queues/{name:path}": ADMINISTER,
    "POST /webhook": CHAT,
    "GET /actions": CHAT,
    "GET /health": CHAT,
    "POST /twilio/voice": Signed(),
    "POST /twilio/voice/opt-out": Signed(),
    "POST /twilio/voice/{language}/{survey_id:uuid}/open": Signed(),
    "POST /twilio/voice/{language}/{survey_id:uuid}/heard": Signed(),
    "POST /twilio/voice/{language}/{survey_id:uuid}/recording": Signed(),
    "POST /twilio/voice/{language}/{survey_id:uuid}/opt-out": Signed(),
    "POST /twilio/voice/{language}/{survey_id:uuid}/{turn_no}": Signed(),
    "POST /twilio/attempts/{attempt_id:uuid}/status": Signed(),
    "POST /twilio/attempts/{attempt_id:uuid}/machine": Signed(),
    "POST /twilio/attempts/{attempt_id:uuid}/message-status": Signed(),
    "POST /twilio/messages": Signed(),
    "POST /twilio/conversations": Signed(),
    "WEBSOCKET /twilio/stream/{survey_id:uuid}/{turn_no:int}": Signed(),
}
NOBODY = str(UUID(int=7))
PLACES = {
    "{survey_id:uuid}": NOBODY, "{attempt_id:uuid}": NOBODY, "{survey_id}": NOBODY, "{turn_no:int}": "1",
    "{turn_no}": "1", "{language}": "en", "{file}": "nothing.wav", "{token}": "nothing", "{form}": "csv",
    "{name:path}": "billing",
}  # fmt: skip
# Under a mount there is a thing to ask for.
BELOW = {"/static": "/static/tokens.css", "/socket.io": "/socket.io/?EIO=4&transport=polling"}
SCOPES = get_args(Scope)
CREDENTIALS = (
    "nothing", "a wrong key", *SCOPES, "the bootstrap key", "a wrong signature", "a right signature",
)  # fmt: skip
_addresses = IPv4Network("127.5.0.0/16").hosts()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keys(line: Line) -> Mapping[str, str]:
    """A key of each scope."""
    async with line.services.pool.connection() as connection:
        return {scope: await create(connection, f"a {scope}", scope) for scope in SCOPES}


def names_of(app: FastAPI) -> Iterator[str]:
    """Every route as ``METHOD path``; a mount counts as what it gives."""
    for route in iter_route_contexts(app.routes):
        kind = type(route.original_route).__name__
        if kind == "Mount":
            yield f"GET {route.path}"
        elif "WebSocket" in kind:
            yield f"WEBSOCKET {route.path}"
        else:
            yield from (f"{method} {route.path}" for method in route.methods or () if method != "HEAD")


def address_of(path: str) -> str:
    """The path with something in the place of each parameter."""
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return BELOW.get(path, path)


def headers_of(line: Line, address: str, credential: str, keys: Mapping[str, str]) -> dict[str, str]:
    """What somebody with this credential sends."""
    public = line.services.settings.public_url
    if credential == "a right signature":
        base = public.replace("http", "ws", 1) if "/stream/" in address else public
        return {"X-Twilio-Signature": sign(base + address, {}, TOKEN)}
    if credential == "a wrong signature":
        return {"X-Twilio-Signature": sign(public + address, {}, "another token")}
    known = dict(keys) | {"a wrong key": f"zt_{'0' * 12}_{'0' * 48}", "the bootstrap key": ADMIN}
    return {"Authorization": f"Bearer {known[credential]}"} if credential in known else {}


def expected(rule: Rule, credential: str) -> int | None:
    """The status that turns this credential away; None where it is let in."""
    match rule:
        case Anybody():
            return None
        case Signed():
            return None if credential == "a right signature" else 403
        case ChatToken():
            return 401
        case Keyed(scopes):
            if credential in (*scopes, "admin", "the bootstrap key"):
                return None
            return 403 if credential in SCOPES else 401


async def status(line: Line, method: str, address: str, headers: dict[str, str]) -> int:
    """What somebody who was never here before is answered."""
    if method == "WEBSOCKET":
        return await handshake(f"{line.services.settings.public_url}{address}", headers)
    caller = httpx.AsyncHTTPTransport(local_address=str(next(_addresses)))
    content = b""
    if method in {"POST", "PUT"} and "/twilio/" not in address:
        headers = headers | {"Content-Type": "application/json"}
        content = json.dumps({"sender": "nothing", "destination": "nowhere", "refused": True}).encode()
    async with httpx.AsyncClient(base_url=line.http.base_url, transport=caller) as stranger:
        return (await stranger.request(method, address, headers=headers, content=content)).status_code


async def handshake(url: str, headers: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(url, headers=headers):
                return 101
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status


async def test_every_route_has_a_rule_and_every_rule_a_route(line: Line) -> None:
    assert sorted(names_of(create_app(line.services))) == sorted(RULES)


async def test_every_route_of_the_api_checks_its_key_before_it_reads(line: Line) -> None:
    for route in iter_route_contexts(create_app(line.services).routes):
        if (route.path or "").startswith("/api/"):
            assert isinstance(route.original_route, ApiRoute), route.path
        elif isinstance(route.original_route, APIRoute):
            # Whatever else FastAPI reads, it would read before the key.
            assert route.original_route.body_field is None, route.path


@pytest.mark.parametrize("name", RULES)
async def test_a_route_lets_in_whom_its_rule_names_and_nobody_else(
    line: Line, keys: Mapping[str, str], name: str
) -> None:
    method, _, path = name.partition(" ")
    address = address_of(path)
    for credential in CREDENTIALS:
        answered = await status(line, method, address, headers_of(line, address, credential, keys))
        turned_away = expected(RULES[name], credential)
        if turned_away is None:
            assert answered not in {401, 403}, (credential, answered)
            assert answered != 500, credential
        else:
            assert answered == turned_away, credential


@pytest.mark.parametrize("name", [name for name in RULES if not name.startswith("WEBSOCKET")])
async def test_no_route_breaks_on_nul_or_on_letters_that_are_none(line: Line, name: str) -> None:
    method, _, path = name.partition(" ")
    for odd in ("%00", "%ff%fe", "%ed%a0%80", "9" * 30, "%2e%2e%2f", "x" * 3000):
        written = path
        for place in PLACES:
            written = written.replace(place, odd)
        address = f"{BELOW.get(path, written)}{'&' if path == '/socket.io' else '?'}attempt={odd}&turn={odd}&v={odd}"
        public = line.services.settings.public_url
        headers = {
            "Authorization": f"Bearer {ADMIN}",
            "X-Twilio-Signature": sign(public + address, {}, TOKEN),
        }
        assert await status(line, method, address, headers) != 500, address
