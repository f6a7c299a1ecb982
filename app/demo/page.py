"""The demo page: a phone to be called on, and the queues' NPS as it fills in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.demo.browser_phone import BrowserPhone, BrowserPhones
from app.survey import Tally

PAGE = Path(__file__).parent / "static"
FILES = {each.name: each for each in PAGE.iterdir() if each.suffix in {".js", ".css"}}
POLL_SECONDS = 1.0
HEARTBEAT_POLLS = 15
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; media-src 'self' http: https:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

COUNTS = ("invited", "reached", "responses", "promoters", "passives", "detractors")

Row = Mapping[str, Any]


class DemoCallRequest(BaseModel):
    """Call me now: ``phone`` is the number that the page was given when its phone connected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: Annotated[str, Field(min_length=1, max_length=100)]
    language: Annotated[str, Field(min_length=2, max_length=10)]
    phone: Annotated[str, Field(max_length=20)]
    name: Annotated[str, Field(max_length=100)] | None = None


class DemoChatRequest(BaseModel):
    """Ask me in the chat on this page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: Annotated[str, Field(min_length=1, max_length=100)]
    language: Annotated[str, Field(min_length=2, max_length=10)]


@dataclass(frozen=True)
class DemoPage:
    """What the page needs of the product.

    ``place`` posts an ended interaction whose customer is at the request's phone and answers as the trigger does
    (``survey_id``, ``decision``, ``reason``). ``invite`` posts an ended chat and gives its ``token``. ``survey`` is
    one survey's story (``status``, ``response``), None where there is none. ``rows`` are the NPS report's, one for each
    queue. ``latest`` are responses, newest first: ``survey_id``, ``queue``, ``language``, ``score``, ``band``,
    ``comment``, ``answered_at``. ``progress`` is how many rehearsed interactions are done, and of how many.
    """

    brand: str
    queues: Sequence[str]
    languages: Sequence[str]
    place: Callable[[DemoCallRequest], Awaitable[Row]]
    invite: Callable[[DemoChatRequest], Awaitable[Row]]
    survey: Callable[[UUID], Awaitable[Row | None]]
    rows: Callable[[], Awaitable[Sequence[Row]]]
    latest: Callable[[], Awaitable[Sequence[Row]]]
    progress: Callable[[], tuple[int, int]]


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a page of ours opened the WebSocket; no other site may ring through a visitor's browser."""
    return origin is None or urlsplit(origin).netloc == host


def tally(row: Row) -> Tally:
    """A report row's answers by band."""
    return Tally(int(row["promoters"]), int(row["passives"]), int(row["detractors"]))


def all_queues(rows: Sequence[Row]) -> Row:
    """The row over all queues, from the counts of each."""
    counts = {each: sum(int(row[each]) for row in rows) for each in COUNTS}
    over_all = tally(counts)
    return {"group": "All queues", **counts, "nps": over_all.nps, "margin95": over_all.margin95}


def with_interval(row: Row) -> Row:
    """A row with the ends of its 95% interval, which are not those of ``nps`` plus and minus ``margin95``."""
    return {**row, "interval": tally(row).interval}


async def snapshot(demo: DemoPage) -> str:
    """Everything beside the phone, as JSON."""
    done, total = demo.progress()
    rows = await demo.rows()
    live = {
        "queues": [with_interval(row) for row in rows],
        "total": with_interval(all_queues(rows)),
        "latest": await demo.latest(),
        "progress": {"done": done, "total": total},
    }
    return json.dumps(jsonable_encoder(live), ensure_ascii=False)


async def changes(demo: DemoPage) -> AsyncIterator[str]:
    """Server-sent events: the snapshot now and whenever it differs, and a comment to keep proxies awake."""
    sent, quiet = "", 0
    while True:
        now = await snapshot(demo)
        quiet = 0 if now != sent else quiet + 1
        if now != sent:
            yield f"data: {now}\n\n"
        elif quiet % HEARTBEAT_POLLS == 0:
            yield ": still here\n\n"
        sent = now
        await asyncio.sleep(POLL_SECONDS)


async def talk(websocket: WebSocket, phone: BrowserPhone) -> None:
    """Pass on what the browser does until it goes away or says something that is no message of a phone."""
    try:
        while True:
            phone.receive(await websocket.receive_text())
    except WebSocketDisconnect:
        return
    except (ValidationError, KeyError):  # KeyError: a binary frame has no text
        await websocket.close(1008, "not a message of a phone")


async def hold_phone(websocket: WebSocket, phones: BrowserPhones, demo: DemoPage) -> None:
    """Give a browser its phone for as long as it stays connected."""
    if not same_origin(websocket.headers.get("origin"), websocket.headers.get("host")):
        await websocket.close(1008)
        return
    await websocket.accept()

    async def send(message: Row) -> None:
        try:
            await websocket.send_json(message)
        except (WebSocketDisconnect, RuntimeError) as gone:  # RuntimeError: it has been closed from this side
            raise ConnectionError("the browser has gone") from gone

    ready = {"type": "ready", "brand": demo.brand, "queues": demo.queues, "languages": demo.languages}
    try:
        with phones.register(send) as phone:
            await phone.send({**ready, "number": phone.number})
            await talk(websocket, phone)
    except LookupError:
        await websocket.close(1013, "every phone is taken")


def demo_router(phones: BrowserPhones, demo: DemoPage) -> APIRouter:
    """The routes under ``/demo``; fonts and colours come from ``/static``, which the application serves."""
    router = APIRouter(prefix="/demo", include_in_schema=False)

    @router.get("")
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=HEADERS)

    @router.get("/page/{name}")
    async def file(name: str) -> FileResponse:
        if name not in FILES:
            raise HTTPException(404)
        return FileResponse(FILES[name], headers=HEADERS)

    @router.websocket("/phone")
    async def phone(websocket: WebSocket) -> None:
        await hold_phone(websocket, phones, demo)

    @router.post("/call", status_code=202)
    async def call(request: DemoCallRequest) -> Row:
        if not phones.holds(request.phone):
            raise HTTPException(409, "That phone is no longer connected.")
        return await demo.place(request)

    @router.post("/chat", status_code=202)
    async def chat(request: DemoChatRequest) -> Row:
        return await demo.invite(request)

    _follow(router, demo)
    return router


def _follow(router: APIRouter, demo: DemoPage) -> None:
    """What the page looks at while surveys go on."""

    @router.get("/calls/{survey_id}")
    async def story(survey_id: UUID) -> Row:
        survey = await demo.survey(survey_id)
        if survey is None:
            raise HTTPException(404)
        return survey

    @router.get("/live")
    async def live() -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(changes(demo), media_type="text/event-stream", headers=headers)
