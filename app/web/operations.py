"""What operators and their machines look at: /healthz, /readyz, /metrics."""

import asyncio
import math
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import astuple
from typing import Any, Generic, TypeVar

import psycopg
from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout

from app import metrics
from app.store import Pool, alerts, clock, deliveries
from app.store.database import try_write
from app.store.workers import backlog, worker_seen

Value = TypeVar("Value")


def router(pool: Pool, destinations: Collection[str]) -> APIRouter:
    """The endpoints, for anyone who reaches them; ``destinations`` are the names of those that responses go to."""
    routes = APIRouter(tags=["operations"])
    checked, measured = Shared(lambda: _check(pool)), Shared(lambda: _measure(pool, destinations))

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is up."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        """The database takes a write, a worker is alive, and this machine's clock is right."""
        checks = await checked()
        ready = all(checks.values())
        return JSONResponse({"status": "ok" if ready else "unready", "checks": checks}, 200 if ready else 503)

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Counters and gauges for Prometheus; while the database is away, how many jobs wait is not a number."""
        await measured()
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return routes


class Shared(Generic[Value]):
    """Runs ``find`` once at a time: callers that come while it runs share its result.

    Its endpoints need no key: however many requests come, each `Shared` takes one database connection.
    """

    def __init__(self, find: Callable[[], Coroutine[Any, Any, Value]]) -> None:
        self._find = find
        self._finding: asyncio.Task[Value] | None = None

    async def __call__(self) -> Value:
        """The result of ``find``; raises what it raises."""
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(self._find())
        return await asyncio.shield(self._finding)


async def _check(pool: Pool) -> dict[str, bool]:
    try:
        async with pool.connection() as connection:
            await try_write(connection)
            is_right = clock.is_trusted(await clock.ahead(connection))
            return {"database": True, "worker": await worker_seen(connection), "clock": is_right}
    except (psycopg.Error, PoolTimeout):
        return {"database": False, "worker": False, "clock": False}


async def _measure(pool: Pool, destinations: Collection[str]) -> None:
    waiting = scheduled = unsent = math.nan
    undelivered = dict.fromkeys(destinations, math.nan)
    with suppress(psycopg.Error, PoolTimeout):
        async with pool.connection() as connection:
            waiting, scheduled = astuple(await backlog(connection))
            unsent = await alerts.count_waiting(connection)
            for name in undelivered:
                undelivered[name] = await deliveries.count_waiting(connection, name)
    metrics.JOBS_WAITING.set(waiting)
    metrics.JOBS_SCHEDULED.set(scheduled)
    metrics.ALERTS_WAITING.set(unsent)
    for name, count in undelivered.items():
        metrics.DELIVERIES_WAITING.labels(name).set(count)
