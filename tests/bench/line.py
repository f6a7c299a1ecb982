"""The rehearsed carrier in a process of its own, the product in another, and what the carrier saw of it."""

import argparse
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
import uvloop
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller, read_script
from app.rehearsal.twilio import RehearsedCarrier
from app.rehearsal.twilio.call import Call
from app.rehearsal.twilio.rest import rest_app
from app.rehearsal.twilio.verbs import Method
from app.rehearsal.twilio.webhooks import Webhooks
from tests.bench.ground import ACCOUNT, ADMIN, TOKEN, Ground, Running, process, serving
from tests.ports import free_port

# By the number's last digit: a word or a key for the score, a reason or none, and for critics the offer of a call.
SCRIPTS = (
    "9# | cheap and fast", "10 | they were kind", "8# | it took a while", "3# | nobody knew | 2",
    "9# | ", "7# | fine", "0# | I had to call three times | 1", "10 | the best | ", "9 | quick", "6# |  | 2",
)  # fmt: skip
POLL_SECONDS = 0.5


class TimedWebhooks(Webhooks):
    """Remembers how long each document took to come, as the caller would have waited for it."""

    def __init__(self, auth_token: str) -> None:
        super().__init__(auth_token)
        self.seconds: list[float] = []

    async def fetch(
        self, url: str, method: Method, form: Mapping[str, str], *, forged: bool = False
    ) -> bytes:
        """As ever, with a look at the clock."""
        started = time.perf_counter()
        document = await super().fetch(url, method, form, forged=forged)
        self.seconds.append(time.perf_counter() - started)
        return document


def phone_for(number: str, pace: float) -> Phone:
    """Somebody who picks up after 4 seconds, listens to the end, thinks for a second, and answers."""
    clock = PacedClock(pace)
    return Phone(ScriptedCaller(read_script(SCRIPTS[int(number[-1])]), clock), clock)


def _ended(call: Call) -> float:
    assert call.ended is not None, "asked of calls that are over"
    return call.ended.timestamp()


async def serve(port: int, pace: float) -> None:
    """Serve the carrier until told to stop; ``/measured`` tells what it saw."""
    carrier = RehearsedCarrier(
        ACCOUNT, TOKEN, lambda number: phone_for(number, pace), f"http://127.0.0.1:{port}"
    )
    carrier.webhooks = webhooks = TimedWebhooks(TOKEN)

    async def measured(_: Request) -> JSONResponse:
        calls = [call for call in carrier.calls if call.direction == "outbound-api"]
        return JSONResponse(
            {
                "documents": webhooks.seconds,
                "placed": [call.created.timestamp() for call in calls],
                "spans": [(call.created.timestamp(), _ended(call)) for call in calls if call.over],
                "failed": [call.status for call in calls if call.over and call.status != "completed"],
                "alerts": [str(alert) for call in calls for alert in call.alerts],
                "numbers": len({call.to for call in calls}),
            }
        )  # fmt: skip

    app = rest_app(carrier)
    app.router.routes.append(Route("/measured", measured))
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False, lifespan="off")
    await uvicorn.Server(config).serve()


@contextmanager
def carrier(ground: Ground, pace: float) -> Iterator[str]:
    """A carrier's base URL."""
    port = free_port()
    words = ("-m", "tests.bench.line", "--port", str(port), "--pace", str(pace))
    with process(words, {}, ground.directory):
        url = f"http://127.0.0.1:{port}"
        _await_answer(url)
        yield url


@contextmanager
def line(ground: Ground, database: str, *, pace: float, **settings: str) -> Iterator[tuple[Running, str]]:
    """``zeroten serve`` and a carrier."""
    with (
        carrier(ground, pace) as carrier_url,
        serving(ground, settings | {"database_url": database, "twilio_api_url": carrier_url}) as server,
    ):
        yield server, carrier_url


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{url}/measured", auth=(ACCOUNT, TOKEN))
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


async def seen(carrier_url: str) -> dict[str, Any]:
    """What the carrier saw."""
    async with httpx.AsyncClient(auth=(ACCOUNT, TOKEN), timeout=30) as http:
        return dict((await http.get(f"{carrier_url}/measured")).json())


def interaction(number: int, **changes: Any) -> dict[str, Any]:
    """An ended call as an integrator posts it; each number is a person."""
    return {
        "id": f"call-{uuid4().hex}",
        "channel": "voice",
        "queue": f"queue-{number % 20}",
        "agent": f"agent-{number % 200}",
        "ended_at": datetime.now(UTC).isoformat(),
        "language": ("en", "pl", "nb", "fr")[number % 4],
        "talk_seconds": 212,
        "customer": {"crm_id": f"crm-{number}", "phone": f"+4822{number:07d}", "consent": True},
        "attributes": {"segment": "smb"},
    } | changes


async def trigger(server: Running, numbers: range) -> None:
    """Post the interactions of these people in one batch; all of them must be scheduled."""
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as http:
        answer = await http.post("/api/v1/interactions:batch", json=[interaction(each) for each in numbers])
    answer.raise_for_status()
    skipped = [each for each in answer.json() if each.get("decision") != "scheduled"]
    if skipped:
        raise AssertionError(f"{len(skipped)} were not scheduled: {skipped[0]}")


def main() -> None:
    """Run the carrier."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--pace", type=float, required=True)
    given = options.parse_args()
    uvloop.run(serve(given.port, given.pace))


if __name__ == "__main__":
    main()
