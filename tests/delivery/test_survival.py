"""Workers are killed while they push, again and again: every answer arrives, and none twice that was not under way."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from app.conversation import FollowResponse
from app.jobs import Jobs
from app.store import Pool
from tests.crm.receiver import SECRET
from tests.delivery.office import people
from tests.line import ACCOUNT, OURS, TOKEN
from tests.reports.asked import ask
from tests.rows import row

ROOT = Path(__file__).parents[2]
WORK = "from app.cli.main import main; main()"
AT_ONCE = 8


@dataclass
class Hook:
    """Notes the id of every message, and takes its time to say so."""

    url: str = ""
    ids: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take a message."""
        self.ids.append(request.headers["webhook-id"])
        await asyncio.sleep(0.1)
        return web.Response(status=204)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    taking = Hook()
    application = web.Application()
    application.router.add_post("/", taking.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield taking
    await runner.cleanup()


@contextmanager
def a_worker(database_url: str, hook: Hook, data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "database_url": database_url,
        "data_dir": data_dir,
        "flows_dir": ROOT / "flows",
        "public_url": "http://127.0.0.1:1",
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_from": OURS,
        "webhook_url": hook.url,
        "webhook_secret": SECRET,
        "allow_private_urls": "true",
        "log_level": "ERROR",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZEROTEN_")}
    environment |= {f"ZEROTEN_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, "worker"],
        env=environment | {"PYTHONPATH": str(ROOT)},
        cwd=data_dir,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


async def soon(condition: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)


async def tell(pool: Pool, jobs: Jobs, count: int) -> None:
    """So many more have answered."""
    async with pool.connection() as connection, connection.transaction():
        for survey_id in await ask(pool, *people(count)):
            await jobs.defer(connection, FollowResponse(survey_id))


async def nothing_waits(pool: Pool, count: int) -> bool:
    found = await row(
        pool, "SELECT count(*) FILTER (WHERE status = 'delivered') AS delivered, count(*) FROM deliveries"
    )
    return found == {"delivered": count, "count": count}


@pytest.mark.slow
async def test_workers_that_are_killed_lose_no_answer_and_repeat_only_what_was_under_way(
    pool: Pool, database_url: str, hook: Hook, tmp_path: Path
) -> None:
    """Two work at any time. Both are killed, one after the other: one of them pushes."""
    jobs = Jobs(pool)
    await jobs.open()
    rounds, answers = 3, 60
    with ExitStack() as stack:
        working = [stack.enter_context(a_worker(database_url, hook, tmp_path)) for _ in range(2)]
        for _ in range(rounds):
            await tell(pool, jobs, answers)
            for victim in working:
                await soon(partial(arrived, hook, len(hook.ids) + 15))
                victim.send_signal(signal.SIGKILL)
                working = [working[-1], stack.enter_context(a_worker(database_url, hook, tmp_path))]
        await soon(lambda: nothing_waits(pool, rounds * answers))
    told = Counter(hook.ids)
    print(f"{len(hook.ids)} messages of {len(told)} answers")  # noqa: T201 - shown with pytest -rP
    assert len(told) == rounds * answers
    assert len(hook.ids) - len(told) <= AT_ONCE * 2 * rounds


async def arrived(hook: Hook, count: int) -> bool:
    return len(hook.ids) >= count
