"""``zeroten demo``: the main job with a carrier of our own, rehearsed customers, and a phone in the browser."""

import asyncio
import secrets
from dataclasses import asdict
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
import structlog
import uvloop
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app import logs
from app.config import Settings
from app.demo.browser_phone import BrowserPhones
from app.demo.chats import chat
from app.demo.hosts import KnownHosts
from app.demo.page import DemoCallRequest, DemoChatRequest, DemoPage, demo_router
from app.demo.queues import DEMO_QUEUES, DemoCustomers, called, interaction, meeting, phone_of
from app.demo.spoken import answers_of, call_aloud, with_whisper
from app.intake import Customer, InteractionIn
from app.main import create_app
from app.process import Address, database_watched, serve, working
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Answers, Person, RandomCaller, RandomPhones, Speaker, in_real_time
from app.rehearsal.twilio import RehearsedCarrier, serving
from app.reports import Selection, nps, read_story
from app.services import Services, running
from app.store import attempts, database, responses

log = structlog.get_logger(__name__)

BRAND = "Northwind"
FROM = "+12125550123"
CUSTOMERS = 400
CUSTOMERS_AT_MOST = 5000
CALLS_TO_A_CHAT = 5
CHATS_AT_ONCE = 8
LATEST = 12
CALLS_PER_SECOND = 40.0
QUIET_LEVEL = "ERROR"


def run(
    settings: Settings, address: Address, customers: int = CUSTOMERS, speaker: Speaker | None = None
) -> None:
    """Run the demo at ``address`` until Ctrl-C. With a ``speaker``, one more call is answered aloud and heard here."""
    logs.set_up(QUIET_LEVEL)
    uvloop.run(_run(settings, address, customers, speaker))


async def _run(settings: Settings, address: Address, customers: int, speaker: Speaker | None) -> None:
    book, phones, console = DemoCustomers(customers), BrowserPhones(), Console()
    account, token = f"AC{uuid4().hex}", secrets.token_hex(16)
    by_chance = RandomPhones(seed=7, pace=0, person_for=book.person)
    page = f"http://{address[0]}:{address[1]}"
    phone_for = in_real_time(phones.caller_for, by_chance)
    carrier = RehearsedCarrier(account, token, phone_for, message_url=f"{page}/twilio/messages")
    async with serving.running(carrier) as carrier_url:
        ours = _settings(settings, page, carrier_url, account, token)
        if speaker is not None:
            ours = with_whisper(ours)
        console.print("Starting the embedded PostgreSQL …")
        async with running(ours) as services, database_watched(ours), working(services):
            await _forget_last_run(services)
            app = create_app(services)
            app.include_router(demo_router(phones, _demo(services, book)))
            app.add_middleware(KnownHosts, host=address[0])
            answers = None if speaker is None else answers_of(speaker, services, console)
            seeding = asyncio.create_task(_seed(services, book, carrier, answers, console))
            seeding.add_done_callback(_tell_failure)
            await serve(app, address)
            seeding.cancel()


def _settings(settings: Settings, page: str, carrier_url: str, account: str, token: str) -> Settings:
    return settings.model_copy(
        update={
            "database_url": None,
            "data_dir": settings.data_dir / "demo",
            "public_url": page,
            "twilio_account_sid": account,
            "twilio_auth_token": SecretStr(token),
            "twilio_api_url": carrier_url,
            "twilio_from": FROM,
            "calls_per_second": CALLS_PER_SECOND,
            "messages_per_second": CALLS_PER_SECOND,
            "calling_hours": "always",
            "call_delay_seconds": 0,
            "brand": BRAND,
            "admin_key": settings.admin_key or SecretStr(secrets.token_urlsafe(18)),
            "webhook_url": None,
            "crm_file": None,
            "alerts_file": None,
        }
    )


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("rehearsal_broke", exc_info=problem)


async def _forget_last_run(services: Services) -> None:
    async with services.pool.connection() as connection:
        await database.delete_surveys(connection)


