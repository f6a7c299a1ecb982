"""The web application: its routers, its errors, and what operators look at."""

from uuid import uuid4

import psycopg
import structlog
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout
from starlette.types import ASGIApp, Receive, Scope, Send

from app import dashboard, metrics, problems, queue_routes, triggers
from app.dashboard import routes as dashboard_routes
from app.ivr.inbound import Inbound
from app.ivr.routes import VoiceWebhooks
from app.keys import Doorkeeper
from app.store.workers import backlog, worker_seen
from app.triggers import Triggers
from app.wiring import CHANNELS, Services, languages

DEFAULT_FLOW = "nps"


def create_app(services: Services) -> FastAPI:
    """The application over services that are running."""
    app = FastAPI(
        title="Zeroten", summary="Asks the 0-10 question after a call or a chat.", version="1", redoc_url=None
    )
    problems.install(app)
    doorkeeper = Doorkeeper(services.pool, services.settings.admin_key)
    app.include_router(triggers.router(triggers_of(services), doorkeeper.admits("trigger")))
    app.include_router(queue_routes.router(services.pool, services.settings, doorkeeper.admits("admin")))
    app.include_router(
        dashboard_routes.router(
            services.pool,
            services.timezone,
            doorkeeper.admits("supervisor"),
            doorkeeper.admits("trigger", "supervisor"),
        )
    )
    app.router.routes.extend(_voice_webhooks(services).routes())
    app.include_router(_operations(services))
    app.mount("/static", StaticFiles(packages=[(dashboard.__name__, "static")]), name="static")
    app.add_middleware(RequestIds)
    return app


def triggers_of(services: Services) -> Triggers:
    """What decides about interactions."""
    return Triggers(
        services.pool,
        services.jobs,
        services.candidates,
        languages(services.flows),
        frozenset(CHANNELS),
        services.timezone,
    )


def _voice_webhooks(services: Services) -> VoiceWebhooks:
    flow, settings = services.flows[DEFAULT_FLOW], services.settings
    return VoiceWebhooks(
        services.signatures,
        services.conversations,
        services.aftermath,
        services.recordings,
        Inbound(services.pool, services.jobs, flow, settings.brand, settings.public_url),
        flow,
    )


def _operations(services: Services) -> APIRouter:
    routes = APIRouter(tags=["operations"])

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is up."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        """The database answers and a worker is alive."""
        try:
            async with services.pool.connection() as connection:
                checks = {"database": True, "worker": await worker_seen(connection)}
        except (psycopg.Error, PoolTimeout):
            checks = {"database": False, "worker": False}
        ready = all(checks.values())
        return JSONResponse({"status": "ok" if ready else "unready", "checks": checks}, 200 if ready else 503)

    @routes.get("/metrics")
    async def prometheus() -> Response:
        """Counters and gauges for Prometheus."""
        async with services.pool.connection() as connection:
            jobs = await backlog(connection)
        metrics.JOBS_WAITING.set(jobs.waiting)
        metrics.JOBS_SCHEDULED.set(jobs.scheduled)
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return routes


class RequestIds:
    """Gives every request an id, which its log lines and its answer carry."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid4().hex

        async def send_with_id(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                assert isinstance(headers, list)
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_with_id)  # type: ignore[arg-type]  # the message type is a mapping
