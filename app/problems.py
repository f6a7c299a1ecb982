"""Errors at HTTP as RFC 9457 problem+json with a stable code."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from app.errors import Invalid, ZerotenError

log = structlog.get_logger(__name__)
AGAIN_SOON = {"Retry-After": "5"}
WHERE_FROM = ("body", "query", "path")


def problem_fields(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pydantic's errors as ``{"field", "message"}``; what was sent is never repeated."""
    return [
        {"field": _dotted(error["loc"]), "message": str(error["msg"]).removeprefix("Value error, ")}
        for error in errors
    ]


def _dotted(where: Iterable[object]) -> str:
    parts = [str(part) for part in where]
    return ".".join(parts[1:] if parts and parts[0] in WHERE_FROM else parts)


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem+json answer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""

    @app.exception_handler(ZerotenError)
    async def ours(_: Request, error: ZerotenError) -> JSONResponse:
        errors = error.errors() if isinstance(error, Invalid) else None
        return problem(error.status, error.code, str(error), errors)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = problem_fields(error.errors())
        if any(each["type"] == "json_invalid" for each in error.errors()):
            return problem(400, "invalid_json", "The body is not JSON.")
        detail = "; ".join(f"{each['field'] or 'body'}: {each['message']}" for each in fields[:5])
        return problem(422, "invalid_fields", detail, fields)

    @app.exception_handler(HTTPException)
    async def plain(_: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        return problem(error.status_code, phrase.lower().replace(" ", "_"), str(error.detail))

    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(PoolTimeout)
    async def away(_: Request, error: Exception) -> JSONResponse:
        log.error("database_away", error=type(error).__name__)
        return problem(
            503, "database_away", "The database does not answer; try again soon.", headers=AGAIN_SOON
        )

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        log.error("unexpected_error", exc_info=error)
        return problem(500, "internal_error", "Something went wrong on our side; the log knows more.")
