"""Starts are spaced exactly, over any number of workers; how much of the rate is used is measured in tests/bench."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app import metrics
from app.config import Settings
from app.outreach import Pacer, StartAttempt
from app.outreach.pacing import LEAD_SECONDS, MARGIN, ClockDifference
from app.store import Connection, Pool, pacing
from app.store.database import open_pool
from tests.calls import rehearse
from tests.line import Line, a_line, eventually
from tests.rows import execute, row, rows

WORKERS = 3


@pytest_asyncio.fixture
async def pools(settings: Settings) -> AsyncIterator[list[Pool]]:
    """What the workers on several machines have."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await open_pool(settings, size=5)) for _ in range(WORKERS)]


def pacers(pools: list[Pool], per_second: float) -> list[Pacer]:
    return [Pacer(pool, "AC1 voice", per_second) for pool in pools]


@dataclass
class Starting:
    """Something to start, ``times`` over; nobody else begins it."""

    times: int = 1_000_000
    begun: int = 0
    put_offs: int = 0

    async def is_wanted(self, connection: Connection) -> bool:
        del connection
        self.times -= 1
        return self.times >= 0

    async def begin(self, connection: Connection) -> bool:
        del connection
        self.begun += 1
        return True

    async def put_off(self, connection: Connection) -> None:
        del connection
        self.put_offs += 1


def most_in_a_second(starts: list[float]) -> int:
    ordered = sorted(starts)
    return max(bisect_left(ordered, at + 1) - n for n, at in enumerate(ordered))


@pytest.mark.parametrize("per_second", [0.5, 1, 10, 100])
async def test_slots_of_all_workers_lie_a_gap_apart(pools: list[Pool], per_second: float) -> None:
    async def take(pacer: Pacer) -> float:
        async with pacer.pool.connection() as connection:
            gap = MARGIN / pacer.per_second
            return (await pacing.take_slot(connection, pacer.sender, gap, LEAD_SECONDS)).at

    slots = sorted(
        await asyncio.gather(*(take(pacer) for pacer in pacers(pools, per_second) for _ in range(20)))
    )
    gaps = [after - before for before, after in pairwise(slots)]
    assert len(gaps) == 59
    assert min(gaps) >= 1 / per_second
    assert max(gaps) < MARGIN / per_second + 0.001  # none is left out while work waits
    assert most_in_a_second(slots) <= max(1, per_second)


@pytest.mark.parametrize("per_second", [5, 20, 50])
async def test_no_second_ever_holds_more_starts_than_allowed(pools: list[Pool], per_second: float) -> None:
    """Whatever else the machine does: a process that is too slow for a slot leaves it."""
    starts: list[float] = []

    async def work(pacer: Pacer) -> None:
        for _ in range(round(per_second)):
            started = await pacer.next_slot(Starting())
            starts.extend([asyncio.get_running_loop().time()] if started else [])

    await asyncio.gather(*(work(pacer) for pacer in pacers(pools, per_second)))
    assert len(starts) > per_second
    assert most_in_a_second(starts) <= per_second


async def test_a_slot_that_this_process_has_slept_through_is_not_used(pools: list[Pool]) -> None:
    pacer, missed = pacers(pools, 10)[0], metrics.SLOTS_MISSED._value.get()
    await pacer.compare_clocks()
    loop = asyncio.get_running_loop()
    started = loop.time()
    busy = loop.create_task(hold_up_the_loop(0.3))
    assert await pacer.next_slot(Starting())
    assert metrics.SLOTS_MISSED._value.get() > missed
    assert loop.time() - started > LEAD_SECONDS + MARGIN / 10
    await busy


async def hold_up_the_loop(seconds: float) -> None:
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(LEAD_SECONDS / 2)
    until = clock() + seconds
    while clock() < until:
        pass


async def test_a_process_that_has_slept_does_not_start_what_others_have_given_up(pools: list[Pool]) -> None:
    pacer, starting = pacers(pools, 10)[0], Starting(times=1)
    busy = asyncio.get_running_loop().create_task(hold_up_the_loop(0.3))
    assert not await pacer.next_slot(starting)
    assert starting.times == -1
    assert starting.put_offs == starting.begun
    await busy


async def test_what_somebody_else_has_begun_is_not_started(pools: list[Pool]) -> None:
    class TakenOver(Starting):
        async def begin(self, connection: Connection) -> bool:
            del connection
            return False

    assert not await pacers(pools, 10)[0].next_slot(TakenOver())


async def test_nobody_is_kept_waiting_while_nothing_else_waits(pools: list[Pool]) -> None:
    pacer = pacers(pools, 1)[0]
    started = asyncio.get_running_loop().time()
    assert await pacer.next_slot(Starting())
    assert asyncio.get_running_loop().time() - started < 1


async def test_the_line_of_all_workers_is_one(pools: list[Pool]) -> None:
    async def line_up(pacer: Pacer) -> datetime:
        async with pacer.pool.connection() as connection:
            return (await pacer.line_up(connection)).at

    places = sorted(await asyncio.gather(*(line_up(pacer) for pacer in pacers(pools, 10) for _ in range(20))))
    gaps = [(after - before).total_seconds() for before, after in pairwise(places)]
    assert {round(gap, 4) for gap in gaps} == {round(MARGIN / 10, 4)}


