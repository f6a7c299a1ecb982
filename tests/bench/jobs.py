"""How long after its time a job starts."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from app.config import Settings
from app.jobs import QUEUE
from app.process import working
from app.services import running
from tests.bench.figures import Figure, percentile
from tests.bench.ground import ROOT, Ground, eventually

TASK = "measured"
PER_SECOND = 20
LEAD_SECONDS = 1.0


async def measure(ground: Ground, *, seconds: float = 10) -> list[Figure]:
    """Jobs for scattered moments, and jobs for at once, at the product's own worker; noted by the job itself."""
    scheduled: list[float] = []
    at_once: list[float] = []
    with ground.database() as database:
        settings = Settings(
            _env_file=None, database_url=SecretStr(database), data_dir=ground.directory, flows_dir=ROOT / "flows"
        )  # fmt: skip
        async with running(settings) as services:
            app = services.jobs.app

            @app.task(name=TASK, queue=QUEUE)
            async def measured(due: float, planned: bool) -> None:
                (scheduled if planned else at_once).append(time.time() - due)

            async with working(services):
                count = round(PER_SECOND * seconds)
                begins = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
                for number in range(count):
                    due = begins + timedelta(seconds=number / PER_SECOND)
                    job = app.configure_task(TASK, queue=QUEUE, schedule_at=due)
                    await job.defer_async(due=due.timestamp(), planned=True)
                await eventually(lambda: len(scheduled) == count)
                for _ in range(count):
                    await app.configure_task(TASK, queue=QUEUE).defer_async(due=time.time(), planned=False)
                    await asyncio.sleep(1 / (4 * PER_SECOND))
                await eventually(lambda: len(at_once) == count)
    how = f"{count} jobs, {PER_SECOND} a second, a worker that polls and listens"
    return [
        Figure("Jobs", "due to started, half within", 1000 * percentile(scheduled, 0.5), "ms", 100, note=how),
        Figure("Jobs", "due to started, 99 % within", 1000 * percentile(scheduled, 0.99), "ms"),
        Figure(
            "Jobs", "at once, half within", 1000 * percentile(at_once, 0.5), "ms", note="deferral included"
        ),
        Figure("Jobs", "at once, 99 % within", 1000 * percentile(at_once, 0.99), "ms"),
    ]
