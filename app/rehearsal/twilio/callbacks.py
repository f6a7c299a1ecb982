"""A call's progress, told to its status callback: in order, or as the call's faults have it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from app.rehearsal.twilio.call import Call, CallRequest
from app.rehearsal.twilio.faults import Faults
from app.rehearsal.twilio.verbs import CallFailed, Method
from app.rehearsal.twilio.webhooks import Webhooks

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

# By how the phone was met, or else by how the call ended.
SIP_CODES = {
    "declined": "603",
    "no-such-number": "404",
    "completed": "200",
    "busy": "486",
    "no-answer": "480",
    "failed": "488",
    "canceled": "487",
}


class Callbacks:
    """Everything that is told about one call without waiting for an answer."""

    def __init__(
        self,
        call: Call,
        request: CallRequest,
        faults: Faults,
        webhooks: Webhooks,
        spawn: Spawn,
        identity: Mapping[str, str],
    ) -> None:
        self._call, self._request, self._faults = call, request, faults
        self._webhooks, self._spawn, self._identity = webhooks, spawn, identity
        self._fired = 0
        self._held: list[Mapping[str, str]] = []
        self._last: asyncio.Task[None] | None = None

    def progress(self, event: str, status: str) -> None:
        """The call came to ``event``: send its callback where the request asked for that event."""
        url = self._request.status_url
        if url is None or event not in self._request.status_events:
            return
        form = self._progress_form(status)
        self._fired += 1
        if self._faults.callbacks == "reversed":
            self._held.insert(0, form)
            due = self._held if event == "completed" else []
        else:
            due = [form]
        for callback in due:
            self._last = self._spawn(self._in_order(self._last, url, callback))

    def tell(self, url: str, method: Method, form: Mapping[str, str]) -> None:
        """Deliver a callback that is not about the call's status, such as a recording's."""
        self._spawn(self.deliver(url, method, form))

    async def deliver(self, url: str, method: Method, form: Mapping[str, str]) -> None:
        """Deliver a callback once; not at all, or twice, where the call's faults say so."""
        times = {"lost": 0, "twice": 2}.get(self._faults.callbacks, 1)
        for _ in range(times):
            await asyncio.sleep(self._faults.network_seconds)
            try:
                await self._webhooks.tell(url, method, {**self._identity, **form}, forged=self._faults.forged)
            except CallFailed as failure:
                self._call.alerts.append(failure.alert)

    async def _in_order(self, before: "asyncio.Task[None] | None", url: str, form: Mapping[str, str]) -> None:
        if before is not None:
            await before
        await self.deliver(url, self._request.status_method, form)

    def _progress_form(self, status: str) -> dict[str, str]:
        form = {
            "CallStatus": status,
            "Timestamp": format_datetime(datetime.now(UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._fired),
        }
        if not self._call.over:
            return form
        seconds = self._call.seconds or 0
        duration = {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
        return {**form, **duration, "SipResponseCode": SIP_CODES[self._call.unmet or status]}
