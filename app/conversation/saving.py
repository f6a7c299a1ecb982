"""Turns that are ready at the same moment are saved together: one statement and one commit for all of them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from app.store import Pool, turns
from app.store.turns import TurnToSave

MOST_AT_ONCE = 50
# One may wait for a row that somebody else holds; the others' turns need not.
SAVERS = 2
Waiting = tuple[TurnToSave, "asyncio.Future[bool]"]


@dataclass
class TurnWriter:
    """Saves a turn at once while few are being saved, and with its neighbours otherwise."""

    pool: Pool
    _waiting: deque[Waiting] = field(default_factory=deque)
    _savers: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def save(self, spoken: TurnToSave) -> bool:
        """As `turns.save_turn`, in a transaction of its own making. Who stops waiting does not stop the saving."""
        saved: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((spoken, saved))
        if len(self._savers) < SAVERS:
            saver = asyncio.create_task(self._save_waiting())
            self._savers.add(saver)
            saver.add_done_callback(self._savers.discard)
        return await saved

    async def _save_waiting(self) -> None:
        while self._waiting:
            await self._save([self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))])

    async def _save(self, together: Sequence[Waiting]) -> None:
        """A turn that the database refuses must not keep the others from it: then each is saved by itself."""
        try:
            async with self.pool.connection() as connection:
                places = await turns.save_turns(connection, [spoken for spoken, _ in together])
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            if len(together) > 1 and isinstance(error, psycopg.Error) and error.sqlstate is not None:
                await asyncio.gather(*(self._save([each]) for each in together))
                return
            for _, saved in together:
                if not saved.done():
                    saved.set_exception(error)
        else:
            for place, (_, saved) in enumerate(together):
                if not saved.done():
                    saved.set_result(place in places)
