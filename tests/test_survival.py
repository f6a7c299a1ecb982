"""The server is killed in the middle of a hundred calls, twice: no stored score is lost, and nobody is called twice."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import psycopg
import pytest

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller, read_script
from app.rehearsal.twilio import RehearsedCarrier, serving
from app.rehearsal.twilio.verbs import Method
from app.rehearsal.twilio.webhooks import Webhooks
from app.store import embedded
from tests.line import ACCOUNT, ADMIN, OURS, TOKEN, interaction
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
SERVE = "from app.cli.main import main; main()"
PEOPLE = 100
DONE = ("completed", "partial", "unreached", "expired", "opted_out", "failed")
TURN = re.compile(r"/twilio/voice/en/([0-9a-f-]{36})/1$")


class AttentiveWebhooks(Webhooks):
    """Remembers the scores to which the server answered with what comes next: those it must not lose.

    A lone 1 is asked about, since it may become 10; it is no score before that was answered.
    """

    def __init__(self, auth_token: str) -> None:
        super().__init__(auth_token)
        self.answered: dict[str, int] = {}

    async def fetch(
        self, url: str, method: Method, form: Mapping[str, str], *, forged: bool = False
    ) -> bytes:
        """As ever, with an eye on the first turn."""
        document = await super().fetch(url, method, form, forged=forged)
        turn = TURN.search(url)
        if turn is not None and form.get("Digits", "1") != "1" and b"<Gather" in document:
            self.answered[turn[1]] = int(form["Digits"])
        return document


@dataclass
class Server:
    """``zeroten serve`` on a data directory of its own; it may be killed and started again. It logs to ``words``."""

    data_dir: Path
    carrier_url: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    words: IO[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        return f"host={self.data_dir}/postgres user=postgres dbname=postgres"

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "data_dir": self.data_dir,
            "flows_dir": ROOT / "flows",
            "public_url": self.url,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_api_url": self.carrier_url,
            "twilio_from": OURS,
            "admin_key": ADMIN,
            "calling_hours": "always",
            "call_delay_seconds": 0,
            "calls_per_second": 20,
            "log_level": "ERROR",
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ZEROTEN_")}
        environment |= {f"ZEROTEN_{name.upper()}": str(value) for name, value in settings.items()}
        self.process = subprocess.Popen(  # noqa: ASYNC220 - it is killed without asking the loop
            [sys.executable, "-c", SERVE, "serve", "--port", str(self.port)],
            env=environment | {"PYTHONPATH": str(ROOT)},
            cwd=self.data_dir,
            stderr=self.words,
        )
        async with httpx.AsyncClient(base_url=self.url) as http:
            await soon(lambda: self._answers(http))

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get("/healthz")).status_code == 200
        except httpx.TransportError:
            assert self.process is not None
            assert self.process.poll() is None, "the server did not start"
            return False

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it at once; its database is another process and lives on."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the database, past the server."""
        async with await psycopg.AsyncConnection.connect(self.database, autocommit=True) as connection:
            cursor = await connection.execute(query.encode())
            return await cursor.fetchall() if cursor.description else []


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="zeroten-"))
    yield directory
    # Take the database over from the last server, so that it ends with us.
    embedded.start(directory)
    embedded.stop(directory)
    shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def a_server(data_dir: Path, carrier: RehearsedCarrier) -> AsyncIterator[Server]:
    port = free_port()
    async with serving.running(carrier) as carrier_url:
        server = Server(data_dir, carrier_url, port)
        await server.start()
        try:
            yield server
        finally:
            server.kill(signal.SIGTERM)


async def soon(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.05)


def phone_for(number: str) -> Phone:
    """Each at their own pace; every third hangs up once the score is given."""
    person = int(number[-3:])
    clock = PacedClock(0.05 + 0.003 * person)
    ends = "/hangup" if person % 3 == 0 else "cheap and fast | 2"
    score = "1# | #" if person % 11 == 1 else f"{person % 11}#"  # a lone 1 is asked about
    return Phone(ScriptedCaller(read_script(f"{score} | {ends}"), clock), clock)


def people() -> list[dict[str, Any]]:
    return [
        interaction(customer={"crm_id": f"crm-{n}", "phone": f"+48221234{n:03d}", "consent": True})
        for n in range(PEOPLE)
    ]


