"""How starts are spaced: at most so many in any second, over every worker."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from app.store import Pool, pacing
from app.store.pacing import Slot

# The gap is this much longer than the rate asks, so that starts up to LATE_SECONDS late still never crowd a second;
# it costs 4% of the rate.
MARGIN = 1.04
LATE_SECONDS = 0.03
LEAD_SECONDS = 0.05


@dataclass(frozen=True)
class Pacer:
    """The slots of one sender."""

    pool: Pool
    sender: str
    per_second: float

    async def take(self) -> Slot:
        """The next free slot, a moment from now at the earliest."""
        async with self.pool.connection() as connection:
            return await pacing.take(connection, self.sender, MARGIN / self.per_second, LEAD_SECONDS)

    async def reach(self, at: datetime) -> bool:
        """Wait for a slot's moment; False when it has gone by, and must not be used any more.

        At low rates a slot stays good for longer, since the next one is far away.
        """
        async with self.pool.connection() as connection:
            seconds = await pacing.seconds_until(connection, at)
        due = asyncio.get_running_loop().time() + seconds
        if seconds > 0:
            await asyncio.sleep(seconds)
        return asyncio.get_running_loop().time() - due <= LATE_SECONDS
