"""Live calls while everything else goes wrong: strangers, a partner's worst hour, and a CRM that hangs."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.bench import exports
from tests.bench.attackers import LATER, attack
from tests.bench.calls import all_over, most_at_once
from tests.bench.figures import Figure, percentile
from tests.bench.ground import ADMIN, Ground
from tests.bench.line import line, seen, trigger

STARTS_PER_SECOND = 25
WARM_UP_SECONDS = 5.0
SECRET = "whsec_" + "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyAuLi4="


async def measure(
    ground: Ground, *, calls: int = 200, pace: float = 1.0, responses: int = 300_000
) -> list[Figure]:
    """See ``calls`` through that all go on at the same time, first in peace and then under attack."""
    peace, _, _ = await _calls(ground, calls, pace, responses, attacked=False)
    documents, spans, done = await _calls(ground, calls, pace, responses, attacked=True)
    what = ", ".join(f"{count:,} {name}" for name, count in sorted(done.items()))
    return [
        Figure("Attacked", "calls at the same time", most_at_once(spans), "calls", calls, "at least", what),
        Figure("Attacked", "99 % of turns within", 1000 * percentile(documents, 0.99), "ms", 250,
               note=f"{len(documents):,} documents, timed at the carrier in its own process"),
        Figure("Attacked", "half of them within", 1000 * percentile(documents, 0.5), "ms"),
        Figure("Attacked", "99 % within, in peace", 1000 * percentile(peace, 0.99), "ms",
               note="the same calls, hanging CRM and all, without the attack"),
    ]  # fmt: skip


async def _calls(
    ground: Ground, calls: int, pace: float, responses: int, *, attacked: bool
) -> tuple[list[float], list[tuple[float, float]], dict[str, int]]:
    """The documents' times, the calls' spans, and what the attackers did."""
    async with hanging() as crm:
        with ground.database() as database:
            _fill(database, responses)
            settings = {"webhook_url": crm, "webhook_secret": SECRET, "allow_private_urls": "true"}
            starts = {"calls_per_second": str(STARTS_PER_SECOND)}
            with line(ground, database, pace=pace, **settings, **starts) as (server, carrier_url):
                await _later(server.url)
                with attackers(server.url) if attacked else nobody() as over:
                    await asyncio.sleep(WARM_UP_SECONDS if attacked else 0)
                    await trigger(server, range(calls))
                    await all_over(database, calls)
                    done = await over()
                saw = await seen(carrier_url)
    wrong = [*saw["failed"], *saw["alerts"]]
    if wrong or saw["numbers"] != calls or len(saw["placed"]) != calls:
        raise AssertionError(f"{len(saw['placed'])} calls to {saw['numbers']} people, wrong: {wrong[:3]}")
    return saw["documents"], saw["spans"], done


def _fill(database: str, responses: int) -> None:
    """Responses for the exports, without their surveys, and counted in no report."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE responses DROP CONSTRAINT responses_survey_id_fkey")
        connection.execute(exports.RESPONSES, {"count": responses})


async def _later(url: str) -> None:
    """The batches' queue: nobody of it is called today."""
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {ADMIN}"}) as http:
        answer = await http.put(f"/api/v1/queues/{LATER}", json={"call_delay_seconds": 86_400})
    answer.raise_for_status()


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """The address of a CRM that takes every request and never answers."""
    held: list[Any] = []
    server = await asyncio.start_server(lambda *streams: held.append(streams), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        for _, writer in held:
            writer.transport.abort()


@contextmanager
def attackers(url: str) -> Iterator[Any]:
    """Everything of `tests.bench.attackers`, from a process of its own; gives what ends it and tells what was done."""
    with (
        tempfile.TemporaryDirectory() as directory,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes,
    ):
        stop = Path(directory) / "stop"
        attacking = processes.submit(attack, url, str(stop))

        async def over() -> dict[str, int]:
            stop.touch()
            return await asyncio.wrap_future(attacking)

        try:
            yield over
        finally:
            stop.touch()


@contextmanager
def nobody() -> Iterator[Any]:
    """In the place of `attackers`."""

    async def over() -> dict[str, int]:
        return {}

    yield over
