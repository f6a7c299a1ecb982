"""``zeroten demo``: the main job with a carrier of our own, rehearsed customers, and a phone in the browser."""

import asyncio
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx
import uvloop
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app import logs
from app.dashboard import reports
from app.dashboard.period import Selection
from app.dashboard.story import tell
from app.interaction import Customer, InteractionIn
from app.main import create_app, triggers_of
from app.places import locate
from app.process import Address, serve, working
from app.rehearsal import serving
from app.rehearsal.browser import BrowserPhones
from app.rehearsal.carrier import Carrier
from app.rehearsal.chance import ChanceCaller, ChancePhones, Mood, Person
from app.rehearsal.chatters import chat
from app.rehearsal.clock import PacedClock
from app.rehearsal.demo_page import CallRequest, ChatRequest, Demo, demo_router
from app.rehearsal.phone import in_real_time
from app.settings import Settings
from app.store import attempts, responses
from app.wiring import Services, languages, running

BRAND = "Northwind"
FROM = "+12125550123"
CUSTOMERS = 400
CALLS_TO_A_CHAT = 5
CHATS_AT_ONCE = 8
LATEST = 12
CALLS_PER_SECOND = 40.0
QUIET_LEVEL = "ERROR"


@dataclass(frozen=True)
class Desk:
    """A queue of the demo: who works there, what is spoken, and how its customers feel."""

    queue: str
    agents: tuple[str, ...]
    languages: tuple[str, ...]
    mood: Mood
    share: float
    survey_by: Literal["voice", "sms"] = "voice"


DESKS = (
    Desk("Sales", ("Anna", "Ola"), ("en", "pl", "nb"), Mood(0.62, 0.25, 0.13), 0.34),
    Desk("Support", ("Marek", "Ingrid", "Chloé"), ("en", "pl", "fr", "nb"), Mood(0.46, 0.30, 0.24), 0.36),
    Desk("Billing", ("Julie", "Tomasz"), ("fr", "pl", "en"), Mood(0.26, 0.30, 0.44), 0.25),
    Desk("Returns", ("Kari",), ("nb", "en"), Mood(0.40, 0.30, 0.30), 0.05, "sms"),
)
NUMBERS = {"en": "+4420794{:05d}", "pl": "+4822{:07d}", "nb": "+4722{:06d}", "fr": "+331{:08d}"}


@dataclass
class Book:
    """The rehearsed customers by number, and how many of them have been called."""

    total: int
    done: int = 0
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, number: str) -> Person:
        """Who is behind a number."""
        return self.people.get(number, Person())


def run(settings: Settings, address: Address, customers: int = CUSTOMERS) -> None:
    """Run the demo at ``address`` until Ctrl-C."""
    logs.set_up(QUIET_LEVEL)
    uvloop.run(_run(settings, address, customers))


async def _run(settings: Settings, address: Address, customers: int) -> None:
    book, phones, console = Book(customers), BrowserPhones(), Console()
    account, token = f"AC{uuid4().hex}", secrets.token_hex(16)
    by_chance = ChancePhones(seed=7, pace=0, person_for=book.person)
    page = f"http://{address[0]}:{address[1]}"
    phone_for = in_real_time(phones.caller_for, by_chance)
    carrier = Carrier(account, token, phone_for, message_url=f"{page}/twilio/messages")
    async with serving.running(carrier) as carrier_url:
        ours = _settings(settings, page, carrier_url, account, token)
        console.print("Starting the embedded PostgreSQL …")
        async with running(ours) as services, working(services):
            await _forget_last_run(services)
            app = create_app(services)
            app.include_router(demo_router(phones, _demo(services, book)))
            seeding = asyncio.create_task(_seed(services, book, console, page, ours))
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
        }
    )


async def _forget_last_run(services: Services) -> None:
    async with services.pool.connection() as connection:
        await connection.execute(
            "TRUNCATE interactions, surveys, attempts, turns, responses, nps_daily, recordings, suppressions, inbound,"
            " pacing, procrastinate_jobs CASCADE"
        )


