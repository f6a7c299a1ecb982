"""A phone in a browser: one WebSocket is one number that a rehearsed call can ring."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

from app.demo.browser_messages import (
    CallAccepted,
    CallDeclined,
    HungUpByCaller,
    KeysPressed,
    Message,
    PromptSaid,
    TypingBegun,
    WordsSaid,
    read_message,
)
from app.rehearsal.people import (
    Caller,
    HeardPrompt,
    HungUp,
    ListeningFor,
    Nothing,
    Pickup,
    Pressed,
    Reaction,
    Spoken,
)

NUMBERS = tuple(f"+1917555{last:04d}" for last in range(100, 200))
"""New York numbers that are kept for fiction: nobody has one."""

TYPING_SECONDS = 8.0
LONGEST_ANSWER_SECONDS = 120.0
LONGEST_RECORDING_SECONDS = 60.0

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Passes a message to the browser; raises `ConnectionError` once there is nobody to pass it to."""


def speaking_seconds(utterance: HeardPrompt) -> float:
    """The longest that saying it may take before the call goes on without the browser's word for it."""
    return LONGEST_RECORDING_SECONDS if utterance.audio_url else 3.0 + len(utterance.text) / 8


class BrowserPhone:
    """One connected browser: its number, and the call it is in."""

    def __init__(self, number: str, send: Send | None = None) -> None:
        self.number = number
        self.call: BrowserCaller | None = None
        self._send = send

    @property
    def connected(self) -> bool:
        """Whether a browser still holds this number."""
        return self._send is not None

    def disconnect(self) -> None:
        """The browser went away, which hangs up whatever call it was in."""
        self._send = None
        if self.call is not None:
            self.call.receive(HungUpByCaller(type="hangup"))

    async def send(self, message: Mapping[str, Any]) -> None:
        """Pass a message to the browser; one that has gone hears nothing."""
        if self._send is not None:
            try:
                await self._send(message)
            except ConnectionError:
                self.disconnect()

    def receive(self, raw: str) -> None:
        """Take one JSON message of the browser; raises `pydantic.ValidationError` for anything else."""
        message = read_message(raw)
        if self.call is not None:
            self.call.receive(message)


