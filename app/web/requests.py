"""What every request gets: an id, a line in the log, headers that keep its answer to itself, and always an answer."""

from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics
from app.logs import HIDDEN, PRIVATE_KEYS
from app.web import problems

log = structlog.get_logger(__name__)
LONGEST_PATH = 200
REFUSED = frozenset({401, 403, 413, 429})


class Requests:
    """Gives every request an id, which its log lines and its answer carry, and answers what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, status = uuid4().hex, None

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            except ClientDisconnect:
                log.debug("hung_up", method=scope["method"], path=_shown(scope))
            except Exception:
                log.exception("unexpected_error", method=scope["method"])
                if status is not None:
                    raise
                await problems.unexpected()(scope, receive, send_with_headers)
            if status in REFUSED:
                metrics.REQUESTS_REFUSED.labels(status).inc()
            # Without the query, which may name people.
            log.debug("answered", method=scope["method"], path=_shown(scope), status=status)


def _complete(headers: MutableHeaders, request_id: str) -> None:
    """The id, and what keeps an answer from being guessed at, or kept where nobody said that it may be."""
    headers["X-Request-Id"] = request_id
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if "etag" not in headers:
        headers.setdefault("Cache-Control", "no-store")


def _shown(scope: Scope) -> str:
    """The path without the secrets in it, which a route names like any other private field."""
    path: str = scope["path"]
    parameters: dict[str, Any] = scope.get("path_params", {})
    for name, value in parameters.items():
        if name in PRIVATE_KEYS:
            path = path.replace(str(value), HIDDEN)
    return path[:LONGEST_PATH]
