"""From the command to the first request that is served."""

from tests.bench.figures import Figure
from tests.bench.ground import Ground, serving

SHORT = "start"


async def measure(ground: Ground, *, rounds: int = 3) -> list[Figure]:
    """``zeroten serve`` on a data directory of its own: the first time, and then with everything there."""
    directory = str(ground.directory / SHORT)
    with serving(ground, {"data_dir": directory}) as server:
        first = server.ready_seconds
    later = []
    for _ in range(rounds):
        with serving(ground, {"data_dir": directory}) as server:
            later.append(server.ready_seconds)
    return [
        Figure("Start", "to ready, first time", first, "s", note="makes the database and migrates it"),
        Figure("Start", "to ready", min(later), "s", 3, note=f"/readyz answers 200; best of {rounds}"),
    ]