@pytest.mark.slow
async def test_a_server_that_is_killed_twice_loses_no_score_and_calls_nobody_twice(data_dir: Path) -> None:
    carrier = RehearsedCarrier(ACCOUNT, TOKEN, phone_for)
    carrier.webhooks = webhooks = AttentiveWebhooks(TOKEN)
    async with a_server(data_dir, carrier) as server:
        await trigger(server)

        async def in_the_middle() -> bool:
            return len(webhooks.answered) >= 10 and going_on(carrier) >= 30

        await soon(in_the_middle)
        server.kill()
        first = len(webhooks.answered)
        await server.start()

        async def in_the_middle_again() -> bool:
            return len(webhooks.answered) >= first + 10 and going_on(carrier) >= 5

        await soon(in_the_middle_again)
        server.kill()
        before = dict(webhooks.answered)
        stored = dict(await server.rows("SELECT survey_id::text, score FROM responses"))
        assert before.items() <= stored.items()
        await server.start()

        await soon(lambda: everything_settled(server))
        await carrier.quiet()
        await look_back(server, carrier, webhooks)


def going_on(carrier: RehearsedCarrier) -> int:
    return sum(not call.over for call in carrier.calls)


async def trigger(server: Server) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
        answer = await http.post("/api/v1/interactions:batch", json=people())
    assert answer.status_code == 202, answer.text
    assert {each["decision"] for each in answer.json()} == {"scheduled"}


async def everything_settled(server: Server) -> bool:
    """Whether every survey is over. What waits for the carrier's word need not wait for its hour in a test.

    An attempt of the server that runs now is left alone for as long as it may still be under way.
    """
    await server.rows(
        "UPDATE attempts SET begun_at = begun_at - interval '2 minutes' WHERE disposition IS NULL"
        " AND carrier_sid IS NULL AND begun_at > now() - interval '2 minutes'"
        " AND begun_at < now() - interval '8 seconds'"
    )
    await server.rows(
        "UPDATE procrastinate_jobs SET scheduled_at = now() FROM attempts"
        " WHERE procrastinate_jobs.status = 'todo' AND scheduled_at > now() + interval '1 second'"
        " AND args->>'attempt_id' = attempts.id::text AND disposition IS NULL"
        " AND begun_at < now() - interval '8 seconds'"
    )
    await server.rows(
        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND task_name = 'start_attempt'"
        " AND scheduled_at > now() + interval '1 minute'"
    )
    ((going,),) = await server.rows(f"SELECT count(*) FROM surveys WHERE status NOT IN {DONE}")
    await asyncio.sleep(0.2)
    return bool(going == 0)


async def look_back(server: Server, carrier: RehearsedCarrier, webhooks: AttentiveWebhooks) -> None:
    called = Counter(call.to for call in carrier.calls)
    assert max(called.values()) == 1, "somebody was called twice"
    assert len(called) == PEOPLE
    stored = dict(await server.rows("SELECT survey_id::text, score FROM responses"))
    assert webhooks.answered.items() <= stored.items(), "a score was lost"
    by_status = dict(await server.rows("SELECT status, count(*) FROM surveys GROUP BY status"))
    print(f"{len(stored)} scores; surveys {by_status}")  # noqa: T201 - shown with pytest -rP
    assert set(by_status) <= {"completed", "partial", "failed"}
    assert sum(by_status.values()) == PEOPLE
    # Only those who had the carrier's own apology in place of our greeting have neither part nor score.
    assert dict(await server.rows("SELECT reason, 1 FROM surveys WHERE status = 'failed'")).keys() <= {
        "no_conversation",
        "failed",
    }
    await nothing_is_left(server, len(stored))


async def nothing_is_left(server: Server, scores: int) -> None:
    assert await server.rows("SELECT 1 FROM attempts WHERE disposition IS NULL") == []
    counted = "SELECT sum(invited), sum(responses), sum(promoters + passives + detractors) FROM nps_daily"
    assert await server.rows(counted) == [(PEOPLE, scores, scores)]
    assert await server.rows("SELECT score FROM responses WHERE score <> right(crm_id, -4)::int % 11") == []
