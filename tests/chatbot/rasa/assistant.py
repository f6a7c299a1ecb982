"""An assistant with flows/rasa/ in its project, in the place of a Rasa server.

It keeps the tracker, runs the form and calls the action server as Rasa 3.6 does: tests/chatbot/rasa/
recorded-requests.jsonl holds what that one sends, and test_server.py runs the same conversations on a real one.
"""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import yaml

from tests.transcripts import DIRECTORY

FLOWS = DIRECTORY.parents[1] / "flows" / "rasa"
DOMAIN = yaml.safe_load((FLOWS / "domain.yml").read_text(encoding="utf-8"))
START = "/start_survey"
Json = dict[str, Any]
_clock = itertools.count(1_795_300_679)


@dataclass
class Assistant:
    """One conversation of one sender. ``http`` reaches the action server."""

    http: httpx.AsyncClient
    sender: str = field(default_factory=lambda: uuid4().hex)
    slots: Json = field(default_factory=lambda: dict.fromkeys((*DOMAIN["slots"], "requested_slot")))
    events: list[Json] = field(default_factory=list)
    latest: Json = field(default_factory=dict)
    form: str | None = None
    said: list[Json] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """What the assistant has just said."""
        return [message["text"] for message in self.said]

    async def say(
        self,
        text: str,
        metadata: Json | None = None,
        *,
        intent: str | None = None,
        message_id: str | None = None,
    ) -> list[Json]:
        """The customer writes; the answer is what the assistant says."""
        if not self.events:
            self.begin_session(metadata or {})
        if text == START:
            intent = "start_survey"
        self._hear(text, intent, message_id or uuid4().hex, metadata or {})
        if self.form is not None and self.slots["requested_slot"] == "nps_answer":
            self._set("nps_answer", text)
        return await self._run(intent)

    async def trigger(self, intent: str = "start_survey") -> list[Json]:
        """A dashboard triggers an intent, through Rasa's own interface."""
        self._hear(f"EXTERNAL: {intent}", intent, None, {"is_external": True})
        return await self._run(intent)

    async def come_back(self) -> list[Json]:
        """The form goes on after the assistant has answered something else."""
        self.said = []
        await self._act("validate_nps_form")
        await self._request()
        return self.said

    def begin_session(self, metadata: Json) -> None:
        """Rasa begins a new session: slots are carried over, a form is not."""
        self.form, self.slots["requested_slot"] = None, None
        self.slots["session_started_metadata"] = metadata
        self._event("action", name="action_session_start")
        self._event("session_started")

    async def call(self, action: str) -> httpx.Response:
        """Send the call of an action, as it stands now."""
        content = json.dumps(self.request(action))
        return await self.http.post("/webhook", content=content, headers={"content-type": "application/json"})

    def request(self, action: str) -> Json:
        """The call of an action."""
        tracker = {
            "sender_id": self.sender,
            "slots": self.slots,
            "latest_message": self.latest,
            "latest_event_time": self.events[-1]["timestamp"] if self.events else None,
            "followup_action": None,
            "paused": False,
            "events": self.events,
            "latest_input_channel": "rest",
            "active_loop": {"name": self.form} if self.form else {},
            "latest_action": {"action_name": "nps_form"},
            "latest_action_name": "nps_form",
        }
        return {
            "next_action": action,
            "sender_id": self.sender,
            "tracker": tracker,
            "version": "3.6.21",
            "domain": DOMAIN,
        }

    async def _run(self, intent: str | None) -> list[Json]:
        self.said = []
        if self.form is None and intent == "start_survey":
            self.form = "nps_form"
        if self.form is not None:
            events = await self._act("validate_nps_form")
            await self._request() if not _ends(events) else await self._finish()
        return self.said

    async def _request(self) -> None:
        """Ask for the slot that is empty; with none the form is done."""
        if self.slots["nps_answer"] is not None:
            await self._finish()
            return
        self._set("requested_slot", "nps_answer")
        if _ends(await self._act("action_ask_nps_answer")):
            await self._finish()

    async def _finish(self) -> None:
        self.form = None
        self._set("requested_slot", None)
        await self._act("action_nps_finish")

    async def _act(self, action: str) -> list[Json]:
        answer = await self.call(action)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        self.said.extend(body["responses"])
        for event in body["events"]:
            assert event["event"] == "slot"
            self._set(event["name"], event["value"])
        return list(body["events"])

    def _hear(self, text: str, intent: str | None, message_id: str | None, metadata: Json) -> None:
        self.latest = {
            "intent": {"name": intent, "confidence": 1.0 if intent else 0.0},
            "entities": [],
            "text": text,
            "message_id": message_id,
            "metadata": metadata,
        }
        self._event("user", text=text, parse_data=self.latest, metadata=metadata, message_id=message_id)

    def _set(self, name: str, value: object) -> None:
        assert name == "requested_slot" or name in DOMAIN["slots"], f"{name} is no slot of the domain"
        self.slots[name] = value
        self._event("slot", name=name, value=value)

    def _event(self, kind: str, **more: object) -> None:
        self.events.append({"event": kind, "timestamp": float(next(_clock)), **more})


def _ends(events: list[Json]) -> bool:
    """Whether an action ended the form: the last word on the requested slot is none."""
    requested = [event["value"] for event in events if event["name"] == "requested_slot"]
    return bool(requested) and requested[-1] is None
