"""What people do when a phone rings or a message comes, and what the carrier tells the product of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from tests.calls import Document
from tests.line import OURS
from tests.simulation.carrier import Placement
from tests.simulation.faults import Faults
from tests.simulation.model import Model

Post = Callable[[str, Mapping[str, str], bool], Awaitable[httpx.Response | None]]
MOST_TURNS = 12
A_WEEK_SECONDS = 7 * 24 * 3600.0
LATE_SECONDS = 900.0
SIP_CODES = ("503", "404", "603", "480")


@dataclass
class Phones:
    """Every phone. ``post`` sends a webhook to one of the product's processes; None where it was not answered."""

    random: random.Random
    faults: Faults
    model: Model
    post: Post
    questions: frozenset[str]
    background: "set[asyncio.Task[None]]"

    async def ring(self, call: Placement) -> None:
        """A call from its beginning to its end."""
        await self._pause(0.2, 3)
        self._tell(call, "initiated")
        call.status = "ringing"
        self._tell(call, "ringing")
        await self._pause(2, 20)
        if not call.over.is_set():
            match self.random.choices(
                ("taken", "machine", "no-answer", "busy", "failed"), (50, 12, 25, 8, 5)
            )[0]:
                case "taken":
                    await self._talk(call)
                case "machine":
                    await self._answer_by_machine(call)
                case status:
                    call.end(status)
        extra = {"SipResponseCode": self.random.choice(SIP_CODES)} if call.status == "failed" else {}
        self._tell(call, call.status, extra)

    async def receive(self, message: Placement) -> None:
        """A message from its sending to the answer."""
        await self._pause(0.5, 5)
        message.status = "sent"
        self._tell_message(message)
        await self._pause(1, 30)
        message.status = self.random.choices(("delivered", "undelivered", "sent"), (80, 8, 12))[0]
        self._tell_message(message)
        if message.status == "undelivered" or self.random.random() < 0.4:
            return
        await self._pause(20, 3 * 3600)
        for text in self.random.choice(
            (["9", "quick and kind"], ["0", "slow", "yes"], ["STOP"], ["7"], ["hm", "8"])
        ):
            await self.write(message.to, text)
            await self._pause(10, 600)

    async def write(self, phone: str, text: str) -> None:
        """Somebody writes to our number."""
        form = {
            "MessageSid": f"SM{self.random.getrandbits(128):032x}",
            "From": phone,
            "To": OURS,
            "Body": text,
        }
        answer = await self.post("/twilio/messages", form, True)
        if text == "STOP" and answer is not None and answer.status_code == 200 and "orry" not in answer.text:
            self.model.stopped(phone)

    async def _talk(self, call: Placement) -> None:
        call.status = "in-progress"
        self._tell(call, "in-progress")
        score = str(self.random.choice((0, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10)))
        address = call.form["Url"]
        page = await self._page(call, address, {})
        for turn in range(MOST_TURNS):
            if page is None or call.over.is_set() or self.random.random() < 0.06:
                break
            if page.asks is None:
                if page.goes_on_at is None:
                    break
                address, form = urljoin(address, page.goes_on_at), {}
            else:
                address, form = urljoin(address, page.asks), self._reply(turn, score)
            await self._pause(1, 8)
            page = await self._page(call, address, form)
            self._note(call, form, page, first=turn == 0)
        call.end("completed")

    def _reply(self, turn: int, score: str) -> dict[str, str]:
        chance = self.random.random()
        if turn == 0 and chance < 0.8:
            return {"Digits": score}
        if chance < 0.06:
            return {"Digits": "*"}
        if chance < 0.3:
            return {"SpeechResult": "they were quick and kind", "Confidence": "0.9"}
        return {"Digits": self.random.choice("12")} if chance < 0.6 else {}

    def _note(self, call: Placement, form: Mapping[str, str], page: Document | None, *, first: bool) -> None:
        """What the product has acknowledged by its answer, it must keep."""
        said = " ".join(page.said) if page is not None else ""
        if (
            first
            and form.get("Digits", "").isdecimal()
            and any(question in said for question in self.questions)
        ):
            self.model.scored(call.form["Url"], form["Digits"])
        if form.get("Digits") == "*" and "won't" in said:
            self.model.stopped(call.to)

    async def _answer_by_machine(self, call: Placement) -> None:
        call.status = "in-progress"
        self._tell(call, "in-progress")
        await self._page(call, call.form["Url"], {})
        await self._pause(2, 5)
        if call.form.get("AsyncAmdStatusCallback"):
            self._spawn(
                self._callback(
                    call.form["AsyncAmdStatusCallback"], self._form(call) | {"AnsweredBy": "machine_start"}
                )
            )
        try:
            await asyncio.wait_for(call.over.wait(), 40)
        except TimeoutError:
            call.end("completed")

    async def _page(self, call: Placement, address: str, form: Mapping[str, str]) -> Document | None:
        answer = await self.post(address, {**self._form(call), **form}, True)
        return None if answer is None or answer.status_code != 200 else Document.of(answer)

    def _form(self, call: Placement) -> dict[str, str]:
        return {"CallSid": call.sid, "From": OURS, "To": call.to, "Direction": "outbound-api"}

    def _tell(self, call: Placement, status: str, extra: Mapping[str, str] | None = None) -> None:
        form = self._form(call) | {"CallStatus": status} | dict(extra or {})
        self._spawn(self._callback(call.form["StatusCallback"], form))

    def _tell_message(self, message: Placement) -> None:
        form = {"MessageSid": message.sid, "MessageStatus": message.status, "To": message.to, "From": OURS}
        if message.status == "undelivered":
            form["ErrorCode"] = self.random.choice(("30003", "30005", "30008"))
        self._spawn(self._callback(message.form["StatusCallback"], form))

    async def _callback(self, address: str, form: Mapping[str, str]) -> None:
        """A callback comes once, or not at all, or twice, or late, or so late that nobody waits for it any more."""
        fault = self.faults.callback()
        match fault:
            case "lost":
                return
            case "late":
                await self._pause(30, LATE_SECONDS)
            case "very_late":
                await self._pause(LATE_SECONDS, A_WEEK_SECONDS)
            case "forged":
                answer = await self.post(address, dict(form) | {"CallStatus": "completed"}, False)
                assert answer is None or answer.status_code == 403, answer
            case _:
                await self._pause(0.05, 1.5)
        await self.post(address, form, True)
        if fault == "repeated":
            await self._pause(0.1, 60)
            await self.post(address, form, True)

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self.random.uniform(least, most))

    def _spawn(self, work: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
