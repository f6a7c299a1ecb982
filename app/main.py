"""The web application: its routes and their order."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import web
from app.chatbot import AcrossOrigins, rasa_routes, rest, site, socket
from app.delivery import routes as delivery_routes
from app.intake import queue_routes
from app.intake import routes as intake_routes
from app.reports import routes as report_routes
from app.services import Services
from app.web import Limits, Requests, operations, problems


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
    # The first, since routes are tried one after another and a caller waits for these.
    app.router.routes[:0] = services.voice_webhooks.routes()
    _add_api(app, services)
    app.router.routes.extend(services.playback.routes())
    app.router.routes.extend(services.media_streams.routes())
    app.router.routes.extend(services.message_webhooks.routes())
    app.include_router(operations.router(services.pool, services.deliveries.destinations))
    app.mount("/static", StaticFiles(packages=[(web.__name__, "static")]), name="static")
    _add_web_chat(app, services)
    app.add_middleware(Limits)
    app.add_middleware(Requests)
    return app


def _add_api(app: FastAPI, services: Services) -> None:
    pool, require = services.pool, services.api_keys.require
    read, administer = require("supervisor"), require("admin")
    app.include_router(intake_routes.router(services.triggers, services.invite, require("trigger")))
    app.include_router(queue_routes.router(pool, services.settings, services.flows, administer))
    app.include_router(
        report_routes.router(
            pool, services.export_pool, services.timezone, read, require("trigger", "supervisor")
        )
    )
    app.include_router(delivery_routes.router(pool, services.deliveries, read, administer))
    app.include_router(rasa_routes.router(services.rasa_surveys, require("chat")))


def _add_web_chat(app: FastAPI, services: Services) -> None:
    app.include_router(rest.router(services.chats))
    app.include_router(site.router(services.chats))
    app.mount(socket.PATH, socket.application(services.chats, services.origins.admit))
    app.add_middleware(AcrossOrigins, origins=services.origins)
