"""A voice turn over HTTP, against a POST that does nothing on the same server."""

from collections.abc import Sequence

import psycopg

from tests.bench.figures import Figure, percentile
from tests.bench.ground import Ground, serving
from tests.bench.load import Driven, Shot, drive
from tests.bench.prepared import Prepared, lanes, prepare
from tests.bench.product import PATH

PRODUCT = ("-m", "tests.bench.product")
CONNECTIONS = 32


async def measure(ground: Ground, *, rounds: int = 6, surveys: int = 1200) -> list[Figure]:
    """Rounds of nothing and of turns in alternation; the best of each kind counts, since noise only ever slows down.

    The turns are those of whole calls, greeted by the same process beforehand; then those of calls that another
    process greeted, so that each call's state is read back once.
    """
    nothing, turns, taken_over = [], [], []
    with ground.database() as database, serving(ground, {"database_url": database}, PRODUCT) as server:
        host, url = server.url.removeprefix("http://"), server.url
        for _ in range(rounds):
            nothing.append(await drive_nothing(host, url, 2 * surveys))
            calls = prepare(database, surveys, greeted=False)
            await drive_calls(host, [[each.greeting(url)] for each in calls])
            turns.append(await drive_calls(host, [each.turns(url) for each in calls]))
            calls = prepare(database, surveys, greeted=True)
            taken_over.append(await drive_calls(host, [each.turns(url) for each in calls]))
        _all_answered(database, 2 * rounds * surveys)
    return _figures(
        *(max(each, key=lambda driven: driven.per_second) for each in (nothing, turns, taken_over))
    )


def _figures(nothing: Driven, turns: Driven, taken_over: Driven) -> list[Figure]:
    share = 100 * turns.per_second / nothing.per_second
    how = f"{CONNECTIONS} connections, best round of {len(turns.latencies):,} turns"
    return [
        Figure("Voice turn", "no-op POST", nothing.per_second, "a second", note="same server, form and client"),
        Figure("Voice turn", "whole turn", turns.per_second, "a second", note=how),
        Figure("Voice turn", "share of the no-op", share, "%", 12, "at least", "20 % is the stretch"),
        Figure("Voice turn", "99 % answered within", 1000 * percentile(turns.latencies, 0.99), "ms",
               note=f"all {CONNECTIONS} connections always busy"),
        Figure("Voice turn", "whole turn, taken over", taken_over.per_second, "a second",
               note="greeted by another process: each call's state is read back once"),
    ]  # fmt: skip


async def drive_nothing(host: str, url: str, count: int) -> Driven:
    """The same form with the same headers, to the address that does nothing."""
    rest = Prepared.any().turns(url)[0].request.partition(b"\r\n")[2]
    shot = Shot(b"POST " + PATH.encode() + b" HTTP/1.1\r\n" + rest, b"")
    return await drive_calls(host, [[shot]] * count)


async def drive_calls(host: str, calls: Sequence[Sequence[Shot]]) -> Driven:
    """The calls' requests over all connections; raises `AssertionError` with the first wrong answer."""
    driven = await drive(host, lanes(calls, CONNECTIONS))
    if driven.wrong:
        raise AssertionError(f"{driven.wrong} wrong answers, the first: {driven.first_wrong}")
    return driven


def _all_answered(database: str, surveys: int) -> None:
    """What the server said it did is in the database."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM surveys WHERE status = 'completed'), count(*),"
            " count(comment), (SELECT sum(responses) FROM nps_daily) FROM responses"
        ).fetchone()
    if row != (surveys, surveys, surveys, surveys):
        raise AssertionError(f"of {surveys} surveys, completed, scored, commented and counted are {row}")
