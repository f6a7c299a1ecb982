"""Time that jumps: an event loop whose clock stands still while anything runs, and goes on to whatever is due next."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
RESOLUTION = 1e-6


class Standstill(Exception):
    """Nothing runs, and nothing will ever be due."""


class JumpingSelector(selectors.DefaultSelector):
    """Waits for no input or output, which is done while the loop stands still; it lets time go on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; else the time goes on by ``timeout``."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Standstill
            self.now += max(timeout, 0.0)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated seconds, from 0 on; what is given to a thread runs at once, in this one."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        return self._jumping.now

    def spend(self, seconds: float) -> None:
        """Something took so long."""
        self._jumping.now += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            future.set_exception(error)
        return future


START: ContextVar[datetime] = ContextVar("start")
AHEAD: ContextVar[timedelta] = ContextVar("ahead")
"""How far the clock of the process that runs is ahead of the database's."""


def now() -> datetime:
    """The true time, which is the database's."""
    return START.get() + timedelta(seconds=asyncio.get_running_loop().time())


class ProcessClock(datetime):
    """``datetime`` as a process has it: ``now`` is the time by its own clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        """The time by the clock of the process that runs."""
        return (now() + AHEAD.get(timedelta())).astimezone(tz or UTC)


def spend(seconds: float) -> None:
    """What runs took so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop), "a simulation runs in its own loop"
    loop.spend(seconds)


def loop_seconds() -> float:
    """Seconds by a clock that is never set."""
    return asyncio.get_running_loop().time()
