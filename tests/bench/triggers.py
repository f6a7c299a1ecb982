"""Interactions posted one by one, and in the largest batches."""

import json

import psycopg

from tests.bench.figures import Figure, percentile
from tests.bench.ground import ADMIN, Ground, serving
from tests.bench.line import interaction
from tests.bench.load import Driven, Shot, drive, request

CONNECTIONS = 16
AN_HOUR = "3600"


async def measure(ground: Ground, *, singly: int = 6000, batches: int = 4, batch: int = 5000) -> list[Figure]:
    """Every interaction is someone else's and is scheduled for later, so that nothing but triggers goes on."""
    with (
        ground.database() as database,
        serving(ground, {"database_url": database, "call_delay_seconds": AN_HOUR}) as server,
    ):
        host = server.url.removeprefix("http://")
        await _send(host, [[_one(host, number) for number in range(CONNECTIONS)]])
        shots = [_one(host, number) for number in range(CONNECTIONS, singly)]
        single = await _send(host, [shots[lane::CONNECTIONS] for lane in range(CONNECTIONS)])
        starts = range(singly, singly + batches * batch, batch)
        many = await _send(host, [[_many(host, range(start, start + batch)) for start in starts]])
        _all_scheduled(database, singly + batches * batch)
    return [
        Figure("Triggers", "one by one", single.per_second, "a second",
               note=f"{len(single.latencies):,} over {CONNECTIONS} connections, 99 % within "
               f"{1000 * percentile(single.latencies, 0.99):.0f} ms"),
        Figure("Triggers", f"in batches of {batch:,}", many.per_second * batch, "a second",
               note=f"{batches} batches, one after another, {max(many.latencies):.1f} s the longest"),
    ]  # fmt: skip


async def _send(host: str, lanes: list[list[Shot]]) -> Driven:
    driven = await drive(host, lanes)
    if driven.wrong:
        raise AssertionError(f"{driven.wrong} wrong answers, the first: {driven.first_wrong}")
    return driven


def _one(host: str, number: int) -> Shot:
    return _shot(host, "/api/v1/interactions", interaction(number))


def _many(host: str, numbers: range) -> Shot:
    return _shot(host, "/api/v1/interactions:batch", [interaction(number) for number in numbers])


def _shot(host: str, path: str, body: object) -> Shot:
    headers = f"Authorization: Bearer {ADMIN}\r\nContent-Type: application/json\r\n"
    return Shot(request(host, path, json.dumps(body).encode(), headers), b'"scheduled"')


def _all_scheduled(database: str, count: int) -> None:
    """Each has its row, its survey and its job."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM interactions), (SELECT count(*) FROM surveys WHERE status = 'scheduled'),"
            " (SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'start_attempt' AND status = 'todo')"
        ).fetchone()
    if row != (count, count, count):
        raise AssertionError(f"of {count}, the database has interactions, surveys, jobs: {row}")
