"""A carrier in simulated time: it keeps its own list of the calls and messages that it takes."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Literal, Protocol
from urllib.parse import parse_qsl

import httpx

from tests.line import ACCOUNT
from tests.simulation import clock
from tests.simulation.faults import Faults

Kind = Literal["call", "message"]
OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
READ_SECONDS = 15.0
UUID_PATTERN = "[0-9a-f-]{36}"


@dataclass
class Placement:
    """A call or a message that the carrier took, and how it stands."""

    sid: str
    kind: Kind
    at: datetime
    form: Mapping[str, str]
    late: bool
    status: str = "queued"
    direction: str = "outbound-api"
    ended_at: datetime | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def to(self) -> str:
        """Whom it is for."""
        return self.form["To"]

    @property
    def attempt_id(self) -> str:
        """The attempt that it was asked for, as its callbacks' address says."""
        return str(re.findall(UUID_PATTERN, self.form["StatusCallback"])[0])

    def end(self, status: str) -> None:
        """It is over."""
        if self.status not in OVER:
            self.status, self.ended_at = status, clock.now()
            self.over.set()


class Gate(Protocol):
    """Where a process may be struck before its request leaves."""

    async def pass_point(self) -> None:
        """Go on, or do not."""
        ...


@dataclass
class SimulatedCarrier:
    """The carrier that all processes share. ``taken`` is told of everything it takes, before anybody rings."""

    random: random.Random
    faults: Faults
    taken: Callable[[Placement], None]
    placements: dict[str, Placement] = field(default_factory=dict)

    async def answer(self, request: httpx.Request, *, late: bool) -> httpx.Response:
        """Answer a request, or raise what a network raises."""
        fault = self.faults.request()
        match fault:
            case "unreachable":
                raise httpx.ConnectError("nobody is there")
            case "busy":
                return refusal(429, 20429)
            case "fault_untaken":
                return refusal(500, None)
            case "silent_untaken":
                await self._say_nothing()
            case "refused" if is_placing(request):
                return refusal(400, 21211)
            case _:
                pass
        answer = self._route(request, late=late)
        if fault == "silent_taken":
            await self._say_nothing()
        await asyncio.sleep(self.random.uniform(1, 12) if fault == "slow" else self.random.uniform(0.02, 0.2))
        return refusal(500, None) if fault == "fault_taken" else answer

    async def _say_nothing(self) -> None:
        await asyncio.sleep(READ_SECONDS)
        raise httpx.ReadTimeout("nothing came")

    def _route(self, request: httpx.Request, *, late: bool) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        name = request.url.path.rpartition("/")[2].removesuffix(".json")
        if name in {"Calls", "Messages"}:
            kind: Kind = "call" if name == "Calls" else "message"
            if request.method == "POST":
                return shown(201, show(self._take(kind, form, late=late)))
            return self._list(kind, request.url.params["To"])
        if name == "Recordings":
            return shown(200, {"recordings": [], "next_page_uri": None})
        found = self.placements.get(name)
        if found is None:
            return refusal(404, 20404)
        if request.method == "POST" and form.get("Status") in {"completed", "canceled"}:
            found.end("completed" if found.status == "in-progress" else "canceled")
        return shown(200, show(found))

    def _take(self, kind: Kind, form: Mapping[str, str], *, late: bool) -> Placement:
        sid = f"{'CA' if kind == 'call' else 'SM'}{self.random.getrandbits(128):032x}"
        placement = Placement(sid, kind, clock.now(), form, late)
        self.placements[sid] = placement
        self.taken(placement)
        return placement

    def _list(self, kind: Kind, to: str) -> httpx.Response:
        ours = [each for each in self.placements.values() if each.kind == kind and each.to == to]
        page = [show(each) for each in sorted(ours, key=lambda each: each.at, reverse=True)[:50]]
        return shown(200, {"calls" if kind == "call" else "messages": page, "next_page_uri": None})


@dataclass
class Line(httpx.AsyncBaseTransport):
    """The way from one process to the carrier."""

    carrier: SimulatedCarrier
    gate: Gate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, unless the process is struck or it comes too late."""
        asked = clock.loop_seconds()
        await self.gate.pass_point()
        if trace := request.extensions.get("trace"):
            await trace("http11.send_request_headers.started", {})
        answer = await self.carrier.answer(request, late=clock.loop_seconds() > asked)
        await self.gate.pass_point()
        return answer


def is_placing(request: httpx.Request) -> bool:
    """Whether it asks for a call or a message."""
    return request.method == "POST" and request.url.path.endswith(("/Calls.json", "/Messages.json"))


def show(placement: Placement) -> dict[str, object]:
    """It as the REST interface shows it."""
    created = format_datetime(placement.at)
    return {
        "sid": placement.sid,
        "account_sid": ACCOUNT,
        "to": placement.to,
        "from": placement.form["From"],
        "status": placement.status,
        "direction": placement.direction,
        "date_created": created,
        "date_updated": created,
        "start_time": created,
        "end_time": format_datetime(placement.ended_at) if placement.ended_at else None,
        "duration": "20" if placement.ended_at else None,
        "answered_by": None,
        "error_code": None,
        "body": placement.form.get("Body", ""),
    }


def shown(status: int, body: Mapping[str, object]) -> httpx.Response:
    """An answer in JSON."""
    return httpx.Response(status, content=json.dumps(body), headers={"Content-Type": "application/json"})


def refusal(status: int, code: int | None) -> httpx.Response:
    """An answer that is no success."""
    return shown(status, {"code": code, "status": status, "message": "no"})
