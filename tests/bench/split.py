"""Where a voice turn's time goes: processor time of the server, part by part, and of the database beside it."""

import json
import os
from pathlib import Path

import psutil

from tests.bench.figures import Figure
from tests.bench.ground import Ground, eventually, serving
from tests.bench.prepared import prepare
from tests.bench.sampling import START, STOP
from tests.bench.turns import PRODUCT, drive_calls

ROOM = "Where a turn's time goes"


async def measure(ground: Ground, *, surveys: int = 4000) -> list[Figure]:
    """Whole calls over HTTP, as in `tests.bench.turns`, while the server looks every so often where it is."""
    samples = ground.directory / "samples.json"
    command = (*PRODUCT, "--samples", str(samples))
    with ground.database() as database, serving(ground, {"database_url": database}, command) as server:
        host, url = server.url.removeprefix("http://"), server.url
        calls = prepare(database, surveys, greeted=False)
        await drive_calls(host, [[each.greeting(url)] for each in calls])
        processes = [psutil.Process(server.pid)]
        backends = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres"]
        before, before_there = _spent(processes), _spent(backends)
        os.kill(server.pid, START)
        turns = len((await drive_calls(host, [each.turns(url) for each in calls])).latencies)
        os.kill(server.pid, STOP)
        whole, database_side = (_spent(processes) - before) / turns, (_spent(backends) - before_there) / turns
        await eventually(samples.exists)
    return _figures(_counts(samples), whole, database_side)


def _figures(counts: dict[str, int], whole: float, database_side: float) -> list[Figure]:
    total = sum(counts.values()) or 1  # none in a very short run
    parts = sorted(counts.items(), key=lambda part: -part[1])
    return [
        *(
            Figure(ROOM, name, 1e6 * whole * count / total, "us", note=f"{100 * count / total:.0f} %")
            for name, count in parts
        ),
        Figure(ROOM, "a whole turn in the server", 1e6 * whole, "us", note=f"{total:,} samples of its processor time"),
        Figure(ROOM, "a whole turn in PostgreSQL", 1e6 * database_side, "us", note="beside it, on the other core"),
    ]  # fmt: skip


def _counts(path: Path) -> dict[str, int]:
    return dict(json.loads(path.read_text()))


def _spent(processes: list[psutil.Process]) -> float:
    times = [each.cpu_times() for each in processes if each.is_running()]
    return float(sum(each.user + each.system for each in times))
