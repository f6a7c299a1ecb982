"""The demo page on a real port, with a carrier loop that talks to it as a flow would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import socket
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

import app.web
from app.demo.browser_phone import BrowserPhones
from app.demo.page import DemoCallRequest, DemoChatRequest, DemoPage, Row, demo_router
from app.rehearsal.people import Caller, HeardPrompt, ListeningFor, Pressed, Reaction, Spoken
from app.survey import Tally, band

FROM = "+12025550100"
STATIC = Path(app.web.__file__).parent / "static"
WORDS = {
    "en": (
        "Hello, this is Northwind. This is an automated survey of one question.",
        "How likely is it that you would recommend Northwind to a friend or colleague, from 0 to 10?",
        "Thank you. What is the main reason for your score?",
        "Thank you, and goodbye.",
    ),
    "pl": (
        "Dzień dobry, tu Northwind. To jest automatyczna ankieta.",
        "W skali od 0 do 10, jak prawdopodobne jest, że poleci Pan lub Pani Northwind znajomemu?",
        "Dziękujemy. Jaki jest główny powód tej oceny?",
        "Dziękujemy i do widzenia.",
    ),
}
SCORE = ListeningFor(
    keys=True, speech=True, max_digits=2, finish_on_key="#", timeout_seconds=30, language="en-US"
)
REASON = ListeningFor(
    keys=True, speech=True, max_digits=1, finish_on_key="1234567890*#", timeout_seconds=30, language=""
)


def report_row(group: str, promoters: int, passives: int, detractors: int) -> Row:
    """A row of the NPS report."""
    counts = Tally(promoters, passives, detractors)
    return {
        "group": group,
        "invited": counts.n * 3,
        "reached": counts.n * 2,
        "responses": counts.n,
        "promoters": promoters,
        "passives": passives,
        "detractors": detractors,
        "nps": counts.nps,
        "margin95": counts.margin95,
        "response_rate": 0.5 if counts.n else None,
    }


@dataclass
class Line:
    """A carrier with one flow, and what it has stored."""

    phones: BrowserPhones
    reactions: list[Reaction] = field(default_factory=list)
    surveys: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    latest: list[Row] = field(default_factory=list)
    progress: tuple[int, int] = (0, 0)
    skip_for: str | None = None
    calls: set[asyncio.Task[None]] = field(default_factory=set)

    async def place(self, request: DemoCallRequest) -> Row:
        """Call the browser that asked, or decide not to."""
        if self.skip_for:
            return {"survey_id": None, "decision": "skipped", "reason": self.skip_for}
        survey_id = str(UUID(int=len(self.surveys) + 1))
        self.surveys[survey_id] = {"status": "contacting", "response": None}
        caller = self.phones.caller_for(request.phone)
        assert caller is not None
        call = asyncio.create_task(self.talk(caller, request, survey_id))
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        return {"survey_id": survey_id, "decision": "scheduled", "reason": None}

    async def invite(self, request: DemoChatRequest) -> Row:
        """This line has no chat; the token says what was asked for."""
        return {"token": f"{request.queue}.{request.language}"}

    async def talk(self, caller: Caller, request: DemoCallRequest, survey_id: str) -> None:
        """Greeting, score, reason, goodbye."""
        survey = self.surveys[survey_id]
        if await caller.ring(FROM, request.phone) != "human":
            survey["status"] = "unreached"
            return
        greeting, question, reason, goodbye = WORDS[request.language]
        locale = {"en": "en-US", "pl": "pl-PL"}[request.language]
        heard = await caller.hear(HeardPrompt(greeting, locale)) or await caller.hear(
            HeardPrompt(question, locale)
        )
        if heard is not None:
            self.reactions.append(heard)
            await caller.ended()
            return
        score = await self.ask(caller, SCORE)
        if score is not None and score.isdigit():
            survey["response"] = {"score": int(score), "band": band(int(score)), "language": request.language}
            survey["status"] = "partial"
            await caller.hear(HeardPrompt(reason, locale))
            comment = await self.ask(caller, REASON)
            if comment is not None:
                survey["response"]["comment"] = comment
                survey["status"] = "completed"
                await caller.hear(HeardPrompt(goodbye, locale))
        await caller.ended()

    async def ask(self, caller: Caller, listening: ListeningFor) -> str | None:
        """What the caller answered, as text."""
        reaction = await caller.react(listening)
        self.reactions.append(reaction)
        match reaction:
            case Pressed(keys=key) if listening.max_digits == 2 and key != "#":
                more = await self.ask(caller, replace(listening, max_digits=1, timeout_seconds=2, asks=False))
                return key + (more or "")
            case Pressed(keys=key):
                return key.rstrip("#")
            case Spoken(text=text):
                return text
            case _:
                return None

    async def survey(self, survey_id: UUID) -> Row | None:
        """One survey's story."""
        return self.surveys.get(str(survey_id))

    async def report(self) -> list[Row]:
        """The rows of the NPS report."""
        return self.rows

    async def responses(self) -> list[Row]:
        """The latest responses."""
        return self.latest

    def demo(self) -> DemoPage:
        """What the page is given."""
        return DemoPage(
            brand="Northwind",
            queues=("billing", "support", "returns"),
            languages=("en", "pl"),
            place=self.place,
            invite=self.invite,
            survey=self.survey,
            rows=self.report,
            latest=self.responses,
            progress=lambda: self.progress,
        )


class StartedServer(uvicorn.Server):
    """A server that can be waited for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serving(line: Line, port: int = 0) -> AsyncIterator[str]:
    """The page on loopback for as long as the block lasts; gives ``127.0.0.1:port``."""
    application = FastAPI()
    application.include_router(demo_router(line.phones, line.demo()))
    application.mount("/static", StaticFiles(directory=STATIC))
    config = uvicorn.Config(application, port=port, log_level="error", lifespan="off", ws="websockets-sansio")
    config.timeout_graceful_shutdown = 1
    server = StartedServer(config)
    running = asyncio.create_task(server.serve())
    await server.ready.wait()
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        for call in list(line.calls):
            call.cancel()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await running
