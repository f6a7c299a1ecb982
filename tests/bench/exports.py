"""The exports, over millions of responses."""

import csv
import time
from contextlib import closing
from http.client import HTTPConnection

import httpx
import psycopg

from tests.bench.figures import Figure
from tests.bench.ground import ADMIN, Ground, serving

ROUNDS = 7
MEGABYTE = 1e6
BLOCK = 1 << 18
HEADERS = {"Authorization": f"Bearer {ADMIN}"}
# 20 queues of ten agents each, 4 languages, 365 days; every fifth gives a reason.
RESPONSES = """
INSERT INTO responses (survey_id, interaction_id, crm_id, queue, agent, channel, language, score, band, comment,
    comment_source, answered_at, flow_version, attributes)
SELECT gen_random_uuid(), 'call-' || n, 'crm-' || n %% 100000, 'queue-' || agent / 10, 'agent-' || agent, 'voice',
    (ARRAY['en', 'pl', 'nb', 'fr'])[(1 + n / 200 %% 4)::int], score,
    CASE WHEN score >= 9 THEN 'promoter' WHEN score >= 7 THEN 'passive' ELSE 'detractor' END,
    CASE WHEN n %% 5 = 0 THEN 'they were quick, and kind to me: "a pleasure", as one says' END,
    CASE WHEN n %% 5 = 0 THEN 'speech' END,
    now() - interval '365 days' + n * (interval '364 days' / %(count)s), '1.0', '{"segment": "smb"}'
FROM generate_series(1, %(count)s::bigint) AS n,
    LATERAL (SELECT (n * 7919) %% 200 AS agent, (n * 31) %% 11 AS score) AS drawn
"""
ROLL_UP = """
INSERT INTO nps_daily (day, queue, agent, channel, language, invited, reached, responses, promoters, passives,
    detractors)
SELECT answered_at::date, queue, agent, channel, language, 3 * count(*), 2 * count(*), count(*),
    count(*) FILTER (WHERE band = 'promoter'), count(*) FILTER (WHERE band = 'passive'),
    count(*) FILTER (WHERE band = 'detractor')
FROM responses GROUP BY 1, 2, 3, 4, 5
"""


async def measure(ground: Ground, *, responses: int = 10_000_000) -> list[Figure]:
    """Both files from their own addresses; every line is counted."""
    with ground.database() as database:
        _generate(database, responses)
        with serving(ground, {"database_url": database}) as server:
            seconds = min(_report(server.url, responses) for _ in range(ROUNDS))
            before = server.megabytes
            whole, size = _download(server.url, responses)
            grown = server.megabytes - before
    return [
        Figure("Exports", f"nps.csv over {responses:,} responses", 1000 * seconds, "ms", 100,
               note=f"best of {ROUNDS}; 20 queues, 200 agents, 4 languages, 365 days"),
        Figure("Exports", "responses.csv", responses / whole, "rows a second", 300_000, "at least",
               f"{responses:,} rows, {size / MEGABYTE:,.0f} MB in {whole:.1f} s"),
        Figure("Exports", "memory it took meanwhile", max(0.0, grown), "MB", 20, note="resident, web process"),
    ]  # fmt: skip


def _generate(database: str, count: int) -> None:
    """Write the responses without their surveys, and index them afterwards, since that is quicker."""
    with psycopg.connect(database, autocommit=True) as connection:
        indices = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'responses' AND indexname <> 'responses_pkey'"
        ).fetchall()
        connection.execute("ALTER TABLE responses DROP CONSTRAINT responses_survey_id_fkey")
        connection.execute("ALTER TABLE responses DROP CONSTRAINT responses_pkey")
        connection.execute("DROP INDEX responses_by_time, responses_by_queue")
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        connection.execute(RESPONSES, {"count": count})
        for (definition,) in indices:
            connection.execute(definition)
        connection.execute("ALTER TABLE responses ADD PRIMARY KEY (survey_id)")
        connection.execute(ROLL_UP)
        connection.execute("VACUUM ANALYZE responses")
        connection.execute("VACUUM ANALYZE nps_daily")
        connection.execute("CHECKPOINT")


def _report(url: str, responses: int) -> float:
    started = time.perf_counter()
    answer = httpx.get(f"{url}/api/v1/exports/nps.csv", headers=HEADERS, timeout=60).raise_for_status()
    seconds = time.perf_counter() - started
    counted = sum(int(row["responses"]) for row in csv.DictReader(answer.text.splitlines()))
    if counted != responses:
        raise AssertionError(f"nps.csv counts {counted} responses of {responses}")
    return seconds


def _download(url: str, responses: int) -> tuple[float, int]:
    lines = size = 0
    started = time.perf_counter()
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=60)) as connection:
        connection.request("GET", "/api/v1/exports/responses.csv", headers=HEADERS)
        answer = connection.getresponse()
        while block := answer.read(BLOCK):
            lines += block.count(b"\n")
            size += len(block)
    seconds = time.perf_counter() - started
    if answer.status != 200 or lines != responses + 1:
        raise AssertionError(f"responses.csv: {answer.status}, {lines} lines for {responses} responses")
    return seconds, size
