"""Errors at HTTP as RFC 9457 problem+json with a stable code."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from app.errors import Invalid, TooMany, Unauthorized, ZerotenError

log = structlog.get_logger(__name__)
AGAIN_SOON = {"Retry-After": "5"}
MOST_TOLD = 5
WHERE_FROM = ("body", "query", "path")
# Python's own names for them change from version to version.
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
# A transaction that is read-only or took too long, no room, an operator's hand, a disk that fails: some of these are no
# OperationalError.
AWAY = ("25006", "25P03", "53", "57", "58")
MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: what programs go by."},
        "detail": {"type": "string", "description": "For people."},
        "errors": {
            "type": "array",
            "description": "With invalid_fields: what is wrong, field by field.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
}


def problem_fields(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pydantic's errors as ``{"field", "message"}``; no value that was sent is repeated."""
    return [
        {"field": _dotted(error["loc"]), "message": str(error["msg"]).removeprefix("Value error, ")}
        for error in errors
    ]


def _dotted(where: Iterable[object]) -> str:
    parts = [str(part) for part in where]
    if parts and parts[0] in WHERE_FROM:
        return ".".join(parts[1:]) or parts[0]
    return ".".join(parts) or "body"


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer of type application/problem+json (RFC 9457) with a stable ``code``."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    # A field's name is the sender's: half a surrogate pair in it must not break the answer.
    content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return Response(content, status, headers, media_type=MEDIA_TYPE)


def unreadable(errors: Sequence[Mapping[str, Any]]) -> Response:
    """The answer to a request that pydantic found these errors in; its detail tells the first few."""
    if any(error["type"] == "json_invalid" for error in errors):
        return problem(400, "invalid_json", "The body is not JSON.")
    fields = problem_fields(errors)
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in fields[:MOST_TOLD])
    return problem(422, "invalid_fields", detail, fields)


def unexpected() -> Response:
    """The answer to an error that nobody foresaw; it tells nothing."""
    return problem(500, "internal_error", "Something went wrong on our side; the log knows more.")


def answer_to(error: ZerotenError) -> Response:
    """The answer to an error of ours."""
    errors = error.errors() if isinstance(error, Invalid) else None
    return problem(error.status, error.code, str(error), errors, _headers(error))


def _headers(error: ZerotenError) -> dict[str, str]:
    match error:
        case Unauthorized():
            return {"WWW-Authenticate": "Bearer"}
        case TooMany():
            return {"Retry-After": str(error.seconds)}
        case _:
            return {}


def is_away(error: psycopg.Error) -> bool:
    """Whether the database takes nothing just now, and may again soon.

    It is gone, busy, full, read-only (it has been taken over by its standby), or no connection was free in time.
    """
    return isinstance(error, psycopg.OperationalError) or (error.sqlstate or "").startswith(AWAY)


def methods_at(app: FastAPI, path: str) -> set[str]:
    """Every method that some route takes at this path; a route itself knows only its own."""
    routes = (each for each in iter_route_contexts(app.routes) if each.methods)
    return {method for each in routes if each.path_regex.match(path) for method in each.methods or ()}


def install(app: FastAPI) -> None:
    """Answer every error of this application that somebody foresaw with a problem."""

    @app.exception_handler(ZerotenError)
    async def ours(_: Request, error: ZerotenError) -> Response:
        return answer_to(error)

    @app.exception_handler(RequestValidationError)
    async def misread(_: Request, error: RequestValidationError) -> Response:
        return unreadable(error.errors())

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        code = CODES.get(error.status_code, f"http_{error.status_code}")
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(methods_at(app, request.scope["path"])))
        return problem(error.status_code, code, str(error.detail), headers=headers)

    @app.exception_handler(psycopg.Error)
    async def away(_: Request, error: psycopg.Error) -> Response:
        if not is_away(error):
            raise error
        log.error("database_away", error=type(error).__name__)
        return problem(
            503, "database_away", "The database does not answer; try again soon.", headers=AGAIN_SOON
        )