async def test_a_place_that_was_not_kept_is_free_again(pools: list[Pool]) -> None:
    pacer = pacers(pools, 1)[0]
    async with pacer.pool.connection() as connection:
        async with connection.transaction(force_rollback=True):
            await pacer.line_up(connection)
            assert (await pacer.line_up(connection)).seconds > 0.5
        assert (await pacer.line_up(connection)).seconds <= 0


def test_two_clocks_are_compared_by_all_readings_together() -> None:
    clock_difference = ClockDifference()
    clock_difference.read(database=1000.5, asked=0.0, answered=1.0)  # ahead by 999.5 to 1000.5
    assert list(clock_difference.when(2000.0)) == pytest.approx([999.5, 1000.5])
    clock_difference.read(database=1001.6, asked=1.0, answered=2.0)  # by 999.6 to 1000.6
    assert list(clock_difference.when(2000.0)) == pytest.approx([999.5, 1000.4], abs=1e-3)


def test_an_old_comparison_grows_less_certain() -> None:
    clock_difference = ClockDifference()
    clock_difference.read(database=1000.0, asked=0.0, answered=0.0)
    clock_difference.read(database=2000.5, asked=1000.0, answered=1001.0)
    earliest, latest = clock_difference.when(3000.0)
    assert 0.01 < latest - earliest < 0.1


def test_a_clock_that_was_set_is_believed() -> None:
    clock_difference = ClockDifference()
    clock_difference.read(database=1000.0, asked=0.0, answered=0.001)
    clock_difference.read(database=5000.0, asked=1.0, answered=1.001)
    assert list(clock_difference.when(5000.0)) == pytest.approx([1.0, 1.0], abs=0.01)


async def in_line(line: Line) -> list[float]:
    found = await rows(
        line.services.pool,
        "SELECT extract(epoch FROM scheduled_at - now())::float8 AS seconds FROM procrastinate_jobs"
        " WHERE status = 'todo' AND task_name = 'start_attempt' AND args->>'in_line' = 'true' ORDER BY id",
    )
    return [each["seconds"] for each in found]


async def stand_in_line(line: Line, people: int) -> None:
    """Have some people's attempts wait behind others, who take 5 seconds."""
    sender = line.services.starter.pacers["voice"].sender
    gap = MARGIN / line.services.settings.calls_per_second
    await execute(
        line.services.pool,
        "INSERT INTO pacing (sender, gap_seconds, line_at) VALUES (%s, %s, now() + interval '5 seconds')",
        (sender, gap),
    )
    ids = [(await rehearse(line))[0] for _ in range(people)]
    await execute(line.services.pool, "DELETE FROM procrastinate_jobs")
    for survey_id in ids:
        await line.services.starter.start(StartAttempt(UUID(survey_id), 1))


@pytest.mark.parametrize(
    ("before", "after", "factor"), [(1.0, 10.0, 0.1), (10.0, 1.0, 10.0), (2.0, 2.0, 1.0)]
)
async def test_a_rate_that_is_changed_is_felt_by_all_who_stand_in_line(
    settings: Settings, before: float, after: float, factor: float
) -> None:
    async with a_line(settings, worker=False, calls_per_second=before) as line:
        await stand_in_line(line, 6)
        waited = await in_line(line)
        assert len(waited) == 6
        services = line.services
        changed = Pacer(services.pool, services.starter.pacers["voice"].sender, after)
        async with services.pool.connection() as connection:
            stretched = await changed.adopt_rate(connection, StartAttempt.name, "voice")
            assert stretched == (0 if factor == 1 else len(waited))
            assert await changed.adopt_rate(connection, StartAttempt.name, "voice") == 0
            place = await changed.line_up(connection)
        assert await in_line(line) == pytest.approx([seconds * factor for seconds in waited], abs=0.5)
        assert place.seconds > max(await in_line(line))


async def test_jobs_that_come_back_all_at_once_stand_in_line_again(settings: Settings) -> None:
    """After an outage everybody's turn has passed: they are neither all started nor all held in hand."""
    async with a_line(settings, worker=False, calls_per_second=1.0) as line:
        await stand_in_line(line, 6)
        pool = line.services.pool
        await execute(pool, "UPDATE pacing SET next_at = now() + interval '1 minute'")
        found = await rows(
            pool, "DELETE FROM procrastinate_jobs WHERE args->>'in_line' = 'true' RETURNING args"
        )
        for each in found:
            await line.services.starter.start(StartAttempt.from_json(each["args"]))
        waits = await in_line(line)
        assert len(waits) == len(found)
        assert min(waits) > 58
        assert max(waits) - min(waits) == pytest.approx(MARGIN * (len(found) - 1), abs=0.5)


async def test_calls_of_a_line_start_in_their_order(settings: Settings) -> None:
    async with a_line(settings, calls_per_second=20.0) as line:
        ids = [(await rehearse(line))[0] for _ in range(30)]

        async def all_called() -> bool:
            counted = await row(
                line.services.pool, "SELECT count(*) AS number FROM attempts WHERE placed_at IS NOT NULL"
            )
            return bool(counted["number"] == len(ids))

        await eventually(all_called)
        order = await rows(
            line.services.pool, "SELECT survey_id::text AS id FROM attempts ORDER BY placed_at"
        )
        started = {each["id"]: n for n, each in enumerate(order)}
        assert max(abs(started[survey_id] - n) for n, survey_id in enumerate(ids)) <= 10


def test_a_job_whose_turn_it_is_goes_before_one_that_must_get_in_line() -> None:
    survey_id = uuid4()
    assert StartAttempt(survey_id, 1, in_line=True).priority > StartAttempt(survey_id, 1).priority
