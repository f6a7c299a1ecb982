"""The whole product on a line: its web application and worker, a rehearsed carrier, real HTTP between them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr

from app.config import Settings
from app.main import create_app
from app.process import working
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller, read_script
from app.rehearsal.twilio import RehearsedCarrier, serving
from app.services import Services, running

ACCOUNT = "AC" + "0" * 32
TOKEN = "the-token-of-the-rehearsed-account"
ADMIN = "the-admin-key-of-this-test"
OURS = "+48221000000"
OURS_BY_WHATSAPP = "+48221000001"
DONE = ("completed", "partial", "unreached", "expired", "opted_out", "failed")
PATIENCE_SECONDS = 20


@dataclass
class Line:
    """One running product. Every number is met by ``script`` unless it has a script of its own."""

    services: Services
    carrier: RehearsedCarrier
    http: httpx.AsyncClient
    callers: dict[str, ScriptedCaller]
    scripts: dict[str, str]
    script: str = "9# | cheap and fast"

    def phone(self, number: str) -> Phone:
        """A phone whose owner follows the number's script."""
        clock = PacedClock(0)
        caller = ScriptedCaller(read_script(self.scripts.get(number, self.script)), clock)
        self.callers[number] = caller
        return Phone(caller, clock)

    async def trigger(self, expect: int = 202, **changes: Any) -> dict[str, Any]:
        """Post an interaction that has just ended."""
        answer = await self.http.post("/api/v1/interactions", json=interaction(**changes))
        assert answer.status_code == expect, answer.text
        return dict(answer.json())

    async def story(self, survey_id: str) -> dict[str, Any]:
        """A survey's story."""
        answer = await self.http.get(f"/api/v1/surveys/{survey_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def survey(
        self, number: str = "+48221234567", script: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Trigger a survey, let the call happen, and give its story once it is done."""
        if script is not None:
            self.scripts[number] = script
        customer = {"crm_id": uuid4().hex, "phone": number, "consent": True} | changes.pop("customer", {})
        decided = await self.trigger(customer=customer, **changes)
        assert decided["decision"] == "scheduled", decided
        return await self.until(decided["survey_id"], *DONE)

    async def until(self, survey_id: str, *statuses: str) -> dict[str, Any]:
        """Wait until a survey stands at one of these."""
        story: dict[str, Any] = {}

        async def reached() -> bool:
            story.update(await self.story(survey_id))
            return story["status"] in statuses

        await eventually(reached, lambda: story)
        return story

    async def report(self, **params: str) -> list[dict[str, Any]]:
        """The NPS report."""
        return list((await self.http.get("/api/v1/reports/nps", params=params)).json())


async def eventually(
    condition: Callable[[], Awaitable[bool]], seen: Callable[[], Any] = lambda: None
) -> None:
    """Wait for a condition, and say what was seen last when it does not come."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        if time.monotonic() > until:
            raise AssertionError(f"did not happen within {PATIENCE_SECONDS} s; last seen: {seen()}")
        await asyncio.sleep(0.02)


def interaction(**changes: Any) -> dict[str, Any]:
    """An ended call as an integrator posts it."""
    return {
        "id": f"call-{uuid4().hex}",
        "channel": "voice",
        "queue": "billing",
        "agent": "anna",
        "ended_at": datetime.now(UTC).isoformat(),
        "language": "en",
        "talk_seconds": 212,
        "survey_by": "voice",
        "customer": {"crm_id": uuid4().hex, "phone": "+48221234567", "consent": True},
    } | changes


@asynccontextmanager
async def a_line(settings: Settings, *, worker: bool = True, **changes: Any) -> AsyncIterator[Line]:
    """The product on ``settings`` with a rehearsed carrier of its own; ``changes`` are settings."""
    lines: list[Line] = []
    carrier = RehearsedCarrier(ACCOUNT, TOKEN, lambda number: lines[0].phone(number))  # noqa: PLW0108 - made later
    with closing(serving.listen()) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with serving.running(carrier) as carrier_url:
            ours = {
                "public_url": address,
                "twilio_account_sid": ACCOUNT,
                "twilio_auth_token": SecretStr(TOKEN),
                "twilio_api_url": carrier_url,
                "twilio_from": OURS,
                "admin_key": SecretStr(ADMIN),
                "calling_hours": "always",
                "call_delay_seconds": 0,
                "calls_per_second": 50.0,
                "messages_per_second": 50.0,
                "twilio_whatsapp_from": OURS_BY_WHATSAPP,
            }
            async with (
                running(settings.model_copy(update=ours | changes)) as services,
                serving.served(create_app(services), listening),
                _client(address) as http,
            ):
                line = Line(services, carrier, http, {}, {})
                lines.append(line)
                async with working(services) if worker else nullcontext():
                    yield line


def _client(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=30)
