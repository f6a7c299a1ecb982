"""How starts are spaced: at most so many in any second, over every worker.

Who cannot start at once gets a place in line, which only says when to come back. The slot itself is taken by whoever
is ready then, so one that comes back late costs no slot, and the line may be stretched when the rate is changed.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Protocol

from app import metrics
from app.store import Connection, Pool, pacing
from app.store.pacing import PlaceInLine, Slot

# The gap is this much longer than the rate asks, so that starts up to LATE_SECONDS late still never crowd a second,
# with 20 ms to spare on the way to the carrier; it costs 4% of the rate. Slots further apart stay good for longer.
MARGIN = 1.04
LATE_SECONDS = 0.02
LEAD_SECONDS = 0.05
# Noting a start is one commit.
BEGIN_EARLIER_SECONDS = 0.01
TRIES = 10
# Whoever's turn it is comes back this much earlier, so that somebody is always ready when a slot is free.
COME_BACK_EARLIER = timedelta(seconds=0.75)
HELD_IN_HAND_SECONDS = 2.0
DRIFT = 20e-6  # how far two clocks may part in a second
COMPARISONS = 5


class Start(Protocol):
    """What is to be started in a slot."""

    async def is_wanted(self, connection: Connection) -> bool:
        """Whether it still is to be started."""
        ...

    async def begin(self, connection: Connection) -> bool:
        """Note that it is being started; False where it no longer may be, or somebody else starts it."""
        ...

    async def put_off(self, connection: Connection) -> None:
        """It was not started after all, and waits for another slot."""
        ...


@dataclass
class ClockDifference:
    """What our clock shows at a moment of the database's, which all workers share.

    The database read its clock between our question and its answer, so each reading tells within what bounds the two
    clocks differ. What all readings say together is narrower than what any one of them does.
    """

    read_at: float = -inf
    least: float = -inf
    most: float = inf

    def read(self, database: float, asked: float, answered: float) -> None:
        """The database's clock showed this, at some time between these two of ours."""
        drift = DRIFT * (answered - self.read_at)
        least, most = max(self.least - drift, database - answered), min(self.most + drift, database - asked)
        if least > most:  # a clock was set
            least, most = database - answered, database - asked
        self.read_at, self.least, self.most = answered, least, most

    def when(self, database: float) -> tuple[float, float]:
        """The earliest and the latest that our clock may show at that moment."""
        return database - self.most, database - self.least


@dataclass(frozen=True)
class Pacer:
    """The line and the slots of one sender."""

    pool: Pool
    sender: str
    per_second: float
    clock_difference: ClockDifference = field(default_factory=ClockDifference)

    async def come_back_at(self, connection: Connection, *, in_line: bool) -> datetime | None:
        """Take a place in line, in the transaction of ``connection``, and say when to come back ``in_line``.

        None where it is the caller's turn: nobody stands before them, or they have come back for it.
        """
        if in_line and await self.seconds_ahead(connection) <= HELD_IN_HAND_SECONDS:
            return None
        place = await self.line_up(connection)
        return place.at - COME_BACK_EARLIER if place.seconds > COME_BACK_EARLIER.total_seconds() else None

    async def line_up(self, connection: Connection) -> PlaceInLine:
        """A place in line, kept by the transaction of ``connection``."""
        return await pacing.line_up(connection, self.sender, self._gap)

    async def seconds_ahead(self, connection: Connection) -> float:
        """How far away the next free slot is; not above 0 where it is free now."""
        return await pacing.seconds_ahead(connection, self.sender)

    async def adopt_rate(self, connection: Connection, task: str, channel: str) -> int:
        """After a change of the rate, stretch the line or draw it together; says how many jobs stand in it."""
        return await pacing.adopt_gap(connection, self.sender, self._gap, task, channel)

    async def next_slot(self, start: Start) -> bool:
        """Take the next free slot, and return in its moment. One that is missed is left, and the next one is taken.

        Before each, ``start`` says whether it is still wanted: a process may have been asleep for long. In its moment
        the start is begun, and put off where that took too long. False where it is not wanted or somebody else has
        begun it, or this process is too slow for any slot.
        """
        clock = asyncio.get_running_loop().time
        for _ in range(TRIES):
            slot = await self._take(start)
            if slot is None:
                return False
            earliest, latest = self.clock_difference.when(slot.at)
            await asyncio.sleep(latest - BEGIN_EARLIER_SECONDS - clock())
            async with self.pool.connection() as connection:
                if not await start.begin(connection):
                    return False
            await asyncio.sleep(latest - clock())
            if clock() - earliest <= LATE_SECONDS * max(1.0, 1 / self.per_second):
                return True
            metrics.SLOTS_MISSED.inc()
            async with self.pool.connection() as connection:
                await start.put_off(connection)
        return False

    async def _take(self, start: Start) -> Slot | None:
        clock = asyncio.get_running_loop().time
        async with self.pool.connection() as connection:
            if not await start.is_wanted(connection):
                return None
            asked = clock()
            slot = await pacing.take_slot(connection, self.sender, self._gap, LEAD_SECONDS)
            self.clock_difference.read(slot.now, asked, clock())
            return slot

    async def compare_clocks(self) -> None:
        """Find out how the database's clock stands to ours, best before there is much to do."""
        clock = asyncio.get_running_loop().time
        async with self.pool.connection() as connection:
            for _ in range(COMPARISONS):
                asked = clock()
                now = await pacing.clock(connection)
                self.clock_difference.read(now, asked, clock())

    @property
    def _gap(self) -> float:
        return MARGIN / self.per_second
