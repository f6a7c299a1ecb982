"""What a request may bring, and how many may be under way: known before any of it is read."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from starlette.types import Message, Receive, Scope, Send

from app.config import Settings
from app.web.limits import AT_ONCE, KB, MB, Limits, largest_body
from app.web.routing import MOST_VALUES
from tests.line import ADMIN, Line, a_line

pytestmark = pytest.mark.asyncio(loop_scope="module")

SURVEY = UUID(int=7)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
KEY = {"Authorization": f"Bearer {ADMIN}"}
WEBHOOKS = [
    "/twilio/voice",
    f"/twilio/voice/en/{SURVEY}/open",
    f"/twilio/attempts/{SURVEY}/status",
    "/twilio/messages",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


async def answer_before_the_body(
    line: Line, path: str, headers: dict[str, str], length: int
) -> tuple[int, str]:
    """The status and code of a POST of which only the head was sent."""
    host, port = line.http.base_url.host, line.http.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    try:
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        size = next(each for each in head.lower().split(b"\r\n") if each.startswith(b"content-length"))
        body = await reader.readexactly(int(size.partition(b":")[2]))
        return int(head.split()[1]), json.loads(body)["code"]
    finally:
        writer.close()


@pytest.mark.parametrize("path", WEBHOOKS)
async def test_a_webhook_without_a_signature_is_refused_unread(line: Line, path: str) -> None:
    assert await answer_before_the_body(line, path, FORM, 31 * MB) == (403, "forbidden")


@pytest.mark.parametrize("path", WEBHOOKS)
async def test_a_webhook_that_is_too_large_is_refused_unread(line: Line, path: str) -> None:
    signed = FORM | {"X-Twilio-Signature": "x"}
    assert await answer_before_the_body(line, path, signed, 65 * KB) == (413, "body_too_large")


@pytest.mark.parametrize(
    "path", ["/api/v1/interactions", "/api/v1/interactions:batch", "/api/v1/deliveries:replay"]
)
async def test_nothing_is_read_before_its_key_is_accepted(line: Line, path: str) -> None:
    assert await answer_before_the_body(line, path, JSON, 500) == (401, "unauthorized")
    wrong = JSON | {"Authorization": f"Bearer zt_{'0' * 12}_{'0' * 48}"}
    assert await answer_before_the_body(line, path, wrong, 31 * MB) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "most"),
    [("/api/v1/interactions", MB), ("/api/v1/interactions:batch", 32 * MB), ("/api/v1/queues/billing", MB),
     ("/webhook", 8 * MB), ("/webhooks/rest/webhook", 32 * MB), ("/socket.io/", 64 * KB), ("/nowhere", MB)],
)  # fmt: skip
async def test_each_address_has_its_limit(path: str, most: int) -> None:
    assert largest_body(path) == most


async def test_a_body_that_says_it_is_too_large_is_refused_unread(line: Line) -> None:
    refused = await answer_before_the_body(line, "/api/v1/interactions", JSON | KEY, MB + 1)
    assert refused == (413, "body_too_large")


async def test_a_body_that_does_not_say_how_large_it_is_is_read_no_further_than_allowed(line: Line) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * (64 * KB)

    answer = await line.http.post("/api/v1/interactions", content=blocks(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("body", [b"[" + b"[]," * MOST_VALUES + b"[]]", b"[" + b"1," * MOST_VALUES + b"1]"])
async def test_a_body_of_millions_of_values_is_refused_before_it_is_parsed(line: Line, body: bytes) -> None:
    answer = await line.http.post("/api/v1/interactions:batch", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_commas_in_a_text_are_no_values(line: Line) -> None:
    item = {"id": "x", "agent": ",[{" * MOST_VALUES}
    answer = await line.http.post("/api/v1/interactions:batch", json=[item, item])
    assert answer.status_code == 202
    assert {each["status"] for each in answer.json()} == {422}


async def test_a_form_of_thousands_of_fields_is_refused(line: Line) -> None:
    signed = FORM | {"X-Twilio-Signature": "x"}
    answer = await line.http.post("/twilio/messages", content=b"&".join([b"a=b"] * 5000), headers=signed)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "fields" in answer.json()["detail"]


class Held:
    """An application that answers when it is let go."""

    def __init__(self) -> None:
        self.go, self.begun = asyncio.Event(), 0

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.begun += 1
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def asked(app: Limits, address: str, path: str = "/api/v1/reports/nps") -> int:
    """The status that somebody at this address is answered with."""
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "path": path, "client": (address, 1), "headers": [], "method": "GET"}
    await app(scope, receive, send)
    return statuses[0]


async def test_an_address_has_so_many_requests_under_way_and_others_are_not_held_back() -> None:
    held = Held()
    app = Limits(held)
    asking = [asyncio.create_task(asked(app, "192.0.2.1")) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    assert await asked(app, "192.0.2.1") == 429
    others = [
        asyncio.create_task(asked(app, "192.0.2.2")),
        asyncio.create_task(asked(app, "192.0.2.1", "/twilio/voice")),
    ]
    await asyncio.sleep(0)
    assert held.begun == AT_ONCE + 2
    held.go.set()
    assert set(await asyncio.gather(*asking, *others)) == {200}
    assert await asked(app, "192.0.2.1") == 200
    assert not app.under_way
