"""Every measurement still measures. How fast anything is, no test asks."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests.bench import (
    attacked,
    calls,
    chats,
    deliveries,
    exports,
    jobs,
    logs,
    memory,
    pacing,
    split,
    start,
    triggers,
    turns,
)
from tests.bench.__main__ import QUICK, WHOLE, Measure
from tests.bench.figures import Figure, markdown, percentile, shown, table
from tests.bench.ground import Ground
from tests.conftest import DIRECTORY, TEMPLATE

SMALLEST: dict[str, Measure] = {
    "start": partial(start.measure, rounds=1),
    "turns": partial(turns.measure, rounds=1, surveys=40),
    "split": partial(split.measure, surveys=40),
    "calls": partial(calls.measure, calls=4, pace=0),
    "chats": partial(chats.measure, chats=4),
    "triggers": partial(triggers.measure, singly=32, batches=1, batch=10),
    "jobs": partial(jobs.measure, seconds=0.2),
    "deliveries": partial(deliveries.measure, responses=30),
    "pacing": partial(pacing.measure, seconds=1, per_second=4, workers=2),
    "exports": partial(exports.measure, responses=2000),
    "memory": partial(memory.measure, first=3, calls=6),
    "logs": partial(logs.measure, letters=1000),
    "attacked": partial(attacked.measure, calls=4, pace=0, responses=2000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
async def test_what_is_measured_is_there_and_is_right(name: str, server: str) -> None:
    figures = await SMALLEST[name](Ground(Path(os.environ[DIRECTORY]), server, TEMPLATE))
    assert figures
    # What is left of a turn's time, and of memory, is a difference: other tests at work may turn it round.
    assert all(figure.value >= 0 or name == "split" or "growth" in figure.name for figure in figures)


def test_each_of_them_has_a_quick_form() -> None:
    assert QUICK.keys() == WHOLE.keys() >= SMALLEST.keys()


def test_a_target_is_met_or_missed_and_shown_so() -> None:
    met = Figure("Room", "rate", 300, "a second", 250, "at least")
    missed = Figure("Room", "time", 251, "ms", 250)
    without = Figure("Other room", "time", 3.14159, "ms", note="how")
    assert [each.met for each in (met, missed, without)] == [True, False, None]
    assert table([met, missed, without]).row_count == 5
    assert markdown([missed, without]).splitlines()[2:] == [
        "| Room: time | 251 ms | at most 250 ms | **missed** |  |",
        "| Other room: time | 3.14 ms |  |  | how |",
    ]


def test_a_percentile_is_a_value_that_so_many_do_not_exceed() -> None:
    values = [float(each) for each in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1)] == [50, 99, 100]
    assert [percentile([7.0], share) for share in (0, 0.5, 0.99)] == [7, 7, 7]
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2


def test_numbers_have_as_many_digits_as_say_something() -> None:
    assert [shown(each) for each in (0, 0.1234, 12.34, 1234.5, 10_000_000)] == [
        "0",
        "0.12",
        "12.3",
        "1,234",
        "10,000,000",
    ]


def test_calls_at_once_are_counted_where_they_overlap() -> None:
    assert calls.most_at_once([(0, 3), (1, 2), (2, 5), (3, 4)]) == 2
