"""Turns of web chats: over REST against a no-op POST on the same server, and over socket.io with a thousand open."""

import asyncio
import json
import time
from itertools import cycle

import httpx
import socketio

from tests.bench import product
from tests.bench.figures import Figure, percentile
from tests.bench.ground import ADMIN, Ground, serving
from tests.bench.line import interaction
from tests.bench.load import Shot, drive, request

CONNECTIONS = 32
SAID = ("/start", "9", "quick and friendly")
AT_ONCE = 8
ANSWER_SECONDS = 10
COMMAND = ("-m", "tests.bench.product")


async def measure(ground: Ground, *, chats: int = 1000) -> list[Figure]:
    """``chats`` surveys by REST, and as many over socket.io connections that stay open all the while."""
    with ground.database() as database, serving(ground, {"database_url": database}, COMMAND) as server:
        host = server.url.removeprefix("http://")
        nothing = [Shot(request(host, product.PATH, b"{}", "Content-Type: application/json\r\n"), b"200")]
        no_op = await drive(host, [nothing * (chats // 4)] * CONNECTIONS)
        tokens = await _tokens(server.url, 0, chats)
        shots = [[_shot(host, token, said) for said in SAID] for token in tokens]
        lanes: list[list[Shot]] = [[] for _ in range(CONNECTIONS)]
        for lane, chat in zip(cycle(lanes), shots, strict=False):
            lane.extend(chat)
        rest = await drive(host, lanes)
        if rest.wrong:
            raise AssertionError(f"{rest.wrong} wrong answers, the first: {rest.first_wrong}")
        seconds, took = await _over_sockets(server.url, await _tokens(server.url, chats, chats))
    return [
        Figure("Web chat", "turns over REST", rest.per_second, "a second", note=f"{len(rest.latencies):,} turns"),
        Figure("Web chat", "share of the no-op", 100 * rest.per_second / no_op.per_second, "%",
               note=f"no-op POST {no_op.per_second:,.0f} a second, same server and client"),
        Figure("Web chat", "99 % of them within", 1000 * percentile(rest.latencies, 0.99), "ms", 250, "at most"),
        Figure("Web chat", "turns over socket.io", len(took) / seconds, "a second",
               note=f"{chats:,} chats open on one process, {AT_ONCE} turns under way"),
        Figure("Web chat", "99 % of these within", 1000 * percentile(took, 0.99), "ms", 250, "at most"),
    ]  # fmt: skip


async def _tokens(url: str, start: int, count: int) -> list[str]:
    body = [
        interaction(number, channel="chat", survey_by="chat", customer={"crm_id": f"chat-{number}"})
        for number in range(start, start + count)
    ]
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=60
    ) as http:
        answer = await http.post("/api/v1/interactions:batch", json=body)
    return [str(each["chat"]["token"]) for each in answer.raise_for_status().json()]


def _shot(host: str, token: str, said: str) -> Shot:
    body = json.dumps({"sender": token, "message": said}).encode()
    return Shot(
        request(host, "/webhooks/rest/webhook", body, "Content-Type: application/json\r\n"), b'"text"'
    )


async def _over_sockets(url: str, tokens: list[str]) -> tuple[float, list[float]]:
    """How long all turns took together, and each of them."""
    opening, turning = asyncio.Semaphore(50), asyncio.Semaphore(AT_ONCE)
    people = [_Person(token) for token in tokens]

    async def open_one(person: "_Person") -> None:
        async with opening:
            await person.client.connect(url, transports=["websocket"])

    async def answer(person: "_Person", said: str) -> float:
        async with turning:
            return await person.say(said)

    await asyncio.gather(*(open_one(person) for person in people))
    started = time.perf_counter()
    took = [
        each for said in SAID for each in await asyncio.gather(*(answer(person, said) for person in people))
    ]
    seconds = time.perf_counter() - started
    await asyncio.gather(*(person.client.disconnect() for person in people))
    return seconds, took


class _Person:
    """One open chat."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._answered = asyncio.Event()
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("bot_uttered", self._uttered)

    async def say(self, text: str) -> float:
        """Say it, and how long the first of the answer took."""
        self._answered.clear()
        started = time.perf_counter()
        await self.client.emit("user_uttered", {"message": text, "customData": {"token": self._token}})
        await asyncio.wait_for(self._answered.wait(), ANSWER_SECONDS)
        return time.perf_counter() - started

    async def _uttered(self, _: object) -> None:
        self._answered.set()
