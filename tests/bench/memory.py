"""What ``zeroten serve`` holds, after a thousand calls and after ten thousand."""

from tests.bench.calls import all_over
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Running
from tests.bench.line import line, trigger

STARTS_PER_SECOND = 100


async def measure(ground: Ground, *, first: int = 1000, calls: int = 10_000) -> list[Figure]:
    """Calls whose people answer at once, as many at a time as the pacing lets through."""
    with (
        ground.database() as database,
        line(ground, database, pace=0, calls_per_second=str(STARTS_PER_SECOND)) as (server, _),
    ):
        begun = server.megabytes
        await _call(server, database, range(first))
        early = server.megabytes
        for start in range(first, calls, first):
            await _call(server, database, range(start, start + first))
        late = server.megabytes
    growth = 100 * (late - early) / early
    return [
        Figure("Memory", "ready", begun, "MB", 200, note="resident, without the database's processes"),
        Figure("Memory", f"after {first:,} calls", early, "MB", 200),
        Figure("Memory", f"after {calls:,} calls", late, "MB", 200),
        Figure("Memory", f"growth from {first:,} to {calls:,}", growth, "%", 5, note="flat"),
    ]


async def _call(server: Running, database: str, numbers: range) -> None:
    await trigger(server, numbers)
    await all_over(database, numbers.stop)
