"""The web application: its routers, its errors, and what operators look at."""

import math
from contextlib import suppress
from dataclasses import astuple
from datetime import datetime
from uuid import UUID

import psycopg
import socketio
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout

from app import metrics, web
from app.asr.stream import MediaStreams
from app.chatbot import (
    AcrossOrigins,
    Chats,
    MessageAnswering,
    Origins,
    RasaSurveys,
    TokenGate,
    rasa_routes,
    rest,
    site,
    socket,
)
from app.chatbot.messages_routes import MessageWebhooks
from app.delivery import routes
from app.intake import Chat, Triggers, queue_routes, triggers
from app.ivr import Inbound, Playback
from app.ivr.routes import VoiceWebhooks
from app.reports import routes as report_routes
from app.services import Services
from app.store import alerts, deliveries
from app.store.workers import backlog, worker_seen
from app.web import ApiKeys, Limits, Requests, problems


def create_app(services: Services) -> FastAPI:
    """The application over services that are running."""
    app = FastAPI(
        title="Zeroten",
        summary="Asks the 0-10 question after a call or a chat.",
        version="1",
        redoc_url=None,
        responses=problems.DOCUMENTED,
        # They would lead to whatever host the request names.
        redirect_slashes=False,
    )
    problems.install(app)
    api_keys = ApiKeys(services.pool, services.settings.admin_key)
    app.include_router(triggers.router(triggers_of(services), api_keys.require("trigger")))
    app.include_router(
        queue_routes.router(services.pool, services.settings, services.flows, api_keys.require("admin"))
    )
    app.include_router(
        report_routes.router(
            services.pool,
            services.timezone,
            api_keys.require("supervisor"),
            api_keys.require("trigger", "supervisor"),
        )
    )
    app.include_router(
        routes.router(
            services.pool, services.deliveries, api_keys.require("supervisor"), api_keys.require("admin")
        )
    )
    playback = Playback(services.prompts, services.settings.public_url)
    app.router.routes.extend(playback.routes())
    streams = media_streams_of(services)
    app.router.routes.extend(streams.routes())
    # In front, since routes are tried one after another and a caller waits for these.
    app.router.routes[:0] = _voice_webhooks(services, playback, streams).routes()
    app.router.routes.extend(_message_webhooks(services).routes())
    app.include_router(_operations(services))
    app.mount("/static", StaticFiles(packages=[(web.__name__, "static")]), name="static")
    _add_web_chat(app, services)
    app.include_router(rasa_routes.router(rasa_surveys_of(services), api_keys.require("chat")))
    app.add_middleware(Limits)
    app.add_middleware(Requests)
    return app


def triggers_of(services: Services) -> Triggers:
    """What decides about interactions."""
    return Triggers(
        services.pool,
        services.jobs,
        services.planner,
        services.flows.languages,
        services.offered,
        services.timezone,
        lambda survey_id, at: _chat_invitation(services, survey_id, at),
    )


def _chat_invitation(services: Services, survey_id: UUID, at: datetime) -> Chat:
    token = services.chat_tokens.make(survey_id, at)
    return Chat(token=token, url=f"{services.settings.public_url}/chat/{token}")


def rasa_surveys_of(services: Services) -> RasaSurveys:
    """What answers a Rasa assistant."""
    settings = services.settings
    return RasaSurveys(
        _chats_of(services),
        services.chat_tokens,
        settings.default_language,
        settings.brand,
        triggers_of(services).accept,
    )


def _chats_of(services: Services) -> Chats:
    return Chats(services.pool, services.conversations, TokenGate(services.chat_tokens), services.timezone)


def _add_web_chat(app: FastAPI, services: Services) -> None:
    chats = _chats_of(services)
    origins = Origins(services.settings.chat_origins, services.settings.public_url)
    app.include_router(rest.router(chats))
    app.include_router(site.router(chats))
    app.mount(socket.PATH, socketio.ASGIApp(socket.server(chats, origins.admit), socketio_path=None))
    app.add_middleware(AcrossOrigins, origins=origins)


def _message_webhooks(services: Services) -> MessageWebhooks:
    replies = MessageAnswering(services.pool, services.conversations, services.settings.brand)
    return MessageWebhooks(services.signatures, replies, services.twilio_conversations, services.tracking)


def media_streams_of(services: Services) -> MediaStreams:
    """What hears the calls that are heard here."""
    return MediaStreams(
        services.signatures,
        services.conversations,
        services.recognisers,
        services.prompts,
        services.transcripts.keep,
        services.settings.public_url,
    )


def _voice_webhooks(services: Services, playback: Playback, streams: MediaStreams) -> VoiceWebhooks:
    flow, settings = services.flows.default, services.settings
    return VoiceWebhooks(
        services.signatures,
        services.conversations,
        services.tracking,
        services.recordings,
        Inbound(
            services.pool, services.tracking, flow, settings.brand, settings.public_url, playback.addresses
        ),
        flow,
        playback.addresses,
        streams.invite,
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
        """Counters and gauges for Prometheus; while the database is away, how many jobs wait is not a number."""
        waiting = scheduled = unsent = math.nan
        undelivered = dict.fromkeys(services.deliveries.destinations, math.nan)
        with suppress(psycopg.Error, PoolTimeout):
            async with services.pool.connection() as connection:
                waiting, scheduled = astuple(await backlog(connection))
                unsent = await alerts.count_waiting(connection)
                for name in undelivered:
                    undelivered[name] = await deliveries.count_waiting(connection, name)
        metrics.JOBS_WAITING.set(waiting)
        metrics.JOBS_SCHEDULED.set(scheduled)
        metrics.ALERTS_WAITING.set(unsent)
        for name, count in undelivered.items():
            metrics.DELIVERIES_WAITING.labels(name).set(count)
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return routes
