"""A vendor's server for tests: it keeps records, holds every request against the vendor's own published description,
and fails on demand."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import yaml
from aiohttp import web
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from tests.crm.answers import EMAIL, PHONE

DESCRIPTIONS = Path(__file__).with_name("descriptions")
TOKEN = "the-token-that-nobody-may-see"
CUSTOMER_GONE = "gone"


@dataclass(frozen=True)
class Request:
    """A request that arrived whole. ``path`` is without the query, and both are decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answered:
    """What the vendor says: a status, and its JSON."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """The next write fails with this status, or is closed without an answer (None); ``after`` it was carried out."""

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass(frozen=True)
class Held:
    """What the vendor holds of one answer, wherever it keeps that."""

    score: int
    comment: str | None


class Vendor(ABC):
    """Serves on ``url`` while it is entered. Knows one customer: ``customer_id``, with ``EMAIL`` and ``PHONE``."""

    name: str
    customer_id: str
    described: bool = True  # whether descriptions/NAME.yml says what requests look like
    has_records: bool = True  # of customers, to which answers belong
    has_fields: bool = True  # that a mapping may name wrongly
    keeps_all: bool = True  # answers of one customer, not just the newest

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.violations: list[str] = []
        self.faults: list[Fault] = []
        self.takes_token = True

    # What each vendor says of itself.

    @property
    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The options of a destination that leads here, complete."""

    @abstractmethod
    def authorised(self, request: Request) -> bool:
        """Whether the request carries the token as this vendor wants it."""

    @abstractmethod
    def answer(self, request: Request) -> Answered:
        """What the vendor does and says."""

    @abstractmethod
    def held(self, survey_id: UUID) -> list[Held]:
        """Each place that holds this answer now: one, if all is well."""

    @abstractmethod
    def lose_customer(self) -> None:
        """Delete the customer's record."""

    @abstractmethod
    def lose_field(self) -> str:
        """Delete a field that the mapping names, and give its name."""

    def writes(self, request: Request) -> bool:
        """Whether the request changes anything; searches that are POSTs do not."""
        return request.method in ("POST", "PUT", "PATCH") and "search" not in request.path

    def error(self, status: int) -> Answered:
        """An error in the vendor's own words, which quote what was sent."""
        return Answered(status, {"message": f"{status} for {PHONE} / {EMAIL}"})

    # The server.

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        request = Request(
            incoming.method,
            incoming.path,
            dict(incoming.query),
            {name.lower(): value for name, value in incoming.headers.items()},
            await incoming.read(),
        )
        self.seen.append(request)
        if self.described:
            self._hold_against_description(request)
        if not self.takes_token or not self.authorised(request):
            return _response(self.error(401))
        if self.faults and self.writes(request):
            return self._fail(request, incoming, self.faults.pop(0))
        return _response(self.answer(request))

    def _fail(self, request: Request, incoming: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.after:
            self.answer(request)
        if fault.status is None:
            assert incoming.transport is not None
            incoming.transport.close()
            return web.Response()
        said = self.error(fault.status)
        return _response(Answered(said.status, said.json, {**said.headers, **fault.headers}))

    def _hold_against_description(self, request: Request) -> None:
        try:
            _description(self.name).validate_request(
                MockRequest(
                    "http://vendor.example",
                    request.method.lower(),
                    request.path,
                    args=dict(request.query),
                    headers=dict(request.headers),
                    data=request.body,
                    content_type=request.headers.get("content-type", "application/json").partition(";")[0],
                )
            )
        except Exception as wrong:  # noqa: BLE001 - whatever it is, the test shows it
            cause = wrong.__cause__ or wrong
            self.violations.append(f"{request.method} {request.path}: {type(wrong).__name__}: {cause}")


def _response(said: Answered) -> web.Response:
    if said.json is None:
        return web.Response(status=said.status, headers=said.headers)
    return web.json_response(said.json, status=said.status, headers=said.headers)


@cache
def _description(name: str) -> OpenAPI:
    content = yaml.safe_load((DESCRIPTIONS / f"{name}.yml").read_text(encoding="utf-8"))
    content["servers"] = [{"url": "http://vendor.example"}]
    return OpenAPI.from_dict(content)
