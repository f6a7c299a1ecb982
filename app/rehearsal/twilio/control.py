"""Routes by which another process plans faults, scripts callers, and reads what happened at the carrier."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, PhoneFor, ScriptedCaller, read_script
from app.rehearsal.twilio.call import Call, CallRequest
from app.rehearsal.twilio.carrier import RehearsedCarrier
from app.rehearsal.twilio.faults import Faults
from app.rehearsal.twilio.parameters import Parameters
from app.rehearsal.twilio.verbs import Request as Document


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultsOrder(_Order):
    """``POST /rehearsal/faults``: behave so towards ``to`` (everybody, where missing), ``times`` times."""

    faults: Faults
    to: str | None = None
    times: int | None = None


class ScriptOrder(_Order):
    """``POST /rehearsal/script``: what the person at ``to`` does; see `app.rehearsal.people.scripted.read_script`."""

    to: str
    script: str
    pace: float = 0.0


class IncomingCallOrder(_Order):
    """``POST /rehearsal/incoming-call``: ``from_number`` calls ``to``, whose voice URL is ``url``."""

    from_number: str
    to: str
    url: str
    script: str
    pace: float = 0.0


class IncomingMessageOrder(_Order):
    """``POST /rehearsal/incoming-message``: ``from_number`` writes to ``to``; answers with the replies."""

    from_number: str
    to: str
    url: str
    body: str


def control_routes(carrier: RehearsedCarrier) -> list[Route]:
    """The routes under ``/rehearsal`` by which another process steers the carrier and asks what happened."""
    control = _Control(carrier)
    return [
        Route("/rehearsal/faults", control.faults, methods=["POST"]),
        Route("/rehearsal/script", control.script, methods=["POST"]),
        Route("/rehearsal/incoming-call", control.incoming_call, methods=["POST"]),
        Route("/rehearsal/incoming-message", control.incoming_message, methods=["POST"]),
        Route("/rehearsal/calls", control.calls),
        Route("/rehearsal/summary", control.summary),
    ]


class _Control:
    def __init__(self, carrier: RehearsedCarrier) -> None:
        self.carrier = carrier

    async def faults(self, request: Request) -> Response:
        order = FaultsOrder.model_validate_json(await request.body())
        self.carrier.fault_plan.tell(order.faults, order.to, order.times)
        return Response(status_code=204)

    async def script(self, request: Request) -> Response:
        order = ScriptOrder.model_validate_json(await request.body())
        self.carrier.phones.put(order.to, scripted_phone(order.script, order.pace))
        return Response(status_code=204)

    async def incoming_call(self, request: Request) -> Response:
        order = IncomingCallOrder.model_validate_json(await request.body())
        wanted = CallRequest(order.to, order.from_number, Document(order.url))
        phone = scripted_phone(order.script, order.pace)(order.from_number)
        return JSONResponse(describe_call(self.carrier.receive(wanted, phone)), 201)

    async def incoming_message(self, request: Request) -> Response:
        order = IncomingMessageOrder.model_validate_json(await request.body())
        replies = await self.carrier.write_in(order.from_number, order.to, order.body, order.url)
        return JSONResponse([reply.body for reply in replies])

    async def calls(self, request: Request) -> Response:
        """The latest calls with their transcripts; ``to`` and ``limit`` narrow them down."""
        query = Parameters(request.url.query)
        found = self.carrier.calls.find(lambda call: query.get("to") in {"", call.to})
        limit = query.get("limit")
        return JSONResponse(
            [describe_call(each) for each in found[: int(limit) if limit.isdecimal() else 100]]
        )

    async def summary(self, _: Request) -> Response:
        """Counts by status and by alert, and how often each number was called more than once."""
        calls = list(self.carrier.calls)
        called = Counter(call.to for call in calls if call.direction == "outbound-api")
        return JSONResponse(
            {
                "calls": len(calls),
                "by_status": Counter(call.status for call in calls),
                "by_alert": Counter(str(alert.code) for call in calls for alert in call.alerts),
                "called_again": {number: times for number, times in called.items() if times > 1},
            }
        )


def scripted_phone(script: str, pace: float) -> PhoneFor:
    """Phones at which the script begins anew with every call."""
    steps = read_script(script)

    def phone_for(_: str) -> Phone:
        clock = PacedClock(pace)
        return Phone(ScriptedCaller(steps, clock), clock)

    return phone_for


def describe_call(call: Call) -> dict[str, Any]:
    """A call as plain JSON types, transcript and alerts included."""
    return {
        "sid": call.sid,
        "to": call.to,
        "from": call.from_,
        "direction": call.direction,
        "status": call.status,
        "answered_by": call.answered_by,
        "ended_by": call.ended_by,
        "seconds": call.seconds,
        "transcript": [str(entry) for entry in call.transcript],
        "alerts": [asdict(alert) for alert in call.alerts],
    }