def _demo(services: Services, book: DemoCustomers) -> DemoPage:
    async def place(request: DemoCallRequest) -> dict[str, Any]:
        customer = Customer(crm_id=f"you-{uuid4().hex}", phone=request.phone, name=request.name, consent=True)
        return asdict(
            (await services.triggers.accept([interaction(request.queue, request.language, customer)]))[0]
        )

    async def invite(request: DemoChatRequest) -> dict[str, Any]:
        customer = Customer(crm_id=f"you-{uuid4().hex}", consent=True)
        item = interaction(request.queue, request.language, customer, channel="chat")
        return {"token": await _invited(services, item)}

    async def survey(survey_id: UUID) -> dict[str, Any] | None:
        async with services.pool.connection() as connection:
            story = await read_story(connection, survey_id)
        return None if story is None else asdict(story)

    async def rows() -> list[dict[str, Any]]:
        async with services.pool.connection() as connection:
            return [asdict(row) for row in await nps.nps(connection, "queue", _everything(services))]

    async def latest() -> list[dict[str, Any]]:
        async with services.pool.connection() as connection:
            return [asdict(response) for response in await responses.latest(connection, LATEST)]

    return DemoPage(
        brand=BRAND,
        queues=[queue.queue for queue in DEMO_QUEUES],
        languages=sorted(services.flows.languages.codes),
        place=place,
        invite=invite,
        survey=survey,
        rows=rows,
        latest=latest,
        progress=lambda: (book.done, book.total),
    )


def _everything(services: Services) -> Selection:
    return Selection(None, None, None, services.timezone)


async def _seed(
    services: Services,
    book: DemoCustomers,
    carrier: RehearsedCarrier,
    answers: Answers | None,
    console: Console,
) -> None:
    """Let the customers' calls end, and follow their surveys with a progress bar until each was met or missed."""
    page = services.settings.public_url
    items = [called(number, book) for number in range(book.total)]
    await services.triggers.accept(items)
    with Progress(
        TextColumn("Rehearsing calls and messages"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        task = bar.add_task("calls", total=book.total)
        while book.done < book.total:
            await asyncio.sleep(0.2)
            async with services.pool.connection() as connection:
                book.done = min(book.total, await attempts.count_ended(connection))
            bar.update(task, completed=book.done)
    await _chats(services, book.total // CALLS_TO_A_CHAT, page)
    if answers is not None:
        number = phone_of(answers.language, CUSTOMERS_AT_MOST)
        await call_aloud(services, carrier, number, answers, console)
    async with services.pool.connection() as connection:
        rows = await nps.nps(connection, "queue", _everything(services))
    console.print(_table(rows))
    admin_key = services.settings.admin_key
    key = admin_key.get_secret_value() if admin_key else ""
    console.print(f"\nThe page with a phone of your own:  [bold]{page}/demo[/bold]")
    console.print(
        f"The report as a file:  curl -H 'Authorization: Bearer {key}' {page}/api/v1/exports/nps.csv",
        soft_wrap=True,
    )
    console.print("Ctrl-C ends the demo.")


async def _chats(services: Services, count: int, page: str) -> None:
    """Let some customers be asked in the chat that they are still in."""
    at_once = asyncio.Semaphore(CHATS_AT_ONCE)

    async def one(number: int) -> None:
        chance = Random(f"chat {number}")  # noqa: S311 - a rehearsal, not a secret
        queue, language = meeting(chance)
        customer = Customer(crm_id=f"chat-{number:05d}", consent=True)
        item = interaction(queue.queue, language, customer, chance.choice(queue.agents), channel="chat")
        async with at_once:
            token = await _invited(services, item)
            await chat(http, token, RandomCaller(chance, Person(language, queue.mood), PacedClock(0)))

    async with httpx.AsyncClient(base_url=page) as http:
        await asyncio.gather(*(one(number) for number in range(count)))


async def _invited(services: Services, item: InteractionIn) -> str:
    """The token of the survey that an ended chat has led to."""
    decision = (await services.triggers.accept([item]))[0]
    assert decision.survey_id is not None, "a new customer of the demo may be asked"
    assert decision.due_at is not None, "a scheduled survey is due"
    return services.chat_tokens.make(decision.survey_id, decision.due_at)


def _table(rows: list[nps.NpsRow]) -> Table:
    table = Table("Queue", title="NPS by queue", title_justify="left")
    for heading in ("Invited", "Reached", "Responses", "NPS", "95% margin"):
        table.add_column(heading, justify="right")
    for row in rows:
        score = "-" if row.nps is None else f"{row.nps:+.0f}"
        margin = "-" if row.margin95 is None else f"±{row.margin95:.0f}"
        table.add_row(row.group, str(row.invited), str(row.reached), str(row.responses), score, margin)
    return table
