"""A voice turn over HTTP, against a POST that does nothing on the same server."""

import psycopg

from tests.bench.figures import Figure, percentile
from tests.bench.ground import Ground, serving
from tests.bench.load import Driven, Shot, drive
from tests.bench.prepared import Prepared, lanes, prepare
from tests.bench.product import PATH

PRODUCT = ("-m", "tests.bench.product")
CONNECTIONS = 32


async def measure(ground: Ground, *, rounds: int = 5, surveys: int = 1500) -> list[Figure]:
    """Rounds of turns and of nothing by turns; the best of each kind counts, since noise only ever slows down."""
    with ground.database() as database, serving(ground, *PRODUCT, database_url=database) as server:
        warming = prepare(database, max(CONNECTIONS, surveys // 5))
        await _turns(server.url, warming)
        nothing, turns = [], []
        for _ in range(rounds):
            nothing.append(await _nothing(server.url, surveys * 2))
            turns.append(await _turns(server.url, prepare(database, surveys)))
        _all_answered(database, len(warming) + rounds * surveys)
    return _figures(nothing, turns)


def _figures(nothing: list[Driven], turns: list[Driven]) -> list[Figure]:
    best, idle = (max(each, key=lambda driven: driven.per_second) for each in (turns, nothing))
    share = 100 * best.per_second / idle.per_second
    how = f"best of {len(turns)} rounds over {CONNECTIONS} connections, {len(best.latencies):,} turns each"
    return [
        Figure("Voice turn", "no-op POST", idle.per_second, "a second", note="same server, form and client"),
        Figure("Voice turn", "whole turn", best.per_second, "a second", note=how),
        Figure("Voice turn", "share of the no-op", share, "%", 12, "at least", "20 % is the stretch"),
        Figure("Voice turn", "99 % answered within", 1000 * percentile(best.latencies, 0.99), "ms",
               note="while nothing is spared"),
    ]  # fmt: skip


async def _turns(url: str, surveys: list[Prepared]) -> Driven:
    return _without_error(await drive(_host(url), lanes(surveys, url, CONNECTIONS)))


async def _nothing(url: str, count: int) -> Driven:
    """The same forms with the same headers, to the address that does nothing."""
    form = Prepared.any().shots(url)[0].request.partition(b"\r\n")[2]
    shot = Shot(b"POST " + PATH.encode() + b" HTTP/1.1\r\n" + form, b"")
    return _without_error(await drive(_host(url), [[shot] * (count // CONNECTIONS)] * CONNECTIONS))


def _without_error(driven: Driven) -> Driven:
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
        raise AssertionError(f"of {surveys} surveys, the database has completed, score, comment, counted: {row}")


def _host(url: str) -> str:
    return url.removeprefix("http://")