def _demo(services: Services, book: Book) -> Demo:
    triggers = triggers_of(services)

    async def place(request: CallRequest) -> dict[str, Any]:
        customer = Customer(crm_id=f"you-{uuid4().hex}", phone=request.phone, name=request.name, consent=True)
        return asdict((await triggers.accept([_interaction(request.queue, request.language, customer)]))[0])

    async def invite(request: ChatRequest) -> dict[str, Any]:
        customer = Customer(crm_id=f"you-{uuid4().hex}", consent=True)
        item = _interaction(request.queue, request.language, customer, channel="chat")
        return {"token": await _invited(services, item)}

    async def survey(survey_id: str) -> dict[str, Any] | None:
        async with services.pool.connection() as connection:
            story = await tell(connection, UUID(survey_id))
        return None if story is None else asdict(story)

    async def rows() -> list[dict[str, Any]]:
        async with services.pool.connection() as connection:
            return [asdict(row) for row in await reports.nps(connection, "queue", _everything(services))]

    async def latest() -> list[dict[str, Any]]:
        async with services.pool.connection() as connection:
            return await responses.latest(connection, LATEST)

    return Demo(
        brand=BRAND,
        queues=[desk.queue for desk in DESKS],
        languages=sorted(languages(services.flows)),
        place=place,
        invite=invite,
        survey=survey,
        rows=rows,
        latest=latest,
        progress=lambda: (book.done, book.total),
    )


def _everything(services: Services) -> Selection:
    return Selection(None, None, None, services.timezone)


async def _seed(services: Services, book: Book, console: Console, page: str, settings: Settings) -> None:
    """Let the customers' calls end, and follow their surveys with a progress bar until each was met or missed."""
    items = [_rehearsed(number, book) for number in range(book.total)]
    await triggers_of(services).accept(items)
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
    async with services.pool.connection() as connection:
        rows = await reports.nps(connection, "queue", _everything(services))
    console.print(_table(rows))
    key = settings.admin_key.get_secret_value() if settings.admin_key else ""
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
        desk, language = _meeting(chance)
        customer = Customer(crm_id=f"chat-{number:05d}", consent=True)
        item = _interaction(desk.queue, language, customer, chance.choice(desk.agents), channel="chat")
        async with at_once:
            token = await _invited(services, item)
            await chat(http, token, ChanceCaller(chance, Person(language, desk.mood), PacedClock(0)))

    async with httpx.AsyncClient(base_url=page) as http:
        await asyncio.gather(*(one(number) for number in range(count)))


async def _invited(services: Services, item: InteractionIn) -> str:
    """The token of the survey that an ended chat has led to."""
    decision = (await triggers_of(services).accept([item]))[0]
    assert decision.survey_id is not None, "a new customer of the demo may be asked"
    assert decision.due_at is not None, "a scheduled survey is due"
    return services.chat_tokens.make(decision.survey_id, decision.due_at)


def _meeting(chance: Random) -> tuple[Desk, str]:
    desk = chance.choices(DESKS, [desk.share for desk in DESKS])[0]
    return desk, chance.choice(desk.languages)


def _rehearsed(number: int, book: Book) -> InteractionIn:
    chance = Random(number)  # noqa: S311 - a rehearsal, not a secret
    desk, language = _meeting(chance)
    phone = locate(NUMBERS[language].format(number)).e164
    book.people[phone] = Person(language, desk.mood)
    customer = Customer(crm_id=f"crm-{number:05d}", phone=phone, consent=True)
    item = _interaction(desk.queue, language, customer, chance.choice(desk.agents))
    return item.model_copy(update={"survey_by": desk.survey_by})


def _interaction(
    queue: str,
    language: str,
    customer: Customer,
    agent: str | None = None,
    channel: Literal["voice", "chat"] = "voice",
) -> InteractionIn:
    return InteractionIn(
        id=f"demo-{uuid4().hex}",
        channel=channel,
        queue=queue,
        agent=agent,
        ended_at=datetime.now(UTC),
        language=language,
        talk_seconds=180,
        customer=customer,
    )


def _table(rows: list[reports.Row]) -> Table:
    table = Table("Queue", title="NPS by queue", title_justify="left")
    for heading in ("Invited", "Reached", "Responses", "NPS", "95% margin"):
        table.add_column(heading, justify="right")
    for row in rows:
        score = "-" if row.nps is None else f"{row.nps:+.0f}"
        margin = "-" if row.margin95 is None else f"±{row.margin95:.0f}"
        table.add_row(row.group, str(row.invited), str(row.reached), str(row.responses), score, margin)
    return table
