"""Everything at once that somebody may do to the web application from outside, and a partner's worst hour."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import uvloop

from tests.bench.ground import ADMIN

SLOW_CONNECTIONS = 1000
WRONG_KEYS = 50
WRONG_KEYS_PAUSE = 0.25
SLOW_EXPORTS = 20
LARGE_BODIES = 4
LARGE_BODY = b"x" * 10_000_000
LARGE_BODIES_PAUSE = 2.0
BATCH = 5000
BATCH_PAUSE = 5.0
LATER = "later"
# Strangers, each lot at an address of its own; the carrier has another.
STRANGERS = [f"127.6.0.{number}" for number in range(1, 6)]

Done = Counter[str]


def attack(url: str, stop: str) -> dict[str, int]:
    """Attack the product at ``url`` until there is a file ``stop``; gives how often each thing was done.

    This process gives way to the others, since attackers are seldom on the machine that they attack.
    """
    os.nice(10)
    return dict(uvloop.run(_attack(url, Path(stop))))


async def _attack(url: str, stop: Path) -> Done:
    done: Done = Counter()
    everyone = [
        *(again(lambda: slow_connection(url, done)) for _ in range(SLOW_CONNECTIONS)),
        *(again(lambda: wrong_keys(url, done)) for _ in range(WRONG_KEYS)),
        *(again(lambda: slow_export(url, done)) for _ in range(SLOW_EXPORTS)),
        *(again(lambda: large_bodies(url, done)) for _ in range(LARGE_BODIES)),
        again(lambda: batches(url, done)),
    ]
    tasks = [asyncio.create_task(each) for each in everyone]
    while not stop.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return done


async def again(once: Callable[[], Awaitable[None]]) -> None:
    """Go on for ever, whatever the other side thinks of it."""
    while True:
        with suppress(OSError, httpx.HTTPError, asyncio.IncompleteReadError):
            await once()
        await asyncio.sleep(0.5)


async def slow_connection(url: str, done: Done) -> None:
    """Send a request's head, a byte a second."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=(STRANGERS[0], 0))
    done["slow connections"] += 1
    try:
        for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 600:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def wrong_keys(url: str, done: Done) -> None:
    """Try one key after another."""
    async with client(url, STRANGERS[1]) as http:
        while True:
            key = f"zt_{uuid4().hex[:12]}_{uuid4().hex}{uuid4().hex[:16]}"
            answer = await http.get("/api/v1/reports/nps", headers={"Authorization": f"Bearer {key}"})
            done[f"wrong keys {answer.status_code}"] += 1
            await asyncio.sleep(WRONG_KEYS_PAUSE)


async def slow_export(url: str, done: Done) -> None:
    """Ask for all responses, and read a kilobyte a second of them."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port, local_addr=(STRANGERS[2], 0), limit=1024
    )
    try:
        head = (
            f"GET /api/v1/exports/responses.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
        )
        writer.write(head.encode())
        status = (await reader.readline()).split()[1].decode()
        done[f"slow exports {status}"] += 1
        while await reader.read(1024):  # noqa: ASYNC110 - reading slowly is the point
            await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def large_bodies(url: str, done: Done) -> None:
    """Post ten million bytes, to a webhook without a signature and to the interface without a key."""
    async with client(url, STRANGERS[3]) as http:
        for path in ("/twilio/messages", "/api/v1/interactions"):
            answer = await http.post(path, content=LARGE_BODY)
            done[f"large bodies {answer.status_code}"] += 1
            await asyncio.sleep(LARGE_BODIES_PAUSE)


async def batches(url: str, done: Done) -> None:
    """A partner with a key posts five thousand interactions at once, whose surveys are for tomorrow."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    async with client(url, STRANGERS[4]) as http:
        body = json.dumps([ended() for _ in range(BATCH)])
        answer = await http.post("/api/v1/interactions:batch", content=body, headers=headers)
        done[f"batches {answer.status_code}"] += 1
        await asyncio.sleep(BATCH_PAUSE)


def ended() -> dict[str, object]:
    """A call that has ended, of somebody new."""
    number = uuid4().int % 10**7
    return {
        "id": f"batch-{uuid4().hex}",
        "channel": "voice",
        "queue": LATER,
        "ended_at": datetime.now(UTC).isoformat(),
        "customer": {"crm_id": uuid4().hex, "phone": f"+4420{79000000 + number % 1000000}", "consent": True},
    }


def client(url: str, address: str) -> httpx.AsyncClient:
    """Somebody at this address."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=url, transport=transport, timeout=60)
