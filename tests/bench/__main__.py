"""``python -m tests.bench``: everything that is measured, in one run and one table. ``--help`` lists the options."""

import argparse
import asyncio
import platform
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psutil
from rich.console import Console

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
from tests.bench.figures import Figure, markdown, table
from tests.bench.ground import Ground, ground

Measure = Callable[[Ground], Coroutine[Any, Any, list[Figure]]]

WHOLE: dict[str, Measure] = {
    "start": start.measure,
    "turns": turns.measure,
    "split": split.measure,
    "calls": calls.measure,
    "chats": chats.measure,
    "triggers": triggers.measure,
    "jobs": jobs.measure,
    "deliveries": deliveries.measure,
    "pacing": pacing.measure,
    "slow-pacing": partial(pacing.measure, seconds=20, per_second=1),
    "exports": exports.measure,
    "memory": memory.measure,
    "logs": logs.measure,
    "attacked": attacked.measure,
}
QUICK: dict[str, Measure] = {
    "start": partial(start.measure, rounds=1),
    "turns": partial(turns.measure, rounds=3, surveys=800),
    "split": partial(split.measure, surveys=1000),
    "calls": partial(calls.measure, calls=200, pace=0.5),
    "chats": partial(chats.measure, chats=200),
    "triggers": partial(triggers.measure, singly=2000, batches=2),
    "jobs": partial(jobs.measure, seconds=3),
    "deliveries": partial(deliveries.measure, responses=5000),
    "pacing": partial(pacing.measure, seconds=10),
    "slow-pacing": partial(pacing.measure, seconds=8, per_second=1),
    "exports": partial(exports.measure, responses=1_000_000),
    "memory": partial(memory.measure, first=200, calls=1000),
    "logs": logs.measure,
    "attacked": partial(attacked.measure, calls=100, pace=0.5),
}


def main() -> None:
    """Measure what was asked for, and print the table; exit with 1 where a target was missed."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Zeroten.")
    options.add_argument("--quick", action="store_true", help="smaller rounds: two minutes instead of ten")
    options.add_argument("--only", nargs="+", choices=WHOLE, metavar="NAME", help=", ".join(WHOLE))
    options.add_argument("--calls", type=int, help="how many calls memory makes: 10,000 without it")
    options.add_argument("--markdown", action="store_true", help="print the table as Markdown too")
    given = options.parse_args()
    console = Console(width=None if Console().is_terminal else 180)
    measures = QUICK if given.quick else WHOLE
    if given.calls is not None:
        measures = measures | {"memory": partial(memory.measure, calls=given.calls)}
    figures, broken = run(measures, given.only or list(WHOLE), console)
    console.print(table(figures))
    memory_size = psutil.virtual_memory().total / 1e9
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {psutil.cpu_count()} cores and {memory_size:.0f} GB, shared by"
        f" server, database and clients; {platform.platform()}, Python {platform.python_version()}.",
        highlight=False,
    )
    if given.markdown:
        console.print(markdown(figures), highlight=False, markup=False, soft_wrap=True)
    raise SystemExit(broken or any(figure.met is False for figure in figures))


def run(measures: dict[str, Measure], names: list[str], console: Console) -> tuple[list[Figure], bool]:
    """The figures of these measures, one after another on the same ground, and whether any came to nothing."""
    figures: list[Figure] = []
    broken = False
    with ground() as place:
        for name in names:
            started = time.perf_counter()
            console.print(f"{name} ...", end=" ")
            try:
                figures += asyncio.run(measures[name](place))
            except Exception:  # noqa: BLE001 - the other figures are still worth having
                broken = True
                console.print_exception()
            console.print(f"{time.perf_counter() - started:.0f} s", highlight=False)
    return figures, broken


if __name__ == "__main__":
    main()
