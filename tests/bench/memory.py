"""What ``zeroten serve`` holds, after its first thousand calls and after many more."""

from tests.bench.calls import all_over
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Running
from tests.bench.line import line, trigger

STARTS_PER_SECOND = 100
MOST_GROWTH = 2


async def measure(ground: Ground, *, first: int = 1000, calls: int = 10_000) -> list[Figure]:
    """Calls whose people answer at once, as many at a time as the pacing lets through.

    The growth is that from ``first`` to ``calls``, both rounded up to batches of ``first``.
    """
    held: dict[int, float] = {}
    with (
        ground.database() as database,
        line(ground, database, pace=0, calls_per_second=str(STARTS_PER_SECOND)) as (server, _),
    ):
        ready = server.megabytes
        for start in range(0, calls, first):
            await _call(server, database, range(start, start + first))
            held[start + first] = server.megabytes
    last = max(held)
    growth = 100 * (held[last] - held[first]) / held[first]
    return [
        Figure("Memory", "ready", ready, "MB", 200, note="resident, without the database's processes"),
        *(Figure("Memory", f"after {made:,} calls", held[made], "MB", 200) for made in _shown(first, last)),
        Figure("Memory", f"growth from {first:,} to {last:,}", growth, "%", MOST_GROWTH, note="flat"),
    ]


def _shown(first: int, last: int) -> list[int]:
    """``first``, ten times as many and so on, and the last."""
    made = []
    while first < last:
        made.append(first)
        first *= 10
    return [*made, last]


async def _call(server: Running, database: str, numbers: range) -> None:
    await trigger(server, numbers)
    await all_over(database, numbers.stop)
