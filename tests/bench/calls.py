"""Many calls at once, at a person's pace."""

import asyncio
import time

import psycopg

from tests.bench.figures import Figure, percentile
from tests.bench.ground import Ground
from tests.bench.line import line, seen, trigger

STARTS_PER_SECOND = 25
PATIENCE_SECONDS = 180


async def measure(ground: Ground, *, calls: int = 500, pace: float = 1.0) -> list[Figure]:
    """Start ``calls`` faster than the first is over, so that all go on at the same time, and see them through."""
    with (
        ground.database() as database,
        line(ground, database, pace=pace, calls_per_second=str(STARTS_PER_SECOND)) as (server, carrier_url),
    ):
        await trigger(server, range(calls))
        await all_over(database, calls)
        saw = await seen(carrier_url)
        wrong = [*saw["failed"], *saw["alerts"]]
        if wrong or saw["numbers"] != calls or len(saw["placed"]) != calls:
            raise AssertionError(f"{len(saw['placed'])} calls to {saw['numbers']} people, wrong: {wrong[:3]}")
    documents = saw["documents"]
    how = f"{calls} calls of {_length(saw['spans']):.0f} s, {STARTS_PER_SECOND} started a second, none with an error"
    return [
        Figure("Calls at once", "most at the same time", most_at_once(saw["spans"]), "calls", calls, "at least", how),
        Figure("Calls at once", "99 % of turns within", 1000 * percentile(documents, 0.99), "ms", 250,
               note=f"{len(documents):,} documents, timed at the carrier in its own process"),
        Figure("Calls at once", "half of them within", 1000 * percentile(documents, 0.5), "ms"),
    ]  # fmt: skip


async def all_over(database: str, surveys: int) -> None:
    """Wait until every survey is answered to its end, and counted; raises `AssertionError` when nothing moves."""
    last, deadline = None, 0.0
    query = (
        "SELECT (SELECT count(*) FROM surveys WHERE status IN ('completed', 'partial')),"
        " (SELECT count(*) FROM attempts WHERE disposition = 'answered'), (SELECT sum(responses) FROM nps_daily)"
    )
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        while True:
            row = await (await connection.execute(query)).fetchone()
            if row == (surveys, surveys, surveys):
                return
            if row != last:
                last, deadline = row, time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                raise AssertionError(
                    f"of {surveys} surveys were over, calls answered, responses counted: {row}"
                )
            await asyncio.sleep(0.5)


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """How many of the spans overlap at the most."""
    changes = sorted((at, step) for begun, ended in spans for at, step in ((begun, 1), (ended, -1)))
    going, most = 0, 0
    for _, step in changes:
        going += step
        most = max(most, going)
    return most


def _length(spans: list[tuple[float, float]]) -> float:
    return percentile([ended - begun for begun, ended in spans], 0.5)
