"""A day's responses that waited for a CRM, once it takes them again."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import yaml
from aiohttp import web

from tests.bench.figures import Figure
from tests.bench.ground import Ground, Running, serving

SECRET = "whsec_" + base64.b64encode(b"a secret for the measurement only").decode()
PAUSE_SECONDS = 0.25
PATIENCE_SECONDS = 900
# Every other one a detractor who said why.
WAITING = """
WITH asked AS (
    INSERT INTO interactions (id, channel, queue, agent, ended_at, language, survey_by, person, crm_id, phone,
        decision)
    SELECT 'call-' || n, 'voice', 'billing', 'anna', now(), 'en', 'voice', 'crm:' || n, 'c' || n,
        '+4822' || 1000000 + n, 'scheduled' FROM generate_series(1, %(count)s::int) AS n
    RETURNING id, person, phone, crm_id
), surveyed AS (
    INSERT INTO surveys (id, interaction_id, person, phone, queue, agent, channel, language, status, due_at)
    SELECT gen_random_uuid(), id, person, phone, 'billing', 'anna', 'voice', 'en', 'completed', now() FROM asked
    RETURNING id, interaction_id
), answered AS (
    INSERT INTO responses (survey_id, interaction_id, crm_id, queue, agent, channel, language, score, band, comment,
        flow_version)
    SELECT id, interaction_id, 'c', 'billing', 'anna', 'voice', 'en', 3, 'detractor',
        'I waited for forty minutes, and then the line went dead', '1' FROM surveyed
    RETURNING survey_id, version
)
INSERT INTO deliveries (survey_id, destination, version) SELECT survey_id, 'ours', version * 2 + 1 FROM answered
"""


async def measure(ground: Ground, *, responses: int = 50_000, at_once: int = 20) -> list[Figure]:
    """Every response must arrive, each once, and none out of a signature's reach."""
    with ground.database() as database, TemporaryDirectory() as directory:
        with psycopg.connect(database) as connection:
            connection.execute(WAITING, {"count": responses})
        async with receiver() as (url, arrived):
            file = _destinations(Path(directory), url, at_once)
            settings = {"database_url": database, "crm_file": str(file), "allow_private_urls": "true"}
            with serving(ground, settings) as server:
                seconds, sizes = await _drain(server, arrived, responses)
    if len(set(arrived)) != responses or len(arrived) != responses:
        raise AssertionError(f"{len(arrived)} arrived, {len(set(arrived))} different, of {responses}")
    early = max(sizes[: max(1, len(sizes) // 10)])
    return [
        Figure("Deliveries", f"{responses:,} that waited, to a webhook", responses / seconds, "a second",
               note=f"{at_once} at once, 1,000 a second allowed; each signed, and logged; one worker, from its start"),
        Figure("Deliveries", "memory at the end", sizes[-1], "MB", 200, note="resident, web and worker"),
        Figure("Deliveries", "growth after the first tenth", max(0.0, 100 * (max(sizes) - early) / early), "%", 5,
               note="flat"),
    ]  # fmt: skip


def _destinations(directory: Path, url: str, at_once: int) -> Path:
    ours = {"connector": "webhook", "url": url, "secret": SECRET, "per_second": 1000, "at_once": at_once}
    file = directory / "crm.yml"
    file.write_text(yaml.safe_dump({"ours": ours}))
    return file


async def _drain(server: Running, arrived: list[str], responses: int) -> tuple[float, list[float]]:
    sizes, deadline = [server.megabytes], time.monotonic() + PATIENCE_SECONDS
    started = time.perf_counter()
    while len(arrived) < responses:
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(arrived)} of {responses} arrived in time")
        await asyncio.sleep(PAUSE_SECONDS)
        sizes.append(server.megabytes)
    return time.perf_counter() - started, sizes


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, list[str]]]:
    """A webhook's receiver that notes whose response came and says 204; its URL, and its notes."""
    arrived: list[str] = []

    async def take(request: web.Request) -> web.Response:
        arrived.append(json.loads(await request.read())["data"]["survey_id"])
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", arrived
    finally:
        await runner.cleanup()
