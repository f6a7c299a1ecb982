"""How exactly starts are spaced, by several workers, while work waits."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import httpx
import psycopg

from tests.bench.figures import Figure
from tests.bench.ground import ACCOUNT, TOKEN, Ground, process, serving
from tests.bench.line import carrier, seen, trigger

COMMAND = ("-c", "from app.cli.main import main; main()")
WINDOW_SECONDS = 1.0


async def measure(
    ground: Ground, *, seconds: float = 60, per_second: int = 10, workers: int = 3
) -> list[Figure]:
    """The figures of one round."""
    found = await pacing_error(ground, seconds=seconds, per_second=per_second, workers=workers)
    room = f"Pacing at {per_second} a second"
    how = f"{found['starts']} calls, {found['workers']} worker processes, timed as they arrive at the carrier"
    return [
        Figure(room, "most starts in any second", found["most_in_a_second"], "", per_second, note=how),
        Figure(room, "of the rate used while work waits", 100 * found["used"], "%", 95, "at least"),
        Figure(room, "widest gap between two starts", 1000 * found["widest_gap"], "ms"),
    ]


async def pacing_error(
    ground: Ground, *, seconds: float = 8, per_second: int = 10, workers: int = 3
) -> dict[str, Any]:
    """Let ``workers`` processes work off ``seconds`` of waiting calls at ``per_second``.

    ``most_in_a_second`` counts the starts in the fullest window of one second, wherever it begins; ``used`` is the
    share of the rate that was used from the first start to the last.
    """
    calls = round(seconds * per_second)
    with ExitStack() as stack:
        database = stack.enter_context(ground.database())
        carrier_url = stack.enter_context(carrier(ground, pace=0))
        settings = {
            "database_url": database,
            "twilio_api_url": carrier_url,
            "calls_per_second": str(per_second),
        }
        web = stack.enter_context(serving(ground, settings))
        for _ in range(workers - 1):
            address = {"public_url": web.url}
            stack.enter_context(process((*COMMAND, "worker"), settings | address, ground.directory))
        await _workers_seen(database, workers)
        await _everybody_is_busy(carrier_url)
        await trigger(web, range(calls))
        await _all_placed(database, calls)
        starts = sorted((await seen(carrier_url))["placed"])
    return {"workers": workers, "per_second": per_second} | spacing(starts, per_second)


def spacing(starts: Sequence[float], per_second: float) -> dict[str, Any]:
    """What the sorted moments of starts, in seconds, say of their spacing."""
    return {
        "starts": len(starts),
        "most_in_a_second": max(bisect_left(starts, at + WINDOW_SECONDS) - n for n, at in enumerate(starts)),
        "used": (len(starts) - 1) / (starts[-1] - starts[0]) / per_second,
        "widest_gap": max(after - before for before, after in pairwise(starts)),
        "narrowest_gap": min(after - before for before, after in pairwise(starts)),
    }


async def _everybody_is_busy(carrier_url: str) -> None:
    """Nobody picks up, so that the carrier has its hands free to note when it was called."""
    async with httpx.AsyncClient(base_url=carrier_url, auth=(ACCOUNT, TOKEN)) as http:
        answer = await http.post("/rehearsal/faults", json={"faults": {"pickup": "busy"}})
        answer.raise_for_status()


async def _workers_seen(database: str, workers: int) -> None:
    await _until(database, "SELECT count(*) FROM procrastinate_workers", workers)


async def _all_placed(database: str, calls: int) -> None:
    await _until(database, "SELECT count(*) FROM attempts WHERE placed_at IS NOT NULL", calls)


async def _until(database: str, query: str, wanted: int) -> None:
    deadline = time.monotonic() + 180
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        while (row := await (await connection.execute(query.encode())).fetchone()) != (wanted,):
            if time.monotonic() > deadline:
                raise AssertionError(f"{query}: {row} instead of {wanted}")
            await asyncio.sleep(0.2)
