"""One call, from the moment it is dialled until its last callback is on its way."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import AnsweringMachine, Caller, Phone, Pickup, SilentCaller
from app.rehearsal.twilio.call import Call, CallRequest, CallStatus
from app.rehearsal.twilio.callbacks import Callbacks, Spawn
from app.rehearsal.twilio.faults import Faults
from app.rehearsal.twilio.performance import Performance
from app.rehearsal.twilio.recordings import CarrierRecordings
from app.rehearsal.twilio.verbs import Method, Request, Source
from app.rehearsal.twilio.webhooks import Webhooks


class LiveCall:
    """Runs one call, in a task of its own. `hang_up` and `redirect` are the carrier's updates."""

    def __init__(
        self,
        call: Call,
        request: CallRequest,
        phone: Phone,
        faults: Faults,
        identity: Mapping[str, str],
        webhooks: Webhooks,
        recordings: CarrierRecordings,
        spawn: Spawn,
    ) -> None:
        self.call = call
        self._request, self._phone, self._faults = request, phone, faults
        self._identity, self._webhooks, self._recordings = identity, webhooks, recordings
        self._spawn = spawn
        self._callbacks = Callbacks(call, request, faults, webhooks, spawn, identity)
        self._running: asyncio.Task[None] | None = None
        self._performing: asyncio.Task[None] | None = None
        self._wanted: CallStatus | None = None
        self._next: Source | None = None
        self._detected = asyncio.Event()

    def start(self) -> "asyncio.Task[None]":
        """Dial; the task ends when the call is over."""
        self._running = self._spawn(self._run())
        return self._running

    def hang_up(self, status: CallStatus) -> None:
        """End the call with this status, whatever it is doing."""
        self._wanted = status
        if self.call.status == "queued":
            self.call.status, self.call.ended = status, datetime.now(UTC)
        if self._running is not None:
            self._running.cancel()

    def redirect(self, source: Source) -> None:
        """Leave what is being performed and go on with another document."""
        self._next = source
        if self._performing is not None:
            self._performing.cancel()

    async def _run(self) -> None:
        status: CallStatus = "failed"
        try:
            status = await self._live()
        except asyncio.CancelledError:
            if self._wanted is None:
                raise
            status = self._wanted
        finally:
            self._finish(status)
            await self._phone.caller.ended()

    async def _live(self) -> CallStatus:
        self.call.started = datetime.now(UTC)
        self.call.status = "ringing"
        self._callbacks.progress("initiated", "initiated")
        self._callbacks.progress("ringing", "ringing")
        pickup = await self._ring()
        if pickup not in {"human", "machine"}:
            self.call.unmet = pickup
            return _UNMET[pickup]
        self.call.status = "in-progress"
        self._callbacks.progress("answered", "in-progress")
        answered = self._phone.clock.elapsed()
        try:
            async with self._phone.clock.at_most(self._request.most_seconds):
                await self._talk(pickup)
        except TimeoutError:
            self.call.ended_by = "line"
        finally:
            self.call.seconds = max(1, round(self._phone.clock.elapsed() - answered))
        return "completed"

    async def _ring(self) -> Pickup:
        clock, ring = self._phone.clock, self._request.ring_seconds
        match self._faults.pickup:
            case None:
                pass
            case "no-answer":
                await clock.sleep(ring)
                return "no-answer"
            case told:
                await clock.sleep(1)
                return told
        try:
            async with clock.at_most(ring):
                return await self._phone.caller.ring(self.call.from_, self.call.to)
        except TimeoutError:
            return "no-answer"

    async def _talk(self, pickup: Pickup) -> None:
        source: Source | None = await self._detect(pickup)
        performance = self._performance(pickup)
        try:
            while source is not None:
                source = await self._perform(performance, source)
        finally:
            performance.close()

    async def _perform(self, performance: Performance, source: Source) -> Source | None:
        """Perform until the end, or until a redirection: then that is what comes next."""
        self._performing = asyncio.create_task(self._perform_alone(performance, source))
        try:
            await self._performing
        except asyncio.CancelledError:
            if self._next is None or self._wanted is not None:
                raise
        following, self._next = self._next, None
        return following

    async def _perform_alone(self, performance: Performance, source: Source) -> None:
        self.call.ended_by = await performance.perform(source)

    def _performance(self, pickup: Pickup) -> Performance:
        return Performance(
            self._caller(pickup),
            self._phone.clock,
            self._fetch,
            self._identity,
            self._recordings,
            self._callbacks.tell,
            self._request.fallback,
            self.call.transcript,
            self.call.alerts,
            self._webhooks.handshake,
            submits_at_hang_up=self._faults.submits_at_hang_up,
        )

    def _caller(self, pickup: Pickup) -> Caller:
        caller = self._phone.caller
        if pickup == "machine":
            return AnsweringMachine(caller, self._phone.clock, self._detected)
        return SilentCaller(caller, self._phone.clock) if self._faults.silent else caller

    async def _detect(self, pickup: Pickup) -> Source:
        """Tell a person from a machine, before the first document or beside it."""
        source = self._request.source
        answered_by = "machine_start" if pickup == "machine" else "human"
        match self._request.detection:
            case "none":
                self._detected.set()
                return source
            case "async":
                self._spawn(self._detect_beside(answered_by))
                return source
            case "sync":
                await self._phone.clock.sleep(self._faults.detection_seconds)
                self.call.answered_by = answered_by
                self._detected.set()
        if isinstance(source, Request):
            return replace(source, form={**source.form, "AnsweredBy": answered_by})
        return source

    async def _detect_beside(self, answered_by: str) -> None:
        seconds = self._faults.detection_seconds
        # A clock of its own: on the call's, this time would count as well as that of the talk beside it.
        await PacedClock(self._phone.clock.pace).sleep(seconds)
        self.call.answered_by = answered_by
        url = self._request.detection_url
        if url is not None and not self.call.over:
            form = {"AnsweredBy": answered_by, "MachineDetectionDuration": str(round(seconds * 1000))}
            await self._callbacks.deliver(url, self._request.detection_method, form)
        self._detected.set()

    async def _fetch(self, url: str, method: Method, form: Mapping[str, str]) -> bytes:
        await asyncio.sleep(self._faults.network_seconds)
        forged = self._faults.forged
        if self._faults.turns_twice:
            await self._webhooks.fetch(url, method, form, forged=forged)
        return await self._webhooks.fetch(url, method, form, forged=forged)

    def _finish(self, status: CallStatus) -> None:
        self.call.status = status
        self.call.ended = datetime.now(UTC)
        self._callbacks.progress("completed", status)


_UNMET: dict[Pickup, CallStatus] = {
    "busy": "busy",
    "no-answer": "no-answer",
    "declined": "failed",
    "no-such-number": "failed",
    "failed": "failed",
}
