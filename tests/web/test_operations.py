"""What operators and their machines look at: /healthz, /readyz, /metrics."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.config import Settings
from tests.intake.test_triggers import customer
from tests.line import Line, a_line, eventually, interaction


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    async with a_line(settings, worker=False) as running:
        yield running


async def metrics(line: Line) -> dict[str, float]:
    """Every sample, by its name and labels."""
    answer = await line.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    samples = [each.rpartition(" ") for each in answer.text.splitlines() if not each.startswith("#")]
    return {name: float(value) for name, _, value in samples}


async def anyone(line: Line, path: str) -> httpx.Response:
    """Asked without a key."""
    async with httpx.AsyncClient(base_url=line.http.base_url) as stranger:
        return await stranger.get(path, timeout=20)


class Away:
    """The database refuses everyone, and those who are in are thrown out."""

    def __init__(self, server: str, settings: Settings) -> None:
        assert settings.database_url is not None
        self.server, self.name = (
            server,
            str(conninfo_to_dict(settings.database_url.get_secret_value())["dbname"]),
        )

    async def __aenter__(self) -> None:
        await self._allow(False)

    async def __aexit__(self, *_: object) -> None:
        await self._allow(True)

    async def _allow(self, allow: bool) -> None:
        async with await psycopg.AsyncConnection.connect(self.server, autocommit=True) as connection:
            change = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
            await connection.execute(change.format(sql.Identifier(self.name), sql.Literal(allow)))
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self.name,)
            )


async def test_a_process_that_runs_is_healthy(line: Line) -> None:
    answer = await anyone(line, "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_once_a_worker_is_alive(line: Line, settings: Settings) -> None:
    answer = await anyone(line, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "checks": {"database": True, "worker": False, "clock": True},
    }
    async with a_line(settings):

        async def ready() -> bool:
            return (await anyone(line, "/readyz")).status_code == 200

        await eventually(ready)
        assert (await anyone(line, "/readyz")).json() == {
            "status": "ok",
            "checks": {"database": True, "worker": True, "clock": True},
        }


async def test_a_worker_that_has_not_been_heard_of_for_half_a_minute_does_not_count(line: Line) -> None:
    async with line.services.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '31 seconds')"
        )
        assert (await anyone(line, "/readyz")).status_code == 503
        await connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert (await anyone(line, "/readyz")).status_code == 200


async def test_a_database_that_is_away_is_told_and_comes_back(
    line: Line, server: str, settings: Settings
) -> None:
    async with Away(server, settings):
        ready, healthy, measured, problem, report, export = await asyncio.gather(
            anyone(line, "/readyz"),
            anyone(line, "/healthz"),
            metrics(line),
            line.trigger(expect=503, customer=customer()),
            line.http.get("/api/v1/reports/nps"),
            line.http.get("/api/v1/exports/responses.csv"),
        )
        assert ready.status_code == 503
        assert ready.json() == {
            "status": "unready",
            "checks": {"database": False, "worker": False, "clock": False},
        }
        assert healthy.status_code == 200
        assert str(measured["zeroten_jobs_waiting"]) == "nan"
        assert problem["code"] == "database_away"
        assert (report.status_code, report.headers["retry-after"]) == (503, "5")
        assert (export.status_code, export.json()["code"]) == (503, "database_away")

    async def back() -> bool:
        return (await line.http.get("/api/v1/reports/nps")).status_code == 200

    await eventually(back)
    assert (await line.trigger(customer=customer()))["decision"] == "scheduled"


async def test_a_database_that_takes_no_writes_is_told_and_its_reports_go_on(
    line: Line, server: str, settings: Settings
) -> None:
    """A standby that has not taken over yet, or a primary that was put aside."""
    assert settings.database_url is not None
    name = str(conninfo_to_dict(settings.database_url.get_secret_value())["dbname"])

    async def read_only(value: str) -> None:
        async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
            change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only TO {}")
            await connection.execute(change.format(sql.Identifier(name), sql.SQL(value)))
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

    await read_only("on")

    async def noticed() -> bool:
        return (await line.http.get("/api/v1/reports/nps")).status_code == 200

    await eventually(noticed)
    answer = await line.http.post("/api/v1/interactions", json=interaction(customer=customer()))
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert answer.headers["retry-after"] == "5"
    ready = await anyone(line, "/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
    await read_only("off")

    async def back() -> bool:
        return (await line.http.put("/api/v1/queues/billing", json={})).status_code == 200

    await eventually(back)


async def test_a_lock_that_somebody_holds_is_waited_for_a_little_while_only(
    line: Line, settings: Settings
) -> None:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(url) as other:
        await other.execute("LOCK TABLE interactions IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        answer = await line.http.post("/api/v1/interactions", json=interaction(customer=customer()))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert 3 <= time.monotonic() - started < 8
    assert (await line.trigger(customer=customer()))["decision"] == "scheduled"


async def test_however_many_ask_how_it_stands_one_connection_is_enough(line: Line) -> None:
    before = line.services.pool.get_stats()["requests_num"]
    answers = await asyncio.gather(
        *(anyone(line, path) for path in ("/readyz", "/metrics") for _ in range(40))
    )
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert line.services.pool.get_stats()["requests_num"] - before < 40


async def test_decisions_are_counted_by_reason_once_each(line: Line) -> None:
    before = await metrics(line)
    await line.trigger(id="counted", customer=customer())
    await line.trigger(id="counted", customer=customer())
    await line.trigger(customer=customer(consent=False))
    after = await metrics(line)

    def more(decision: str, reason: str) -> float:
        name = f'zeroten_decisions_total{{decision="{decision}",reason="{reason}"}}'
        return after[name] - before.get(name, 0)

    assert (more("scheduled", ""), more("skipped", "consent_refused")) == (1, 1)


async def test_who_is_turned_away_is_counted_by_status(line: Line) -> None:
    before = await metrics(line)
    assert (await anyone(line, "/api/v1/reports/nps")).status_code == 401
    assert (await line.http.post("/twilio/voice")).status_code == 403
    assert (await line.http.post("/twilio/voice")).status_code == 403
    after = await metrics(line)

    def more(status: int) -> float:
        name = f'zeroten_requests_refused_total{{status="{status}"}}'
        return after[name] - before.get(name, 0)

    assert (more(401), more(403)) == (1, 2)


async def test_jobs_that_wait_are_told_from_jobs_whose_time_has_not_come(line: Line) -> None:
    await line.trigger(customer=customer())
    await line.http.put("/api/v1/queues/later", json={"call_delay_seconds": 3600})
    for _ in range(2):
        await line.trigger(queue="later", customer=customer())
    measured = await metrics(line)
    assert (measured["zeroten_jobs_waiting"], measured["zeroten_jobs_scheduled"]) == (1, 2)


async def test_a_call_shows_in_the_numbers(settings: Settings) -> None:
    async with a_line(settings) as line:
        before = await metrics(line)
        await line.survey("+48221234567", "9# | fine")
        after: dict[str, float] = {}
        ended = 'zeroten_attempts_ended_total{disposition="answered"}'

        async def counted() -> bool:
            after.update(await metrics(line))
            return after.get(ended, 0) > before.get(ended, 0)

        await eventually(counted)
        placed = 'zeroten_attempts_placed_total{channel="voice"}'
        assert after[placed] - before.get(placed, 0) == 1
        turns = 'zeroten_turn_seconds_count{channel="voice"}'
        assert after[turns] - before.get(turns, 0) >= 3


async def test_no_number_or_name_is_among_the_labels(line: Line) -> None:
    who = customer(name="Ewa Kowalska", email="ewa@example.com")
    await line.trigger(customer=who, queue="a-queue", agent="an-agent")
    text = (await line.http.get("/metrics")).text
    assert not re.search(
        r"\d{7,}(?!\.)|Kowalska|example\.com|a-queue|an-agent",
        re.sub(r"[\d.e+]+$", "", text, flags=re.MULTILINE),
    )
    assert who["phone"].lstrip("+") not in text