class BrowserCaller(Caller):
    """One call to a browser's phone. What is pressed or said while the line still talks answers its next question."""

    def __init__(self, phone: BrowserPhone, ring_seconds: float) -> None:
        self._phone = phone
        self._ring_seconds = ring_seconds
        self._met: asyncio.Future[Pickup] = asyncio.get_running_loop().create_future()
        self._said = asyncio.Event()
        self._utterance = 0
        self._answers: asyncio.Queue[KeysPressed | WordsSaid | HungUpByCaller] = asyncio.Queue()
        self._typing_until = 0.0
        self._hung_up = False
        self._listening = False
        self._finish_on_key = ""

    def receive(self, message: Message) -> None:
        """Take what the browser did; called on the event loop's own thread."""
        match message:
            case CallAccepted():
                self._meet("human")
            case CallDeclined():
                self._meet("busy")
            case PromptSaid(id=said):
                if said == self._utterance:
                    self._said.set()
            case HungUpByCaller():
                self._meet("busy")
                self._hung_up = True
                self._answer(message)
            case KeysPressed(keys=key):
                # "1 0 #" is whole after the 0; its # must not answer the next question.
                if self._listening or not self._answers.empty() or key != self._finish_on_key:
                    self._answer(message)
            case WordsSaid():
                self._answer(message)
            case TypingBegun():
                self._typing_until = asyncio.get_running_loop().time() + TYPING_SECONDS

    def _meet(self, pickup: Pickup) -> None:
        if not self._met.done():
            self._met.set_result(pickup)

    def _answer(self, message: KeysPressed | WordsSaid | HungUpByCaller) -> None:
        self._answers.put_nowait(message)
        self._said.set()

    def _gone(self) -> HungUp | None:
        return HungUp() if self._hung_up else None

    async def ring(self, from_: str, to: str) -> Pickup:
        """Ring until somebody accepts or declines, at most for the ring time; busy during another call."""
        if not self._phone.connected:
            return "no-answer"
        if self._phone.call is not None:
            return "busy"
        self._phone.call = self
        pickup: Pickup = "no-answer"
        try:
            await self._phone.send({"type": "ring", "from": from_, "to": to, "seconds": self._ring_seconds})
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ring_seconds):
                    pickup = await self._met
        finally:
            if pickup != "human":
                await self.ended()
        return pickup

    async def hear(self, utterance: HeardPrompt) -> HungUp | None:
        """Have the browser say it; returns when it has, when the caller cuts in, or when it takes too long.

        What the caller cuts in with is kept for `react`; only hanging up ends the call at once.
        """
        if gone := self._gone():
            return gone
        self._utterance += 1
        cut_in = not self._answers.empty()
        if not cut_in:
            self._said.clear()
        await self._phone.send(
            {"type": "utterance", "id": self._utterance, "aloud": not cut_in, **asdict(utterance)}
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(speaking_seconds(utterance)):
                await self._said.wait()
        return self._gone()

    async def react(self, listening: ListeningFor) -> Reaction:
        """The caller's next key or words; a caller who is typing is waited for as one who is speaking would be."""
        if gone := self._gone():
            return gone
        self._listening, self._finish_on_key = True, listening.finish_on_key
        try:
            await self._phone.send({"type": "listening", **asdict(listening)})
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                return await self._collect(listening)
        except TimeoutError:
            return Nothing()
        finally:
            self._listening = False

    async def _collect(self, listening: ListeningFor) -> Reaction:
        patience = listening.timeout_seconds
        while True:
            try:
                async with asyncio.timeout(patience):
                    heard = await self._answers.get()
            except TimeoutError:
                patience = self._typing_until - asyncio.get_running_loop().time()
                if patience > 0 and listening.speech:
                    continue
                return Nothing()
            match heard:
                case HungUpByCaller():
                    return HungUp()
                case WordsSaid(text=text) if listening.speech:
                    return Spoken(text)
                case KeysPressed(keys=key) if listening.keys or key in listening.finish_on_key:
                    return Pressed(key)
                case _:  # words where only keys count, or the other way round
                    pass

    async def ended(self) -> None:
        """Free the phone and say so in the browser."""
        if self._phone.call is self:
            self._phone.call = None
            await self._phone.send({"type": "ended"})


class BrowserPhones:
    """Every browser that has a phone open, by number."""

    def __init__(self, ring_seconds: float = 28.0) -> None:
        self._ring_seconds = ring_seconds
        self._phones: dict[str, BrowserPhone] = {}
        # Starting anywhere, a restarted demo seldom deals a number that asked not to be called again.
        self._next = secrets.randbelow(len(NUMBERS))

    @contextmanager
    def register(self, send: Send) -> Iterator[BrowserPhone]:
        """Give a browser a number of its own while the block lasts; `LookupError` when all are taken."""
        phone = BrowserPhone(self._free_number(), send)
        self._phones[phone.number] = phone
        try:
            yield phone
        finally:
            phone.disconnect()
            del self._phones[phone.number]

    def _free_number(self) -> str:
        for _ in NUMBERS:
            number = NUMBERS[self._next]
            self._next = (self._next + 1) % len(NUMBERS)
            if number not in self._phones:
                return number
        raise LookupError("every browser number is taken")

    def holds(self, number: str) -> bool:
        """Whether a browser is there to ring."""
        return number in self._phones

    def caller_for(self, number: str) -> Caller | None:
        """The phone behind a number, which nobody answers once the browser has gone; None if it is no browser's."""
        if number not in NUMBERS:
            return None
        return BrowserCaller(self._phones.get(number) or BrowserPhone(number), self._ring_seconds)
